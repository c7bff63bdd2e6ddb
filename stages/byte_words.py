"""Finding fixed phrases in bytes, ASCII in either case: what marks of licences, tools and forms are told by.

A `Phrases` is made once, at import, of lower-case words; kernels read its two arrays as constants.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numba import njit


class Phrases(NamedTuple):
    """letters (total,) uint8; ends (n + 1,) int64: phrase i is letters[ends[i] : ends[i + 1]]; firsts (256,) bool:
    which bytes, in either case, a phrase begins with."""

    letters: np.ndarray
    ends: np.ndarray
    firsts: np.ndarray


def phrases(words: Iterable[str]) -> Phrases:
    """ValueError where a word is empty, or not in lower case."""
    packed = []
    for word in words:
        if not word or word != word.lower():
            raise ValueError(f"expected a word in lower case, got {word!r}")
        packed.append(word.encode())
    firsts = np.zeros(256, np.bool_)
    for word in packed:
        firsts[word[0]] = True
        firsts[word[:1].upper()[0]] = True
    return Phrases(np.frombuffer(b"".join(packed), np.uint8), np.cumsum([0, *map(len, packed)], dtype=np.int64), firsts)


@njit(cache=True, nogil=True, inline="always")
def lower(byte):  # type: ignore[no-untyped-def]
    return byte + np.uint8(32) if 65 <= byte <= 90 else byte


@njit(cache=True, nogil=True)
def is_at(text, at, end, letters, first, last):  # type: ignore[no-untyped-def]
    """Whether letters[first:last] stands at byte `at`, in either case, and ends by `end`."""
    if at + (last - first) > end:
        return False
    for place in range(first, last):  # noqa: SIM110
        if lower(text[at + place - first]) != letters[place]:
            return False
    return True


@njit(cache=True, nogil=True)
def which_at(text, at, end, letters, ends, firsts):  # type: ignore[no-untyped-def]
    """Number of the first phrase that stands at byte `at`; -1 = none."""
    if at < end and firsts[text[at]]:
        for number in range(ends.size - 1):
            if is_at(text, at, end, letters, ends[number], ends[number + 1]):
                return number
    return -1


@njit(cache=True, nogil=True)
def find(text, start, end, letters, ends, firsts):  # type: ignore[no-untyped-def]
    """Byte at which the first phrase in text[start:end] begins; -1 = none."""
    for at in range(start, end):
        if firsts[text[at]] and which_at(text, at, end, letters, ends, firsts) >= 0:
            return at
    return -1


@njit(cache=True, nogil=True, inline="always")
def line_end(text, at, end):  # type: ignore[no-untyped-def]
    """Place of the line feed that ends the line of byte `at`, or `end`."""
    while at < end and text[at] != 10:
        at += 1
    return at


@njit(cache=True, nogil=True, inline="always")
def blanks_end(text, at, end):  # type: ignore[no-untyped-def]
    """First byte from `at` on that is no space, tab or carriage return."""
    while at < end and (text[at] == 32 or text[at] == 9 or text[at] == 13):
        at += 1
    return at
