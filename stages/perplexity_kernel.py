"""What `perplexity` asks of its model: the units of a text, and the surprisal of each behind those before it.

A unit is a token of `stages/plain_tokens.py`: a word, a Han character or kana, digits by their number, a mark, a line
end. Its hash is FNV-1a over its bytes, spread by `mix`, and never 0.
"""

import numpy as np
from numba import njit

from corpus.ngram_file import START, entry_of, longer_by_one
from stages.mix import mix
from stages.plain_tokens import room, window_at, write_tokens

# Columns of the sums of a text: what that costs which is counted, in steps of the model, its bytes, both of the worst
# run; all units, what they cost, and how many of them the model does not know.
COST, BYTES, WORST_COST, WORST_BYTES, UNITS, ALL_COST, UNKNOWN = 0, 1, 2, 3, 4, 5, 6
COLUMNS = 7
_BASIS = 0xCBF29CE484222325
_PRIME = 0x100000001B3


@njit(cache=True, nogil=True, inline="always")
def _unit(tokens, at):  # type: ignore[no-untyped-def]
    """The unit whose token begins at byte `at`. -> hash, the byte behind it, which is a space"""
    value = np.uint64(_BASIS)
    while tokens[at] != 32:
        value = (value ^ np.uint64(tokens[at])) * np.uint64(_PRIME)
        at += 1
    value = mix(value)
    return (value if value != 0 else np.uint64(1)), at


@njit(cache=True, nogil=True, inline="always")
def _is_counted(byte):  # type: ignore[no-untyped-def]
    """Whether a token that begins with `byte` is a word, or a mark beyond ASCII."""
    return byte >= 0x80 or (byte >= 97 and byte <= 122)


@njit(cache=True, nogil=True)
def _longest(bounds):  # type: ignore[no-untyped-def]
    longest = np.int64(0)
    for document in range(bounds.size - 1):
        longest = max(longest, np.int64(bounds[document + 1]) - np.int64(bounds[document]))
    return longest


@njit(cache=True, nogil=True)
def write_samples(data, bounds, windows, window_bytes, out, ends):  # type: ignore[no-untyped-def]
    """The windows of each text, a line end behind each: `out` uint8, `ends` (n,) int64."""
    at = 0
    for document in range(bounds.size - 1):
        begin, end = np.int64(bounds[document]), np.int64(bounds[document + 1])
        after = begin
        for number in range(windows):
            start, after = window_at(data, begin, end, windows, window_bytes, number, after)
            if start < after:
                out[at : at + after - start] = data[start:after]
                at += after - start
                out[at] = 10
                at += 1
        ends[document] = at


@njit(cache=True, nogil=True)
def write_units(data, bounds, tables, out):  # type: ignore[no-untyped-def]
    """Units of all texts, a 0 before those of each: `out` uint64. -> how many"""
    longest = _longest(bounds)
    tokens = np.empty(room(longest, 1, longest), np.uint8)
    count = 0
    for document in range(bounds.size - 1):
        begin, end = np.int64(bounds[document]), np.int64(bounds[document + 1])
        size = write_tokens(data, begin, end, 1, end - begin, tables, tokens, 0)
        out[count] = 0
        count += 1
        at = 0
        while at < size:
            out[count], at = _unit(tokens, at)
            at += 1
            count += 1
    return count


@njit(cache=True, nogil=True)
def score(data, bounds, tables, model, windows, window_bytes, run_bytes, out):  # type: ignore[no-untyped-def]
    """`out` (n, COLUMNS) int64. All units are context; words and marks beyond ASCII are counted. A window begins
    without context. A run has `run_bytes` bytes, or a unit more; what is left of a text, where it has less than half of
    that, belongs to its last run."""
    table, places, order, unknown = model
    tokens = np.empty(room(_longest(bounds), windows, window_bytes), np.uint8)
    before = np.zeros(order + 1, np.uint64)  # [n]: the unit n places back
    backoff = np.zeros(order + 1, np.int64)  # [n]: of the n units before, as a context
    found = np.zeros(order + 1, np.int64)
    for document in range(bounds.size - 1):
        begin, end = np.int64(bounds[document]), np.int64(bounds[document + 1])
        row = out[document]
        held = held_bytes = own = own_bytes = np.int64(0)  # the run before, and this one
        after = begin
        for number in range(windows):
            start, after = window_at(data, begin, end, windows, window_bytes, number, after)
            size = write_tokens(data, start, after, 1, after - start, tables, tokens, 0)
            known = 0  # so many units before are a context that the model has
            at = 0
            while at < size:
                first = at
                before[0], at = _unit(tokens, at)
                hash = START
                cost = np.int64(unknown)
                matched = 0
                for n in range(1, min(order, known + 1) + 1):
                    hash = longer_by_one(hash, before[n - 1])
                    entry = entry_of(table, places, hash)
                    if entry == 0:
                        break
                    cost = np.int64((entry >> np.uint64(16)) & np.uint64(0xFFFF))
                    found[n] = np.int64(entry & np.uint64(0xFFFF))
                    matched = n
                for n in range(max(matched, 1), known + 1):
                    cost += backoff[n]
                known = min(matched, order - 1)
                for n in range(1, known + 1):
                    backoff[n] = found[n]
                for n in range(order - 1, 0, -1):
                    before[n] = before[n - 1]
                row[UNITS] += 1
                row[ALL_COST] += cost
                row[UNKNOWN] += matched == 0
                if _is_counted(tokens[first]):
                    own += cost
                    own_bytes += at - first
                    if own_bytes >= run_bytes:
                        _worse(row, held, held_bytes)
                        row[COST] += held
                        row[BYTES] += held_bytes
                        held, held_bytes = own, own_bytes
                        own = own_bytes = np.int64(0)
                at += 1
        if 2 * own_bytes < run_bytes:
            _worse(row, held + own, held_bytes + own_bytes)
        else:
            _worse(row, held, held_bytes)
            _worse(row, own, own_bytes)
        row[COST] += held + own
        row[BYTES] += held_bytes + own_bytes


@njit(cache=True, nogil=True, inline="always")
def _worse(row, cost, size):  # type: ignore[no-untyped-def]
    """Keep a run where it costs more a byte than the worst so far."""
    if size > 0 and (row[WORST_BYTES] == 0 or cost * row[WORST_BYTES] > row[WORST_COST] * size):
        row[WORST_COST] = cost
        row[WORST_BYTES] = size
