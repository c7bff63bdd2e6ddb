"""Windows of units over a document, and for each an anchor that equal windows share.

A unit (see `stages/units.py`) is a word, which weighs `han`, or a Han or kana character, which weighs `words`. From
each unit starts one **window**, the least run of units that weighs `words * han`: `words` words, `han` characters, or a
mixture in proportion; and one **half window**, the least run that weighs half of that. Two windows are equal where
their units are. With u[i] the hash of a unit, modulo 2**64,

    key = mix(sum over the m units of u[i] * BASE**(m - 1 - i)),  check: the high half of the same with another base

from prefix sums. The **anchor** of a window is the half window inside it with the least key, of equal ones the last. So
equal windows have equal anchors, and neighbours mostly share theirs: of n windows in a row about 2n / (h + 1) have an
anchor of their own, h being the half windows in one (26 of words, 41 of characters). Choosing the least hash of each
run is winnowing (Schleimer, Wilkerson and Aiken 2003, section 3); as the runs are the windows themselves, nothing that
two places have in common is missed.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from stages.lookup import find
from stages.mix import mix
from stages.units import CHARACTER, Found, find_units, room

_BASE = 0x94D049BB133111EB
_OTHER_BASE = 0xBF58476D1CE4E5B9


class Shape(NamedTuple):
    """What a window is, for kernels."""

    words: int
    han: int
    salt: np.uint64  # windows with different ones do not meet
    powers: np.ndarray  # (2, most units of a window + 1) uint64: powers of the two bases


def shape(words: int, han: int, salt: int) -> Shape:
    bases = (_BASE, _OTHER_BASE)
    powers = [[pow(base, m, 1 << 64) for m in range(max(words, han) + 1)] for base in bases]
    return Shape(words, han, np.uint64(salt), np.array(powers, np.uint64))


class Scratch(NamedTuple):
    """Room for the longest document of a batch: 70 bytes a unit, of which what is used is memory."""

    found: Found
    prefix: np.ndarray  # (2, units + 1) uint64
    last: np.ndarray  # int64: the unit after the window that starts here
    half_last: np.ndarray  # the unit after the half window
    half_key: np.ndarray  # uint64
    anchor: np.ndarray  # int64: where the anchor of the window starts
    near: np.ndarray  # bool: the anchor of the window is shared


def scratch(bounds: np.ndarray) -> Scratch:
    """A unit takes two bytes at least, a word's letter and the gap behind it, save at the end of a text."""
    most = int(np.diff(bounds).max(initial=0)) // 2 + 1
    rest = [np.empty(most, kind) for kind in (np.int64, np.int64, np.uint64, np.int64, np.bool_)]
    return Scratch(room(bounds), np.empty((2, most + 1), np.uint64), *rest)


@njit(cache=True, nogil=True)
def _ends(kind, units, target, words, han, last):  # type: ignore[no-untyped-def]
    """The unit after the least run from each unit on that weighs `target`. -> how many such runs there are"""
    weight = 0
    end = 0
    for first in range(units):
        while weight < target and end < units:
            weight += words if kind[end] == CHARACTER else han
            end += 1
        if weight < target:
            return first
        last[first] = end
        weight -= words if kind[first] == CHARACTER else han
    return units


@njit(cache=True, nogil=True, inline="always")
def _key(room, first, last, shape):  # type: ignore[no-untyped-def]
    size = last - first
    return mix(mix(room.prefix[0, last] - room.prefix[0, first] * shape.powers[0, size]) ^ shape.salt)


@njit(cache=True, nogil=True, inline="always")
def _check(room, first, last, shape):  # type: ignore[no-untyped-def]
    size = last - first
    return np.uint32(mix(room.prefix[1, last] - room.prefix[1, first] * shape.powers[1, size]) >> np.uint64(32))


