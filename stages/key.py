"""The key of a document: its text in the form in which documents are compared. It is never stored.

Two copies of a page differ in case, width, quotation marks, line breaks and spacing long before they differ in words,
so the key keeps words and drops the rest:

- compatibility forms are folded (NFKC, one character at a time): full-width ASCII and half-width katakana to their
  usual width, ligatures to letters, 𝐛𝐨𝐥𝐝 to bold;
- simplified, traditional and variant forms of a Han character become one of them (`han_classes.txt`, from OpenCC's
  dictionaries: 4,631 classes such as 发發髮, 后後, 乾干幹榦, 着著), so that a page and its mirror in the other script
  give one key wherever the mirror changed characters, not words;
- Latin, Greek, Cyrillic and Armenian letters are lower-case and lose their accents, so composed and decomposed forms
  of a text give one key;
- apostrophes, accents and format characters vanish; other punctuation, symbols and white space end a word;
- words of spaced scripts stand one space apart; each Han or kana character is a unit by itself, without spaces.

Digits stay: pages that differ in their numbers alone (tables, exercises, forms) are different documents. What a
class confuses (皇后 and 皇後) is confused in the key alone, which nobody reads. Scripts without spaces other than Han
and kana (Thai, Khmer) give one word per phrase.
"""

import unicodedata
from functools import cache
from pathlib import Path

import numpy as np

from stages import characters
from stages.characters import DIGIT, HAN, HANGUL, IGNORED, KANA, LATIN, LATIN_UPPER, LETTER, MARK, SPACE, TABLE_SIZE

_UNICODE = unicodedata.ucd_3_2_0

CODES = 0x40000  # planes 0 to 3, all that hold letters and ideographs

# What a character does to the key.
GAP = 0  # ends a word
NOTHING = 1  # leaves no trace
LETTERS = 2  # adds its bytes to a word
SINGLE = 3  # adds its bytes as a unit of its own

_APOSTROPHES = frozenset("'\u2018\u2019\u02bc\uff07")
_LETTER_KINDS = frozenset({HANGUL, LATIN, LATIN_UPPER, LETTER, DIGIT, MARK})


def _cased(code: int) -> bool:
    """Latin, Greek, Cyrillic and Armenian: scripts whose case pairs no longer change between Unicode versions."""
    return code < 0x590 or 0x1E00 <= code < 0x2000


def _representatives() -> dict[str, str]:
    """The character that stands for each Han character of a class of several."""
    lines = (Path(__file__).parent / "han_classes.txt").read_text(encoding="utf-8").splitlines()
    return {char: line[0] for line in lines if not line.startswith("#") for char in line}


def _fold(char: str) -> str:
    """One character as the key shows it: itself where folding would add bytes or bring in a separator."""
    kind = characters.kinds()
    folded = ""
    for part in _UNICODE.normalize("NFKC", char):
        if _cased(ord(part)):
            base = _UNICODE.normalize("NFD", part.lower())
            part = "".join(c for c in base if not 0x300 <= ord(c) < 0x370)
        folded += part
    fits = 0 < len(folded.encode()) <= min(4, len(char.encode()))
    alike = all(kind[ord(c)] in _LETTER_KINDS if ord(c) < TABLE_SIZE else False for c in folded)
    single = len(folded) == 1 and ord(folded) < TABLE_SIZE and kind[ord(folded)] in (HAN, KANA)
    return folded if fits and (alike or single) else char


@cache
def table() -> np.ndarray:
    """For each code point below `CODES`, packed in a uint64: what the key takes from it. Those beyond leave no trace.

    bits 0-31   up to four UTF-8 bytes, the first lowest
    bits 32-39  how many
    bits 40-47  GAP, NOTHING, LETTERS or SINGLE
    """
    kind = characters.kinds()
    stands = _representatives()
    packed = np.zeros(CODES, np.uint64)
    for code in range(TABLE_SIZE):
        char = chr(code)
        if kind[code] == IGNORED or char in _APOSTROPHES or (0x300 <= code < 0x370 and kind[code] == MARK):
            packed[code] = NOTHING << 40
            continue
        if kind[code] == SPACE or 0xD800 <= code < 0xE000:
            continue
        folded = _fold(char)
        first = kind[ord(folded[0])]
        if first in _LETTER_KINDS:
            action = LETTERS
        elif first in (HAN, KANA):
            action = SINGLE
        else:
            continue
        data = stands.get(folded, folded).encode()
        packed[code] = int.from_bytes(data, "little") | len(data) << 32 | action << 40
    far = np.arange(TABLE_SIZE, CODES, dtype=np.uint64)
    packed[TABLE_SIZE:] = 0x808080F0 | far >> 18 | (far >> 12 & 63) << 8 | (far >> 6 & 63) << 16 | (far & 63) << 24
    packed[TABLE_SIZE:] |= 4 << 32 | SINGLE << 40
    for char, first in stands.items():
        packed[ord(char)] = packed[ord(first)]
    packed.flags.writeable = False
    return packed
