"""Grams of given texts, and where they occur in others.

A **gram** is a run of `size` units (see `stages/units.py`: words, and single Han or kana characters, folded as in the
key of a document). A text of fewer units has no gram; where it has `least` or more, the whole of it is a **short**
gram, which occurs only where it stands alone: from the beginning of a line to the end of a line. A shorter text has
neither.

With u[i] the hash of a unit, modulo 2**64, a gram of m units has the key mix(m + sum of u[i] * BASE**(m - 1 - i)). A
walk over a text rolls the sum on by one unit at a time, asks a bitmap of 16 bits a gram whether the key may be there,
and only then the table. What the table finds is compared unit by unit: no two grams are taken for one unless words of
more than eight bytes have equal hashes of 64 bits.

Memory: 45 bytes for each unit of the given texts; of a walk, 29 bytes for each byte of the longest document.
"""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numba import njit

from stages import key
from stages.characters import utf8
from stages.mix import mix
from stages.units import LINE_END, Found, find_units, room

_BASE = 0x94D049BB133111EB
_BITS = 16  # of the bitmap for each gram: it lets a fifteenth of what is not there pass
_FIRST, _LATER = 0, 1  # in place of a unit's kind: whether it begins a line


class Grams(NamedTuple):
    """The table, for kernels; g grams of t texts with u units.

    size, least   units of a gram; of a short one at least
    powers        (size + 1,) uint64
    units         (u,) uint64: hashes of the units of all texts, one text after the other
    bounds        (t + 1,) int64: where texts begin in `units`
    which         (u,) int32: the gram that begins at each unit, or -1
    keys          (g,) uint64, in the order in which grams first occur
    at, length    (g,) int32 and uint8: where each first occurs in `units`, and how long it is
    slots         open hash table over `keys`, at most half full: int32, -1 where free
    bits, shift   bitmap of keys: uint64; the bit of a key is its highest 64 - `shift` bits
    shorts        there are short grams
    """

    size: int
    least: int
    powers: np.ndarray
    units: np.ndarray
    bounds: np.ndarray
    which: np.ndarray
    keys: np.ndarray
    at: np.ndarray
    length: np.ndarray
    slots: np.ndarray
    bits: np.ndarray
    shift: np.uint64
    shorts: bool


class Hits(NamedTuple):
    """Room for what occurs in a document, and for its units."""

    found: Found
    first: np.ndarray  # int32: the unit at which a gram begins
    gram: np.ndarray  # int32


def hits(bounds: np.ndarray) -> Hits:
    """For the longest of documents that begin and end at `bounds`."""
    most = int(np.diff(bounds).max(initial=0)) + 2  # two may begin at each unit but the last, and a unit has two bytes
    return Hits(room(bounds), np.empty(most, np.int32), np.empty(most, np.int32))


def grams_of(texts: pa.Array, size: int, least: int) -> Grams:
    """The grams of a column of texts."""
    data, bounds = utf8(texts)
    most = int(bounds[-1]) - int(bounds[0])
    units, ends = np.empty(most, np.uint64), np.zeros(len(texts) + 1, np.int64)
    _units(data, bounds, key.table(), room(bounds), units, ends)
    count = int(ends[-1])
    powers = np.array([pow(_BASE, m, 1 << 64) for m in range(size + 1)], np.uint64)
    slots = np.full(_power_of_two(2 * count), -1, np.int32)
    which = np.full(count, -1, np.int32)
    keys, at, length = np.empty(count, np.uint64), np.empty(count, np.int32), np.empty(count, np.uint8)
    units = units[:count].copy()
    grams = _fill(units, ends, size, least, powers, slots, which, keys, at, length)
    keys = keys[:grams].copy()
    bits, shift = bitmap(keys)
    shorts = bool((length[:grams] < size).any())
    at, length = at[:grams].copy(), length[:grams].copy()
    return Grams(size, least, powers, units, ends, which, keys, at, length, slots, bits, shift, shorts)