@njit(cache=True, nogil=True)
def _anchor_windows(text, at, end, table, shape, room):  # type: ignore[no-untyped-def]
    """Units, windows and anchors of the document text[at:end]. -> units, windows"""
    found = room.found
    units = find_units(text, at, end, table, False, found)
    one = np.uint64(0)
    other = np.uint64(0)
    room.prefix[0, 0] = one
    room.prefix[1, 0] = other
    for i in range(units):
        one = one * np.uint64(_BASE) + found.unit[i]
        other = other * np.uint64(_OTHER_BASE) + found.unit[i]
        room.prefix[0, i + 1] = one
        room.prefix[1, i + 1] = other
    whole = shape.words * shape.han
    count = _ends(found.kind, units, whole, shape.words, shape.han, room.last)
    if count == 0:
        return units, 0
    halves = _ends(found.kind, units, (whole + 1) // 2, shape.words, shape.han, room.half_last)
    for half in range(halves):
        room.half_key[half] = _key(room, half, room.half_last[half], shape)
    key = room.half_key
    least = 0
    behind = 0  # the half window after those inside the window
    for window in range(count):
        if least < window:
            least = window
            for half in range(window + 1, behind):
                if key[half] <= key[least]:
                    least = half
        while behind < halves and room.half_last[behind] <= room.last[window]:
            if key[behind] <= key[least]:
                least = behind
            behind += 1
        room.anchor[window] = least
    return units, count


@njit(cache=True, nogil=True)
def find_anchors(text, bounds, table, shape, room, key, check):  # type: ignore[no-untyped-def]
    """The anchors of n documents, each once for each place where it stands: `key` and `check` are written.

    text, bounds  uint8 and (n + 1,) int32: document i is text[bounds[i]:bounds[i + 1]]
    table         `key.table()`
    key, check    out, uint64 and uint32, half as long as the text and one more a document
    -> how many
    """
    found = 0
    for document in range(bounds.size - 1):
        _, count = _anchor_windows(text, np.int64(bounds[document]), np.int64(bounds[document + 1]), table, shape, room)
        for window in range(count):
            at = room.anchor[window]
            if window == 0 or at != room.anchor[window - 1]:
                key[found] = room.half_key[at]
                check[found] = _check(room, at, room.half_last[at], shape)
                found += 1
    return found


@njit(cache=True, nogil=True)
def _look_near(room, count, shape, slots, keys, checks):  # type: ignore[no-untyped-def]
    """Which windows have an anchor that is among `keys` and `checks`. -> any"""
    anything = False
    near = False
    for window in range(count):
        at = room.anchor[window]
        if window == 0 or at != room.anchor[window - 1]:
            check = _check(room, at, room.half_last[at], shape)
            near = find(slots, keys, checks, room.half_key[at], check) >= 0
            anything |= near
        room.near[window] = near
    return anything


@njit(cache=True, nogil=True)
def near_windows(text, bounds, first, table, shape, room, slots, keys, checks, key, check, doc):  # type: ignore[no-untyped-def]
    """Windows with a shared anchor, of documents from number `first` on, while `key` has room for all of the next.

    slots, keys, checks  `lookup` of the shared anchors, and these
    key, check, doc      out, uint64, uint32 and uint32
    -> how many windows, the first document that is not done
    """
    found = 0
    for document in range(first, bounds.size - 1):
        at = np.int64(bounds[document])
        end = np.int64(bounds[document + 1])
        if found + (end - at) // 2 + 1 > key.size:
            return found, document
        _, count = _anchor_windows(text, at, end, table, shape, room)
        if not _look_near(room, count, shape, slots, keys, checks):
            continue
        for window in range(count):
            if room.near[window]:
                key[found] = _key(room, window, room.last[window], shape)
                check[found] = _check(room, window, room.last[window], shape)
                doc[found] = document
                found += 1
    return found, bounds.size - 1


@njit(cache=True, nogil=True, inline="always")
def _is_space(text, at, end):  # type: ignore[no-untyped-def]
    """Space, tab, line end, no-break space or U+3000."""
    byte = text[at]
    if byte <= 32:
        return True
    if byte == 0xC2:
        return at + 1 < end and text[at + 1] == 0xA0
    return byte == 0xE3 and at + 2 < end and text[at + 1] == 0x80 and text[at + 2] == 0x80


@njit(cache=True, nogil=True)
def mark_windows(  # type: ignore[no-untyped-def]
    text, bounds, table, shape, room, slots, keys, checks, found_slots, found, found_checks, documents, keeper,
    doc, start, end, most,
):  # fmt: skip
    """Passages made of repeated windows, without the occurrence that stays.

    slots, keys, checks               `lookup` of the shared anchors, and these
    found_slots, found, found_checks  of repeated ones
    documents                         (m,) uint32: how many documents have each
    keeper                            (m,) int64: the document here in which the first occurrence stays, or -1
    doc, start, end, most             out: document, bytes in it, the largest of the `documents` of its windows
    -> how many passages

    A passage ends behind its last unit and the punctuation that clings to it. Of a window that stays in this document,
    occurrences that overlap the first one stay too.
    """
    spans = 0
    stays_until = np.full(keeper.size, -1, np.int64)
    for document in range(bounds.size - 1):
        first = np.int64(bounds[document])
        stop = np.int64(bounds[document + 1])
        units, count = _anchor_windows(text, first, stop, table, shape, room)
        if not _look_near(room, count, shape, slots, keys, checks):
            continue
        until = -1  # the unit after the passage that is being made
        for window in range(count):
            if not room.near[window]:
                continue
            key = _key(room, window, room.last[window], shape)
            at = find(found_slots, found, found_checks, key, _check(room, window, room.last[window], shape))
            if at < 0:
                continue
            if keeper[at] == document:
                if stays_until[at] < 0:
                    stays_until[at] = room.last[window]
                if window < stays_until[at]:
                    continue
            if window > until:
                doc[spans] = document
                start[spans] = room.found.start[window]
                most[spans] = 0
                spans += 1
            until = room.last[window]
            place = first + room.found.end[until - 1]
            limit = first + room.found.start[until] if until < units else stop
            while place < limit and not _is_space(text, place, stop):
                place += 1
            end[spans - 1] = place - first
            most[spans - 1] = max(most[spans - 1], documents[at])
    return spans
