"""What kind of character a code point is, and how to walk over UTF-8 in Arrow buffers.

The kinds come from the standard library's frozen copy of Unicode 3.2, not from its newest tables: a newer Python must
not change what a corpus keeps. Scripts and symbols added since are placed by block: ideographs and kana where they
are, pictographs and arrows as symbols, everything else as letters.
"""

import unicodedata
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numba import njit

_UNICODE = unicodedata.ucd_3_2_0

# Kinds. Numba reads these as constants.
SPACE = 0  # separates words; LINE FEED is one too
IGNORED = 1  # controls, format characters, variation selectors: seen by no measure
HAN = 2  # ideographs, and the iteration marks and numerals used among them
KANA = 3
HANGUL = 4
LATIN_UPPER = 5
LATIN = 6  # every other Latin letter
LETTER = 7  # letters of all other scripts
MARK = 8  # combining marks: continue the word they stand in
DIGIT = 9  # numbers of every sort except ideographs
PUNCT = 10
WIDE_PUNCT = 11  # CJK and full-width punctuation and symbols: end a word without a space
SYMBOL = 12
KINDS = 13

TABLE_SIZE = 0x20000  # planes 0 and 1; beyond lie ideographs, tags and private use

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
    """Kind of each code point below `TABLE_SIZE`: (131072,) uint8."""
    table = np.fromiter((_kind(code) for code in range(TABLE_SIZE)), np.uint8, TABLE_SIZE)
    table.flags.writeable = False
    return table


@njit(cache=True, nogil=True, inline="always")
def far_kind(code):  # type: ignore[no-untyped-def]
    """Kind of a code point at or beyond `TABLE_SIZE`."""
    if code < 0x40000:
        return np.uint8(HAN)
    if code < 0xF0000:
        return np.uint8(IGNORED)  # language tags and variation selectors
    return np.uint8(SYMBOL)  # private use


@njit(cache=True, nogil=True, inline="always")
def decode(data, at, end):  # type: ignore[no-untyped-def]
    """Code point that starts at byte `at`, and how many bytes it takes. Text is valid UTF-8 (Arrow's promise); bytes
    that are not read as one U+FFFD each and are never read past `end`."""
    first = np.uint32(data[at])
    if first < 0x80:
        return first, 1
    if first < 0xC2:
        return np.uint32(0xFFFD), 1
    if first < 0xE0:
        if at + 1 < end:
            return ((first & np.uint32(0x1F)) << np.uint32(6)) | (data[at + 1] & np.uint32(0x3F)), 2
    elif first < 0xF0:
        if at + 2 < end:
            high = ((first & np.uint32(0x0F)) << np.uint32(12)) | ((data[at + 1] & np.uint32(0x3F)) << np.uint32(6))
            return high | (data[at + 2] & np.uint32(0x3F)), 3
    elif first < 0xF5 and at + 3 < end:
        high = ((first & np.uint32(0x07)) << np.uint32(18)) | ((data[at + 1] & np.uint32(0x3F)) << np.uint32(12))
        low = ((data[at + 2] & np.uint32(0x3F)) << np.uint32(6)) | (data[at + 3] & np.uint32(0x3F))
        if high | low < 0x110000:
            return high | low, 4
    return np.uint32(0xFFFD), 1


def utf8(column: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """Bytes and offsets of a string column, slices included, without copying text: (total,) uint8 and (n + 1,) int32.
    A null counts as an empty document."""
    if column.type != pa.string():
        raise TypeError(f"expected a column of strings with 32-bit offsets, got {column.type}")
    if column.null_count:
        column = pc.fill_null(column, "")
    if len(column) == 0:
        return np.zeros(0, np.uint8), np.zeros(1, np.int32)
    _, offsets, data = column.buffers()
    bounds = np.frombuffer(offsets, np.int32, len(column) + 1, 4 * column.offset)
    text = np.frombuffer(data, np.uint8) if data is not None and data.size else np.zeros(0, np.uint8)
    return text, bounds
