"""Repetition inside one document: n-grams of 1 to 10 words that occur again, all lengths in one descent.

Units are words, marks, and single Han or kana characters. A word or mark weighs 7 and a character 4, since a Chinese
word has 1.75 characters (jieba on sixteen sets of Chinese text: 1.6 to 2.1). An n-gram is the least run of units from
a place on that weighs 7 n: n words, or 4, 6, 7, 9, 11, 13, 14, 16, 18 characters for n from 2 to 10.

An n-gram that occurs once cannot be the beginning of a longer one that occurs twice. So each length looks only at the
places where the length before it found a repetition; in prose few places are left after the third. A counting filter
without branches goes before the exact tables of the first two lengths, since it throws most places out. N-grams are
told apart by 64-bit polynomial hashes of their units, of which a table keeps 32 bits beside the slot, and named by
where they first occur.

    top n-gram    of those that occur most, the first: its characters and n - 1 spaces, times its occurrences
    dup n-grams   from left to right, an n-gram met before counts with its characters and is stepped over

as in Rae et al. 2021, A.1.2, in the reading of datatrove's `GopherRepetitionFilter` (`find_top_duplicate`,
`find_all_duplicate`); a top n-gram counts from two occurrences on.
"""

import numpy as np
from numba import njit

from stages.signal_counts import (
    DUP_5GRAM_CHARS,
    DUP_LINE_CHARS,
    DUP_LINES,
    DUP_PARAGRAPH_CHARS,
    DUP_PARAGRAPHS,
    MEASURED_WORDS,
    PARAGRAPHS,
    REPEATED_8GRAMS,
    TOP_2GRAM_CHARS,
    UNIQUE_WORDS,
    WINDOWS_8GRAM,
)

WORD_WEIGHT = 7
CHARACTER_WEIGHT = 4
LONGEST = 10
MARK, WORD, CHARACTER = 0, 1, 2  # kinds of units
_EMPTY = -1


_BASE = 0x94D049BB133111EB  # of the polynomial; no factor of the hashes of units, or runs of them would cancel
_LONGEST_RUN = WORD_WEIGHT * LONGEST // CHARACTER_WEIGHT + 2  # units of an n-gram


@njit(cache=True, nogil=True)
def workspace(units, lines):  # type: ignore[no-untyped-def]
    """Memory for documents of up to so many units and lines: 32 bytes a unit, and in tables 12 to 24 more."""
    slots = 32
    while slots < max(units, lines) * 5 // 4:
        slots *= 2
    powers = np.ones(_LONGEST_RUN, np.uint64)
    for n in range(1, _LONGEST_RUN):
        powers[n] = powers[n - 1] * np.uint64(_BASE)
    return (
        np.empty((slots, 2), np.int32),  # of an open table: the place named, and 32 bits of the hash
        np.empty(2 * slots, np.uint8),  # the filter
        np.empty(units + 1, np.uint64),  # hashes of all units before each
        powers,
        np.empty(units, np.uint64),  # hashes of the n-grams looked at
        np.empty(units, np.int32),  # their names
        np.empty(units, np.int32),  # how often each name occurs
        np.empty(units, np.int32),  # the unit after the n-gram from each place
        np.empty(units, np.int32),  # the places still looked at
    )


@njit(cache=True, nogil=True, inline="always")
def _spread(h):  # type: ignore[no-untyped-def]
    """High and low bits that depend on all bits of a hash which is a product already."""
    h = (h ^ (h >> np.uint64(31))) * np.uint64(0xC4CEB9FE1A85EC53)
    return h ^ (h >> np.uint64(32))


@njit(cache=True, nogil=True, inline="always")
def _named(h, place, table, mask):  # type: ignore[no-untyped-def]
    """The place that was entered first under this hash; `place` itself where it is the first."""
    at = np.int64(h) & mask
    tag = np.int32(h >> np.uint64(32))
    while table[at, 0] != _EMPTY:
        if table[at, 1] == tag:
            return table[at, 0]
        at = (at + 1) & mask
    table[at, 0] = place
    table[at, 1] = tag
    return np.int32(place)


@njit(cache=True, nogil=True, inline="always")
def _cleared(table, places):  # type: ignore[no-untyped-def]
    """Clear as much of the table as `places` need. -> its mask"""
    size = 32
    while size < places * 5 // 4:
        size *= 2
    table[:size, 0] = _EMPTY
    return size - 1


@njit(cache=True, nogil=True)
def _words(hashes, kinds, units, work, logs, out):  # type: ignore[no-untyped-def]
    """Count words, and distinct ones. -> their entropy, in nats"""
    table, _, _, _, _, _, often, _, firsts = work
    mask = _cleared(table, units)
    words = 0
    distinct = 0
    for place in range(units):
        if kinds[place] == WORD:
            words += 1
            name = _named(_spread(hashes[place]), place, table, mask)
            if name == place:
                often[place] = 0
                firsts[distinct] = place
                distinct += 1
            often[name] += 1
    out[UNIQUE_WORDS] = distinct
    out[MEASURED_WORDS] = words
    spread = 0.0
    for i in range(distinct):
        n = often[firsts[i]]
        spread += logs[n] if n < logs.size else n * np.log(n)
    return np.log(words) - spread / words if words > 0 else 0.0


