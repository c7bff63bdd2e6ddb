"""Walking over text for `spam_lines`: lines, terms of the automaton, pairs of characters, host names."""

import numpy as np
from numba import njit

from stages.characters import DIGIT, LATIN, LATIN_UPPER, TABLE_SIZE, decode
from stages.spam_lexicon import HASH

_TOP_LEVEL = tuple(
    int.from_bytes(name.encode(), "big")
    for name in [
        "com",
        "net",
        "org",
        "cn",
        "cc",
        "info",
        "biz",
        "top",
        "vip",
        "xyz",
        "club",
        "site",
        "shop",
        "live",
        "me",
        "tv",
        "tk",
        "pw",
        "ru",
        "fun",
        "icu",
        "bet",
        "win",
        "app",
    ]
)


def count_lines(text: np.ndarray, bounds: np.ndarray) -> np.ndarray:
    """Where the lines of each document begin in a table of all lines: (n + 1,) int64."""
    firsts = np.zeros(len(bounds), np.int64)
    _count(text, bounds, firsts)
    return firsts


@njit(cache=True, nogil=True)
def _count(text, bounds, firsts):  # type: ignore[no-untyped-def]
    for document in range(bounds.size - 1):
        lines = 0
        at = bounds[document]
        end = bounds[document + 1]
        for place in range(at, end):
            byte = text[place]
            if byte == 0x0A or (byte == 0x0D and (place + 1 == end or text[place + 1] != 0x0A)):
                lines += 1
        if end > at and text[end - 1] != 0x0A and text[end - 1] != 0x0D:
            lines += 1
        firsts[document + 1] = firsts[document] + lines


@njit(cache=True, nogil=True, inline="always")
def char_points(pairs, values, singles, left, right):  # type: ignore[no-untyped-def]
    """Points of a Han character behind another; 0 stands for one that no evidence is known of."""
    if left != 0 and right != 0:
        number = np.uint32(left) << np.uint32(16) | np.uint32(right)
        mask = np.uint32(pairs.size - 1)
        slot = (number * np.uint32(HASH)) >> np.uint32(12) & mask
        while pairs[slot] != 0:
            if pairs[slot] == number:
                return np.int64(values[slot])
            slot = (slot + np.uint32(1)) & mask
    return singles[right]


@njit(cache=True, nogil=True, inline="always")
def is_word_at(text, at, end, chars):  # type: ignore[no-untyped-def]
    if at >= end:
        return False
    code, _ = decode(text, at, end)
    if code >= TABLE_SIZE:
        return False
    kind = (chars[code] >> 16) & 15
    return kind in (LATIN, LATIN_UPPER, DIGIT)


@njit(cache=True, nogil=True)
def is_domain_end(text, at, end):  # type: ignore[no-untyped-def]
    """Whether the last label of a host name, of those that spam is registered under, stands at `at`."""
    size = 0
    number = np.uint64(0)
    while at + size < end and size < 5:
        byte = text[at + size] | 0x20
        if not 0x61 <= byte <= 0x7A:
            break
        number = (number << np.uint64(8)) | np.uint64(byte)
        size += 1
    if size < 2 or size > 4 or (at + size < end and (text[at + size] == 0x2E or 0x30 <= text[at + size] <= 0x39)):
        return False
    known = False
    for one in _TOP_LEVEL:
        known |= number == np.uint64(one)
    return known


@njit(cache=True, nogil=True, inline="always")
def letter_digit(code):  # type: ignore[no-untyped-def]
    """Value of an ASCII or full-width digit, else 0."""
    if 0x30 <= code <= 0x39:
        return code - 0x30
    if 0xFF10 <= code <= 0xFF19:
        return code - 0xFF10
    return 0