def bitmap(keys: np.ndarray) -> tuple[np.ndarray, np.uint64]:
    """-> `bits` and `shift` of a `Grams`, for those of its grams that have these keys"""
    size = _power_of_two(max(1024, _BITS * len(keys)))
    shift = np.uint64(65 - size.bit_length())
    bits = np.zeros(size // 64, np.uint64)
    at = keys >> shift
    np.bitwise_or.at(bits, (at >> np.uint64(6)).astype(np.int64), np.uint64(1) << (at & np.uint64(63)))
    return bits, shift


def _power_of_two(least: int) -> int:
    return 1 << max(1, least - 1).bit_length()


@njit(cache=True, nogil=True)
def _units(text, bounds, table, found, units, ends):  # type: ignore[no-untyped-def]
    to = 0
    for document in range(bounds.size - 1):
        count = find_units(text, np.int64(bounds[document]), np.int64(bounds[document + 1]), table, False, found)
        for i in range(count):
            units[to + i] = found.unit[i]
        to += count
        ends[document + 1] = to


@njit(cache=True, nogil=True, inline="always")
def _key(total, length):  # type: ignore[no-untyped-def]
    return mix(total + np.uint64(length))


@njit(cache=True, nogil=True, inline="always")
def _search(slots, keys, at, length, units, key, own, first, size):  # type: ignore[no-untyped-def]
    """The gram that equals own[first:first + size], or -1 - the slot where it belongs."""
    mask = np.uint64(slots.size - 1)
    slot = key & mask
    while slots[slot] >= 0:
        gram = slots[slot]
        if keys[gram] == key and length[gram] == size:
            place = at[gram]
            same = 0
            while same < size and units[place + same] == own[first + same]:
                same += 1
            if same == size:
                return np.int64(gram)
        slot = (slot + np.uint64(1)) & mask
    return -1 - np.int64(slot)


@njit(cache=True, nogil=True)
def _fill(units, ends, size, least, powers, slots, which, keys, at, length):  # type: ignore[no-untyped-def]
    """-> how many grams there are"""
    grams = 0
    for text in range(ends.size - 1):
        begin = ends[text]
        count = ends[text + 1] - begin
        if count < least:
            continue
        own = min(count, size)
        total = np.uint64(0)
        for i in range(begin, begin + count):
            total = total * np.uint64(_BASE) + units[i]
            if i - begin >= size:
                total -= units[i - size] * powers[size]
            first = i - own + 1
            if first < begin:
                continue
            key = _key(total, own)
            gram = _search(slots, keys, at, length, units, key, units, first, own)
            if gram < 0:
                slots[-1 - gram] = grams
                gram = grams
                keys[gram] = key
                at[gram] = first
                length[gram] = own
                grams += 1
            which[first] = gram
    return grams


@njit(cache=True, nogil=True)
def find_grams(text, begin, end, table, grams, out):  # type: ignore[no-untyped-def]
    """The grams that occur in the document text[begin:end], in order of their first units.

    table  `key.table()`
    grams  `Grams`
    out    `Hits`, see `hits`
    -> units of the document (they stand in out.found), how many grams occur
    """
    found = out.found
    units = find_units(text, begin, end, table, grams.shorts, found)
    if grams.shorts:
        units = _mark_lines(found, units)
    count = _likely(found.unit, units, grams.size, grams.powers[grams.size - 1], grams.bits, grams.shift, out.first)
    count = _certain(found.unit, count, grams, out.first, out.gram)
    if grams.shorts:
        count = _add_shorts(found, units, grams, out.first, out.gram, count)
    return units, count


@njit(cache=True, nogil=True)
def _likely(own, units, size, power, bits, shift, first):  # type: ignore[no-untyped-def]
    """Units at which grams of `size` may begin, as the bitmap says. -> how many"""
    count = 0
    total = np.uint64(0)
    for i in range(min(size - 1, units)):
        total = total * np.uint64(_BASE) + own[i]
    for last in range(size - 1, units):
        total = total * np.uint64(_BASE) + own[last]
        bit = _key(total, size) >> shift
        first[count] = last - size + 1
        count += np.int64(bits[bit >> np.uint64(6)] >> (bit & np.uint64(63)) & np.uint64(1))
        total -= own[last - size + 1] * power
    return count


@njit(cache=True, nogil=True)
def _certain(own, count, grams, first, gram):  # type: ignore[no-untyped-def]
    """Of places where grams may begin those where they do: `first` and `gram` are written. -> how many"""
    size, slots, keys, at, length, units = grams.size, grams.slots, grams.keys, grams.at, grams.length, grams.units
    kept = 0
    for i in range(count):
        total = np.uint64(0)
        for place in range(first[i], first[i] + size):
            total = total * np.uint64(_BASE) + own[place]
        found = _search(slots, keys, at, length, units, _key(total, size), own, first[i], size)
        if found >= 0:
            first[kept] = first[i]
            gram[kept] = found
            kept += 1
    return kept


@njit(cache=True, nogil=True)
def _add_shorts(found, units, grams, first, gram, count):  # type: ignore[no-untyped-def]
    """Put the short grams that stand alone among `count` grams: of those that begin at a unit the longest, before one
    of `size` that begins there. -> how many there are now"""
    size, least, bits, shift = grams.size, grams.least, grams.bits, grams.shift
    slots, keys, at, length, known = grams.slots, grams.keys, grams.at, grams.length, grams.units
    own, kind = found.unit, found.kind
    whole = count
    for begin in range(units):
        if kind[begin] != _FIRST:
            continue
        total = np.uint64(0)
        best = np.int64(-1)
        for last in range(begin, min(begin + size - 1, units)):
            total = total * np.uint64(_BASE) + own[last]
            m = last - begin + 1
            if m < least or not (last + 1 == units or kind[last + 1] == _FIRST):
                continue
            key = _key(total, m)
            bit = key >> shift
            if bits[bit >> np.uint64(6)] >> (bit & np.uint64(63)) & np.uint64(1):
                short = _search(slots, keys, at, length, known, key, own, begin, m)
                best = short if short >= 0 else best
        if best >= 0:
            first[whole] = begin
            gram[whole] = best
            whole += 1
    if count == 0 or whole == count:
        return whole
    # Both parts are in order: merge them from the last on, over what has been read.
    return _merged(first, gram, count, whole)


@njit(cache=True, nogil=True)
def _merged(first, gram, count, whole):  # type: ignore[no-untyped-def]
    short_first, short_gram = first[count:whole].copy(), gram[count:whole].copy()
    left, right = count - 1, whole - count - 1
    for to in range(whole - 1, -1, -1):
        if right < 0:
            break
        if left >= 0 and first[left] >= short_first[right]:
            first[to], gram[to] = first[left], gram[left]
            left -= 1
        else:
            first[to], gram[to] = short_first[right], short_gram[right]
            right -= 1
    return whole


@njit(cache=True, nogil=True)
def _mark_lines(found, count):  # type: ignore[no-untyped-def]
    """Take the line ends out; `kind` becomes whether a unit is the first of its line. -> units"""
    units = 0
    first = _FIRST
    for i in range(count):
        if found.kind[i] == LINE_END:
            first = _FIRST
            continue
        found.start[units] = found.start[i]
        found.end[units] = found.end[i]
        found.unit[units] = found.unit[i]
        found.kind[units] = first
        first = _LATER
        units += 1
    return units


@njit(cache=True, nogil=True)
def count_documents(text, bounds, table, grams, out, seen, documents):  # type: ignore[no-untyped-def]
    """How many of n documents have each gram: added to `documents`, (g,) uint32. `seen`: (g,) int32 of -1, scratch."""
    for document in range(bounds.size - 1):
        begin = np.int64(bounds[document])
        _, count = find_grams(text, begin, np.int64(bounds[document + 1]), table, grams, out)
        for i in range(count):
            gram = out.gram[i]
            if seen[gram] != document:
                seen[gram] = document
                documents[gram] += 1
