"""Encoded data in text: runs of base64, of hexadecimal bytes and of escaped code points.

What StarCoder2 looks for (Lozhkov et al. 2024, section 2.1): 64 or more characters of base64, 8 or more bytes of two
hexadecimal digits each, 8 or more `\\uXXXX`. Its expressions also match rules of `=====`, paths, lists of words and
rows of decimal numbers, so here

- base64 is a run of letters, digits, `+` and `/` of 64 or more, one in 32 a digit; below 256 characters its kind
  (capital, small, digit) must change at one place in three, as random letters do at two and words do at fewer;
- a run of bare pairs of hexadecimal digits has a letter in one pair of eight, a decimal number has none;
- bytes may be parted by commas, blanks, line feeds and quotation marks, up to 16 of them.
"""

import numpy as np
from numba import njit

BASE64_RUN = 64
CERTAIN_RUN = 256  # no word, name or path is so long
PAIRS_RUN = 8
LEAST_PAIRS_RUN = 3 * PAIRS_RUN - 1  # bytes
SEPARATORS = 16

UPPER, LOWER, DIGIT, SIGN = 1, 2, 3, 4  # kinds of characters of base64
_HEX = 8
_SEPARATOR = 16
_OF_PAIRS = 32  # may stand in a run of pairs


def _kinds() -> np.ndarray:
    table = np.zeros(256, np.uint8)
    table[ord("A") : ord("Z") + 1] = UPPER
    table[ord("a") : ord("z") + 1] = LOWER
    table[ord("0") : ord("9") + 1] = DIGIT
    table[[ord("+"), ord("/")]] = SIGN
    for byte in b"0123456789abcdefABCDEF":
        table[byte] |= _HEX | _OF_PAIRS
    for byte in b", \n\r\t\"'":
        table[byte] |= _SEPARATOR | _OF_PAIRS
    for byte in b"\\xuX":
        table[byte] |= _OF_PAIRS
    return table


KINDS = _kinds()


@njit(cache=True, nogil=True)
def _pair_end(text, at, end):  # type: ignore[no-untyped-def]
    """-> end of the byte or code point that is spelled at `at` (0: none), and its form: 0 bare, 1 prefixed, 2 \\u."""
    begin = at
    form = 0
    digits = 2
    if text[at] == 92 and at + 1 < end and (text[at + 1] == 120 or text[at + 1] == 117):  # \x \u
        form = 1 if text[at + 1] == 120 else 2
        digits = 2 if form == 1 else 4
        at += 2
    elif text[at] == 48 and at + 1 < end and (text[at + 1] | 32) == 120:  # 0x
        form = 1
        at += 2
    if at + digits > end:
        return 0, 0
    for place in range(at, at + digits):
        if KINDS[text[place]] & _HEX == 0:
            return 0, 0
    at += digits
    if at < end and KINDS[text[at]] & 7 in (UPPER, LOWER, DIGIT) and text[begin] != 92:
        return 0, 0  # goes on: a longer number, or a word
    return at, form


@njit(cache=True, nogil=True)
def _pairs_end(text, at, end):  # type: ignore[no-untyped-def]
    """End of the spelled bytes that begin at `at`, `at` itself where there are none, and whether they are a run."""
    last = at
    pairs = 0
    lettered = 0
    first_form = -1
    while at < end:
        stop, form = _pair_end(text, at, end)
        if stop == 0 or (first_form >= 0 and form != first_form):
            break
        first_form = form
        lettered += (text[stop - 1] | 32) >= 97 or (text[stop - 2] | 32) >= 97
        pairs += 1
        last = stop
        at = stop
        while at < end and at - stop < SEPARATORS and KINDS[text[at]] & _SEPARATOR:
            at += 1
    return last, pairs >= PAIRS_RUN and (first_form != 0 or lettered * 8 >= pairs)


@njit(cache=True, nogil=True)
def _count_base64(text, begin, end):  # type: ignore[no-untyped-def]
    """-> bytes in runs, and of the longest; runs with nothing but a line end between them are one."""
    total = 0
    longest = 0
    joined = 0  # bytes of the run that may still go on
    joined_end = begin - 3
    at = begin
    while at + BASE64_RUN <= end:
        place = at + BASE64_RUN - 1  # from behind: most words are stepped over unread
        while place >= at and KINDS[text[place]] & 7:
            place -= 1
        if place >= at:
            at = place + 1
            continue
        stop = at
        digits = 0
        changes = 0
        before = KINDS[text[at]] & 7
        while stop < end and KINDS[text[stop]] & 7:
            now = KINDS[text[stop]] & 7
            digits += now == DIGIT
            changes += now != before
            before = now
            stop += 1
        size = stop - at
        if digits * 32 >= size and (size >= CERTAIN_RUN or changes * 3 >= size):
            while stop < end and text[stop] == 61 and stop - at < size + 2:  # =
                stop += 1
            total += stop - at
            joined = (joined if at - joined_end <= 2 else 0) + stop - at
            joined_end = stop
            longest = max(longest, joined)
        at = stop + 1
    return total, longest


@njit(cache=True, nogil=True)
def _count_pairs(text, begin, end):  # type: ignore[no-untyped-def]
    """-> bytes in runs, and of the longest."""
    total = 0
    longest = 0
    at = begin
    while at + LEAST_PAIRS_RUN <= end:
        place = at + LEAST_PAIRS_RUN - 1
        while place >= at and KINDS[text[place]] & _OF_PAIRS:
            place -= 1
        if place >= at:
            at = place + 1
            continue
        if at > begin and KINDS[text[at]] & 7 and KINDS[text[at - 1]] & 7:  # inside a word
            while at < end and KINDS[text[at]] & 7:
                at += 1
            continue
        stop, found = _pairs_end(text, at, end)
        if found:
            total += stop - at
            longest = max(longest, stop - at)
        if stop == at:
            stop = at + 1
            while stop < end and KINDS[text[at]] & 7 and KINDS[text[stop]] & 7:
                stop += 1
        at = stop
    return total, longest


@njit(cache=True, nogil=True)
def count(text, begin, end):  # type: ignore[no-untyped-def]
    """-> bytes of encoded data in text[begin:end], and bytes of the longest run of it. Linear."""
    base64, longest = _count_base64(text, begin, end)
    pairs, longest_pairs = _count_pairs(text, begin, end)
    return base64 + pairs, max(longest, longest_pairs)
