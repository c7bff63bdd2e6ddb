"""One pass over the text that finds the documents with something to repair, and counts what cannot be repaired.

What it passes over stays as it is, so a sign of each kind of damage must be cheap to see and rare elsewhere. Per
character: one look into a table, and more only at

- a character that can begin UTF-8 read as GBK or Big5, where the two after it go on with it and two of the three are
  rare;
- a line of which one character in five, three or more, is one that Chinese hardly has: whether it, or a run in it,
  costs less in the other of GBK and Big5;
- a character U+00C2 to U+00F4 with one behind it that is a byte 80 to BF in windows-1252; two letters with accents in a
  row, twice (GBK or Big5 read as windows-1252);
- & before a name or number and a semicolon; a bracket between a Han character and a letter.
"""

from functools import cache
from typing import NamedTuple

import numpy as np
from numba import njit

from stages.byte_pairs import BIG5, BMP, FREQUENT, GB_COMMON, GBK, HAN, SIGN, characters, pairs, traits
from stages.characters import decode
from stages.wrong_pairs import GAIN_ALL_BITS, GAIN_BITS, costs

UTF8_IN_GBK, UTF8_IN_BIG5, OTHER_PAIRS, IN_LATIN, ENTITY, GLOSS = 1, 2, 4, 8, 16, 32

# What a character is to the scan.
_START_GBK, _START_BIG5, _ALIEN, _HAN, _MARK, _LEAD, _NEXT, _HIGH = 1, 2, 4, 8, 16, 32, 64, 128
_QUOTE = 0x9225  # 鈥, of E2 80: quotation marks and dashes
_LOST = 0xFFFD
_RARE_BITS = 16
_GLOSS_BYTES = 16
_NAME_BYTES = 9  # of a reference, the semicolon included


class Tables(NamedTuple):
    kinds: np.ndarray  # (65536,) uint8
    rare: np.ndarray  # (65536,) bool: neither common in GB2312 nor a sign
    gbk: np.ndarray  # (65536,) uint16, as `pairs`
    big5: np.ndarray
    from_gbk: np.ndarray  # (65536,) uint16, as `characters`
    from_big5: np.ndarray
    costs: np.ndarray  # (65536,) uint8: bits in Chinese


@cache
def tables() -> Tables:
    gbk, big5 = pairs(GBK), pairs(BIG5)
    kinds = np.zeros(BMP, np.uint8)
    for table, bit in ((gbk, _START_GBK), (big5, _START_BIG5)):
        first, second = table >> 8, table & 0xFF
        kinds[(first >= 0xE0) & (first < 0xF5) & (second >= 0x80) & (second < 0xC0)] |= bit
    kinds[traits() & HAN != 0] |= _HAN
    alien = (costs() >= _RARE_BITS) & ((gbk > 0xFF) | (big5 > 0xFF))
    alien[:0x370] = alien[0x2000:0x2E80] = alien[0x3041:0x3100] = False
    alien[0x3105:0x312A] = alien[0x2500:0x2580] = True  # bopomofo and boxes
    kinds[alien] |= _ALIEN
    kinds[[0xFFFD, ord("锟"), ord("烫"), ord("屯"), _QUOTE, 0xFF08]] |= _MARK
    kinds[0xC2:0xF5] |= _LEAD
    kinds[0x80:0xC0] |= _NEXT
    for byte in range(0x80, 0xA0):
        kinds[ord(bytes((byte,)).decode("cp1252", "ignore") or chr(byte))] |= _NEXT
    kinds[0xA1:0x100] |= _HIGH
    rare = traits() & (GB_COMMON | FREQUENT | SIGN) == 0
    for table in (kinds, rare):
        table.flags.writeable = False
    return Tables(kinds, rare, gbk, big5, characters(GBK), characters(BIG5), costs())


@njit(cache=True, nogil=True)
def scan(data, bounds, tables, flags, irreversible):  # type: ignore[no-untyped-def]
    """`flags` (n,) uint8 receives what each document may hold, `irreversible` (n,) int32 how many 锟斤拷, 烫烫烫,
    屯屯屯 and U+FFFD it holds."""
    kinds, rare, gbk, big5, from_gbk, from_big5, costs = tables
    for document in range(bounds.size - 1):
        at = np.int64(bounds[document])
        end = np.int64(bounds[document + 1])
        found = 0
        lost = 0
        han = alien = 0  # of the line
        doubled = 0  # accented letters behind one another
        before = 0  # kinds of the character before
        line = at
        while at < end:
            first = data[at]
            if first < 0x80:
                if first == 0x26:
                    if _reference(data, at, end):
                        found |= ENTITY
                elif first == 0x28:
                    if before & _HAN and _gloss(data, at + 1, end):
                        found |= GLOSS
                elif first == 0x0A:
                    if (
                        alien >= 3
                        and not found & OTHER_PAIRS
                        and 5 * alien >= han + alien
                        and _is_other(data, line, at, gbk, big5, from_gbk, from_big5, kinds, costs)
                    ):
                        found |= OTHER_PAIRS
                    han = alien = 0
                    line = at + 1
                before = 0
                at += 1
                continue
            if 0xE1 <= first < 0xF0:  # Arrow promises valid UTF-8
                code = (
                    (np.int64(first & 0x0F) << 12)
                    | (np.int64(data[at + 1] & 0x3F) << 6)
                    | np.int64(data[at + 2] & 0x3F)
                )
                size = 3
            else:
                wide, size = decode(data, at, end)
                code = np.int64(wide)
            kind = kinds[code] if code < 0x10000 else np.uint8(0)
            han += (kind >> 3) & 1
            alien += (kind >> 2) & 1
            if kind & (_START_GBK | _START_BIG5 | _MARK | _NEXT | _HIGH):
                if kind & _MARK:
                    if code == _LOST:
                        lost += 1
                    elif code == 0xFF08:
                        if before & _HAN and _gloss(data, at + 3, end):
                            found |= GLOSS
                    elif code == _QUOTE:
                        found |= UTF8_IN_GBK
                    elif _thrice(data, at, end):
                        lost += 1
                        at += 6
                if kind & _START_GBK and _goes_on(data, at, end, gbk, rare):
                    found |= UTF8_IN_GBK
                if kind & _START_BIG5 and _goes_on(data, at, end, big5, rare):
                    found |= UTF8_IN_BIG5
                if before & _LEAD and kind & _NEXT:
                    found |= IN_LATIN
                if before & _HIGH and kind & _HIGH:
                    doubled += 1
            before = kind
            at += size
        if (
            alien >= 3
            and not found & OTHER_PAIRS
            and 5 * alien >= han + alien
            and _is_other(data, line, at, gbk, big5, from_gbk, from_big5, kinds, costs)
        ):
            found |= OTHER_PAIRS
        if doubled >= 2:
            found |= IN_LATIN
        flags[document] = found
        irreversible[document] = lost


