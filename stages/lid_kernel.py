"""The two passes of `lid`: letters of each script and what Han characters say, over the whole of every document; and
the model's windows, over a sample of those documents whose script leaves the language open."""

import numpy as np
from numba import njit

from stages.characters import TABLE_SIZE, decode
from stages.chinese import (
    HAS_WEIGHT,
    IS_CANTONESE,
    IS_JAPANESE,
    IS_MANDARIN,
    IS_SIMPLIFIED,
    IS_TRADITIONAL,
    SCRIPT_BITS,
)
from stages.fasttext_kernel import add_window, best_label, is_break, token_cache
from stages.scripts import HANGULS, HANS, KANAS, LATINS

# Columns of the counts behind those of the scripts: characters, sums in eighths of a nat, lines.
SIMPLIFIED, TRADITIONAL, CANTONESE, MANDARIN, JAPANESE = 32, 33, 34, 35, 36
CLASSICAL_NATS, CANTONESE_NATS = 37, 38
LATIN_LINES, CJK_LINES, OTHER_LINES = 39, 40, 41
COLUMNS = 42

_BOUNDARY_BYTES = 256  # how far a window reaches for the end of a token


@njit(cache=True, nogil=True)
def count(data, bounds, table, classical, cantonese, out):  # type: ignore[no-untyped-def]
    """`out` (n, COLUMNS) int64: bytes of the letters of each script at its number, then the columns above. A line
    belongs to Latin script, to Han, kana and hangul, or to the others, whichever has most bytes of its letters."""
    for document in range(bounds.size - 1):
        at = np.int64(bounds[document])
        end = np.int64(bounds[document + 1])
        row = out[document]
        latin = cjk = other = 0  # of this line
        all_latin = 0
        while at < end:
            byte = data[at]
            if byte < 0x80:
                at += 1
                if 97 <= (byte | 32) <= 122:
                    latin += 1
                elif byte == 10 and latin + cjk + other > 0:
                    row[_line(latin, cjk, other)] += 1
                    all_latin += latin
                    latin = cjk = other = 0
                continue
            code, size = decode(data, at, end)
            at += size
            if code >= TABLE_SIZE:
                if code < 0x40000:
                    cjk += size
                    row[HANS] += size
                continue
            entry = np.int64(table[code])
            script = entry & SCRIPT_BITS
            if script == HANS:
                cjk += size
                row[HANS] += size
                if entry > SCRIPT_BITS:
                    row[SIMPLIFIED] += (entry & IS_SIMPLIFIED) != 0
                    row[TRADITIONAL] += (entry & IS_TRADITIONAL) != 0
                    if entry >= IS_CANTONESE:
                        row[CANTONESE] += (entry & IS_CANTONESE) != 0
                        row[MANDARIN] += (entry & IS_MANDARIN) != 0
                        row[JAPANESE] += (entry & IS_JAPANESE) != 0
                        if entry & HAS_WEIGHT:
                            row[CLASSICAL_NATS] += classical[code]
                            row[CANTONESE_NATS] += cantonese[code]
            elif script == LATINS:
                latin += size
            elif script != 0:
                row[script] += size
                if script in (KANAS, HANGULS):
                    cjk += size
                else:
                    other += size
        if latin + cjk + other > 0:
            row[_line(latin, cjk, other)] += 1
        row[LATINS] = all_latin + latin


@njit(cache=True, nogil=True, inline="always")
def _line(latin, cjk, other):  # type: ignore[no-untyped-def]
    if cjk >= latin and cjk >= other:
        return CJK_LINES
    return LATIN_LINES if latin >= other else OTHER_LINES


@njit(cache=True, nogil=True, inline="always")
def _boundary(data, at, end):  # type: ignore[no-untyped-def]
    """The first end of a token from byte `at` on, `end` included; the next character where none is near."""
    stop = min(at + _BOUNDARY_BYTES, end)
    for place in range(at, stop):
        if is_break(data[place]):
            return place
    if stop == end:
        return end
    while at < end and data[at] & 0xC0 == 0x80:
        at += 1
    return at


@njit(cache=True, nogil=True)
def judge(data, bounds, rows, allowed, model, beneath, windows, window_bytes, label, score, same):  # type: ignore[no-untyped-def]
    """Ask the model about the documents `rows`: all of one that has at most `windows` * `window_bytes` bytes, else as
    many windows, spread evenly from its beginning to its end.

    `allowed` (int64, for each of `rows`): bits of the scripts whose languages may be the answer. Written at the places
    of `rows`: `label` (-1: none), `score` (its probability), `same` (share of the windows, by n-grams that the model
    knows, for which the model gives that language when it may answer with any)."""
    dim = model[0].shape[1]
    end_of_line = model[12]
    nodes = np.zeros(beneath.size + 2, np.int32)
    sums = np.zeros(beneath.size + 2, np.float64)
    total = np.zeros(dim, np.float32)
    parts = np.zeros((windows + 1, dim), np.float32)
    known = np.zeros(windows + 1, np.int64)
    cache = token_cache(dim)
    for which in range(rows.size):
        document = rows[which]
        begin = np.int64(bounds[document])
        end = np.int64(bounds[document + 1])
        short = end - begin <= windows * window_bytes
        total[:] = model[0][end_of_line]
        added = 1 if end_of_line > 0 else 0
        made = 0
        at = begin
        while at < end and made <= windows:
            if not short:
                if made == windows:
                    break
                if made > 0:
                    at = max(at, _boundary(data, begin + (end - begin - window_bytes) * made // (windows - 1), end))
            # A short document is covered to its end: the last window takes what the others left.
            stop = end if at + window_bytes >= end or made == windows else _boundary(data, at + window_bytes, end)
            part = parts[made]
            part[:] = model[0][end_of_line]
            known[made] = add_window(data, at, stop, model, cache, part) + (1 if end_of_line > 0 else 0)
            for d in range(dim):
                total[d] += part[d] - model[0][end_of_line, d]
            added += known[made] - (1 if end_of_line > 0 else 0)
            made += 1
            at = stop
        label[document], score[document] = best_label(total, added, model, beneath, allowed[which], nodes, sums)
        same[document] = 1.0
        if made > 1:
            agreed = whole = 0
            for window in range(made):
                own, _ = best_label(parts[window], known[window], model, beneath, np.int64(-1), nodes, sums)
                whole += known[window]
                agreed += known[window] if own == label[document] else 0
            same[document] = agreed / whole if whole > 0 else 1.0
