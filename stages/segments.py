"""Texts to ids of a SentencePiece model, segment by segment (decision 19).

A segment ends between two characters that no piece of the vocabulary holds side by side. No piece crosses that place:
every path of unigrams has a node there and no merge of BPE goes over it, so a segment can be looked up on its own.
English falls into words, Chinese into characters and pairs. What short segments become is kept in a table of fixed
size; whatever it holds, ids are the same.
"""

from typing import NamedTuple

import numpy as np

from stages.bpe import merge, symbols
from stages.known_segments import ADDS, CELL_BYTES, CELL_IDS, IDS, LIMIT, MANY, cell_of, keep, key
from stages.piece_tables import ID, ROOT, Tables, pair_place
from stages.uncounted import uncounted
from stages.unigram import BEST_CHARS, best, exact, safe_alone, turn

# The score of a text in float32 drifts from the sum of what its segments add: by 2**-24 of it for each id. It is summed
# anew after so many ids, and what is allowed is less by 2**-8 of it.
_DRIFT_IDS = 1 << 14
_DRIFT = 1.0 - 2.0**-8
ROOM = CELL_IDS  # ids that may be written behind the last one


class Scratch(NamedTuple):
    """For a segment of n characters. `codes`, `sizes` (n,): number and bytes of each; `places` (n + 1,): its path or
    its symbols; `ends`, `before`, `after`, `heap` for merges; `ring`, `sums`, `seconds` for paths."""

    codes: np.ndarray
    sizes: np.ndarray
    places: np.ndarray
    ends: np.ndarray
    before: np.ndarray
    after: np.ndarray
    heap: np.ndarray
    ring: np.ndarray
    sums: np.ndarray
    seconds: np.ndarray


def scratch(room: int, tables: Tables, unigram: bool) -> Scratch:
    """For segments of `room` characters, at least `BEST_CHARS`."""
    merged = 0 if unigram else room
    codes, sizes, places = np.empty(room, np.uint16), np.empty(room, np.uint8), np.empty(room + 1, np.int32)
    ends, before, after = np.empty(merged, np.int32), np.empty(merged, np.int32), np.empty(merged, np.int32)
    ring = np.empty(1 << tables.longest.bit_length(), np.float32)
    sums, seconds = np.empty(BEST_CHARS + 1, np.float64), np.empty(BEST_CHARS + 1, np.float64)
    return Scratch(codes, sizes, places, ends, before, after, np.empty(2 * merged, np.uint64), ring, sums, seconds)


@uncounted
def _point(data, at):  # type: ignore[no-untyped-def]
    """The code point at byte `at` of valid UTF-8, and its bytes; all uint64."""
    first = np.uint64(data[at])
    if first < 0x80:
        return first, np.uint64(1)
    second = np.uint64(data[at + np.uint64(1)]) & np.uint64(63)
    if first < 0xE0:
        return (first & np.uint64(31)) << np.uint64(6) | second, np.uint64(2)
    third = np.uint64(data[at + np.uint64(2)]) & np.uint64(63)
    if first < 0xF0:
        return (first & np.uint64(15)) << np.uint64(12) | second << np.uint64(6) | third, np.uint64(3)
    fourth = np.uint64(data[at + np.uint64(3)]) & np.uint64(63)
    high = (first & np.uint64(7)) << np.uint64(18) | second << np.uint64(12)
    return high | third << np.uint64(6) | fourth, np.uint64(4)


@uncounted
def _bit(table, place):  # type: ignore[no-untyped-def]
    return (table[place >> np.uint64(6)] >> (place & np.uint64(63))) & np.uint64(1) != 0


@uncounted
def _segment(data, at, end, tables):  # type: ignore[no-untyped-def]
    """-> number of the character at `at`, the byte behind it, the byte behind the segment."""
    last_pair = np.uint64(64 * tables.pairs.size - 1)
    byte = np.uint64(data[at])
    point, size = _point(data, at)
    number = code = np.uint64(tables.code_of[point])
    first = stop = at + size
    while stop < end:
        following = np.uint64(data[stop])
        if byte | following < 0x80:
            if not _bit(tables.ascii, byte << np.uint64(7) | following):
                break
            stop += np.uint64(1)
        else:
            if byte < 0x80:
                code = np.uint64(tables.code_of[byte])
            point, size = _point(data, stop)
            other = np.uint64(tables.code_of[point])
            if code == 0 or other == 0 or not _bit(tables.pairs, pair_place(code, other, last_pair)):
                break
            code = other
            stop += size
        byte = following
    return number, first, stop


@uncounted
def _unknown(data, at, size, tables, out, total):  # type: ignore[no-untyped-def]
    """Write an unknown character. -> ids in `out`"""
    if tables.bytes_of[0] < 0:
        out[total] = tables.unknown
        return total + 1
    if data[at] == 32:
        out[total] = tables.bytes_of[0xE2]
        out[total + 1] = tables.bytes_of[0x96]
        out[total + 2] = tables.bytes_of[0x81]
        return total + 3
    for step in range(size):
        out[total + step] = tables.bytes_of[data[at + step]]
    return total + np.int64(size)


@uncounted
def _numbered(data, at, stop, tables, space):  # type: ignore[no-untyped-def]
    """Numbers and sizes of the characters of a segment into `space`. -> how many"""
    count = 0
    while at < stop:
        point, size = _point(data, at)
        space.codes[count] = tables.code_of[point]
        space.sizes[count] = size
        at += size
        count += 1
    return count


