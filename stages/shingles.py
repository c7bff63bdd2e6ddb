"""Shingles of a document as 64-bit hashes, each byte of its key hashed once.

A word weighs `han`, a Han or kana character weighs `words`, and a **shingle** is the least run of units from one unit
on that weighs `words * han`; a document that weighs less than that has one shingle, all its units. With u[i] the hash
of unit i (see `stages/key_units.py`) and arithmetic modulo 2**64, the hash of a shingle of m units is

    H = mix(sum of u[i] * BASE**(m - 1 - i))

the fingerprint of Karp and Rabin (Efficient randomized pattern-matching algorithms, IBM J. Res. Dev. 31, 1987) over
units in place of bytes. It comes from prefix sums of u[i] * BASE**-i, times BASE**(number of the last unit): so no unit
waits for the one before it.

One document takes several calls of bounded size: `scan` writes the key and leaves up to CHUNK units, `hash_windows`
hashes their shingles, and `keep` moves the units of the unfinished shingle to the front. The loops over a chunk are
many and short, so that the compiler makes vectors of them.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from stages.byte_blocks import BLOCK
from stages.key_units import CHUNK, SLACK, scan
from stages.mix import mix

# 3 modulo 8, so that BASE**d - 1 has few factors of two: those are the bits lost between two shingles in which units d
# apart are swapped.
BASE = 0x94D049BB133111EB
_INVERSE = pow(BASE, -1, 1 << 64)
MAX_UNITS = 32  # of a shingle


class Windows(NamedTuple):
    """Working memory for the units of one chunk.

    last, single, margin  see `scan`
    sums          (CHUNK + MAX_UNITS,) uint64: prefix sums of u[i] * BASE**-i
    light         (CHUNK + MAX_UNITS,) uint8: how many of the next units, counted so far, are of the lighter kind
    length        (CHUNK + MAX_UNITS,) uint8: units of the shingle that starts at each unit
    power         (CHUNK + MAX_UNITS,) uint64: BASE**(i - 1)
    inverse       (CHUNK + MAX_UNITS,) uint64: BASE**-i
    """

    last: np.ndarray
    single: np.ndarray
    margin: np.ndarray
    sums: np.ndarray
    light: np.ndarray
    length: np.ndarray
    power: np.ndarray
    inverse: np.ndarray


@njit(cache=True, nogil=True)
def _powers(power, inverse):  # type: ignore[no-untyped-def]
    power[0] = np.uint64(_INVERSE)
    inverse[0] = 1
    for i in range(1, power.size):
        power[i] = power[i - 1] * np.uint64(BASE)
        inverse[i] = inverse[i - 1] * np.uint64(_INVERSE)


def windows() -> Windows:
    """Working memory, with its tables filled."""
    last, sums, power, inverse = np.zeros((4, CHUNK + MAX_UNITS), np.uint64)
    single, light, length = np.zeros((3, CHUNK + MAX_UNITS), np.uint8)
    _powers(power, inverse)
    return Windows(last, single, np.zeros(BLOCK + SLACK, np.uint8), sums, light, length, power, inverse)


@njit(cache=True, nogil=True)
def _starts(single, held, words, han):  # type: ignore[no-untyped-def]
    """How many of the units held, from the first on, start a whole shingle."""
    count = held
    rest = 0
    while count > 0 and rest < words * han:
        count -= 1
        rest += words if single[count] else han
    return count + 1 if rest >= words * han else 0


@njit(cache=True, nogil=True)
def _lengths(single, light, length, count, words, han):  # type: ignore[no-untyped-def]
    """Units of the shingles that start at the first `count` units, where both kinds of unit are there: the least number
    that will do, and one more for each run of m units that still weighs too little, because too many of them are of
    the lighter kind. One unit more for all shingles at a time, so that the loops run in vectors."""
    least, most = min(words, han), max(words, han)
    words_are_light = np.uint8(han < words)
    for i in range(count):
        light[i] = 0
        length[i] = least
    for m in range(1, most):
        for i in range(count):
            light[i] = np.uint8(light[i] + (single[i + m - 1] ^ words_are_light))
        if m >= least:
            # m * most - light * (most - least) < words * han
            limit = np.uint8((m * most - words * han) // (most - least))
            for i in range(count):
                length[i] = np.uint8(length[i] + (light[i] > limit))


@njit(cache=True, nogil=True)
def hash_windows(w, held, words, han, alone, out):  # type: ignore[no-untyped-def]
    """Hashes of the shingles of the units held, written to `out`. `alone` says that these are all units of a document:
    they are its one shingle where they weigh less than one. -> shingles"""
    characters = 0
    for i in range(held):
        characters += w.single[i]
    for i in range(held):
        w.sums[i + 1] = mix(w.last[i]) * w.inverse[i]
    total = np.uint64(0)
    for i in range(held):
        total += w.sums[i + 1]
        w.sums[i + 1] = total
    count = _starts(w.single, held, words, han)
    if count == 0:
        if alone and held > 0:
            out[0] = mix(w.sums[held] * w.power[held])
            return 1
        return 0
    if characters == 0 or characters == held:
        units = han if characters else words
        for i in range(count):
            out[i] = (w.sums[i + units] - w.sums[i]) * w.power[i + units]
    else:
        _lengths(w.single, w.light, w.length, count, words, han)
        for i in range(count):
            end = np.uint64(i) + np.uint64(w.length[i])
            out[i] = (w.sums[end] - w.sums[i]) * w.power[end]
    for i in range(count):
        out[i] = mix(out[i])
    return count


@njit(cache=True, nogil=True)
def keep(w, held, count):  # type: ignore[no-untyped-def]
    """Moves the units from `count` on to the front. -> how many they are"""
    for i in range(held - count):
        w.last[i] = w.last[count + i]
        w.single[i] = w.single[count + i]
    return held - count


@njit(cache=True, nogil=True)
def _shingle_hashes(text, bounds, table, words, han, w, key, out, offsets):  # type: ignore[no-untyped-def]
    total = np.int64(0)
    offsets[0] = 0
    for document in range(bounds.size - 1):
        begin = total
        at = np.int64(bounds[document])
        end = np.int64(bounds[document + 1])
        held = np.int64(0)
        spaced = np.bool_(False)
        while at < end:
            at, _, spaced, held = scan(text, at, end, table, key, np.int64(0), spaced, w.last, w.single, held, w.margin)
            count = hash_windows(w, held, words, han, at >= end and total == begin, out[total:])
            total += count
            held = keep(w, held, count)
        offsets[document + 1] = total


def most_shingles(text_bytes: int, documents: int) -> int:
    """Upper bound: a unit takes two bytes at least, a word's letter and the gap after it, save at the end of a text."""
    return (text_bytes + documents) // 2


def shingle_hashes(
    text: np.ndarray, bounds: np.ndarray, table: np.ndarray, words: int, han: int
) -> tuple[np.ndarray, np.ndarray]:
    """Hashes of all shingles of n documents, in the order of the text, repeats included.

    text, bounds   uint8 and (n + 1,) int32 or int64: document i is text[bounds[i]:bounds[i + 1]], valid UTF-8
    table          what the key takes from a code point, `stages.key.table()`
    words, han     how many words, or Han and kana characters, make a shingle: 1 to MAX_UNITS

    -> (m,) uint64 and (n + 1,) int64: the shingles of document i are hashes[offsets[i]:offsets[i + 1]].
    Memory: 4 bytes of address space per byte of text, of which what the hashes take is used, and the longest document.
    """
    sizes = np.diff(bounds)
    out = np.empty(most_shingles(int(sizes.sum()), len(sizes)), np.uint64)
    offsets = np.empty(len(bounds), np.int64)
    key = np.empty(int(sizes.max(initial=0)) + SLACK, np.uint8)
    _shingle_hashes(text, bounds, table, words, han, windows(), key, out, offsets)
    return out[: offsets[-1]], offsets
