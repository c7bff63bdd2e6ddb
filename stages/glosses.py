"""Pinyin that a converter put behind Han characters: 重(zhòng)庆, 龟（qiū）兹, 行(xing2)人.

A gloss is one syllable in brackets, with a tone mark or number, that is a reading of the character before it, inside
running text: a Han character stands directly before it or behind it, with or without a gloss of its own. Authors write
glosses, too, of rare characters (荀彧（yù）) and of rare readings (六（lù）安), once each. A converter writes what no
reader needs. So, of a text's glosses,

- those of the most frequent characters (`byte_pairs.py`) in their usual reading are removed: nobody glosses 重(zhòng);
- all are removed where two or more are such, and where five or more gloss frequent characters in any reading and these
  are two in three of all;
- all stay in a text that is about pronunciation (拼音, 读音, 多音字, 声调 and the like), and so do those that no Han
  character touches: in a word list or a dictionary the gloss is the text. Readings of whole words (重庆(chóng qìng))
  and capitalised ones (单（Shàn）县) are authors' and stay.

Readings are in `pinyin.txt` (`scripts/pinyin.py`).
"""

import re
import unicodedata
from functools import cache
from pathlib import Path
from typing import NamedTuple

from stages.byte_pairs import FREQUENT, traits

_TONES = {"\u0304": "1", "\u0301": "2", "\u030c": "3", "\u0300": "4"}
_HAN = "\u3400-\u9fff\uf900-\ufaff"
_GLOSS = re.compile(f"([{_HAN}])([(（])\\s?([a-zü\u00e0-\u00fc\u0101-\u01dc\u0300-\u030c]{{1,9}}[1-5]?)\\s?([)）])")
_ABOUT = re.compile("拼音|读音|讀音|多音字|注音|声调|聲調|音节|音節|读作|讀作|念作|破音字|异读|声母|韵母|聲母|韻母")
_SURE = 2  # glosses of frequent characters in their usual reading that show a converter
_MANY = 5  # glosses of frequent characters that show one where they are most


class Readings(NamedTuple):
    usual: frozenset[tuple[str, str]]
    other: frozenset[tuple[str, str]]
    syllables: frozenset[str]
    chars: frozenset[str]


@cache
def readings() -> Readings:
    """(character, syllable and tone) pairs, every syllable with a tone that is one, and the characters."""
    usual, other, syllables = set(), set(), set()
    for line in (Path(__file__).parent / "pinyin.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            continue
        reading, chars = line.split(" ")
        first, rest = chars.split("|")
        syllables.add(reading)
        usual.update((char, reading) for char in first)
        other.update((char, reading) for char in rest)
    chars = frozenset(char for char, _ in usual)
    return Readings(frozenset(usual), frozenset(other), frozenset(syllables), chars)


def syllable(written: str) -> str | None:
    """zhòng or zhong4 -> zhong4, None where there is no tone or no such syllable."""
    letters, tone = "", ""
    for char in unicodedata.normalize("NFD", written):
        if char in _TONES or char.isdigit():
            if tone:
                return None
            tone = _TONES.get(char, char)
        elif char == "\u0308" and letters.endswith("u"):
            letters = letters[:-1] + "v"
        else:
            letters += {"ɡ": "g", "ɑ": "a"}.get(char, char)
    found = letters + tone
    return found if found in readings().syllables else None


def removed(text: str) -> tuple[str, int]:
    """-> (text without the glosses of a converter, how many were removed)."""
    known = readings()
    glosses: list[tuple[int, int, bool, bool]] = []  # start, end, of a frequent character, in its usual reading
    for found in _GLOSS.finditer(text):
        if (found[2] == "(") != (found[4] == ")"):
            continue
        read = syllable(found[3])
        char = found[1]
        if read is None or not ((char, read) in known.usual or (char, read) in known.other or char not in known.chars):
            continue
        if not _in_text(text, found.start(), found.end()):
            continue
        frequent = bool(traits()[ord(char)] & FREQUENT)
        glosses.append((found.start() + 1, found.end(), frequent, frequent and (char, read) in known.usual))
    if not glosses or _ABOUT.search(text):
        return text, 0
    plain = sum(usual for *_, usual in glosses)
    frequent = sum(one[2] for one in glosses)
    converter = plain >= _SURE or (frequent >= _MANY and 3 * frequent >= 2 * len(glosses))
    parts, at, number = [], 0, 0
    for start, end, _, usual in glosses:
        if usual or converter:
            parts.append(text[at:start])
            at, number = end, number + 1
    return "".join((*parts, text[at:])), number


def _in_text(text: str, start: int, end: int) -> bool:
    """Whether the gloss at text[start + 1 : end], behind the character at `start`, stands inside running text."""
    before, after = text[start - 1 : start], text[end : end + 1]
    return bool(re.match(f"[{_HAN}]", after) or re.match(f"[{_HAN})）]", before))
