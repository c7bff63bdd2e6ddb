"""The walk over the characters of a document: its words, marks and lines, and what is counted on the way.

`stages/word_edges.py` says where a word ends, `stages/line_counts.py` what a line adds. A sentence ends at a single
. ? ! or its wide form, and with its line. One function, since its thirty variables live in registers and on its stack.
"""

import numpy as np
from numba import njit

from stages.byte_blocks import alphanumeric, zeros_below
from stages.characters import (
    DIGIT,
    HAN,
    HANGUL,
    IGNORED,
    KANA,
    LATIN,
    LATIN_UPPER,
    LETTER,
    MARK,
    SPACE,
    TABLE_SIZE,
    WIDE_PUNCT,
    decode,
    far_kind,
)
from stages.known_words import (
    CART,
    COOKIE,
    COOKIES,
    FIRST_COUNTER,
    IN,
    IPSUM,
    ITEMS,
    JAVASCRIPT,
    LAST_COUNTER,
    LOREM,
    MORE,
    OF,
    POLICY,
    PRIVACY,
    READ,
    SIGN,
    STOPS,
    TERMS,
    USE,
    USES,
    number_of,
)
from stages.line_counts import (
    BULLET,
    CHARS_AT,
    DIGITS_AT,
    DOTS_AT,
    FOUND_AT,
    HAS_CART,
    HAS_JAVASCRIPT,
    HAS_POLICY,
    HAS_READ_MORE,
    IS_BULLET,
    IS_COUNTER,
    IS_SIGN_IN,
    LAST_AT,
    LETTERS_AT,
    LONGEST_WORD_AT,
    SENTENCES_AT,
    UPPER_AT,
    VISIBLE_AT,
    WIDE_AT,
    WORDS_AT,
    character_before,
    count_line,
    reads_more_zh,
)
from stages.repetition import CHARACTER, CHARACTER_WEIGHT, WORD, WORD_WEIGHT
from stages.repetition import MARK as LONE_MARK
from stages.signal_counts import (
    ALPHA_SPACED_WORDS,
    BRACKETED,
    CAPS_WORDS,
    CHARS,
    ELLIPSES,
    KNOWN_PAIRS,
    LINE_FEEDS,
    LONG_NUMBERS,
    LONGEST_WORD_CHARS,
    LOREM_IPSUM,
    MARKS,
    MOJIBAKE_LATIN,
    RANKED_PAIRS,
    SPACED_WORD_CHARS,
    SPACED_WORDS,
    STOP_HITS_EN,
    STOP_WORDS_EN,
    URLS,
)
from stages.word_edges import bytes_set, eight_bytes, is_word, joins

_SEED = 0xCBF29CE484222325
_PRIME = 0x100000001B3
_SPREAD = 0x9E3779B97F4A7C15


