"""Units of a text with their places: words, and single Han or kana characters, as the key of a document has them.

Where a key only asks which units a text has (see `stages/key.py`), what is cut from a text must be found in it again: a
unit lies from its first byte to the end of its last character, with the accents and format characters behind it that
leave no trace in the key. So a span from the start of one unit to the end of another never cuts a character.

The hash of a unit is h = SEED, then h = mix(h ^ w) for each 8 bytes w of its key (little-endian, the last filled up
with zeros), `mix` being MurmurHash3's 64-bit finalizer, a bijection: units of up to 8 bytes never share a hash.
"""

from functools import cache
from typing import NamedTuple

import numpy as np
from numba import njit

from stages import characters, key
from stages.byte_blocks import load64, zeros_below
from stages.characters import DIGIT, decode
from stages.key import CODES, LETTERS, NOTHING, SINGLE
from stages.mix import mix

SEED = 0x9E3779B97F4A7C15
LINE_END, WORD, CHARACTER = 0, 1, 2  # kinds
ZERO, NINE = ord("0"), ord("9")


@cache
def digits_as_zero() -> np.ndarray:
    """`key.table()` in which every digit is 0, as in the paragraph hashes of CCNet (Wenzek et al. 2020)."""
    table = key.table().copy()
    digits = np.flatnonzero(characters.kinds() == DIGIT)
    digits = digits[table[digits] >> np.uint64(40) == LETTERS]
    table[digits] = ZERO | 1 << 32 | LETTERS << 40
    table.flags.writeable = False
    return table


@njit(cache=True, nogil=True, inline="always")
def _taken(text, at, end, table):  # type: ignore[no-untyped-def]
    """What the key takes from the character at `at`, packed as in `key.table()`, and its width."""
    first = text[at]
    if first < 0x80:
        return table[first], 1
    if first & 0xF0 == 0xE0 and at + 2 < end:
        code = np.int64(first & 15) << 12 | np.int64(text[at + 1] & 63) << 6 | np.int64(text[at + 2] & 63)
        return table[code], 3
    code, width = decode(text, at, end)
    return table[code] if code < CODES else np.uint64(NOTHING << 40), width


@njit(cache=True, nogil=True, inline="always")
def _eight(text, at, end):  # type: ignore[no-untyped-def]
    """Bytes at..at+7 of the text; those from `end` on are zero."""
    left = end - at
    if at + 8 <= text.size:
        word = load64(text, at)
        return word if left >= 8 else word & ((np.uint64(1) << np.uint64(8 * left)) - np.uint64(1))
    word = np.uint64(0)
    for i in range(left):
        word |= np.uint64(text[at + i]) << np.uint64(8 * i)
    return word


@njit(cache=True, nogil=True, inline="always")
def _plain(word, fold):  # type: ignore[no-untyped-def]
    """Of 8 bytes: how many from the first on are ASCII letters and digits; these bytes as the key has them, digits as 0
    where `fold` is; how many of them are letters."""
    ones = np.uint64(0x0101010101010101)
    high = ones * np.uint64(0x80)
    seven = word & ~high
    lower = seven | ones * np.uint64(0x20)
    letter = (lower + ones * np.uint64(0x80 - 0x61)) & ~(lower + ones * np.uint64(0x80 - 0x7B)) & ~word & high
    digit = (seven + ones * np.uint64(0x80 - 0x30)) & ~(seven + ones * np.uint64(0x80 - 0x3A)) & ~word & high
    run = zeros_below(~(letter | digit) & high) >> 3
    mask = ~np.uint64(0) if run == 8 else (np.uint64(1) << np.uint64(8 * run)) - np.uint64(1)
    taken = word | (letter >> np.uint64(2))
    if fold:
        taken &= ~((digit >> np.uint64(7)) * np.uint64(0x0F))  # a digit is 0x30 and its value
    letters = np.int64(((letter & mask) >> np.uint64(7)) * ones >> np.uint64(56))
    return run, taken & mask, letters


class Found(NamedTuple):
    """Room for the units of a document, and its line ends; 21 bytes each, of which what is used is memory."""

    kind: np.ndarray  # uint8: LINE_END, WORD or CHARACTER
    start: np.ndarray  # int32: bytes in the document
    end: np.ndarray
    unit: np.ndarray  # uint64: hash
    letters: np.ndarray  # int32: characters that are no digits in the key


def room(bounds: np.ndarray) -> Found:
    """For the longest of documents that begin and end at `bounds`."""
    most = int(np.diff(bounds).max(initial=0))
    return Found(*(np.empty(most, kind) for kind in (np.uint8, np.int32, np.int32, np.uint64, np.int32)))


@njit(cache=True, nogil=True)
def find_units(text, begin, end, table, lines, out):  # type: ignore[no-untyped-def]
    """The units of a document in order, and where `lines` is its line ends (start, end and kind alone).

    text, begin, end  uint8, valid UTF-8: the document is text[begin:end]
    table             `key.table()` or `digits_as_zero()`
    out               `Found`, see `room`
    -> how many
    """
    kind, start, stop, unit, letters = out
    at = begin
    fold = table[NINE] == table[ZERO]
    found = 0
    while at < end:
        h = np.uint64(SEED)
        word = np.uint64(0)  # of the key, not hashed yet
        held = np.uint64(0)  # bits of it
        many = 0
        first = at
        if text[at] < 0x80:
            run, word, many = _plain(_eight(text, at, end), fold)
            if run == 0:
                if lines and text[at] == 10:
                    kind[found] = LINE_END
                    start[found] = at - begin
                    stop[found] = at + 1 - begin
                    found += 1
                at += 1
                continue
            at += run
            while run == 8:
                h = mix(h ^ word)
                run, word, more = _plain(_eight(text, at, end), fold)
                many += more
                at += run
            held = np.uint64(8 * run)
        else:
            packed, width = _taken(text, at, end, table)
            action = np.int64(packed >> np.uint64(40))
            if action < LETTERS:
                at += width
                continue
            if action == SINGLE:
                at += width
                while at < end and text[at] >= 0x80 and not 0xE4 <= text[at] <= 0xE9:  # U+4000 to U+9FFF leave a trace
                    more_packed, width = _taken(text, at, end, table)
                    if more_packed >> np.uint64(40) != NOTHING:
                        break
                    at += width
                kind[found] = CHARACTER
                start[found] = first - begin
                stop[found] = at - begin
                unit[found] = mix(h ^ (packed & np.uint64(0xFFFFFFFF)))
                letters[found] = 1
                found += 1
                continue
        while at < end:
            packed, width = _taken(text, at, end, table)
            action = np.int64(packed >> np.uint64(40))
            if action == LETTERS:
                taken = packed & np.uint64(0xFFFFFFFF)
                many += not ZERO <= taken <= NINE
                word |= taken << held
                bits = (packed >> np.uint64(29)) & np.uint64(0x7F8)  # eight times the number of bytes
                held += bits
                if held >= np.uint64(64):
                    h = mix(h ^ word)
                    held -= np.uint64(64)
                    word = taken >> (bits - held) if held else np.uint64(0)
            elif action != NOTHING:
                break
            at += width
        if held:
            h = mix(h ^ word)
        kind[found] = WORD
        start[found] = first - begin
        stop[found] = at - begin
        unit[found] = h
        letters[found] = many
        found += 1
    return found
