"""The best path of unigrams through a segment, as SentencePiece finds it (`Model::EncodeOptimized` of
`unigram_model.cc`, version 0.2.3).

The library adds float32 scores from the start of the text, so where two paths are nearly as good the place of the
segment in the text decides between them. `exact` does the same sums, from the score that the text has at the segment.
`best` adds float64 from 0, and says up to which score of the text before it every sum of float32 must decide the same.
"""

import numpy as np

from stages.piece_tables import BASE, ID, PARENT, ROOT, SCORE
from stages.uncounted import uncounted

LIMIT = 1e5  # beyond it the library takes the score of a place off those of all open ones
BEST_CHARS = 64  # of the segments for `best`
_UNREACHED = np.int32(-1)


@uncounted
def exact(codes, count, tables, score, ring, path):  # type: ignore[no-untyped-def]
    """Fill `path` (count + 1,) int32 with the node of the piece that ends behind each character, `ROOT` for an unknown
    character. `ring` (2**k,) float32: longer than the longest piece. -> float32 score of the text behind the segment"""
    nodes, scores, unknown_score = tables.nodes, tables.scores, tables.unknown_score
    mask = ring.size - 1
    for place in range(count + 1):
        path[place] = _UNREACHED
    ring[0] = score
    frontier = 0
    for place in range(count):
        here = ring[place & mask]
        if here < np.float32(-LIMIT) or here > np.float32(LIMIT):
            for other in range(place, frontier + 1):
                if other == place or path[other] != _UNREACHED:
                    ring[other & mask] -= here
            here = np.float32(0)
        node = np.int64(ROOT)
        single = False
        after = place
        while after < count:
            child = np.int64(nodes[node, BASE]) + np.int64(codes[after])
            if nodes[child, PARENT] != node:
                break
            node = child
            after += 1
            if nodes[node, ID] >= 0:
                frontier = max(frontier, after)
                found = np.float32(scores[node, SCORE] + here)
                if path[after] == _UNREACHED or found > ring[after & mask]:
                    ring[after & mask] = found
                    path[after] = node
                single = single or after == place + 1
        if not single:
            after = place + 1
            frontier = max(frontier, after)
            found = np.float32(unknown_score + here)
            if path[after] == _UNREACHED or found > ring[after & mask]:
                ring[after & mask] = found
                path[after] = ROOT
    return ring[count & mask]


@uncounted
def best(codes, count, tables, sums, seconds, path):  # type: ignore[no-untyped-def]
    """The same path in the reals, for at most `BEST_CHARS` characters. `sums`, `seconds` (count + 1,) float64: scratch.

    -> the score of the segment; the highest score, by amount, that the text before it may have for `exact` to find this
    path, -1 = none. Let B be the heaviest step, n the characters and S that score. All sums stay below |S| + n B
    =: M < 2**e, where a sum of float32 is off by 2**(e - 25) at most, so the score of a place is off by n times that,
    and two candidates by twice as much. A path is found as soon as its margin, the least by which any of its pieces
    beats the next candidate for its end, is more than n 2**(e - 24). Sums of float64 are off by less than 1e-6."""
    nodes, scores = tables.nodes, tables.scores
    unknown_score = np.float64(tables.unknown_score)
    for place in range(count + 1):
        path[place] = _UNREACHED
        seconds[place] = -np.inf
    sums[0] = 0.0
    for place in range(count):
        here = sums[place]
        node = np.int64(ROOT)
        single = False
        after = place
        while after < count:
            child = np.int64(nodes[node, BASE]) + np.int64(codes[after])
            if nodes[child, PARENT] != node:
                break
            node = child
            after += 1
            if nodes[node, ID] >= 0:
                _offer(sums, seconds, path, after, here + np.float64(scores[node, SCORE]), node)
                single = single or after == place + 1
        if not single:
            _offer(sums, seconds, path, place + 1, here + unknown_score, ROOT)
    margin = np.inf
    place = count
    while place > 0:
        margin = min(margin, sums[place] - seconds[place])
        place -= 1 if path[place] == ROOT else tables.chars[path[place]]
    return sums[count], _safe_up_to(margin - 1e-6, count, tables.heaviest)


@uncounted
def _offer(sums, seconds, path, after, found, node):  # type: ignore[no-untyped-def]
    if path[after] == _UNREACHED or found > sums[after]:
        if path[after] != _UNREACHED:
            seconds[after] = sums[after]
        sums[after] = found
        path[after] = node
    elif found > seconds[after]:
        seconds[after] = found


@uncounted
def _safe_up_to(margin, count, heaviest):  # type: ignore[no-untyped-def]
    highest = LIMIT
    if margin < np.inf:
        highest = 1.0 / 1024
        if margin <= count * highest * 2.0**-24:
            return -1.0
        while highest < LIMIT and margin > 2.0 * count * highest * 2.0**-24:
            highest *= 2.0
        highest = min(highest, LIMIT)
    return highest - count * heaviest - 1.0


@uncounted
def safe_alone(heaviest):  # type: ignore[no-untyped-def]
    """The same bound for a segment of one character, which has one path."""
    return LIMIT - heaviest - 1.0


@uncounted
def turn(path, count, chars):  # type: ignore[no-untyped-def]
    """Of the ends of pieces, make beginnings: the piece that begins at each place of the path."""
    place = count
    node = path[place]
    while place > 0:
        first = place - (1 if node == ROOT else chars[node])
        before = path[first]
        path[first] = node
        node = before
        place = first
