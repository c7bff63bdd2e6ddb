"""Which of many 96-bit hashes: an open hash table for kernels.

Load is at most one half, so that a search looks at about 1.5 slots where the hash is there and 2.5 where it is not
(Knuth, The Art of Computer Programming 3, 6.4). Memory: 8 to 16 bytes a hash.
"""

import numpy as np
from numba import njit


def lookup(keys: np.ndarray) -> np.ndarray:
    """A table for `find` of hashes whose first 64 bits are `keys`, (n,) uint64: (slots,) int32, -1 where free."""
    slots = 2
    while slots < 2 * len(keys):
        slots *= 2
    table = np.full(slots, -1, np.int32)
    _fill(keys, table)
    return table


@njit(cache=True, nogil=True)
def _fill(keys, table):  # type: ignore[no-untyped-def]
    mask = np.uint64(table.size - 1)
    for i in range(keys.size):
        at = keys[i] & mask
        while table[at] >= 0:
            at = (at + np.uint64(1)) & mask
        table[at] = i


@njit(cache=True, nogil=True, inline="always")
def find(table, keys, checks, key, check):  # type: ignore[no-untyped-def]
    """Index of the first (key, check) in keys and checks, or -1."""
    mask = np.uint64(table.size - 1)
    at = key & mask
    while table[at] >= 0:
        found = table[at]
        if keys[found] == key and checks[found] == check:
            return np.int64(found)
        at = (at + np.uint64(1)) & mask
    return np.int64(-1)
