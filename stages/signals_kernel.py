"""All counts behind the quality signals, of each document of a batch.

The kernels count and never divide (`stages/signals.py` does), entropies apart. The walk (`stages/signals_walk.py`)
cuts a text into units and lines; `stages/repetition.py` finds which of them recur.
"""

import numpy as np
from numba import njit

from stages.characters import (
    DIGIT,
    HAN,
    HANGUL,
    IGNORED,
    KANA,
    KINDS,
    LATIN,
    LATIN_UPPER,
    LETTER,
    PUNCT,
    SPACE,
    SYMBOL,
    WIDE_PUNCT,
    decode,
)
from stages.line_counts import (
    FACTS,
    MAX_LINES,
    STOP_CODES_ZH,
)
from stages.repetition import repeated_lines, repetition, workspace
from stages.signal_counts import (
    BRACES,
    BYTES,
    CHARS,
    DIGITS,
    DISTINCT_CHARS,
    HAN_CHARS,
    HANGUL_CHARS,
    HASHES,
    KANA_CHARS,
    LATIN_CHARS,
    LETTERS,
    MOJIBAKE_ZH,
    PUNCTS,
    REPLACEMENT,
    STOP_HITS_ZH,
    STOP_WORDS_ZH,
    SYMBOLS,
    UPPER,
    VISIBLE,
)
from stages.signals_walk import walk

MAX_UNITS = 1 << 20  # repetition is measured on the first 2**20 units: memory is bounded


@njit(cache=True, nogil=True)
def _mojibake_zh(text, begin, end):  # type: ignore[no-untyped-def]
    """How often 锟斤拷, 烫烫烫 or 屯屯屯 stands in a text, without overlap."""
    found = 0
    at = begin
    while at + 9 <= end:
        if text[at] == 0xE9 or text[at] == 0xE7 or text[at] == 0xE5:
            one = decode(text, at, end)[0]
            two = decode(text, at + 3, end)[0]
            three = decode(text, at + 6, end)[0]
            if (one == 0x951F and two == 0x65A4 and three == 0x62F7) or (
                one == two and two == three and (one == 0x70EB or one == 0x5C6F)
            ):
                found += 1
                at += 8
        at += 1
    return found


@njit(cache=True, nogil=True)
def count(text, bounds, kinds, marks, known, pairs, logs, counts, char_entropy, word_entropy):  # type: ignore[no-untyped-def]
    """Fill `counts` (n, len(COUNTS)) int64, zeros at entry, and the entropies (n,) float64 of visible characters and of
    words, in nats.

    text, bounds   uint8 and (n + 1,) int32: document i is text[bounds[i]:bounds[i + 1]]
    kinds, marks   `stages.characters.kinds()` and `stages.line_counts.marks()`
    known          `stages.known_words.table()`
    pairs          `stages.han_pairs.table()`
    logs           (m,) float64: n ln n of n < m
    Memory: 61 to 73 bytes for each of the first 2**20 units and 28 for each of the first 2**20 lines of the longest
    document, and 9 MB.
    """
    longest = 1
    for document in range(bounds.size - 1):
        longest = max(longest, bounds[document + 1] - bounds[document])
    most = min(longest, MAX_UNITS)
    units_of = (
        np.empty(most, np.uint64),
        np.empty(most, np.int8),
        np.zeros(most + 1, np.int32),
        np.zeros(most + 1, np.int32),
    )
    hashes, unit_kinds, ends, heavy = units_of
    most_lines = min(longest // 2 + 1, MAX_LINES)
    lines_of = (
        np.empty(most_lines, np.int32),
        np.empty(most_lines, np.int32),
        np.empty(most_lines, np.int32),
        np.empty(most_lines, np.int32),
    )
    work = workspace(most, most_lines)
    frequency = np.zeros(0x110000, np.int32)
    met = np.zeros(min(0x110000, longest + 1), np.int32)  # code points beyond ASCII, in the order met
    ascii = np.zeros(256, np.int32)
    by_kind = np.zeros(KINDS, np.int64)
    line = np.zeros(len(FACTS), np.int64)

    for document in range(bounds.size - 1):
        out = counts[document]
        begin = np.int64(bounds[document])
        end = np.int64(bounds[document + 1])
        by_kind[:] = 0
        units, lines, distinct = walk(
            text, begin, end, kinds, marks, known, pairs, units_of, lines_of, frequency, met, by_kind, line, out
        )
        word_entropy[document] = repetition(hashes, unit_kinds, ends, heavy, units, work, logs, out)
        repeated_lines(lines_of, lines, work, out)
        out[BYTES] = end - begin
        out[VISIBLE] = out[CHARS] - by_kind[SPACE] - by_kind[IGNORED]
        out[HAN_CHARS] = by_kind[HAN]
        out[KANA_CHARS] = by_kind[KANA]
        out[HANGUL_CHARS] = by_kind[HANGUL]
        out[UPPER] = by_kind[LATIN_UPPER]
        out[LATIN_CHARS] = by_kind[LATIN] + by_kind[LATIN_UPPER]
        out[LETTERS] = out[LATIN_CHARS] + by_kind[LETTER] + by_kind[HANGUL] + by_kind[HAN] + by_kind[KANA]
        out[DIGITS] = by_kind[DIGIT]
        out[PUNCTS] = by_kind[PUNCT] + by_kind[WIDE_PUNCT]
        out[SYMBOLS] = by_kind[SYMBOL]

        ascii[:] = 0
        for at in range(begin, end):
            ascii[text[at]] += 1
        out[HASHES] = ascii[35]
        out[BRACES] = ascii[123] + ascii[125]
        out[REPLACEMENT] = frequency[0xFFFD]
        for code in STOP_CODES_ZH:
            out[STOP_WORDS_ZH] += frequency[code] > 0
            out[STOP_HITS_ZH] += frequency[code]
        if frequency[0x62F7] > 0 or frequency[0x70EB] > 2 or frequency[0x5C6F] > 2:
            out[MOJIBAKE_ZH] = _mojibake_zh(text, begin, end)
        # H = ln N - (sum of c ln c) / N, summed over ASCII, then in the order of first appearance.
        total = 0.0
        for code in range(33, 127):
            n = ascii[code]
            if n > 0:
                distinct += 1
                total += logs[n] if n < logs.size else n * np.log(n)
        out[DISTINCT_CHARS] = distinct
        for i in range(met.size):
            n = frequency[met[i]]
            if n == 0:
                break
            total += logs[n] if n < logs.size else n * np.log(n)
            frequency[met[i]] = 0
            met[i] = 0
        if out[VISIBLE] > 0:
            char_entropy[document] = np.log(out[VISIBLE]) - total / out[VISIBLE]
