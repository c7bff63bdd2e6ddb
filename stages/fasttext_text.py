"""fastText's `predict` over a whole text of tokens: n-grams of words, and the probability of every label.

`fasttext_kernel.py` answers with the one likeliest label and looks at parts of a text; here a text is one run of tokens
between single white spaces with the line end behind them, as fastText reads a line. To the rows of its tokens come
those of its n-grams of up to `word_ngrams` tokens: of tokens with hashes t, as signed 32-bit numbers, the n-gram
t[i]..t[j] has h = h * 116049371 + t over them, modulo 2**64, and the bucket h modulo the number of buckets
(Dictionary::addWordNgrams, src/dictionary.cc of facebookresearch/fastText). Sums are float32, in the order of the text.
Probabilities equal the library's within 1e-5, but that it adds 1e-5 to those of a softmax when it reports them.
"""

import math

import numpy as np
from numba import njit

from stages import fasttext_file
from stages.fasttext_kernel import (
    FLOOR,
    HASH_OFFSET,
    add_row_of,
    add_token,
    dot,
    find_word,
    is_break,
    mixed,
    row_of_bucket,
)

MOST_NGRAM = 8
_STEP = np.uint64(116049371)
_END = np.frombuffer(b"</s>", np.uint8)
_END_HASH = np.uint32(fasttext_file.fnv(b"</s>"))


@njit(cache=True, nogil=True)
def most_rows(size, word_ngrams):  # type: ignore[no-untyped-def]
    """Rows that a text of `size` bytes may have, but for those inside its words."""
    return (size // 2 + 2) * word_ngrams


@njit(cache=True, nogil=True)
def add_text(data, begin, end, model, running, found, total):  # type: ignore[no-untyped-def]
    """Add to `total` ((D,) float32) the rows of the text at `begin`..`end` -> how many. `model` is a `FastText` without
    its labels; `running` (`MOST_NGRAM`,) uint64 and `found` (`most_rows`,) int32 are scratch. No token may begin with
    `__label__`."""
    rows, buckets, before, heads, word_ends, word_bytes, _, _, _, _, maxn, n_buckets, end_of_line, word_ngrams = model
    n_buckets = np.uint64(n_buckets)
    low = n_buckets - np.uint64(1)
    is_power = n_buckets & low == 0  # then the remainder is the low bits
    longest = word_ngrams - 1
    added = inside = tokens = 0
    at = begin
    while at <= end:
        if at < end and is_break(data[at]):
            at += 1
            continue
        stop = at
        value = HASH_OFFSET
        if at == end:
            value = _END_HASH
            stop = end + 1
            if end_of_line > 0:
                found[added] = end_of_line
                added += 1
        else:
            while stop < end and not is_break(data[stop]):
                value = mixed(value, data[stop])
                stop += 1
            if maxn > 0:
                inside += add_token(data, at, stop, value, model, total)
            else:
                number = find_word(data, at, stop, value, heads, word_ends, word_bytes)
                if number >= 0:
                    found[added] = number + 1
                    added += 1
        signed = np.uint64(np.int64(np.int32(value)))
        for back in range(1, min(longest, tokens) + 1):
            slot = 0 if longest == 1 else (tokens - back) % longest
            ngram = running[slot] * _STEP + signed
            running[slot] = ngram
            row = row_of_bucket(ngram & low if is_power else ngram % n_buckets, buckets, before)
            if row > 0:
                found[added] = row
                added += 1
        if longest > 0:
            running[tokens % longest] = signed
        tokens += 1
        at = stop
    # In a loop of its own no row waits for the one before it: half of the time, where the table is in no cache.
    for place in range(added):
        add_row_of(total, rows, np.int64(found[place]))
    return added + inside


@njit(cache=True, nogil=True)
def probabilities(total, added, model, sums, out):  # type: ignore[no-untyped-def]
    """Write the probability of each label for the mean of `added` rows to `out` (L,) float64; zeros where none was
    added. `sums` (2 L,) float64 is scratch."""
    output, left, right = model[6], model[7], model[8]
    out[:] = 0.0
    if added == 0:
        return
    scale = np.float32(1.0 / added)
    if left.size == 0:
        highest = np.float32(-3e38)
        for label in range(out.size):
            sums[label] = dot(output, label, total, scale)
            highest = max(highest, np.float32(sums[label]))
        whole = 0.0
        for label in range(out.size):
            out[label] = math.exp(sums[label] - highest)
            whole += out[label]
        for label in range(out.size):
            out[label] /= whole
        return
    sums[left.size - 1] = 0.0
    for node in range(left.size - 1, out.size - 1, -1):  # children stand before their parent
        f = 1.0 / (1.0 + math.exp(-np.float64(dot(output, node - out.size, total, scale))))
        sums[left[node]] = sums[node] + math.log(1.0 - f + FLOOR)
        sums[right[node]] = sums[node] + math.log(f + FLOOR)
    for label in range(out.size):
        out[label] = math.exp(sums[label])
