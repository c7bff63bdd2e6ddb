"""Character references of HTML (`&amp;`, `&#20013;`, `&#x4E2D;`), for kernels.

HTML Standard, 13.2.5.72 to 13.2.5.80: numbers of windows-1252's C1 range mean what windows-1252 has there, what is no
character is U+FFFD, and some names need no semicolon.
"""

import html.entities
from functools import cache
from typing import NamedTuple

import numpy as np
from numba import njit

from stages.html_names import open_table, slot_of

_SLOTS = 8192
_LONGEST = 32  # bytes of a name
_LONGEST_BARE = 6  # of a name that needs no semicolon


class Entities(NamedTuple):
    """Open hash table of names without semicolons; `first` is 0 where a slot is empty."""

    hashes: np.ndarray  # (8192,) uint64
    first: np.ndarray  # (8192,) uint32: code point
    second: np.ndarray  # (8192,) uint32: a second code point, 0 = none
    bare: np.ndarray  # (8192,) bool: needs no semicolon
    c1: np.ndarray  # (32,) uint32: what the numbers 0x80 to 0x9F mean


@cache
def entities() -> Entities:
    names = html.entities.html5
    hashes, places = open_table(sorted({name.rstrip(";") for name in names}), _SLOTS)
    first, second = np.zeros(_SLOTS, np.uint32), np.zeros(_SLOTS, np.uint32)
    bare = np.zeros(_SLOTS, np.bool_)
    for name, slot in places.items():
        meaning = names.get(f"{name};") or names[name]
        first[slot] = ord(meaning[0])
        second[slot] = ord(meaning[1]) if len(meaning) > 1 else 0
        bare[slot] = name in names
    c1 = np.array([ord(bytes([byte]).decode("cp1252", "replace")) for byte in range(0x80, 0xA0)], np.uint32)
    return Entities(hashes, first, second, bare, c1)


@njit(cache=True, nogil=True)
def _named(data, start, end, table):  # type: ignore[no-untyped-def]
    """-> slot of the name data[start:end], an empty one where there is none."""
    value = np.uint64(0xCBF29CE484222325)
    for at in range(start, end):
        value = (value ^ np.uint64(data[at])) * np.uint64(0x100000001B3)
    return slot_of(value, table.hashes)


@njit(cache=True, nogil=True, inline="always")
def _is_alnum(byte):  # type: ignore[no-untyped-def]
    return 0x30 <= byte <= 0x39 or 0x41 <= byte <= 0x5A or 0x61 <= byte <= 0x7A


@njit(cache=True, nogil=True)
def reference(data, at, end, table):  # type: ignore[no-untyped-def]
    """The character reference at data[at] = "&" -> (first code point, second or 0, bytes it takes); (0, 0, 0) where it
    is none and the "&" stands for itself."""
    look = at + 1
    if look >= end:
        return np.uint32(0), np.uint32(0), 0
    if data[look] == 0x23:  # "#"
        look += 1
        base = 10
        if look < end and (data[look] | 0x20) == 0x78:
            base = 16
            look += 1
        digits = look
        value = 0
        while look < end:
            byte = data[look]
            if 0x30 <= byte <= 0x39:
                digit = byte - 0x30
            elif base == 16 and 0x61 <= (byte | 0x20) <= 0x66:
                digit = (byte | 0x20) - 0x57
            else:
                break
            if value < 0x110000:
                value = value * base + digit
            look += 1
        if look == digits:
            return np.uint32(0), np.uint32(0), 0
        if look < end and data[look] == 0x3B:
            look += 1
        if value == 0 or value > 0x10FFFF or 0xD800 <= value <= 0xDFFF:
            value = 0xFFFD
        elif 0x80 <= value <= 0x9F:
            value = table.c1[value - 0x80]
        return np.uint32(value), np.uint32(0), look - at
    stop = look
    while stop < end and stop - look < _LONGEST and _is_alnum(data[stop]):
        stop += 1
    if stop < end and data[stop] == 0x3B and stop > look:
        slot = _named(data, look, stop, table)
        if table.first[slot] != 0:
            return table.first[slot], table.second[slot], stop + 1 - at
    for length in range(min(stop - look, _LONGEST_BARE), 1, -1):
        slot = _named(data, look, look + length, table)
        if table.bare[slot]:
            return table.first[slot], table.second[slot], look + length - at
    return np.uint32(0), np.uint32(0), 0


@njit(cache=True, nogil=True, inline="always")
def put(out, to, code):  # type: ignore[no-untyped-def]
    """Write a code point as UTF-8 at out[to] -> where the next byte goes."""
    if code < 0x80:
        out[to] = code
        return to + 1
    if code < 0x800:
        out[to] = 0xC0 | (code >> 6)
        out[to + 1] = 0x80 | (code & 0x3F)
        return to + 2
    if code < 0x10000:
        out[to] = 0xE0 | (code >> 12)
        out[to + 1] = 0x80 | ((code >> 6) & 0x3F)
        out[to + 2] = 0x80 | (code & 0x3F)
        return to + 3
    out[to] = 0xF0 | (code >> 18)
    out[to + 1] = 0x80 | ((code >> 12) & 0x3F)
    out[to + 2] = 0x80 | ((code >> 6) & 0x3F)
    out[to + 3] = 0x80 | (code & 0x3F)
    return to + 4