@njit(cache=True, nogil=True)
def repetition(hashes, kinds, ends, heavy, units, work, logs, out):  # type: ignore[no-untyped-def]
    """Add up what repeats. -> the entropy of words, in nats

    hashes   (units,) uint64 of the units;  kinds (units,) int8
    ends     (units + 1,) int32 characters before each;  heavy (units + 1,) int32 weight before each
    work     `workspace` for as many units or more
    logs     (m,) float64, n ln n of n < m
    out      (len(COUNTS),) int64
    """
    entropy = _words(hashes, kinds, units, work, logs, out)
    table, filter, sums, powers, grams, names, often, stops, places = work
    sums[0] = 0
    for place in range(units):
        sums[place + 1] = sums[place] * np.uint64(_BASE) + hashes[place]
        stops[place] = place
        places[place] = place
    left = units
    whole = units
    for n in range(2, LONGEST + 1):
        weight = WORD_WEIGHT * n
        while whole > 0 and heavy[units] - heavy[whole - 1] < weight:
            whole -= 1  # behind it not enough is left for an n-gram
        if n == 8:
            out[WINDOWS_8GRAM] = whole
        while left > 0 and places[left - 1] >= whole:
            left -= 1

        filtered = n <= 3  # later most of what is left repeats
        size = 64
        if filtered:
            while size < 2 * left:
                size *= 2
            filter[:size] = 0
        mask = size - 1
        stop = 0
        for i in range(left):
            place = places[i]
            stop = max(stop, stops[place])
            while heavy[stop] - heavy[place] < weight:
                stop += 1
            stops[place] = stop
            h = _spread(sums[stop] - sums[place] * powers[stop - place])
            grams[i] = h
            if filtered:
                at = np.int64(h >> np.uint64(20)) & mask
                filter[at] = min(filter[at] + 1, 2)
        kept = left
        if filtered:
            kept = 0
            for i in range(left):
                h = grams[i]
                grams[kept] = h
                places[kept] = places[i]
                kept += filter[np.int64(h >> np.uint64(20)) & mask] == 2

        mask = _cleared(table, kept)
        for i in range(kept):
            place = places[i]
            name = _named(grams[i], place, table, mask)
            names[place] = name
            if name == place:
                often[place] = 0
            often[name] += 1
        left = 0
        most = 1
        top = 0
        for i in range(kept):
            place = places[i]
            times = often[names[place]]
            places[left] = place
            left += times > 1
            if times > most:
                most = times
                top = place

        if n == 8:
            out[REPEATED_8GRAMS] = left
        if n <= 4:
            if most > 1:
                out[TOP_2GRAM_CHARS + n - 2] = most * (ends[stops[top]] - ends[top] + n - 1)
        else:
            passed = 0
            total = 0
            for i in range(left):
                place = places[i]
                if place < passed:
                    continue
                name = names[place]
                if often[name] < 0:
                    total += ends[stops[place]] - ends[place]
                    passed = stops[place]
                else:
                    often[name] = -1
            out[DUP_5GRAM_CHARS + n - 5] = total
    return entropy


@njit(cache=True, nogil=True, inline="always")
def _run(first, stop, sums, powers):  # type: ignore[no-untyped-def]
    """Hash of the units from `first` up to `stop`."""
    power = np.uint64(1)
    square = powers[1]
    n = stop - first
    while n > 0:
        if n & 1:
            power *= square
        square *= square
        n >>= 1
    return _spread(sums[stop] - sums[first] * power)


@njit(cache=True, nogil=True)
def repeated_lines(lines_of, lines, work, out):  # type: ignore[no-untyped-def]
    """Count the lines, and the paragraphs, whose units are those of an earlier one. To be called after `repetition`.

    lines_of   (lines,) int32 each: first unit, unit behind, characters, number of the paragraph
    """
    firsts, stops, chars, paragraphs = lines_of
    table, _, sums, powers, _, _, _, _, _ = work
    mask = _cleared(table, lines)
    for i in range(lines):
        if _named(_run(firsts[i], stops[i], sums, powers), i, table, mask) != i:
            out[DUP_LINES] += 1
            out[DUP_LINE_CHARS] += chars[i]
    mask = _cleared(table, lines)
    first = 0
    length = 0
    for i in range(lines):
        length += chars[i]
        if i + 1 == lines or paragraphs[i + 1] != paragraphs[i]:
            out[PARAGRAPHS] += 1
            if _named(_run(firsts[first], stops[i], sums, powers), i, table, mask) != i:
                out[DUP_PARAGRAPHS] += 1
                out[DUP_PARAGRAPH_CHARS] += length
            first = i + 1
            length = 0
