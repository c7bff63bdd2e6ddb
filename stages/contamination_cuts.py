"""What grams of benchmarks take with them: the passages that they make in a document, and what is cut around these.

Grams that occur and are not ignored make **passages**: grams of one item that overlap or touch are one. Passages and
`margin` characters on each side are cut, from the beginning of the word that the margin ends in to the end of that on
the other side; cuts that meet are one. What stands between two cuts is a **piece**, without the white space at a cut. A
piece of fewer than `least` characters is cut too. Characters are code points.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from stages.grams import find_grams

CUT, SHORT = 0, 1  # kinds


class Rules(NamedTuple):
    margin: int  # characters
    least: int  # characters


class Passages(NamedTuple):
    doc: np.ndarray  # int32
    start: np.ndarray  # int64: bytes of the document
    end: np.ndarray
    first_end: np.ndarray  # end of its first gram
    gram: np.ndarray  # int32: its first
    grams: np.ndarray  # uint32
    documents: np.ndarray  # uint32: that have its most frequent gram


class Cuts(NamedTuple):
    """Spans of documents, in order, none of which overlaps another."""

    doc: np.ndarray  # int32
    start: np.ndarray  # int64
    end: np.ndarray
    chars: np.ndarray  # int64
    gram: np.ndarray  # int32: that it is cut for
    kind: np.ndarray  # uint8: CUT or SHORT


def passages(most: int) -> Passages:
    kinds = (np.int32, np.int64, np.int64, np.int64, np.int32, np.uint32, np.uint32)
    return Passages(*(np.empty(most, kind) for kind in kinds))


def cuts(most: int) -> Cuts:
    return Cuts(*(np.empty(most, kind) for kind in (np.int32, np.int64, np.int64, np.int64, np.int32, np.uint8)))


@njit(cache=True, nogil=True)
def _chars(text, begin, end):  # type: ignore[no-untyped-def]
    count = 0
    for at in range(begin, end):
        count += text[at] & 0xC0 != 0x80
    return count


@njit(cache=True, nogil=True)
def _back(text, at, begin, chars):  # type: ignore[no-untyped-def]
    """The byte so many characters before `at`."""
    while at > begin and chars > 0:
        at -= 1
        chars -= text[at] & 0xC0 != 0x80
    return at


@njit(cache=True, nogil=True)
def _on(text, at, end, chars):  # type: ignore[no-untyped-def]
    """The byte so many characters behind `at`."""
    while at < end and chars > 0:
        at += 1
        while at < end and text[at] & 0xC0 == 0x80:
            at += 1
        chars -= 1
    return at


@njit(cache=True, nogil=True)
def _outside(found, units, at, behind):  # type: ignore[no-untyped-def]
    """`at`, or where it lies in a unit the beginning of that, or its end if `behind`. Bytes of the document."""
    low, high = 0, units  # the last unit that begins before `at`
    while low < high:
        middle = (low + high) // 2
        if found.start[middle] < at:
            low = middle + 1
        else:
            high = middle
    if low == 0 or found.end[low - 1] <= at:
        return at
    return np.int64(found.end[low - 1]) if behind else np.int64(found.start[low - 1])


@njit(cache=True, nogil=True)
def _space_at(text, at, end):  # type: ignore[no-untyped-def]
    """Bytes of the white space at `at`, 0 where there is none."""
    byte = text[at]
    if byte == 32 or 9 <= byte <= 13:
        return 1
    if byte == 0xC2 and at + 1 < end and text[at + 1] == 0xA0:
        return 2
    return 3 if byte == 0xE3 and at + 2 < end and text[at + 1] == 0x80 and text[at + 2] == 0x80 else 0


@njit(cache=True, nogil=True)
def _space_before(text, begin, at):  # type: ignore[no-untyped-def]
    byte = text[at - 1]
    if byte == 32 or 9 <= byte <= 13:
        return 1
    if byte == 0xA0 and at - 1 > begin and text[at - 2] == 0xC2:
        return 2
    return 3 if byte == 0x80 and at - 2 > begin and text[at - 2] == 0x80 and text[at - 3] == 0xE3 else 0


@njit(cache=True, nogil=True)
def find_cuts(text, bounds, table, grams, item, documents, rules, out, passage, cut, pieces):  # type: ignore[no-untyped-def]
    """Passages and cuts of n documents.

    text, bounds  uint8 and (n + 1,) int32: document i is text[bounds[i]:bounds[i + 1]]
    table         `key.table()`
    grams         `Grams`; its bitmap may be that of the grams that count
    item          (g,) int32: of each gram
    documents     (g,) uint32: that have the gram; 0 = it does not count
    out           `Hits`, see `hits`
    passage, cut  out: `Passages` and `Cuts` with room for two for each three bytes, and two more a document
    pieces        out, (n,) int32: that are left of each document; 1 where nothing is cut
    -> passages, cuts
    """
    passed = 0
    made = 0
    for document in range(bounds.size - 1):
        begin = np.int64(bounds[document])
        end = np.int64(bounds[document + 1])
        pieces[document] = 1
        units, count = find_grams(text, begin, end, table, grams, out)
        found = out.found
        own = passed
        until = 0  # the unit behind the passage
        for i in range(count):
            gram = out.gram[i]
            if documents[gram] == 0:
                continue
            first = out.first[i]
            last = first + np.int64(grams.length[gram])
            stop = np.int64(found.end[last - 1])
            if passed > own and first <= until and item[passage.gram[passed - 1]] == item[gram]:
                here = passed - 1
                passage.end[here] = max(passage.end[here], stop)
                passage.grams[here] += 1
                passage.documents[here] = max(passage.documents[here], documents[gram])
                until = max(until, last)
                continue
            passage.doc[passed] = document
            passage.start[passed] = found.start[first]
            passage.end[passed] = stop
            passage.first_end[passed] = stop
            passage.gram[passed] = gram
            passage.grams[passed] = 1
            passage.documents[passed] = documents[gram]
            passed += 1
            until = last
        if passed == own:
            continue
        before = made
        for i in range(own, passed):
            start = _back(text, begin + passage.start[i], begin, rules.margin) - begin
            start = _outside(found, units, start, False)
            stop = _on(text, begin + passage.end[i], end, rules.margin) - begin
            stop = _outside(found, units, stop, True)
            while start > 0 and _space_before(text, begin, begin + start):
                start -= _space_before(text, begin, begin + start)
            while stop < end - begin and _space_at(text, begin + stop, end):
                stop += _space_at(text, begin + stop, end)
            if made > before and start <= cut.end[made - 1]:
                cut.end[made - 1] = max(cut.end[made - 1], stop)
                continue
            cut.doc[made] = document
            cut.start[made] = start
            cut.end[made] = stop
            cut.gram[made] = passage.gram[i]
            cut.kind[made] = CUT
            made += 1
        made, pieces[document] = _take_short(text, begin, end, before, made, rules.least, cut)
    return passed, made


@njit(cache=True, nogil=True)
def _take_short(text, begin, end, before, made, least, cut):  # type: ignore[no-untyped-def]
    """Put the short pieces of a document among its cuts, which are those from number `before` on, and count characters.
    -> cuts, pieces that are left"""
    cuts = made - before
    pieces = 0
    # From the last to the first, so that what is moved up has been read.
    to = before + 2 * cuts  # the end of the room for cuts and for a piece before each and behind the last
    stop = end - begin
    for i in range(cuts, -1, -1):
        start = cut.end[before + i - 1] if i else np.int64(0)
        if stop > start:
            chars = _chars(text, begin + start, begin + stop)
            if chars >= least:
                pieces += 1
            else:
                cut.doc[to] = cut.doc[before]
                cut.start[to] = start
                cut.end[to] = stop
                cut.chars[to] = chars
                cut.gram[to] = cut.gram[before + max(0, i - 1)]
                cut.kind[to] = SHORT
                to -= 1
        if i:
            stop = cut.start[before + i - 1]
            cut.doc[to] = cut.doc[before]
            cut.start[to] = stop
            cut.end[to] = start
            cut.chars[to] = _chars(text, begin + stop, begin + start)
            cut.gram[to] = cut.gram[before + i - 1]
            cut.kind[to] = CUT
            to -= 1
    count = before + 2 * cuts - to
    for i in range(count):
        cut.doc[before + i] = cut.doc[to + 1 + i]
        cut.start[before + i] = cut.start[to + 1 + i]
        cut.end[before + i] = cut.end[to + 1 + i]
        cut.chars[before + i] = cut.chars[to + 1 + i]
        cut.gram[before + i] = cut.gram[to + 1 + i]
        cut.kind[before + i] = cut.kind[to + 1 + i]
    return before + count, pieces
