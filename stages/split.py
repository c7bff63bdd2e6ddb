"""Splitting: documents too long for what follows become parts of about equal size.

reads text (string)
makes children of contiguous spans of their parent, which together cover every byte of it

A document of `max_bytes` or less is its own only child. A longer one is cut into the least number of parts of 7/8 of
that on average. Each cut falls at the best boundary within a window of 1/16 on either side of the even cut: after a
blank line, else after a line end, else after the end of a sentence, else after a space, else between any two
characters; of equals the nearest wins, and of those equally near the first. A character of UTF-8 is never cut.
"""

from typing import ClassVar

import numpy as np
import pyarrow as pa
from numba import njit

from corpus.stage import Regroup
from stages.characters import utf8

SMALLEST_MAX_BYTES = 64  # so that a window always holds a place between two characters

_CLOSING_MARKS = 4  # after the end of a sentence, at most: a page of nothing else must not cost its square

# How good a boundary is; higher wins.
_NONE, _CHARACTER, _SPACE, _SENTENCE, _LINE, _BLANK = range(6)


class Split(Regroup, frozen=True, kw_only=True, tag="split"):
    """`max_bytes`: no part is longer. A reader of very long texts pays more than linearly for them further on."""

    revision: ClassVar[int] = 1
    reads: ClassVar[tuple[str, ...]] = ("text",)

    max_bytes: int = 512 << 10

    def __post_init__(self) -> None:
        if self.max_bytes < SMALLEST_MAX_BYTES:
            raise ValueError(f"max_bytes must be at least {SMALLEST_MAX_BYTES} (got {self.max_bytes})")

    def regroup(self, batch: pa.RecordBatch, model: None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """-> (parent (children,) int64, start (children,) int64, end (children,) int64), bytes of the parent's text."""
        data, bounds = utf8(batch["text"])
        sizes = np.diff(bounds.astype(np.int64))
        parts = np.ones(len(sizes), dtype=np.int64)
        long = np.flatnonzero(sizes > self.max_bytes)
        if not len(long):
            return np.arange(len(sizes)), np.zeros(len(sizes), dtype=np.int64), sizes
        window = self.max_bytes // 16
        parts[long] = -(-sizes[long] // (self.max_bytes - 2 * window))  # cuts at worst move apart by two windows
        parent = np.repeat(np.arange(len(sizes)), parts)
        first = np.cumsum(parts) - parts  # where each parent's children begin
        end = np.repeat(sizes, parts)
        for row in long.tolist():
            text = data[bounds[row] : bounds[row + 1]]
            end[first[row] : first[row] + parts[row] - 1] = cuts(text, int(parts[row]), window)
        start = np.zeros_like(end)
        start[1:] = np.where(parent[1:] == parent[:-1], end[:-1], 0)
        return parent, start, end


def cuts(text: np.ndarray, parts: int, window: int) -> np.ndarray:
    """Where to cut `text` ((bytes,) uint8 of UTF-8) into `parts`: (parts - 1,) int64, ascending, each at most `window`
    bytes from the even cut. `window` must be at least 4, and less than half of an even part."""
    found = np.empty(parts - 1, dtype=np.int64)
    for index in range(parts - 1):
        found[index] = _best_cut(text, len(text) * (index + 1) // parts, window)
    return found


@njit(cache=True, nogil=True)
def _is_space(byte):  # type: ignore[no-untyped-def]
    return byte == 0x20 or byte == 0x09


@njit(cache=True, nogil=True)
def _ends(a, b, c):  # type: ignore[no-untyped-def]
    """True for the three bytes of 。 ！ ？ …"""
    if a == 0xE3:
        return b == 0x80 and c == 0x82
    return (a == 0xEF and b == 0xBC and (c == 0x81 or c == 0x9F)) or (a == 0xE2 and b == 0x80 and c == 0xA6)


@njit(cache=True, nogil=True)
def _closes(a, b, c):  # type: ignore[no-untyped-def]
    """True for the three bytes of what may follow the end of a sentence and belongs to it: ” ’ 」 』 》 ）"""
    if a == 0xE3:
        return b == 0x80 and (c == 0x8D or c == 0x8F or c == 0x8B)
    return (a == 0xE2 and b == 0x80 and (c == 0x9D or c == 0x99)) or (a == 0xEF and b == 0xBC and c == 0x89)


@njit(cache=True, nogil=True)
def _ends_sentence(text, at):  # type: ignore[no-untyped-def]
    """True where a sentence ends before `at`: behind . ! ? and a space, or behind 。 ！ ？ … and all that closes it."""
    if at > 1 and _is_space(text[at - 1]):
        return text[at - 2] == 0x2E or text[at - 2] == 0x21 or text[at - 2] == 0x3F
    if at + 2 < text.size:
        a, b, c = text[at], text[at + 1], text[at + 2]
        if _ends(a, b, c) or _closes(a, b, c):
            return False
    for _ in range(_CLOSING_MARKS + 1):
        if at < 3:
            return False
        a, b, c = text[at - 3], text[at - 2], text[at - 1]
        if _ends(a, b, c):
            return True
        if not _closes(a, b, c):
            return False
        at -= 3
    return False


@njit(cache=True, nogil=True)
def _boundary(text, at):  # type: ignore[no-untyped-def]
    """How good a place byte `at` is to begin a part."""
    if text[at] & 0xC0 == 0x80:
        return _NONE
    before = text[at - 1]
    if before == 0x0A:
        if text[at] == 0x0A:  # inside a run of line ends: they go with what they end
            return _CHARACTER
        return _BLANK if at > 1 and text[at - 2] == 0x0A else _LINE
    if _is_space(text[at]):  # spaces likewise
        return _CHARACTER
    if _ends_sentence(text, at):
        return _SENTENCE
    return _SPACE if _is_space(before) else _CHARACTER


@njit(cache=True, nogil=True)
def _best_cut(text, even, window):  # type: ignore[no-untyped-def]
    best = even
    kind = _NONE
    for distance in range(window + 1):
        for at in (even - distance, even + distance):
            if 0 < at < text.size:
                found = _boundary(text, at)
                if found > kind:
                    kind = found
                    best = at
        if kind == _BLANK:
            break
    return best
