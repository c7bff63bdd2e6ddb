"""Which charset makes the bytes of a page cheapest: costs of every candidate, in bits, on the same bytes.

A candidate is a charset and a language written in it (`charset_letters.py`). Single-byte sets are costed by pairs of
bytes of which one is not ASCII, counted once and multiplied with the table of all candidates; sets of several bytes by
the characters they read. Charsets that the web uses seldom pay for it once a page, so a rare one wins by evidence and
never by chance on a few characters.

Work is bounded: at most `JUDGED` non-ASCII bytes count. Tables take 10 MB, made at first use in half a second.
"""

import codecs
from functools import cache
from typing import NamedTuple

import numpy as np

from stages.charset_counts import context, judged, pairs, switches, unrepeated, walk, weighted
from stages.charset_labels import CODECS
from stages.charset_letters import ascii_costs, languages, pair_costs, wide_cost

JUDGED = 4096  # non-ASCII bytes
_WEST = ("de", "fr", "es", "pt", "it", "sv", "da", "nb", "fi", "is", "nl", "en", "ca", "cy", "ga", "sq")
_CENTRAL = ("pl", "cs", "sk", "hu", "hr", "bs", "sl", "ro", "sq", "de")
_SLAVIC = ("ru", "uk", "bg", "be", "mk", "sr")
# charset -> bits that it pays once a page, languages. Roughly -log2 of its share among legacy pages of these languages:
# estimates from knowledge of the web, not counted.
SINGLE: dict[str, tuple[int, tuple[str, ...]]] = {
    "windows-1252": (0, (*_WEST, "et")),
    "iso-8859-15": (4, (*_WEST, "et")),
    "macintosh": (10, ("de", "fr", "es", "pt", "it", "sv", "da", "nb", "fi", "is", "nl", "en", "ca")),
    "windows-1250": (2, _CENTRAL),
    "iso-8859-2": (3, _CENTRAL),
    "iso-8859-16": (12, ("ro",)),
    "ibm852": (12, _CENTRAL),
    "windows-1251": (0, _SLAVIC),
    "koi8-r": (3, ("ru", "bg")),
    "koi8-u": (5, ("uk", "ru")),
    "iso-8859-5": (6, _SLAVIC),
    "ibm866": (8, ("ru", "uk", "bg", "be")),
    "x-mac-cyrillic": (6, _SLAVIC),
    "ibm855": (12, ("ru", "bg", "mk", "sr")),
    "windows-1253": (2, ("el",)),
    "iso-8859-7": (3, ("el",)),
    "windows-1255": (2, ("he",)),
    "iso-8859-8": (5, ("he",)),
    "windows-1256": (2, ("ar", "fa", "ur")),
    "iso-8859-6": (6, ("ar",)),
    "windows-874": (2, ("th",)),
    "windows-1254": (3, ("tr",)),
    "iso-8859-3": (12, ("eo", "tr")),
    "windows-1257": (3, ("lt", "lv", "et")),
    "iso-8859-13": (8, ("lt", "lv", "et")),
    "iso-8859-4": (8, ("lt", "lv", "et")),
    "iso-8859-10": (14, ("is", "da", "nb", "sv", "fi", "lt", "lv", "et")),
    "iso-8859-14": (14, ("ga", "cy")),
    "windows-1258": (5, ("vi",)),
}
LATIN = frozenset(
    name
    for name, (_, own) in SINGLE.items()
    if own[0] not in ("ru", "uk", "el", "he", "ar", "th")  # first languages of the other scripts
)
SEVERAL: dict[str, tuple[int, str]] = {
    "gb18030": (0, "zh"),
    "big5-hkscs": (1, "zh"),
    "shift_jis": (1, "ja"),
    "euc-jp": (2, "ja"),
    "euc-kr": (1, "ko"),
    "johab": (12, "ko"),
    "euc-tw": (12, "zh"),
}
LONG = {"gb18030": 1, "euc-jp": 2, "euc-tw": 3}  # sets with characters of more than two bytes
CONTEXT = 2  # ASCII words beside what is not ASCII tell the language, and count for half. Other scripts: as in English
SWITCH = 4  # bits of going from ASCII letters to letters of another script: its text stands in runs


class Cost(NamedTuple):
    charset: str
    language: str
    bits: int  # of the whole sample
    per_event: float  # of what is not ASCII, bits for each byte or pair with one


