"""What is counted in the bytes of a page to tell its charset: pairs of bytes, words between them, characters read.

Every kernel passes once over at most 64 KB; (n,) uint8 in, whole numbers out.
"""

import numpy as np
from numba import njit

from stages.charset_letters import ERROR

TOUCH = 4  # bits of an East Asian character and an ASCII letter side by side: its text stands in runs
LONG_COST = 22  # bits of a character of more than two bytes, all rare


@njit(cache=True, nogil=True)
def judged(data, limit):  # type: ignore[no-untyped-def]
    """-> how many bytes hold `limit` non-ASCII ones."""
    seen = 0
    for at in range(data.size):
        if data[at] >= 0x80:
            seen += 1
            if seen == limit:
                return at + 1
    return data.size


@njit(cache=True, nogil=True)
def unrepeated(data):  # type: ignore[no-untyped-def]
    """Two or four bytes that stand there more than twice running stand there twice: a hundred times the same character
    is no more evidence than twice. An even number of bytes goes, so that characters of two bytes stay whole."""
    out = np.empty_like(data)
    size = 0
    at = 0
    while at < data.size:
        again = 0
        for length in (2, 4):
            if size >= 2 * length and at + length <= data.size and data[at] == out[size - length]:
                same = True
                for i in range(length):
                    here = data[at + i]
                    if here != out[size - length + i] or here != out[size - 2 * length + i]:
                        same = False
                        break
                if same:
                    again = length
                    break
        if again > 0:
            at += again
        else:
            out[size] = data[at]
            size += 1
            at += 1
    return out[:size]


@njit(cache=True, nogil=True)
def pairs(data):  # type: ignore[no-untyped-def]
    """-> pairs of bytes of which one is not ASCII (first * 256 + second), and how often each is there. Before the first
    byte and after the last there is a space."""
    seen = np.zeros(65536, dtype=np.int64)
    last = 0x20
    for at in range(data.size + 1):
        byte = 0x20 if at == data.size else data[at]
        if (last | byte) & 0x80:
            seen[(np.int64(last) << 8) | byte] += 1
        last = byte
    ids = np.nonzero(seen)[0]
    return ids, seen[ids]


@njit(cache=True, nogil=True)
def context(data):  # type: ignore[no-untyped-def]
    """-> pairs of ASCII letters (first * 128 + second), and how often each is there, in pieces of text between tags
    that hold a non-ASCII byte."""
    seen = np.zeros(16384, dtype=np.int64)
    begin = 0
    beyond = False
    for at in range(data.size + 1):
        byte = 0x3C if at == data.size else data[at]
        if byte >= 0x80:
            beyond = True
        elif byte == 0x3C or byte == 0x3E:  # "<" ends a text, ">" a tag
            if beyond and byte == 0x3C:
                for i in range(begin + 1, at):
                    if _is_letter(data[i - 1]) and _is_letter(data[i]):
                        seen[(np.int64(data[i - 1]) << 7) | data[i]] += 1
            begin = at + 1
            beyond = False
    ids = np.nonzero(seen)[0]
    return ids, seen[ids]


@njit(cache=True, nogil=True)
def _is_letter(byte):  # type: ignore[no-untyped-def]
    return byte < 0x80 and 0x61 <= (byte | 0x20) <= 0x7A


@njit(cache=True, nogil=True)
def switches(data):  # type: ignore[no-untyped-def]
    """-> how often a non-ASCII byte is the first after an ASCII letter, whatever else stands between them."""
    found = 0
    ascii_letter = True
    for at in range(data.size):
        if data[at] >= 0x80:
            found += ascii_letter
            ascii_letter = False
        elif _is_letter(data[at]):
            ascii_letter = True
    return found


@njit(cache=True, nogil=True)
def weighted(ids, counts, table):  # type: ignore[no-untyped-def]
    """-> (columns,) int64: the rows `ids` of `table`, each as often as counted."""
    total = np.zeros(table.shape[1], dtype=np.int32)
    for row in range(ids.size):
        count = np.int32(counts[row])
        costs = table[ids[row]]
        for column in range(costs.size):
            total[column] += count * np.int32(costs[column])
    return total.astype(np.int64)


@njit(cache=True, nogil=True)
def walk(data, one, two, long):  # type: ignore[no-untyped-def]
    """-> bits of each set of several bytes. A character that the sample's end cuts costs nothing."""
    total = np.zeros(one.shape[0], dtype=np.int64)
    for row in range(one.shape[0]):
        at = 0
        wide = False  # the character before this one
        while at < data.size:
            byte = data[at]
            if byte < 0x80:
                at += 1
                if wide and _is_letter(byte):
                    total[row] += TOUCH
                wide = False
                continue
            if not wide and at > 0 and _is_letter(data[at - 1]):
                total[row] += TOUCH
            wide = True
            if one[row, byte] > 0:
                total[row] += one[row, byte]
                at += 1
                continue
            if at + 1 >= data.size:
                break
            cost = two[row, (np.int64(byte) << 8) | data[at + 1]]
            if cost > 0:
                total[row] += cost
                at += 2
                continue
            length = _long_at(data, at, long[row])
            total[row] += LONG_COST if length > 0 else ERROR
            at += max(1, length)
    return total


@njit(cache=True, nogil=True)
def _long_at(data, at, kind):  # type: ignore[no-untyped-def]
    """-> length of the character of more than two bytes that begins here, 0 where none does."""
    first = data[at]
    second = data[at + 1]
    third = data[at + 2] if at + 2 < data.size else 0xA1
    fourth = data[at + 3] if at + 3 < data.size else 0xA1
    if kind == 1:  # GB18030: four bytes, the second and the last digits
        if first <= 0xFE and 0x30 <= second <= 0x39 and (at + 2 >= data.size or 0x81 <= third <= 0xFE):
            return 4 if at + 3 >= data.size or 0x30 <= fourth <= 0x39 else 0
        return 0
    if kind == 2:  # EUC-JP: kana of half width behind 0x8E, JIS X 0212 behind 0x8F
        if first == 0x8E and 0xA1 <= second <= 0xDF:
            return 2
        return 3 if first == 0x8F and second >= 0xA1 and third >= 0xA1 else 0
    if kind == 3 and first == 0x8E and 0xA1 <= second <= 0xB0 and third >= 0xA1 and fourth >= 0xA1:
        return 4  # EUC-TW: a plane of its own
    return 0
