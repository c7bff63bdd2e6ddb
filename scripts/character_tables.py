"""Write `stages/tables/`: what kind of character each code point is, and what the key of a document takes from it.

    python scripts/character_tables.py

Both come from the standard library's frozen copy of Unicode 3.2, not from its newest tables: a newer Python must not
change what a corpus keeps. Scripts and symbols added since are placed by block: ideographs and kana where they
are, pictographs and arrows as symbols, everything else as letters. The tables are kept because deriving them would
cost each process a second. `stages/characters.py` says what kinds there are, `stages/key.py` what a key is.
"""

import unicodedata
from functools import cache
from pathlib import Path

import numpy as np
import zstandard

from stages.characters import (
    DIGIT,
    HAN,
    HANGUL,
    IGNORED,
    KANA,
    LATIN,
    LATIN_UPPER,
    LETTER,
    MARK,
    PUNCT,
    SPACE,
    SYMBOL,
    TABLE_SIZE,
    WIDE_PUNCT,
)
from stages.key import CODES, LETTERS, NOTHING, SINGLE

STAGES = Path(__file__).parent.parent / "stages"
_UNICODE = unicodedata.ucd_3_2_0

# (first, last, kind), first match wins, before the general category is asked.
_BLOCKS = (
    (0x200B, 0x200F, IGNORED),  # zero-width space, joiners and direction marks; 3.2 calls the first a space
    (0xFE00, 0xFE0F, IGNORED),  # variation selectors
    (0x180E, 0x180E, IGNORED),
    (0x061C, 0x061C, IGNORED),
    (0x2060, 0x206F, IGNORED),
    (0x00AD, 0x00AD, IGNORED),  # soft hyphen; 3.2 calls it a dash
    (0x00A7, 0x00A7, PUNCT),  # section and paragraph sign, symbols in 3.2
    (0x00B6, 0x00B6, PUNCT),
    (0x2E80, 0x2FDF, HAN),  # radicals
    (0x3005, 0x3005, HAN),
    (0x3007, 0x3007, HAN),
    (0x3021, 0x3029, HAN),
    (0x3038, 0x303B, HAN),
    (0x3400, 0x4DBF, HAN),
    (0x4E00, 0x9FFF, HAN),
    (0xF900, 0xFAFF, HAN),
    (0x3041, 0x309F, KANA),
    (0x30A1, 0x30FA, KANA),
    (0x30FC, 0x30FF, KANA),
    (0x31F0, 0x31FF, KANA),
    (0xFF66, 0xFF9F, KANA),
    (0x1B000, 0x1B16F, KANA),
    (0x1100, 0x11FF, HANGUL),
    (0x3130, 0x318F, HANGUL),
    (0xA960, 0xA97F, HANGUL),
    (0xAC00, 0xD7FF, HANGUL),
    (0xFFA0, 0xFFDC, HANGUL),
)
# Blocks in which a character unknown to Unicode 3.2 is a symbol or punctuation.
_LATER = (
    (0x20A0, 0x20CF, SYMBOL),
    (0x2100, 0x2BFF, SYMBOL),
    (0x2E00, 0x2E7F, PUNCT),
    (0x2FF0, 0x2FFF, SYMBOL),
    (0x31C0, 0x31EF, SYMBOL),
    (0x3200, 0x33FF, SYMBOL),
    (0x4DC0, 0x4DFF, SYMBOL),
    (0xFE10, 0xFE1F, WIDE_PUNCT),
    (0x1F000, 0x1FBFF, SYMBOL),
)
_WIDE = ((0x3000, 0x303F), (0x30A0, 0x30FF), (0xFE30, 0xFE4F), (0xFF00, 0xFFEF))


def _kind(code: int) -> int:
    for first, last, kind in _BLOCKS:
        if first <= code <= last:
            return kind
    char = chr(code)
    if char in "\t\n\v\f\r\x85":
        return SPACE
    category = _UNICODE.category(char)
    if category == "Cn":
        return next((kind for first, last, kind in _LATER if first <= code <= last), LETTER)
    group = category[0]
    if group == "Z":
        return SPACE
    if group == "L":
        if "LATIN" not in _UNICODE.name(char, ""):
            return LETTER
        return LATIN_UPPER if category == "Lu" else LATIN
    if group == "N":
        return DIGIT
    if group == "M":
        return MARK
    if group in "PS":
        if any(first <= code <= last for first, last in _WIDE):
            return WIDE_PUNCT
        return PUNCT if group == "P" else SYMBOL
    return SYMBOL if category == "Co" else IGNORED


@cache
def kinds() -> np.ndarray:
    """(131072,) uint8"""
    return np.fromiter((_kind(code) for code in range(TABLE_SIZE)), np.uint8, TABLE_SIZE)


_APOSTROPHES = frozenset("'\u2018\u2019\u02bc\uff07")
_LETTER_KINDS = frozenset({HANGUL, LATIN, LATIN_UPPER, LETTER, DIGIT, MARK})


def _cased(code: int) -> bool:
    """Latin, Greek, Cyrillic and Armenian: scripts whose case pairs no longer change between Unicode versions."""
    return code < 0x590 or 0x1E00 <= code < 0x2000


def representatives() -> dict[str, str]:
    """The character that stands for each Han character of a class of several."""
    lines = (STAGES / "han_classes.txt").read_text(encoding="utf-8").splitlines()
    return {char: line[0] for line in lines if not line.startswith("#") for char in line}


def _fold(char: str) -> str:
    """One character as the key shows it: itself where folding would add bytes or bring in a separator."""
    kind = kinds()
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


def keys() -> np.ndarray:
    """(262144,) uint64, packed as `stages.key.table` says"""
    kind = kinds()
    stands = representatives()
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
    return packed


def main() -> None:
    for name, table in (("kinds", kinds()), ("key", keys())):
        data = zstandard.ZstdCompressor(level=19).compress(table.astype(table.dtype.newbyteorder("<")).tobytes())
        (STAGES / "tables" / f"{name}.zst").write_bytes(data)
        print(f"{name}.zst: {len(data)} bytes")


if __name__ == "__main__":
    main()
