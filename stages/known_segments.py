"""Short segments of text and the ids that they became: a table of fixed size, in which each has one of four places.

A segment of 2 to 15 bytes and its length are 16 bytes, which are compared as they are, so what is found is right. A new
segment takes a free place, else that of another one.
"""

from typing import NamedTuple

import numpy as np

from stages.byte_blocks import load64
from stages.uncounted import uncounted

CELL_BYTES, CELL_IDS = 15, 8
_WAYS = 4  # cells that a segment may stand in
LIMIT, ADDS, MANY, IDS = 4, 5, 6, 8  # columns of a cell, in 32 bits


class Known(NamedTuple):
    """Segments and their ids, 64 bytes each: the same memory three times. A segment and its length fill 16 bytes; then
    the score of the text, by amount, up to which the ids hold, what they add to it (float32), how many; eight ids."""

    keys: np.ndarray  # (n, 8) uint64
    ids: np.ndarray  # (n, 16) int32
    scores: np.ndarray  # (n, 16) float32


def known(cells: int) -> Known:
    """An empty table; `cells` is a power of two."""
    keys = np.zeros((cells, 8), np.uint64)
    return Known(keys, keys.view(np.int32), keys.view(np.float32))


@uncounted
def key(data, at, size):  # type: ignore[no-untyped-def]
    """The 2 to 15 bytes from `at`, and how many: two uint64."""
    if at + np.uint64(16) <= np.uint64(data.size):
        low, high = load64(data, np.int64(at)), load64(data, np.int64(at) + 8)
    else:
        low = high = np.uint64(0)
        for step in range(size):
            byte = np.uint64(data[at + step]) << np.uint64(8 * (step & 7))
            if step < 8:
                low |= byte
            else:
                high |= byte
    if size <= 8:
        return low << np.uint64(64 - 8 * size), size << np.uint64(56)
    return low, (high << np.uint64(128 - 8 * size)) >> np.uint64(8) | size << np.uint64(56)


@uncounted
def _first_cell(low, high, cells):  # type: ignore[no-untyped-def]
    mixed = (low ^ (high * np.uint64(0x9E3779B97F4A7C15))) * np.uint64(0xBF58476D1CE4E5B9)
    return (mixed >> np.uint64(40)) & np.uint64(cells - _WAYS)


@uncounted
def cell_of(low, high, table):  # type: ignore[no-untyped-def]
    """The cell of a segment, -1 where it has none."""
    first = _first_cell(low, high, table.keys.shape[0])
    for way in range(_WAYS):
        if table.keys[first + way, 0] == low and table.keys[first + way, 1] == high:
            return np.int64(first + way)
    return np.int64(-1)


@uncounted
def keep(table, low, high, limit, adds, out, begin, end):  # type: ignore[no-untyped-def]
    """Put a segment into a free cell, else into one of its ways."""
    first = np.int64(_first_cell(low, high, table.keys.shape[0]))
    cell = first + np.int64((low >> np.uint64(56)) ^ (low >> np.uint64(40))) % _WAYS
    for way in range(_WAYS):
        if table.keys[first + way, 1] == 0:
            cell = first + way
            break
    table.keys[cell, 0], table.keys[cell, 1] = low, high
    table.scores[cell, LIMIT], table.scores[cell, ADDS] = np.float32(limit), np.float32(adds)
    table.ids[cell, MANY] = end - begin
    for step in range(end - begin):
        table.ids[cell, IDS + step] = out[begin + step]
