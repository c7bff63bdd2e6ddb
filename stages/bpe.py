"""Merging the characters of a segment, as SentencePiece does (`Model::SampleEncode` of `bpe_model.cc`, 0.2.3): of all
neighbours that are a piece together, those of the best piece merge first, of equally good ones those on the left.

Short segments look for the best pair anew each time; long ones keep a heap of (rank, place). An entry of the heap is
stale when the pair that stands there now has another rank. One with the same rank would be an entry like it, so it does
not matter which of both is taken.
"""

import numpy as np

from stages.piece_tables import BASE, ID, PARENT, ROOT, merge_place
from stages.uncounted import uncounted

_FEW = 40  # symbols: below, a look at all pairs is quicker than a heap
_NONE = np.uint64(0xFFFFFFFFFFFFFFFF)


@uncounted
def symbols(codes, sizes, count, tables, merges, held, ends):  # type: ignore[no-untyped-def]
    """What merging begins with: characters, and user-defined symbols, the longest first, as -1 - id. Into `held` and,
    with the byte behind each, `ends`, both (count,) int32. `sizes` (count,) uint8: bytes. -> how many"""
    nodes = tables.nodes
    at = many = octets = 0
    while at < count:
        held[many] = codes[at]
        after = at + 1
        if merges.fixed:
            node = np.int64(ROOT)
            ahead = at
            while ahead < count:
                child = np.int64(nodes[node, BASE]) + np.int64(codes[ahead])
                if nodes[child, PARENT] != node:
                    break
                node = child
                ahead += 1
                if nodes[node, ID] >= 0:
                    held[many] = -1 - nodes[node, ID]
                    after = ahead
        while at < after:
            octets += sizes[at]
            at += 1
        ends[many] = octets
        many += 1
    return many


@uncounted
def _merged(merges, left, right):  # type: ignore[no-untyped-def]
    """rank << 32 | symbol; `_NONE` where the two do not merge."""
    if left <= 0 or right <= 0:
        return _NONE
    key = np.uint64(left) << np.uint64(32) | np.uint64(right)
    place = merge_place(key, merges.pairs.size)
    while merges.pairs[place] != 0:
        if merges.pairs[place] == key:
            return merges.merged[place]
        place = (place + 1) & (merges.pairs.size - 1)
    return _NONE


@uncounted
def merge(many, merges, held, ends, before, after, heap):  # type: ignore[no-untyped-def]
    """Merge the first `many` symbols of `held` and `ends` in place. Scratch: `before`, `after` (many,) int32; `heap`
    (2 many,) uint64: every merge takes an entry and makes two at most. -> how many are left"""
    if many <= _FEW:
        return _merge_few(many, merges, held, ends, heap)
    return _merge_many(many, merges, held, ends, before, after, heap)


@uncounted
def _merge_few(many, merges, held, ends, pairs):  # type: ignore[no-untyped-def]
    for place in range(many - 1):
        pairs[place] = _merged(merges, held[place], held[place + 1])
    while True:
        lowest = np.uint64(_NONE >> np.uint64(32))
        at = -1
        for place in range(many - 1):
            rank = pairs[place] >> np.uint64(32)
            if rank < lowest:
                lowest = rank
                at = place
        if at < 0:
            return many
        held[at] = np.int32(pairs[at] & np.uint64(0xFFFFFFFF))
        ends[at] = ends[at + 1]
        many -= 1
        for place in range(at + 1, many):
            held[place] = held[place + 1]
            ends[place] = ends[place + 1]
            pairs[place - 1] = pairs[place]
        if at > 0:
            pairs[at - 1] = _merged(merges, held[at - 1], held[at])
        if at + 1 < many:
            pairs[at] = _merged(merges, held[at], held[at + 1])


@uncounted
def _merge_many(many, merges, held, ends, before, after, heap):  # type: ignore[no-untyped-def]
    size = 0
    for place in range(many):
        before[place], after[place] = place - 1, place + 1
    for place in range(many - 1):
        found = _merged(merges, held[place], held[place + 1])
        if found != _NONE:
            size = _pushed(heap, size, found, place)
    while size > 0:
        top = heap[0]
        size = _popped(heap, size)
        place = np.int64(top & np.uint64(0xFFFFFFFF))
        right = np.int64(after[place])
        if held[place] == 0 or right >= many:
            continue
        found = _merged(merges, held[place], held[right])
        if found >> np.uint64(32) != top >> np.uint64(32):
            continue
        held[place] = np.int32(found & np.uint64(0xFFFFFFFF))
        ends[place] = ends[right]
        held[right] = 0
        beyond = np.int64(after[right])
        after[place] = beyond
        if beyond < many:
            before[beyond] = place
            found = _merged(merges, held[place], held[beyond])
            if found != _NONE:
                size = _pushed(heap, size, found, place)
        left = np.int64(before[place])
        if left >= 0:
            found = _merged(merges, held[left], held[place])
            if found != _NONE:
                size = _pushed(heap, size, found, left)
    place = kept = 0
    while place < many:
        held[kept] = held[place]
        ends[kept] = ends[place]
        kept += 1
        place = np.int64(after[place])
    return kept


@uncounted
def _pushed(heap, size, found, place):  # type: ignore[no-untyped-def]
    entry = (found >> np.uint64(32)) << np.uint64(32) | np.uint64(place)
    at = size
    while at > 0:
        above = (at - 1) >> 1
        if heap[above] <= entry:
            break
        heap[at] = heap[above]
        at = above
    heap[at] = entry
    return size + 1


@uncounted
def _popped(heap, size):  # type: ignore[no-untyped-def]
    size -= 1
    entry = heap[size]
    at = 0
    while True:
        below = 2 * at + 1
        if below >= size:
            break
        if below + 1 < size and heap[below + 1] < heap[below]:
            below += 1
        if entry <= heap[below]:
            break
        heap[at] = heap[below]
        at = below
    if size > 0:
        heap[at] = entry
    return size