def ranked(sample: bytes) -> tuple[list[Cost], int]:
    """-> candidates by cost, the cheapest first, of every charset its cheapest language; and how many bytes or pairs
    with a byte beyond ASCII were judged."""
    data = np.frombuffer(sample, dtype=np.uint8)
    data = unrepeated(data[: judged(data, JUDGED)])
    single, several = _single(), _several()
    ids, counts = pairs(data)
    events = max(1, int(counts.sum()))
    switching = SWITCH * switches(data)
    words = weighted(*context(data), single.ascii) // CONTEXT
    text = weighted(ids, counts, single.table) + np.where(single.latin, 0, switching)
    bits = text + single.paid + words[single.language]
    found = []
    for charset, begin, end in single.ranges:
        at = begin + int(bits[begin:end].argmin())
        found.append(Cost(charset, single.candidates[at], int(bits[at]), float(text[at] / events)))
    read = walk(data, several.one, several.two, several.long) + switching
    for (charset, (paid, language)), own in zip(SEVERAL.items(), read.tolist(), strict=True):
        found.append(Cost(charset, language, own + paid + int(words[single.english]), own / events))
    return sorted(found, key=lambda one: one.bits), events  # stable: of equal ones the one that stands first above


class _Single(NamedTuple):
    """Candidates are in the order of `SINGLE`, those of a charset beside each other: `ranges` are (charset, begin,
    end)."""

    candidates: list[str]  # their language
    ranges: list[tuple[str, int, int]]
    paid: np.ndarray  # (candidates,)
    latin: np.ndarray  # (candidates,) bool
    language: np.ndarray  # (candidates,) column of `ascii`
    english: int  # column of `ascii` that holds for other scripts
    table: np.ndarray  # (65536, candidates) uint8: bits of the second byte after the first
    ascii: np.ndarray  # (16384, languages) uint8: the same, of two ASCII letters, first * 128 + second


class _Several(NamedTuple):
    one: np.ndarray  # (sets, 256) uint8: bits of a byte that is a character, 0 where it is none
    two: np.ndarray  # (sets, 65536) uint8: bits of the character of two bytes, 0 where it is none
    long: np.ndarray  # (sets,) uint8


@cache
def _single() -> _Single:
    known = languages()
    latin = sorted({name for charset, (_, own) in SINGLE.items() for name in own if charset in LATIN})
    columns = {name: latin.index(name) if name in latin else latin.index("en") for name in known}
    candidates, ranges, paid, tables = [], [], [], []
    for charset, (bits, own) in SINGLE.items():
        characters: list[str | None] = [bytes([byte]).decode(CODECS[charset], "ignore") or None for byte in range(256)]
        ranges.append((charset, len(candidates), len(candidates) + len(own)))
        candidates += own
        paid += [bits] * len(own)
        tables += [pair_costs(characters, known[language]).reshape(-1) for language in own]
    return _Single(
        candidates,
        ranges,
        np.array(paid),
        np.array([charset in LATIN for charset, (_, own) in SINGLE.items() for _ in own]),
        np.array([columns[language] for language in candidates]),
        columns["en"],
        np.ascontiguousarray(np.stack(tables, axis=1)),
        np.ascontiguousarray(np.stack([ascii_costs(known[name]).reshape(-1) for name in latin], axis=1)),
    )


@cache
def _several() -> _Several:
    one = np.zeros((len(SEVERAL), 256), dtype=np.uint8)
    two = np.zeros((len(SEVERAL), 65536), dtype=np.uint8)
    for row, (charset, (_, name)) in enumerate(SEVERAL.items()):
        language = languages()[name]
        for pair, character in _characters(charset).items():
            two[row, pair] = wide_cost(character, language)
        if charset == "shift_jis":
            one[row, 0xA1:0xE0] = 13  # kana of half width
    return _Several(one, two, np.array([LONG.get(charset, 0) for charset in SEVERAL], dtype=np.uint8))


def _characters(charset: str) -> dict[int, str]:
    """Characters of two bytes, by first byte * 256 + second."""
    if charset == "euc-tw":
        return _plane_one()
    every = [bytes((first, second)) for first in range(0x81, 0xFF) for second in range(0x30, 0xFF)]
    read = codecs.decode(b"\n".join(every), CODECS[charset], "replace").split("\n")
    if len(read) != len(every):  # a codec that takes the line feed for a second byte
        read = [codecs.decode(two, CODECS[charset], "replace") for two in every]
    return {
        int.from_bytes(two): text for two, text in zip(every, read, strict=True) if len(text) == 1 and text != "\ufffd"
    }


def _plane_one() -> dict[int, str]:
    """The first plane of EUC-TW (CNS 11643), which Python has no codec for: signs, and the 5,401 common characters, in
    the order of Big5 but for some twenty that moved by a place. Good enough to tell it, not to read it."""
    found = {}
    for begin, end, row in ((0xA140, 0xA3BF, 0xA1), (0xA440, 0xC67E, 0xC4)):
        place = 0
        for lead in range(begin >> 8, (end >> 8) + 1):
            for trail in (*range(0x40, 0x7F), *range(0xA1, 0xFF)):
                if (lead << 8 | trail) <= end:
                    character = bytes((lead, trail)).decode("big5", "ignore")
                    if character:
                        found[(row + place // 94) << 8 | (0xA1 + place % 94)] = character
                    place += 1
    return found