@uncounted
def _write_path(data, at, count, tables, space, out, total):  # type: ignore[no-untyped-def]
    """Write the pieces of a path of unigrams. -> ids in `out`"""
    path = space.places
    turn(path, count, tables.chars)
    place = 0
    while place < count:
        node = path[place]
        if node == ROOT:
            total = _unknown(data, at, space.sizes[place], tables, out, total)
            at += np.uint64(space.sizes[place])
            place += 1
        else:
            out[total] = tables.nodes[node, ID]
            total += 1
            at += np.uint64(tables.octets[node])
            place += tables.chars[node]
    return total


@uncounted
def _merged(data, at, stop, tables, merges, space, out, total):  # type: ignore[no-untyped-def]
    """Write the ids of a segment by BPE. -> ids in `out`"""
    held, ends = space.places, space.ends
    count = _numbered(data, at, stop, tables, space)
    many = symbols(space.codes, space.sizes, count, tables, merges, held, ends)
    many = merge(many, merges, held, ends, space.before, space.after, space.heap)
    begin = 0
    for place in range(many):
        symbol = held[place]
        number = -1 - symbol if symbol < 0 else merges.ids[symbol]
        if number >= 0:
            out[total] = number
            total += 1
        else:
            total = _unknown(data, at + np.uint64(begin), ends[place] - begin, tables, out, total)
        begin = ends[place]
    return total


@uncounted
def _score(out, begin, end, weights, score):  # type: ignore[no-untyped-def]
    """The score of a text behind the ids from `begin` to `end`, as the library adds it up."""
    for place in range(begin, end):
        score = np.float32(score + weights[out[place]])
    return score


@uncounted
def _without_runs(out, begin, end, unknown):  # type: ignore[no-untyped-def]
    """A run of unknown characters is one id. -> the end"""
    kept = begin
    for place in range(begin, end):
        if out[place] != unknown or kept == begin or out[kept - 1] != unknown:
            out[kept] = out[place]
            kept += 1
    return kept


@uncounted
def encode_text(data, at, end, tables, merges, unigram, table, space, out, total):  # type: ignore[no-untyped-def]
    """Write the ids of the text in bytes `at`..`end` (uint64). -> ids in `out`; or, where a segment needs more scratch,
    minus its bytes"""
    weights = tables.weights
    alone_limit = safe_alone(tables.heaviest) * _DRIFT
    begin = total
    score = np.float32(0)  # of the text behind id `summed`
    summed = total
    amount = 0.0  # at least the score of the text, by amount, but for its drift
    unknown = False
    while at < end:
        if total - summed > _DRIFT_IDS:
            score = _score(out, summed, total, weights, score)
            summed = total
            amount = np.float64(abs(score))
        code, first, stop = _segment(data, at, end, tables)
        if first == stop and amount <= alone_limit:
            number = tables.alone[code]
            if number >= 0:
                out[total] = number
                total += 1
                amount += np.float64(abs(weights[number]))
            else:
                total = _unknown(data, at, stop - at, tables, out, total)
                amount += np.float64(abs(tables.unknown_score))
                unknown = True
            at = stop
            continue
        size = stop - at
        low = high = np.uint64(0)
        short = first != stop and size <= CELL_BYTES
        cell = np.int64(-1)
        if short:
            low, high = key(data, at, size)
            cell = cell_of(low, high, table)
            if cell >= 0 and amount <= table.scores[cell, LIMIT]:
                for step in range(CELL_IDS):
                    out[total + step] = table.ids[cell, IDS + step]
                total += table.ids[cell, MANY]
                amount += np.float64(table.scores[cell, ADDS])
                at = stop
                continue
        # A segment that the table does not hold, or not at this score of the text.
        if size > space.codes.size:
            return -np.int64(size)
        unknown = True
        before = total
        adds, limit = 0.0, np.inf
        if not unigram:
            total = _merged(data, at, stop, tables, merges, space, out, total)
        elif short and cell < 0:
            count = _numbered(data, at, stop, tables, space)
            adds, limit = best(space.codes, count, tables, space.sums, space.seconds, space.places)
            adds, limit = abs(adds) * (1 + 2.0**-20), limit * _DRIFT
            total = _write_path(data, at, count, tables, space, out, total)
        else:
            limit = -1.0
        if short and cell < 0 and total - before <= CELL_IDS:
            keep(table, low, high, limit, adds, out, before, total)
        if amount <= limit:
            amount += adds
        else:
            score = _score(out, summed, before, weights, score)
            count = _numbered(data, at, stop, tables, space)
            score = exact(space.codes, count, tables, score, space.ring, space.places)
            total = _write_path(data, at, count, tables, space, out, before)
            summed = total
            amount = np.float64(abs(score))
        at = stop
    if unknown and tables.bytes_of[0] < 0:
        total = _without_runs(out, begin, total, tables.unknown)
    return total


@uncounted
def encode_texts(  # type: ignore[no-untyped-def]
    data, bounds, document, tables, merges, unigram, table, space, out, counts, total
):
    """Texts from number `document` on, valid UTF-8, to ids. `out` int32: at least as many as bytes (three times as many
    where a space is unknown) and `ROOM`; `counts` (n,) int64. -> the text that needs more scratch (n where none does),
    ids in `out` before it, bytes of scratch that it needs"""
    while document < bounds.size - 1:
        at, end = np.uint64(bounds[document]), np.uint64(bounds[document + 1])
        after = encode_text(data, at, end, tables, merges, unigram, table, space, out, total)
        if after < 0:
            return document, total, -after
        counts[document] = after - total
        total = after
        document += 1
    return document, total, np.int64(0)