@njit(cache=True, nogil=True)
def walk(text, begin, end, kinds, marks, known, pairs, units_of, lines_of, frequency, met, by_kind, line, out):  # type: ignore[no-untyped-def]
    """One document: its counts, units, and lines. -> how many units, lines, and distinct characters beyond ASCII

    units_of   hashes, kinds, ends, heavy: see `stages.repetition`
    lines_of   (lines,) int32 first unit, unit behind, characters, number of the paragraph
    frequency  of characters beyond ASCII; `met`: which they are
    """
    keys, numbers, multiplier = known
    ranks, pair_bits = pairs
    hashes, unit_kinds, ends, heavy = units_of
    line_units, line_stops, line_chars, line_paragraphs = lines_of
    seed = np.uint64(_SEED)
    prime = np.uint64(_PRIME)
    spread = np.uint64(_SPREAD)
    ones = np.uint64(0x0101010101010101)
    units = 0
    lines = 0
    distinct = 0
    chars = 0
    unit_chars = 0
    unit_weight = 0
    stop_en = 0  # set of stop words met
    before = np.uint32(0)  # the visible character before, 0 behind white space
    after_space = True
    token_at = 0  # where the run between white space began
    paragraph = 0
    blank = False  # a line without visible characters was before

    # The word in progress.
    in_word = False
    acc = seed
    eight = np.uint64(0)
    length = 0
    letters_in = 0
    capitals_in = 0
    pieces = 0  # runs of ASCII letters and digits, and characters between; 1 for plain words
    last = np.uint32(0)  # its last character and the one before
    before_last = np.uint32(0)

    # The line in progress.
    line_first = -1  # characters before its first visible one
    line_last = 0
    line_end = begin  # behind the bytes of its last visible character
    line_unit = 0
    line_words = 0
    longest = 0
    sentences = 0
    is_open = False  # a sentence has begun
    dots = 0
    found = 0
    first_number = False  # its first word is a number
    number1 = 0  # of the last word, and of the one before
    number2 = 0
    reads_more = False  # it ends so, so far
    bracket = -1
    upper_before = 0
    letters_before = 0
    digits_before = 0
    visible_before = 0
    wide_before = 0

    at = begin
    while at <= end:
        final = at == end
        if final:  # the end of the document is a line feed that is not counted
            code = np.uint32(10)
            kind = np.uint8(SPACE)
            width = 1
        elif text[at] < 128:
            code = np.uint32(text[at])
            kind = kinds[code]
            width = 1
        else:
            code, width = decode(text, at, end)
            kind = kinds[code] if code < TABLE_SIZE else far_kind(code)

        if is_word(kind):
            if not in_word:
                in_word = True
                acc = seed
                length = 0
                letters_in = 0
                capitals_in = 0
                pieces = 0
                last = np.uint32(0)
                if line_first < 0:
                    line_first = chars
                if after_space:
                    after_space = False
                    line_words += 1
                    token_at = chars
                dots = 0
            pieces += 1
            if code < 128:
                start = at
                capitals = 0
                numerals = 0
                run = 64
                while run == 64:
                    if at + 64 <= text.size:
                        run = min(zeros_below(~alphanumeric(text, at)), end - at)
                    else:
                        run = 0
                        while run < 64 and at + run < end and text[at + run] < 128 and is_word(kinds[text[at + run]]):
                            run += 1
                    for done in range(0, run, 8):
                        chunk, mask = eight_bytes(text, at + done, run - done)
                        if at + done == start:
                            eight = chunk
                        if chunk & np.uint64(0x2020202020202020) != mask & np.uint64(0x2020202020202020):
                            capitals += bytes_set((~chunk >> np.uint64(5)) & ones & mask)
                        numerals += bytes_set((~chunk >> np.uint64(6)) & ones & mask)
                        acc = (acc ^ chunk) * prime
                        acc ^= acc >> np.uint64(29)
                    at += run
                n = at - start
                chars += n
                by_kind[LATIN_UPPER] += capitals
                by_kind[DIGIT] += numerals
                by_kind[LATIN] += n - capitals - numerals
                length += n
                letters_in += n - numerals
                capitals_in += capitals
                before_last = last
                if n > 1:
                    before_last = np.uint32(text[at - 2])
                last = np.uint32(text[at - 1])
            else:
                pieces += 1
                if frequency[code] == 0:
                    met[distinct] = code
                    distinct += 1
                frequency[code] += 1
                by_kind[kind] += 1
                chars += 1
                at += width
                acc = (acc ^ np.uint64(code)) * prime
                acc ^= acc >> np.uint64(29)
                length += 1
                if (before == 0xC2 or before == 0xC3) and 0xA1 <= code <= 0xBF:
                    out[MOJIBAKE_LATIN] += 1
                if kind != DIGIT and kind != MARK:
                    letters_in += 1
                    capitals_in += kind == LATIN_UPPER
                before_last = last
                last = code
            before = last
            line_last = chars
            line_end = at
            continue

        if kind == IGNORED:
            by_kind[IGNORED] += 1
            chars += 1
            at += width
            continue

        if in_word:
            number = 0
            if pieces == 1 and length <= 10:
                number = number_of(eight, length, keys, numbers, multiplier)
            joined = 0
            if code == 46 or code == 39 or code == 44 or code == 58 or code == 95 or code == 64 or code == 0x2019:
                joined = joins(
                    code, np.int64(last), np.int64(before_last), length, number, text, at + width, end, kinds
                )
            if joined != 1:  # the word ends
                in_word = False
                is_open = True
                unit_kind = WORD
                if length > 1 or kinds[last] != MARK:
                    out[SPACED_WORDS] += 1
                    out[SPACED_WORD_CHARS] += length
                    if letters_in > 0:
                        out[ALPHA_SPACED_WORDS] += 1
                        out[CAPS_WORDS] += capitals_in == letters_in
                    else:
                        out[LONG_NUMBERS] += 7 <= length <= 12 and pieces == 1
                else:
                    out[MARKS] += 1
                    unit_kind = LONE_MARK
                if units < hashes.size:
                    h = acc + np.uint64(length) * spread
                    hashes[units] = h ^ (h >> np.uint64(32))
                    unit_kinds[units] = unit_kind
                    unit_chars += length
                    unit_weight += WORD_WEIGHT
                    units += 1
                    ends[units] = unit_chars
                    heavy[units] = unit_weight
                reads_more = False
                if number != 0:
                    if number <= STOPS:
                        out[STOP_HITS_EN] += 1
                        if capitals_in == 0:
                            stop_en |= 1 << (number - 1)
                    if number == JAVASCRIPT:
                        found |= HAS_JAVASCRIPT
                    elif (
                        (number == POLICY and number1 in (PRIVACY, COOKIE))
                        or (number == USE and number1 == OF and number2 == TERMS)
                        or (number == COOKIES and (number1 in (USE, USES) or (number1 == OF and number2 == USE)))
                    ):
                        found |= HAS_POLICY
                    elif number == IPSUM and number1 == LOREM:
                        out[LOREM_IPSUM] += 1
                    elif number == CART and number1 == IN and number2 == ITEMS:
                        found |= HAS_CART
                    elif number == IN and number1 == SIGN and chars - line_first == 7:
                        found |= IS_SIGN_IN
                    reads_more = number == MORE and number1 == READ
                if chars - line_first == length:
                    first_number = letters_in == 0
                number2 = number1
                number1 = number
            if joined != 0:  # the character goes on with the word, or begins the next
                if joined == 2:
                    in_word = True
                    acc = seed
                    length = 0
                    letters_in = 0
                    capitals_in = 0
                    pieces = 1
                pieces += 1
                if code >= 128:
                    if frequency[code] == 0:
                        met[distinct] = code
                        distinct += 1
                    frequency[code] += 1
                by_kind[kind] += 1
                chars += 1
                at += width
                acc = (acc ^ np.uint64(code)) * prime
                acc ^= acc >> np.uint64(29)
                length += 1
                before_last = last
                before = last = code
                line_last = chars
                line_end = at
                dots = np.int64(code == 46)
                continue

        if kind == SPACE:
            if not after_space:
                longest = max(longest, chars - token_at)
                after_space = True
            before = np.uint32(0)
            at += width
            if not final:
                by_kind[SPACE] += 1
                chars += 1
                if code != 10:
                    continue
                out[LINE_FEEDS] += 1
            if line_first < 0:
                blank = True
                continue
            letters = (
                by_kind[LATIN] + by_kind[LATIN_UPPER] + by_kind[LETTER] + by_kind[HANGUL] + by_kind[HAN] + by_kind[KANA]
            )
            wide = by_kind[HAN] + by_kind[KANA] + by_kind[HANGUL] + by_kind[WIDE_PUNCT]
            visible = chars - by_kind[SPACE] - by_kind[IGNORED]
            if reads_more or reads_more_zh(text, begin, line_end):
                found |= HAS_READ_MORE
            if first_number and line_words == 2 and FIRST_COUNTER <= number1 <= LAST_COUNTER:
                found |= IS_COUNTER
            out[LONGEST_WORD_CHARS] = max(out[LONGEST_WORD_CHARS], longest)
            line[CHARS_AT] = line_last - line_first
            line[WIDE_AT] = wide - wide_before
            line[VISIBLE_AT] = visible - visible_before
            line[LETTERS_AT] = letters - letters_before
            line[UPPER_AT] = by_kind[LATIN_UPPER] - upper_before
            line[DIGITS_AT] = by_kind[DIGIT] - digits_before
            line[WORDS_AT] = line_words
            line[LONGEST_WORD_AT] = longest
            line[SENTENCES_AT] = sentences + is_open
            line[LAST_AT] = decode(text, character_before(text, begin, line_end), line_end)[0]
            line[DOTS_AT] = dots
            line[FOUND_AT] = found
            count_line(line, marks, out)
            paragraph += blank
            blank = False
            if lines < line_units.size:
                line_units[lines] = line_unit
                line_stops[lines] = units
                line_chars[lines] = line_last - line_first
                line_paragraphs[lines] = paragraph
                lines += 1
            letters_before = letters
            wide_before = wide
            visible_before = visible
            upper_before = by_kind[LATIN_UPPER]
            digits_before = by_kind[DIGIT]
            line_first = -1
            line_unit = units
            line_words = 0
            longest = 0
            sentences = 0
            is_open = False
            dots = 0
            found = 0
            first_number = False
            number1 = 0
            number2 = 0
            reads_more = False
            bracket = -1
            continue

        # Characters that are units of their own.
        if line_first < 0:
            line_first = chars
            if code < 0x10000 and marks[code] & BULLET != 0:
                found |= IS_BULLET
        if after_space:
            after_space = False
            line_words += 1
            token_at = chars
        if kind in (HAN, KANA):
            longest = max(longest, chars - token_at)
            is_open = True
            dots = 0
            number1 = 0
            reads_more = False
            met_before = chars
            rank = np.uint16(0)  # of the character before, where it is Han
            ranked = 0
            known_pairs = 0
            while True:
                rank_before = rank
                rank = ranks[code] if code < ranks.size else np.uint16(0)
                if rank_before != 0 and rank != 0:
                    ranked += 1
                    known_pairs += (pair_bits[rank_before, rank >> 3] >> (rank & 7)) & 1
                if frequency[code] == 0:
                    met[distinct] = code
                    distinct += 1
                frequency[code] += 1
                chars += 1
                if units < hashes.size:
                    hashes[units] = (seed ^ np.uint64(code)) * spread
                    unit_kinds[units] = CHARACTER
                    unit_chars += 1
                    unit_weight += CHARACTER_WEIGHT
                    units += 1
                    ends[units] = unit_chars
                    heavy[units] = unit_weight
                at += width
                if kind != HAN or at + 3 > end or text[at] < 0xE4 or text[at] > 0xE9:
                    break
                following = (
                    ((np.uint32(text[at]) & np.uint32(0x0F)) << np.uint32(12))
                    | ((np.uint32(text[at + 1]) & np.uint32(0x3F)) << np.uint32(6))
                    | (np.uint32(text[at + 2]) & np.uint32(0x3F))
                )
                if following < 0x4E00:
                    break
                code = following
                width = 3
            by_kind[kind] += chars - met_before
            out[RANKED_PAIRS] += ranked
            out[KNOWN_PAIRS] += known_pairs
            token_at = chars
            before = code
            line_last = chars
            line_end = at
            continue

        run = 1
        at += width
        if code == 46 or code == 45:
            while at < end and text[at] == code:
                run += 1
                at += 1
        elif code >= 128:
            if frequency[code] == 0:
                met[distinct] = code
                distinct += 1
            frequency[code] += 1
        chars += run
        by_kind[kind] += run
        if code != 45:
            number1 = 0
            number2 = 0
        if code == 46:
            dots = run
            if run >= 3:
                out[ELLIPSES] += run // 3
        elif code == 0x3002:
            dots = dots + 1 if before == 0x3002 else 1
            out[ELLIPSES] += dots % 3 == 0
        else:
            dots = 0
            if code == 0x2026:
                out[ELLIPSES] += before != 0x2026
            elif code == 58:
                out[URLS] += at + 1 < end and text[at] == 47 and text[at + 1] == 47
            elif code == 0x3010:
                bracket = chars
            elif code == 0x3011 and bracket >= 0:
                out[BRACKETED] += chars - 1 - bracket
                bracket = -1
        if is_open and (
            (code == 46 and run == 1)
            or code == 33
            or code == 63
            or code == 0x3002
            or code == 0xFF01
            or code == 0xFF1F
            or code == 0xFF0E
            or code == 0xFF61
        ):
            sentences += 1
            is_open = False
        out[MARKS] += 1
        if units < hashes.size:
            hashes[units] = (seed ^ np.uint64(code)) * spread + np.uint64(run)
            unit_kinds[units] = LONE_MARK
            unit_chars += run
            unit_weight += WORD_WEIGHT
            units += 1
            ends[units] = unit_chars
            heavy[units] = unit_weight
        if (before == 0xC2 or before == 0xC3) and 0xA1 <= code <= 0xBF:
            out[MOJIBAKE_LATIN] += 1
        before = code
        line_last = chars
        line_end = at

    out[CHARS] = chars
    for number in range(STOPS):
        out[STOP_WORDS_EN] += (stop_en >> number) & 1
    return units, lines, distinct
