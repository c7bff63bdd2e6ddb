"""Shingle sets: what two documents are compared by, as 64-bit hashes of their distinct shingles in the order of the
text.

A set of more than MOST shingles is thinned to the MOST smallest hashes, and `limit` says the largest hash that it could
hold. Two sets are compared over the hashes up to the lower of their limits. Hashes are uniform, so the share of common
ones estimates the share over all shingles (a bottom-k sketch: Cohen and Kaplan 2007) with a standard error below
1 / (2 * sqrt(MOST)), 0.2%; up to MOST the comparison is exact. So a book costs no more than 512 KiB.

Sets travel in chunks of CHUNK hashes, since records have a fixed width.
"""

from itertools import pairwise

import numba as nb
import numpy as np

MOST = 1 << 16
CHUNK = 32
NO_LIMIT = np.uint64(0xFFFFFFFFFFFFFFFF)


@nb.njit(cache=True, nogil=True)
def _distinct(hashes, offsets, out, bounds):  # type: ignore[no-untyped-def]
    """The first of each hash of a document, in order. out (m,) uint64, bounds (n + 1,) int64. -> hashes put out"""
    longest = np.int64(0)
    for i in range(offsets.size - 1):
        longest = max(longest, offsets[i + 1] - offsets[i])
    size = np.int64(16)
    while size < 2 * longest:
        size *= 2
    table = np.zeros(size, np.uint64)
    stamps = np.zeros(size, np.int32)
    made = np.int64(0)
    bounds[0] = 0
    for i in range(offsets.size - 1):
        mask = np.int64(16)
        while mask < 2 * (offsets[i + 1] - offsets[i]):
            mask *= 2
        mask -= 1
        stamp = np.int32(i + 1)
        for j in range(offsets[i], offsets[i + 1]):
            value = hashes[j]
            slot = np.int64(value >> np.uint64(20)) & mask
            while stamps[slot] == stamp and table[slot] != value:
                slot = (slot + 1) & mask
            if stamps[slot] != stamp:
                stamps[slot], table[slot] = stamp, value
                out[made] = value
                made += 1
        bounds[i + 1] = made
    return made


def distinct(hashes: np.ndarray, offsets: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sets of n documents from the hashes of all their shingles, (m,) uint64 with offsets (n + 1,) int64.
    -> (hashes, bounds (n + 1,) int64, limits (n,) uint64)"""
    out, bounds = np.empty(len(hashes), np.uint64), np.empty(len(offsets), np.int64)
    out = out[: _distinct(hashes, offsets, out, bounds)]
    limits = np.full(len(offsets) - 1, NO_LIMIT)
    sizes = np.diff(bounds)
    if len(sizes) and sizes.max() > MOST:
        sets = [out[a:b] for a, b in pairwise(bounds)]
        for i in np.flatnonzero(sizes > MOST):  # rare: a document of more than a quarter of a megabyte
            limits[i] = np.partition(sets[i], MOST - 1)[MOST - 1]
            sets[i] = sets[i][sets[i] <= limits[i]]
        out = np.concatenate(sets)
        bounds = np.concatenate([[0], np.cumsum([len(one) for one in sets])]).astype(np.int64)
    return out, bounds, limits


@nb.njit(cache=True, nogil=True)
def _pack(hashes, bounds, owner, part, count, chunks):  # type: ignore[no-untyped-def]
    at = 0
    for i in range(bounds.size - 1):
        number = np.uint32(0)
        begin = bounds[i]
        while True:
            end = min(begin + chunks.shape[1], bounds[i + 1])
            owner[at], part[at], count[at] = i, number, end - begin
            for j in range(begin, end):
                chunks[at, j - begin] = hashes[j]
            at += 1
            number += np.uint32(1)
            begin = end
            if begin == bounds[i + 1]:
                break


def pack(hashes: np.ndarray, bounds: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Sets as chunks, at least one for each: -> (owner (c,), number of the chunk in its set (c,) uint32, hashes in it
    (c,) uint32, hashes (c, CHUNK) uint64, 0 behind the last)"""
    total = int(np.maximum(1, -(-np.diff(bounds) // CHUNK)).sum())
    owner, part, count = np.empty(total, np.int64), np.empty(total, np.uint32), np.empty(total, np.uint32)
    chunks = np.zeros((total, CHUNK), np.uint64)
    _pack(hashes, bounds, owner, part, count, chunks)
    return owner, part, count, chunks


def unpack(part: np.ndarray, count: np.ndarray, chunks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The way back, from the chunks of whole sets in order. -> (hashes, bounds)"""
    hashes = chunks[np.arange(CHUNK) < count[:, None]]
    ends = np.cumsum(count, dtype=np.int64)
    begins = np.flatnonzero(part == 0)
    bounds = np.append((ends - count)[begins], ends[-1] if len(ends) else 0).astype(np.int64)
    return hashes, bounds