@njit(cache=True, nogil=True)
def _gloss(data, at, end):  # type: ignore[no-untyped-def]
    """Whether a small letter and at most eleven more follow, with a tone mark or number, and a closing bracket."""
    toned = False
    last = min(end, at + _GLOSS_BYTES)
    here = at
    while here < last:
        byte = data[here]
        if byte == 0x29 or byte == 0xEF:
            return toned and here > at + 1
        if 0xC3 <= byte <= 0xCC or (0x31 <= byte <= 0x35 and here > at):
            toned = True
        elif not (0x61 <= byte <= 0x7A or byte == 0x20 or (0x80 <= byte < 0xC0 and toned)):
            return False
        here += 1
    return False


@njit(cache=True, nogil=True)
def _reference(data, at, end):  # type: ignore[no-untyped-def]
    """Whether & at `at` begins something like &name; or &#12; or &#x1F;."""
    last = min(end, at + 1 + _NAME_BYTES)
    here = at + 1
    while here < last:
        byte = data[here]
        if byte == 0x3B:
            return here > at + 2
        if not (0x30 <= byte <= 0x39 or 0x61 <= byte | 0x20 <= 0x7A or (byte == 0x23 and here == at + 1)):
            return False
        here += 1
    return False


@njit(cache=True, nogil=True)
def _is_other(data, at, end, gbk, big5, from_gbk, from_big5, kinds, costs):  # type: ignore[no-untyped-def]
    """Whether the line data[at:end] costs less in the other of GBK and Big5."""
    return _gains(data, at, end, gbk, from_big5, kinds, costs) or _gains(data, at, end, big5, from_gbk, kinds, costs)


@njit(cache=True, nogil=True)
def _gains(data, at, end, wrong, right, kinds, costs):  # type: ignore[no-untyped-def]
    """Whether the line data[at:end], or a run of it that is not ASCII, costs less when it is read again. One character
    in four must be Han or private, as in `wrong_pairs.py`."""
    gain = size = han = run_gain = run_size = run_han = 0
    while at <= end:
        code, width = (np.uint32(0), 1) if at == end else decode(data, at, end)
        if code < 0x80 or code == 0xFFFD:
            if run_gain >= max(GAIN_ALL_BITS, GAIN_BITS * run_size) and 4 * run_han >= run_size:
                return True
            gain += run_gain
            size += run_size
            han += run_han
            run_gain = run_size = run_han = 0
        else:
            again = right[wrong[code]] if code < 0x10000 else 0
            if again == 0:
                run_gain -= 0x10000  # this run cannot be read again
            else:
                run_gain += np.int64(costs[code]) - np.int64(costs[again])
                run_han += (kinds[code] & _HAN) != 0 or 0xE000 <= code < 0xF900
                run_size += 1
        at += width
    return gain >= max(GAIN_ALL_BITS, GAIN_BITS * size) and 4 * han >= size


@njit(cache=True, nogil=True)
def _thrice(data, at, end):  # type: ignore[no-untyped-def]
    """锟斤拷, 烫烫烫 or 屯屯屯 at `at`."""
    if at + 9 > end:
        return False
    if data[at] == 0xE9:  # 锟: E9 94 9F, 斤 E6 96 A4, 拷 E6 8B B7
        if data[at + 3] != 0xE6 or data[at + 4] != 0x96 or data[at + 5] != 0xA4:
            return False
        return data[at + 6] == 0xE6 and data[at + 7] == 0x8B and data[at + 8] == 0xB7
    same = True
    for step in range(3, 9):
        same &= data[at + step] == data[at + step - 3]
    return same


@njit(cache=True, nogil=True)
def _goes_on(data, at, end, table, rare):  # type: ignore[no-untyped-def]
    """Whether three characters from `at` are the six bytes of two characters, and two of the three are rare."""
    odd = 0
    for place in range(3):
        if at >= end:
            return False
        code, size = decode(data, at, end)
        at += size
        if code >= 0x10000:
            return False
        if place == 2 and (code == 0xFFFD or code == 0x3F or code == 0x20AC):
            return odd >= 1
        first, second = table[code] >> 8, table[code] & 0xFF
        odd += rare[code]
        if place == 1 and not (0x80 <= first < 0xC0 and 0xE1 <= second < 0xF0):
            return False
        if place == 2 and not (0x80 <= first < 0xC0 and second < 0xC0):
            return False
    return odd >= 2
