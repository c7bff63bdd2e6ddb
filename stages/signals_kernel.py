"""Counts behind the quality signals, taken in one pass over the UTF-8 bytes of each document.

The kernel counts and never divides (`stages/signals.py` does), entropy apart. To add a count: append its name to
`COUNTS`, give it a constant below, and add to `counts[document, NAME]`.
"""

import math

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
    MARK,
    PUNCT,
    SPACE,
    SYMBOL,
    TABLE_SIZE,
    WIDE_PUNCT,
    decode,
    far_kind,
)
from stages.repetition import mix, repeated, slot_of, top_window

COUNTS = (
    "bytes",  # UTF-8
    "chars",  # code points
    "visible",  # code points, neither white space nor control or format characters
    "han",
    "kana",
    "hangul",
    "latin",
    "upper",  # of these, capitals
    "letters",  # of all scripts, ideographs and kana included
    "digits",
    "punct",
    "symbols",
    "words",  # units: words of spaced scripts + Han + kana
    "alpha_words",  # of these, with a letter
    "tokens",  # words + marks that stand alone between white space
    "spaced_words",  # words of spaced scripts
    "spaced_word_chars",  # their letters, digits and combining marks
    "stop_words_en",  # how many of eight English stop words occur
    "stop_hits_en",  # how often any occurs
    "stop_chars_zh",  # how many of eight Chinese stop characters occur
    "stop_hits_zh",
    "hashes",  # the character #
    "ellipses",  # runs of U+2026, and of three or more full stops, ASCII or ideographic
    "urls",  # "://"
    "braces",  # { and }
    "replacement",  # U+FFFD
    "mojibake_zh",  # of GBK confusion: three known triples
    "mojibake_latin",  # accented letters in UTF-8 read as Latin-1: U+00C2 or U+00C3 before U+00A1 to U+00BF
    "lines",  # with a visible character
    "line_chars",  # their characters, trimmed, each run of white space as one
    "longest_line_chars",
    "terminated_lines",  # whose last visible character ends a sentence or closes a quotation
    "short_lines",  # of fewer than 30 columns, wide characters being two columns
    "bullet_lines",
    "ellipsis_lines",
    "dup_lines",  # equal to an earlier line of the document
    "dup_line_chars",
    "unit_chars",  # characters of all units that repetition is measured on
    "dup_ngram_chars",  # of these, in a window of weight 10 seen before
    "top_ngram_chars",  # of these, in the window of weight 4 that covers most
    "distinct_chars",  # distinct visible code points
)
(
    BYTES, CHARS, VISIBLE, HAN_CHARS, KANA_CHARS, HANGUL_CHARS, LATIN_CHARS, UPPER, LETTERS, DIGITS, PUNCTS, SYMBOLS,
    WORDS, ALPHA_WORDS, TOKENS, SPACED_WORDS, SPACED_WORD_CHARS, STOP_WORDS_EN, STOP_HITS_EN, STOP_CHARS_ZH,
    STOP_HITS_ZH, HASHES, ELLIPSES, URLS, BRACES, REPLACEMENT, MOJIBAKE_ZH, MOJIBAKE_LATIN, LINES, LINE_CHARS,
    LONGEST_LINE_CHARS, TERMINATED_LINES, SHORT_LINES, BULLET_LINES, ELLIPSIS_LINES, DUP_LINES, DUP_LINE_CHARS,
    UNIT_CHARS, DUP_NGRAM_CHARS, TOP_NGRAM_CHARS, DISTINCT_CHARS,
) = range(len(COUNTS))  # fmt: skip

STOP_WORDS_EN_LIST = ("the", "be", "to", "of", "and", "that", "have", "with")
STOP_CHARS_ZH_LIST = "的是在了和一不有"
TERMINAL = frozenset(".?!\"')。！？；：…”’」』）》】．｡")
BULLETS = frozenset("•‣◦▪▫■□●○◆◇▶►·-*–－")
SHORT_COLUMNS = 30
MAX_UNITS = 1 << 20  # repetition is measured on the first 2**20 units and 2**20 lines: memory is bounded

# What else a character is, as bits of a second table over the code points below 2**16.
ENDS_LINE = 1
IS_BULLET = 2
STOP_ZH = 4  # with its number in bits 4-7


def marks() -> np.ndarray:
    """(65536,) uint8: ENDS_LINE, IS_BULLET and STOP_ZH."""
    table = np.zeros(1 << 16, np.uint8)
    for char in TERMINAL:
        table[ord(char)] |= ENDS_LINE
    for char in BULLETS:
        table[ord(char)] |= IS_BULLET
    for number, char in enumerate(STOP_CHARS_ZH_LIST):
        table[ord(char)] |= STOP_ZH | number << 4
    return table


def packed_stop_words() -> np.ndarray:
    """(8,) uint64: each stop word's letters, the last lowest."""
    return np.array([int.from_bytes(word.encode(), "big") for word in STOP_WORDS_EN_LIST], np.uint64)


