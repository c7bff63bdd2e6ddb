"""Normalisation: one spelling for what nobody can see.

reads text (string)
adds  text (string)       the same text, in which
                          - line ends (CR LF, CR, vertical tab, form feed, U+2028, U+2029) are LF,
                          - control characters (C0, DEL, C1) are gone, LF and TAB apart,
                          - U+200B, U+2060, U+FEFF and the soft hyphen U+00AD are gone,
                          - no line ends in spaces or tabs, and no more than two blank lines follow each other,
                          - characters are in Unicode's composed form (NFC)
      content (binary16)  xxh3_128 of the new text's UTF-8, most significant byte first

What can be seen stays: width and punctuation (，！（）ＡＢＣ), U+3000 and no-break spaces, accents, and the joiners
U+200C and U+200D that Indic and Arabic scripts and emoji are spelled with. U+0085 goes as a control character: on the
web it is a stray byte of windows-1252, not a line end. Normalising what is normalised changes nothing.
"""

from itertools import pairwise
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import xxhash
from numba import njit

from corpus.stage import Columns, Map
from stages.characters import decode, utf8

MAX_LINE_ENDS = 3  # in a row: two blank lines

# Ranges of characters that NFC neither changes, nor joins to the character before them, nor reorders. Texts made of
# nothing else skip it. What is missing here only costs time; that nothing is wrong is tested against the standard
# library's tables. Unicode's stability policy keeps it true for assigned characters in later versions.
STABLE = (
    (0x0000, 0x02FF),
    (0x0400, 0x0482),
    (0x048A, 0x052F),
    (0x0531, 0x0590),
    (0x05D0, 0x05EA),
    (0x0620, 0x064A),
    (0x0660, 0x066F),
    (0x0E01, 0x0E37),
    (0x0E3F, 0x0E47),
    (0x1E00, 0x1EFF),
    (0x2002, 0x20CF),
    (0x2150, 0x2328),
    (0x232B, 0x2ADB),
    (0x2ADD, 0x2BFF),
    (0x3000, 0x3029),
    (0x3030, 0x3098),
    (0x309B, 0x9FFF),
    (0xAC00, 0xD7A3),
    (0xE000, 0xF8FF),
    (0xFE00, 0xFE0F),
    (0xFE30, 0xFFEF),
    (0x1F000, 0x1FAFF),
    (0x20000, 0x2F7FF),
    (0x30000, 0x3FFFF),
)

# What the first byte of a character calls for.
_COPY = 0
_LINE = 1  # LF, VT, FF
_RETURN = 2
_DROP = 3
_LOOK = 4  # first byte of a character that may have to go: C2 (U+0080 to U+00BF), E2 (U+2000 to), EF (U+F000 to)


def _first_bytes() -> np.ndarray:
    table = np.zeros(256, dtype=np.uint8)
    table[:0x20] = _DROP
    table[0x7F] = _DROP
    table[0x09] = _COPY
    table[[0x0A, 0x0B, 0x0C]] = _LINE
    table[0x0D] = _RETURN
    table[[0xC2, 0xE2, 0xEF]] = _LOOK
    return table


def _stable_bits() -> np.ndarray:
    table = np.zeros(0x40000, dtype=np.uint8)
    for first, last in STABLE:
        table[first : last + 1] = 1
    return np.packbits(table, bitorder="little")


_FIRST_BYTES = _first_bytes()
_STABLE_BITS = _stable_bits()


class Normalise(Map, frozen=True, kw_only=True, tag="normalise"):
    """It has no parameters: documents of two corpora are equal only where both were normalised alike."""

    revision: ClassVar[int] = 1
    uses: ClassVar[tuple[str, ...]] = ("pyarrow", "xxhash")  # pyarrow brings Unicode's tables for NFC
    reads: ClassVar[tuple[str, ...]] = ("text",)
    adds: ClassVar[dict[str, pa.DataType]] = {"text": pa.string(), "content": pa.binary(16)}

    def apply(self, batch: pa.RecordBatch, model: None) -> Columns:
        text = composed(cleaned(batch["text"]))
        return {"text": text, "content": digests(text)}


def cleaned(column: pa.Array) -> pa.Array:
    """Every step except NFC; a null becomes ""."""
    data, bounds = utf8(column)
    out = np.empty(int(bounds[-1]) - int(bounds[0]), dtype=np.uint8)
    offsets = np.zeros(len(bounds), dtype=np.int32)
    _clean(data, bounds, _FIRST_BYTES, out, offsets)
    kept = out[: offsets[-1]]
    if kept.size < 0.75 * out.size:
        kept = kept.copy()  # a slice would hold on to all of `out`
    return pa.StringArray.from_buffers(len(column), pa.py_buffer(offsets), pa.py_buffer(kept))


