"""What kind of character a code point is, and how to walk over UTF-8 in Arrow buffers.

The kinds are those of Unicode 3.2, with later scripts and symbols placed by block: `scripts/character_tables.py` wrote
them. A newer Python must not change what a corpus keeps.
"""

from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import zstandard
from numba import njit

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


@cache
def kinds() -> np.ndarray:
    """Kind of each code point below `TABLE_SIZE`: (131072,) uint8."""
    return stored("kinds", np.dtype(np.uint8), TABLE_SIZE)


def stored(name: str, kind: np.dtype, count: int) -> np.ndarray:
    """A table that `scripts/character_tables.py` wrote: (count,), read-only."""
    data = zstandard.ZstdDecompressor().decompress((Path(__file__).parent / "tables" / f"{name}.zst").read_bytes())
    return np.frombuffer(data, kind.newbyteorder("<"), count).astype(kind, copy=False)


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