@njit(cache=True, nogil=True)
def _entries(text, start, end):  # type: ignore[no-untyped-def]
    """No fewer than the units and lines of a document: each takes a character, and words and lines also a separator."""
    ascii_spaces = 0
    rest = 0  # continuation bytes
    far = 0  # bytes that start a longer character
    for at in range(start, end):
        byte = text[at]
        ascii_spaces += byte <= 32
        rest += (byte & 0xC0) == 0x80
        far += byte >= 0xC0
    entries = min(end - start - rest, 2 * (ascii_spaces + far)) + 2
    return min(entries, 2 * MAX_UNITS)


@njit(cache=True, nogil=True)
def count(text, bounds, kinds, marks, stop_words, counts, entropy):  # type: ignore[no-untyped-def]
    """Fill `counts` (n, len(COUNTS)) int64, zeros at entry, and `entropy` (n,) float64, in nats per visible character.

    text, bounds   uint8 and (n + 1,) int32: document i is text[bounds[i]:bounds[i + 1]]
    kinds, marks   `stages.characters.kinds()` and `marks()`;  stop_words: `packed_stop_words()`
    """
    entries = 0
    for document in range(bounds.size - 1):
        entries = max(entries, _entries(text, bounds[document], bounds[document + 1]))
    slots = 32
    while slots < entries * 5 // 4:
        slots *= 2
    seen = np.zeros((slots, 2), np.uint64)
    top = np.zeros((slots, 4), np.uint64)
    capacity = min(entries, MAX_UNITS)
    hashes = np.empty(capacity, np.uint64)
    weights = np.empty(capacity, np.int8)
    ends = np.zeros(capacity + 1, np.int32)
    frequency = np.zeros(0x110000, np.int32)
    met = np.zeros(min(0x110000, text.size), np.int32)  # code points met in the document, in order
    by_kind = np.zeros(KINDS, np.int64)
    prime = np.uint64(0x100000001B3)

    for document in range(bounds.size - 1):
        out = counts[document]
        begin = bounds[document]
        end = bounds[document + 1]
        stamp = np.uint64(document + 1)  # whoever filled a slot: tables need no clearing
        needed = _entries(text, begin, end) * 5 // 4
        mask = 32  # tables shrink with the document, so that short ones stay in cache
        while mask < needed:
            mask *= 2
        mask -= 1
        units = 0
        by_kind[:] = 0
        distinct = 0
        stop_en = 0  # bit sets of stop words and characters met
        stop_zh = 0

        # The token in progress: a run without white space, ideographs or wide punctuation.
        in_run = False
        run_after_space = True
        has_letter = False
        has_digit = False
        run_chars = 0
        run_hash = np.uint64(0)
        run_packed = np.uint64(0)
        after_space = True

        # The line in progress.
        line_hash = np.uint64(0)
        line_chars = 0
        columns = 0
        gap = False
        bullet = False
        last = np.uint32(0)
        dots = 0  # full stops in a row, ASCII or ideographic
        trail = 0  # of these, at the last visible character
        before = np.uint32(0)
        before_that = np.uint32(0)

        at = begin
        while at <= end:
            if at < end:
                code, width = decode(text, at, end)
                kind = kinds[code] if code < TABLE_SIZE else far_kind(code)
                at += width
                by_kind[kind] += 1
                newline = code == 10
            else:  # the end of the document is a line feed that is not counted
                at += 1
                code = np.uint32(10)
                kind = np.uint8(SPACE)
                newline = True
            if kind == IGNORED:
                continue

            extends = kind != SPACE and kind != HAN and kind != KANA and kind != WIDE_PUNCT
            if in_run and not extends:
                in_run = False
                if has_letter or has_digit:
                    out[SPACED_WORDS] += 1
                    out[SPACED_WORD_CHARS] += run_chars
                    out[ALPHA_WORDS] += has_letter
                    if run_chars <= 4:
                        for number in range(stop_words.size):
                            if run_packed == stop_words[number]:
                                stop_en |= 1 << number
                                out[STOP_HITS_EN] += 1
                    if units < MAX_UNITS:
                        hashes[units] = mix(run_hash)
                        weights[units] = 2
                        ends[units + 1] = ends[units] + run_chars
                        units += 1
                elif run_after_space and kind == SPACE:
                    out[TOKENS] += 1  # words are added below
            if dots > 0 and code != 46 and code != 0x3002:
                out[ELLIPSES] += dots >= 3
                dots = 0

            if kind == SPACE:
                gap = True
                after_space = True
                before = np.uint32(0)
                before_that = np.uint32(0)
                if newline and line_chars > 0:
                    out[LINES] += 1
                    out[LINE_CHARS] += line_chars
                    out[LONGEST_LINE_CHARS] = max(out[LONGEST_LINE_CHARS], line_chars)
                    out[SHORT_LINES] += columns < SHORT_COLUMNS
                    out[BULLET_LINES] += bullet
                    if last < 0x10000:
                        out[TERMINATED_LINES] += marks[last] & ENDS_LINE
                    if out[LINES] <= MAX_UNITS:
                        h = mix(line_hash)
                        slot = slot_of(h, seen, stamp, mask)
                        if seen[slot, 1] == stamp:
                            out[DUP_LINES] += 1
                            out[DUP_LINE_CHARS] += line_chars
                        else:
                            seen[slot, 0] = h
                            seen[slot, 1] = stamp
                    out[ELLIPSIS_LINES] += last == 0x2026 or trail >= 3
                if newline:
                    line_hash = np.uint64(0)
                    line_chars = 0
                    columns = 0
                    bullet = False
                    gap = False
                continue

            # A visible character.
            if frequency[code] == 0:
                met[distinct] = code
                distinct += 1
            frequency[code] += 1
            mark = marks[code] if code < 0x10000 else np.uint8(0)
            if line_chars == 0:
                bullet = (mark & IS_BULLET) != 0
                line_hash = np.uint64(0xCBF29CE484222325)
            elif gap:
                line_hash = (line_hash ^ np.uint64(32)) * prime
                line_chars += 1
                columns += 1
            gap = False
            line_hash = (line_hash ^ np.uint64(code)) * prime
            line_chars += 1
            wide = kind in (HAN, KANA, HANGUL, WIDE_PUNCT)
            columns += 2 if wide else 1
            last = code

            if code == 46 or code == 0x3002:
                dots += 1
            trail = dots if (code == 46 or code == 0x3002) else 0
            if kind in (HAN, KANA):
                if units < MAX_UNITS:
                    hashes[units] = mix(np.uint64(code))
                    weights[units] = 1
                    ends[units + 1] = ends[units] + 1
                    units += 1
                if mark & STOP_ZH:
                    stop_zh |= 1 << (mark >> 4)
                    out[STOP_HITS_ZH] += 1
                triple = before != 0 and before_that != 0
                if triple and (
                    (code == 0x62F7 and before == 0x65A4 and before_that == 0x951F)
                    or (code == before and code == before_that and (code == 0x70EB or code == 0x5C6F))
                ):
                    out[MOJIBAKE_ZH] += 1
                    code = np.uint32(0)  # triples do not overlap
            elif extends:
                if not in_run:
                    in_run = True
                    run_after_space = after_space
                    has_letter = False
                    has_digit = False
                    run_chars = 0
                    run_hash = np.uint64(0xCBF29CE484222325)
                    run_packed = np.uint64(0)
                if kind in (PUNCT, SYMBOL):
                    if code == 35:
                        out[HASHES] += 1
                    elif code == 123 or code == 125:
                        out[BRACES] += 1
                    elif code == 0x2026 and before != 0x2026:
                        out[ELLIPSES] += 1
                    elif code == 0xFFFD:
                        out[REPLACEMENT] += 1
                    elif code == 58 and at + 1 < end and text[at] == 47 and text[at + 1] == 47:
                        out[URLS] += 1
                else:
                    if kind == DIGIT:
                        has_digit = True
                    elif kind != MARK:
                        has_letter = True
                    run_chars += 1
                    run_hash = (run_hash ^ np.uint64(code)) * prime
                    small = code | np.uint32(32) if kind == LATIN_UPPER and code < 128 else code
                    run_packed = (run_packed << np.uint64(8)) | np.uint64(small & 255 if small < 128 else 255)
            if (before == 0xC2 or before == 0xC3) and 0xA1 <= code <= 0xBF:
                out[MOJIBAKE_LATIN] += 1
            after_space = False
            before_that = before
            before = code

        out[UNIT_CHARS] = ends[units]
        out[DUP_NGRAM_CHARS] = repeated(hashes, ends, weights, units, seen, stamp, mask)
        out[TOP_NGRAM_CHARS] = top_window(hashes, ends, weights, units, top, stamp, mask)
        out[BYTES] = end - begin
        out[CHARS] = by_kind.sum()
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
        out[WORDS] = out[SPACED_WORDS] + by_kind[HAN] + by_kind[KANA]
        out[ALPHA_WORDS] += by_kind[HAN] + by_kind[KANA]
        out[TOKENS] += out[WORDS]
        for number in range(8):
            out[STOP_WORDS_EN] += (stop_en >> number) & 1
            out[STOP_CHARS_ZH] += (stop_zh >> number) & 1
        out[DISTINCT_CHARS] = distinct
        # H = ln N - (sum of c ln c) / N, summed in the order of first appearance.
        total = 0.0
        for i in range(distinct):
            c = frequency[met[i]]
            frequency[met[i]] = 0
            total += c * math.log(c)
        if distinct > 0:
            entropy[document] = math.log(out[VISIBLE]) - total / out[VISIBLE]
