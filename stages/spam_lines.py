"""What speaks for spam in each line of a text, as one number: points, tenths of a bit of a log-likelihood ratio.

A term adds its weight (twice at most in a line), a pair of Han characters that no term covers adds what the pair table
says, a character or word that nothing covers takes some away, function characters and ends of sentences take more: a
line of terms stands far above zero and a sentence with one of them below. Numbers to call, links, and short terms in
a row without function characters add a little, never enough by themselves.

A line of the form of spam has a number to call, a link, or three short terms in a row. In any other, evidence counts
less where terms cover less than half of the letters, with the square of the share: the headline of a report about
gambling names it, and says something else besides. Of what characters say half is left there.

A term may be broken by up to `MAX_GAP` blanks, symbols and ASCII marks between Han characters (加 微 信, 彩-票).
"""

import numpy as np
from numba import njit

from stages.characters import DIGIT, HAN, IGNORED, KANA, LATIN, LATIN_UPPER, LETTER, SPACE, TABLE_SIZE, decode, far_kind
from stages.spam_lexicon import CATEGORIES, FUNCTION, JOINS, STOP, UNIT
from stages.spam_scan import char_points, is_domain_end, is_word_at, letter_digit
from stages.term_automaton import move_on

MAX_GAP = 2  # characters inside a term
TIMES = 2  # a term counts in a line

# Points.
LETTER_COST = 2  # taken for every letter: what stands side by side is not independent, as the sum takes it to be
FUNCTION_CHAR = -10
SENTENCE_END = -12
PLAIN_WORD = -12
MOBILE, SERVICE_NUMBER, NUMBER = 60, 70, 35
MAX_OFFER = 200  # points that the terms of `ads` add once more where there is a number to call or an address
AMOUNT, MAX_AMOUNTS = 8, 4  # a number with a unit of price, of size or of reduction behind it
CALL, MAX_CALLS = 6, 3  # exclamation marks
NAMED = 12  # a name in lenticular brackets, as senders of advertisements sign
LINK, MAX_LINKS = 15, 2
SHORT_TERM, MAX_SHORT_TERMS = 14, 8  # 2 to 8 letters between separators, none of them a function character
FEW_SHORT_TERMS, MORE_SHORT_TERMS = 3, 4  # beside a known term; without one
MANY_LINKS, LISTED_LINK = 3, 45  # a line that consists of so many addresses; each

MANY = 2000  # points of a line at most, either way: one line does not outweigh a text

# Columns of the table that `measure` fills, one row a line.
START, END, POINTS, LETTERS, LINKS, FORM = 0, 1, 2, 3, 4, 5
HITS = 6  # of each category
WEIGHT = HITS + len(CATEGORIES)  # points of the terms of each category
COLUMNS = WEIGHT + len(CATEGORIES)
ADS = CATEGORIES.index("ads")

_RING = 64


@njit(cache=True, nogil=True, inline="always")
def _number_points(digits, first, second):  # type: ignore[no-untyped-def]
    """A number to call: a Chinese mobile, a service number (400, 800), or as long as one."""
    if digits == 11 and first == 1 and second >= 3:
        return MOBILE
    if digits == 10 and (first == 4 or first == 8) and second == 0:
        return SERVICE_NUMBER
    if 7 <= digits <= 12:
        return NUMBER
    return 0


