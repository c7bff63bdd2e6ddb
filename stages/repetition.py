"""Repetition inside one document: which windows of words were there before, and which one covers most.

Units are words of spaced scripts and single Han or kana characters. An n-gram is a window of units with a weight: a
word weighs 2 and a character 1, since a Chinese word has about two characters. So a window of weight 10 is five words
or ten characters. A window starts at each unit and is the least run that reaches the weight.

Windows are told apart by a rolling 64-bit hash. Hash tables are open, and each slot names the document that filled
it, so that they need no clearing. Per unit: `hashes` uint64 and `weights` int8 (units,), and `ends` (units + 1,), the
characters of the units before each.
"""

import numpy as np
from numba import njit

DUP_WEIGHT = 10
TOP_WEIGHT = 4
_BASE = 0x9E3779B97F4A7C15  # of the rolling hash, and its inverse modulo 2**64
_INVERSE = pow(_BASE, -1, 1 << 64)


@njit(cache=True, nogil=True, inline="always")
def mix(h):  # type: ignore[no-untyped-def]
    """MurmurHash3's 64-bit finalizer."""
    h = (h ^ (h >> np.uint64(33))) * np.uint64(0xFF51AFD7ED558CCD)
    h = (h ^ (h >> np.uint64(33))) * np.uint64(0xC4CEB9FE1A85EC53)
    return h ^ (h >> np.uint64(33))


@njit(cache=True, nogil=True, inline="always")
def slot_of(h, table, stamp, mask):  # type: ignore[no-untyped-def]
    """Where `h` is, or belongs, in an open table of (hash, stamp, ...); slots with another stamp are free."""
    at = np.int64(h & np.uint64(mask))
    while table[at, 1] == stamp and table[at, 0] != h:
        at = (at + 1) & mask
    return at


@njit(cache=True, nogil=True)
def repeated(hashes, ends, weights, units, seen, stamp, mask):  # type: ignore[no-untyped-def]
    """Characters of units that lie in a window of weight DUP_WEIGHT seen before.

    seen   (slots, 2) hash table
    """
    base = np.uint64(_BASE)
    power = np.uint64(1)  # base ** (units in the window - 1)
    rolling = np.uint64(0)
    weight = 0
    first = 0
    covered = 0  # units up to which the text counts as repeated
    total = 0
    for unit in range(units):
        rolling = rolling * base + hashes[unit]
        power = power * base if unit > first else np.uint64(1)
        weight += weights[unit]
        while weight >= DUP_WEIGHT:
            h = mix(rolling)
            at = slot_of(h, seen, stamp, mask)
            if seen[at, 1] == stamp:
                total += ends[unit + 1] - ends[max(first, covered)]
                covered = unit + 1
            else:
                seen[at, 0] = h
                seen[at, 1] = stamp
            rolling -= hashes[first] * power
            power *= np.uint64(_INVERSE)
            weight -= weights[first]
            first += 1
    return total


@njit(cache=True, nogil=True)
def top_window(hashes, ends, weights, units, top, stamp, mask):  # type: ignore[no-untyped-def]
    """Characters covered by the window of weight TOP_WEIGHT that covers most, among those that occur twice or more.
    Occurrences that overlap the last one counted are not counted.

    top   (slots, 4) hash table, with the characters covered and the unit after the last occurrence counted
    """
    base = np.uint64(_BASE)
    power = np.uint64(1)
    rolling = np.uint64(0)
    weight = 0
    first = 0
    most = 0
    for unit in range(units):
        rolling = rolling * base + hashes[unit]
        power = power * base if unit > first else np.uint64(1)
        weight += weights[unit]
        while weight >= TOP_WEIGHT:
            h = mix(rolling)
            covers = np.uint64(ends[unit + 1] - ends[first])
            at = slot_of(h, top, stamp, mask)
            if top[at, 1] != stamp:
                top[at, 0] = h
                top[at, 1] = stamp
                top[at, 2] = covers
                top[at, 3] = np.uint64(unit + 1)
            elif np.uint64(first) >= top[at, 3]:
                top[at, 2] += covers
                top[at, 3] = np.uint64(unit + 1)
                most = max(most, np.int64(top[at, 2]))
            rolling -= hashes[first] * power
            power *= np.uint64(_INVERSE)
            weight -= weights[first]
            first += 1
    return most
