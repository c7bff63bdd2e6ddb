"""Where a word ends: its letters eight at a time, and the marks that belong to it.

A word is what spaCy's rules for English cut, nearly: letters, digits and combining marks; full stops, commas and
colons between digits, full stops between letters (not where a sentence begins without a space: small letter, stop,
capital), `_` and `@` inside; an apostrophe between letters, unless a clitic follows ('s, 'd, 'm, 't, 're, 've, 'll),
which is a word of its own. A full stop belongs to initials (J., U.S., e.g.) and to known abbreviations. Everything
else visible is a mark; hyphens, and full stops, in a row are one mark. Han and kana are a unit each.
"""

import numpy as np
from numba import njit

from stages.byte_blocks import load64
from stages.characters import DIGIT, HANGUL, LATIN, LATIN_UPPER
from stages.known_words import FIRST_ABBREVIATION, LAST_ABBREVIATION


@njit(cache=True, nogil=True, inline="always")
def is_word(kind):  # type: ignore[no-untyped-def]
    return kind >= HANGUL and kind <= DIGIT  # also Latin and other letters, combining marks: the kinds between


@njit(cache=True, nogil=True, inline="always")
def bytes_set(bits):  # type: ignore[no-untyped-def]
    """How many of the 8 bytes have their lowest bit set, where no other bit is."""
    return np.int64((bits * np.uint64(0x0101010101010101)) >> np.uint64(56))


@njit(cache=True, nogil=True, inline="always")
def eight_bytes(text, at, n):  # type: ignore[no-untyped-def]
    """The next `n` bytes, up to 8, little-endian and zeros behind, and a mask of ones where they stand."""
    mask = ~np.uint64(0)
    if n < 8:
        mask = (np.uint64(1) << np.uint64(8 * n)) - np.uint64(1)
    if at + 8 <= text.size:
        return load64(text, at) & mask, mask
    chunk = np.uint64(0)
    for i in range(min(n, 8)):
        chunk |= np.uint64(text[at + i]) << np.uint64(8 * i)
    return chunk, mask


@njit(cache=True, nogil=True)
def joins(code, last, before_last, length, number, text, at, end, kinds):  # type: ignore[no-untyped-def]
    """Whether the character that ends at byte `at`, behind the word so far, belongs to it. -> 0 no, 1 yes, 2 it begins
    a clitic

    last, before_last   codes of the word's last characters, 0 where there are none;  length, number: of the word
    """
    following = np.int64(text[at]) if at < end else 0
    # Letters of two bytes are Latin, Greek, Cyrillic and others that are written with spaces.
    letter = is_word(kinds[following]) if following < 128 else 0xC3 <= following < 0xE0
    if code == 46:
        if following == 46:
            return 0  # an ellipsis
        if letter:
            digits = kinds[last] == DIGIT and following < 128 and kinds[following] == DIGIT
            sentence = kinds[last] == LATIN and following < 128 and kinds[following] == LATIN_UPPER
            return 1 if digits or not sentence else 0
        initial = before_last == 46 or (length == 1 and kinds[last] == LATIN_UPPER)
        return 1 if initial or FIRST_ABBREVIATION <= number <= LAST_ABBREVIATION else 0
    if not letter:
        return 0
    if code == 44 or code == 58:
        return 1 if kinds[last] == DIGIT and following < 128 and kinds[following] == DIGIT else 0
    if code == 95 or code == 64:
        return 1
    if code == 39 or code == 0x2019:
        small = following | 32
        second = np.int64(text[at + 1]) if at + 1 < end else 0
        third = np.int64(text[at + 2]) if at + 2 < end else 0
        if not (second < 128 and is_word(kinds[second])) and (
            small == 115 or small == 100 or small == 109 or small == 116
        ):
            return 2
        if not (third < 128 and is_word(kinds[third])):
            second |= 32
            if (small == 114 and second == 101) or (small == 118 and second == 101) or (small == 108 and second == 108):
                return 2
        return 1
    return 0