@njit(cache=True, nogil=True)
def measure(text, bounds, firsts, chars, moves, base, fail, depth, ends, shorter, terms, singles, pairs, values, table):  # type: ignore[no-untyped-def]
    """Fill `table`, (lines, COLUMNS) int32, whose rows begin at `firsts`; START and END are bytes of the document."""
    seen_line = np.full(terms.shape[0], -1, np.int64)
    seen_times = np.zeros(terms.shape[0], np.int8)
    ring = np.zeros(_RING, np.int64)
    for document in range(bounds.size - 1):
        begin = bounds[document]
        end = bounds[document + 1]
        at = begin
        for row in range(firsts[document], firsts[document + 1]):
            table[row, START] = at - begin
            state = np.int64(0)
            place = np.int64(0)  # normalised characters so far
            starts = np.uint64(0)  # bit i: the i-th last of them begins a word
            points = np.int64(0)  # of what no term covers
            term_points = np.int64(0)
            letters = 0
            links = 0
            gap = 0
            last = 0  # kind of the last letter: 0 none, 1 Han, 2 word
            left = 0  # letter of the last Han character
            covered = 0  # letters, by terms
            pending = -1
            pending_start = np.int64(0)
            pending_end = np.int64(0)
            pending_cover = np.int64(0)
            digits = 0
            first_digit = 0
            second_digit = 0
            segment = 0
            segment_plain = True
            short_terms = 0
            han_terms = 0
            segment_han = True
            sentence = False
            called = False
            word = 0  # letters of the word so far
            fresh = False
            link_letters = 0
            token = 0  # letters since the last blank
            amounts = 0
            calls = 0
            named = 0
            ring[:] = 0
            while at < end:
                byte = text[at]
                if byte == 0x0A:
                    at += 1
                    break
                if byte == 0x0D:
                    at += 1
                    if at < end and text[at] == 0x0A:
                        at += 1
                    break
                if byte < 0x80:
                    code = np.uint32(byte)
                    size = 1
                else:
                    code, size = decode(text, at, end)
                entry = chars[code] if code < TABLE_SIZE else np.uint32(far_kind(code)) << np.uint32(16)
                kind = (entry >> 16) & 15
                letter = entry & 0xFFFF
                at += size
                if kind == IGNORED:
                    continue
                if kind == DIGIT:
                    if digits == 0:
                        first_digit = letter_digit(code)
                    elif digits == 1:
                        second_digit = letter_digit(code)
                    digits += 1
                elif digits > 0 and not (byte == 0x2D and is_word_at(text, at, end, chars)):
                    number = _number_points(digits, first_digit, second_digit)
                    points += number
                    called |= number > 0
                    digits = 0
                    if (entry & UNIT) != 0:
                        amounts += 1
                is_han = kind in (HAN, KANA)
                is_word = kind in (LATIN, LATIN_UPPER, DIGIT)
                if is_han or is_word or kind == LETTER:
                    letters += 1
                    segment += 1
                    token += 1
                    if is_han:
                        if (entry & FUNCTION) != 0:
                            points += FUNCTION_CHAR
                            segment_plain = False
                        else:
                            points += char_points(pairs, values, singles, left if last == 1 and gap <= 1 else 0, letter)
                        starts = starts << np.uint64(1)
                        left = letter
                        token = 0
                        if gap > MAX_GAP:
                            state = np.int64(0)
                        last = 1
                    else:
                        fresh = last != 2 or gap > 0
                        if fresh:
                            if gap > MAX_GAP:
                                state = np.int64(0)
                            if last == 2:  # one space between two words
                                state = move_on(moves, base, fail, state, np.int64(chars[0x20] & 0xFFFF))
                                place += 1
                                ring[place & (_RING - 1)] = points
                                starts = starts << np.uint64(1)
                            if kind != DIGIT:
                                points += PLAIN_WORD
                        starts = (starts << np.uint64(1)) | np.uint64(fresh)
                        segment_han = False
                        left = 0
                        last = 2
                    gap = 0
                    state = move_on(moves, base, fail, state, np.int64(letter)) if letter else np.int64(0)
                    place += 1
                    if last == 2:
                        word = 1 if fresh else word + 1
                        if depth[state] < word:  # a term that would begin inside a word
                            state = np.int64(0)
                            while at < end and 0x61 <= text[at] | 0x20 <= 0x7A:
                                at += 1
                                word += 1
                                place += 1
                                letters += 1
                                segment += 1
                                token += 1
                                starts = starts << np.uint64(1)
                    ring[place & (_RING - 1)] = points
                    hit = state
                    if hit and ends[hit] < 0:
                        hit = np.int64(shorter[hit])
                    while hit:
                        term = ends[hit]
                        edges = terms[term, 3]
                        whole = True
                        if (edges & 1) != 0 and (starts >> np.uint64(terms[term, 0] - 1)) & np.uint64(1) == 0:
                            whole = False
                        if whole and (edges & 2) != 0 and is_word_at(text, at, end, chars):
                            whole = False
                        if whole:
                            break
                        hit = np.int64(shorter[hit])
                    if hit:
                        term = ends[hit]
                        start = place - terms[term, 0]
                        if pending >= 0 and start >= pending_end:
                            term_points += _commit(table, row, terms, pending, pending_cover, seen_line, seen_times)
                            covered += terms[pending, 0]
                            pending = -1
                        if (
                            pending < 0
                            or terms[term, 2] > terms[pending, 2]
                            or (start <= pending_start and terms[term, 2] >= terms[pending, 2])
                        ):
                            pending = term
                            pending_start = start
                            pending_end = place
                            pending_cover = points - ring[start & (_RING - 1)]
                    continue
                # Not a letter.
                gap += 1
                if kind == SPACE:
                    token = 0
                if (entry & STOP) != 0:
                    gap = MAX_GAP + 1
                    if code == 0x3002:
                        points += SENTENCE_END
                        sentence = True
                    elif code == 0x21 or code == 0xFF01:
                        calls += 1
                    elif byte == 0x3A and at + 1 < end and text[at] == 0x2F and text[at + 1] == 0x2F:
                        begin_link = at
                        while at < end and 0x21 <= text[at] < 0x7F:
                            at += 1
                        links += 1
                        link_letters += at - begin_link + token
                        token = 0
                        letters += at - begin_link
                        gap = MAX_GAP + 1
                elif code == 0x3011:
                    named = 1
                elif byte == 0x2E and last == 2 and gap == 1 and is_domain_end(text, at, end):
                    links += 1
                    link_letters += token + 3
                if (entry & JOINS) != 0 and segment > 0:
                    if 2 <= segment <= 8 and segment_plain:
                        short_terms += 1
                        han_terms += segment_han
                    segment = 0
                    segment_han = True
                    segment_plain = True
            if digits > 0:
                number = _number_points(digits, first_digit, second_digit)
                points += number
                called |= number > 0
            if pending >= 0:
                term_points += _commit(table, row, terms, pending, pending_cover, seen_line, seen_times)
                covered += terms[pending, 0]
            if links >= MANY_LINKS and 5 * link_letters >= 4 * letters:
                points = max(points, np.int64(0)) + LISTED_LINK * min(links, 8) + LETTER_COST * letters
            if 2 <= segment <= 8 and segment_plain:
                short_terms += 1
                han_terms += segment_han
            listed = short_terms if term_points > 0 else han_terms
            if not sentence and listed >= (FEW_SHORT_TERMS if term_points > 0 else MORE_SHORT_TERMS):
                points += SHORT_TERM * min(listed, MAX_SHORT_TERMS)
            if term_points > 0:
                points += AMOUNT * min(amounts, MAX_AMOUNTS) + CALL * min(calls, MAX_CALLS) + NAMED * named
                if called or links:
                    points += min(MAX_OFFER, table[row, WEIGHT + ADS])
                points += LINK * min(links, MAX_LINKS)
            formed = called or links > 0 or (not sentence and short_terms >= FEW_SHORT_TERMS)
            if not formed:
                some, whole = min(letters, 2 * covered), max(1, letters)
                term_points = term_points * some * some // (whole * whole)
                if points > 0:
                    points = points * (whole + some) // (2 * whole)
            table[row, FORM] = formed
            table[row, END] = at - begin
            points += term_points - LETTER_COST * letters
            table[row, POINTS] = max(-MANY, min(MANY, points))
            table[row, LETTERS] = letters
            table[row, LINKS] = links


@njit(cache=True, nogil=True)
def _commit(table, row, terms, term, cover, seen_line, seen_times):  # type: ignore[no-untyped-def]
    """Count one term in its line. -> its points, less those of the characters that it covers."""
    if seen_line[term] != row:
        seen_line[term] = row
        seen_times[term] = 0
    category = terms[term, 1]
    table[row, HITS + category] += 1
    if seen_times[term] >= TIMES:
        return -cover if cover < 0 else 0
    seen_times[term] += 1
    table[row, WEIGHT + category] += terms[term, 2]
    return terms[term, 2] - cover
