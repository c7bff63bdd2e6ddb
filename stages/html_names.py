"""Names that HTML knows, by hash: FNV-1a (Fowler, Noll and Vo) and an open hash table, for kernels.

A hash stands for its name: none of the names of elements, attributes and references share one.
"""

from collections.abc import Iterable

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def name_hash(data, start, end):  # type: ignore[no-untyped-def]
    """FNV-1a of a name, capitals as small letters."""
    value = np.uint64(0xCBF29CE484222325)
    for at in range(start, end):
        byte = data[at]
        if 0x41 <= byte <= 0x5A:
            byte |= 0x20
        value = (value ^ np.uint64(byte)) * np.uint64(0x100000001B3)
    return value


def hash_of(name: str) -> int:
    """FNV-1a of a name as it is spelled, in plain Python; of small letters it is `name_hash`."""
    value = 0xCBF29CE484222325
    for byte in name.encode():
        value = (value ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return value


def open_table(names: Iterable[str], slots: int) -> tuple[np.ndarray, dict[str, int]]:
    """Names in an open hash table: (slots,) uint64 hashes, 0 = empty, for `slot_of`; and the slot of each name. `slots`
    is a power of two above the number of names."""
    hashes = np.zeros(slots, dtype=np.uint64)
    places = {}
    for name in names:
        value = np.uint64(hash_of(name))
        places[name] = int(slot_of(value, hashes))
        hashes[places[name]] = value
    return hashes, places


@njit(cache=True, nogil=True, inline="always")
def slot_of(value, hashes):  # type: ignore[no-untyped-def]
    """-> the slot of a hash in an open table, an empty one where it is not there."""
    mask = np.uint64(hashes.size - 1)
    slot = value & mask
    while hashes[slot] != 0 and hashes[slot] != value:
        slot = (slot + np.uint64(1)) & mask
    return slot