def composed(column: pa.Array) -> pa.Array:
    """NFC, asked for only where a character is not known to be stable.

    After cleaning it is the last step: NFC makes no character that cleaning would touch, while a zero-width space
    between a letter and its accent would have hidden the pair from it."""
    data, bounds = utf8(column)
    suspect = np.zeros(len(column), dtype=np.bool_)
    _find_unstable(data, bounds, _STABLE_BITS, suspect)
    if not suspect.any():
        return column
    mask = pa.array(suspect)
    return pc.replace_with_mask(column, mask, pc.utf8_normalize(column.filter(mask), "NFC"))


def digests(column: pa.Array) -> pa.Array:
    """xxh3_128 of each document: n strings -> n values of 16 bytes."""
    data, offsets = utf8(column)
    view = memoryview(data)
    bounds = offsets.tolist()
    hashed = b"".join(map(xxhash.xxh3_128_digest, (view[a:b] for a, b in pairwise(bounds))))
    return pa.Array.from_buffers(pa.binary(16), len(column), [None, pa.py_buffer(hashed)])


@njit(cache=True, nogil=True, inline="always")
def _stays(data, at, end):  # type: ignore[no-untyped-def]
    """False where the character at `at`, which begins with C2, E2 or EF, is one to drop or a line end."""
    if at + 1 >= end:
        return True
    second = data[at + 1]
    if data[at] == 0xC2:
        return second >= 0xA0 and second != 0xAD
    if at + 2 >= end:
        return True
    third = data[at + 2]
    if data[at] == 0xE2:
        if second == 0x80:
            return third != 0x8B and third != 0xA8 and third != 0xA9  # U+200B, U+2028, U+2029
        return not (second == 0x81 and third == 0xA0)  # U+2060
    return not (second == 0xBB and third == 0xBF)  # U+FEFF


@njit(cache=True, nogil=True)
def _clean(data, bounds, first_bytes, out, offsets):  # type: ignore[no-untyped-def]
    """Write cleaned documents one after the other into `out`, and where each ends into `offsets` (n + 1)."""
    to = 0
    for document in range(bounds.size - 1):
        at = bounds[document]
        end = bounds[document + 1]
        line = to  # where the line being written starts
        line_ends = 1  # written in a row before it; the start of a text counts as one
        while at < end:
            # Most of a text is plain runs: find the end of one, then copy it.
            run = at
            while at < end:
                action = first_bytes[data[at]]
                if action != _COPY and (action != _LOOK or not _stays(data, at, end)):
                    break
                at += 1
            for step in range(at - run):
                out[to + step] = data[run + step]
            to += at - run
            if at == end:
                break
            if action == _DROP:
                at += 1
                continue
            if action == _LOOK:
                if data[at] == 0xC2:
                    at += 2
                    continue
                line_end = data[at + 1] == 0x80 and data[at + 2] != 0x8B and data[at] == 0xE2
                at += 3
                if not line_end:
                    continue
            elif action == _RETURN and at + 1 < end and data[at + 1] == 0x0A:
                at += 2
            else:
                at += 1
            while to > line and (out[to - 1] == 0x20 or out[to - 1] == 0x09):
                to -= 1
            if to > line:
                line_ends = 0
            if line_ends < MAX_LINE_ENDS:
                out[to] = 0x0A
                to += 1
                line_ends += 1
            line = to
        while to > line and (out[to - 1] == 0x20 or out[to - 1] == 0x09):
            to -= 1
        offsets[document + 1] = to


@njit(cache=True, nogil=True)
def _find_unstable(data, bounds, stable_bits, suspect):  # type: ignore[no-untyped-def]
    """Set suspect[i] where document i holds a character outside `STABLE`."""
    for document in range(bounds.size - 1):
        at = bounds[document]
        end = bounds[document + 1]
        while at < end:
            first = data[at]
            if first < 0x80:
                at += 1
            elif first < 0xCC:  # to U+02FF
                at += 2
            elif 0xE4 <= first <= 0xE9:  # U+4000 to U+9FFF
                at += 3
            else:
                code, size = decode(data, at, end)
                if code >= 0x40000 or not (stable_bits[code >> 3] >> np.uint8(code & 7)) & 1:
                    suspect[document] = True
                    break
                at += size
