"""Keyed hashes of ids, URLs and hosts: what a removal list is kept as, so that no file of a build spells it out.

The hash is SipHash-2-4 with 128 bits (Aumasson and Bernstein 2012, and its reference code), one key each for ids, URLs
and hosts, taken from the salt of the list. Hashes are pairs of u64 (hi, lo); as bytes, both big-endian.

URLs are compared without what does not tell pages apart: http and https are the same, scheme and host are lower-case,
port 80 or 443 and the fragment go, an empty path is `/`. All else counts, a trailing slash and the query among it. A
host names all pages of it and of hosts below it: `example.org` also those of `www.example.org`.
"""

import hashlib

import msgspec
import numba as nb
import numpy as np
import pyarrow as pa

from corpus import tables

_U = np.uint64
Pair = tuple[np.ndarray, np.ndarray]


class Key(msgspec.Struct, frozen=True):
    """What the hashes are keyed with: 32 hex digits that follow from a salt."""

    hex: str

    def of(self, what: str) -> np.ndarray:
        """Key of one kind of hash (`id`, `url`, `host`): uint64[2]."""
        return np.frombuffer(hashlib.sha256(f"{self.hex} {what}".encode()).digest()[:16], "<u8").astype(np.uint64)


def key_of(salt: str) -> Key:
    return Key(hashlib.sha256(f"corpus removal {salt}".encode()).hexdigest()[:32])


@nb.njit(cache=True, nogil=True)
def _round(a, b, c, d):  # type: ignore[no-untyped-def]
    a = a + b
    b = (b << _U(13)) | (b >> _U(51))
    b ^= a
    a = (a << _U(32)) | (a >> _U(32))
    c = c + d
    d = (d << _U(16)) | (d >> _U(48))
    d ^= c
    a = a + d
    d = (d << _U(21)) | (d >> _U(43))
    d ^= a
    c = c + b
    b = (b << _U(17)) | (b >> _U(47))
    b ^= c
    c = (c << _U(32)) | (c >> _U(32))
    return a, b, c, d


@nb.njit(cache=True, nogil=True)
def _sip(data, begin, end, key):  # type: ignore[no-untyped-def]
    """SipHash-2-4-128 of data[begin:end] (uint8)."""
    a, b = key[0] ^ _U(0x736F6D6570736575), key[1] ^ _U(0x646F72616E646F6D) ^ _U(0xEE)
    c, d = key[0] ^ _U(0x6C7967656E657261), key[1] ^ _U(0x7465646279746573)
    words = (end - begin) // 8
    for i in range(words + 1):
        word = _U(0)
        at = begin + 8 * i
        for j in range(8 if i < words else end - at):
            word |= _U(data[at + j]) << _U(8 * j)
        if i == words:
            word |= _U(end - begin) << _U(56)
        d ^= word
        for _ in range(2):
            a, b, c, d = _round(a, b, c, d)
        a ^= word
    c ^= _U(0xEE)
    for _ in range(4):
        a, b, c, d = _round(a, b, c, d)
    hi = a ^ b ^ c ^ d
    b ^= _U(0xDD)
    for _ in range(4):
        a, b, c, d = _round(a, b, c, d)
    return hi, a ^ b ^ c ^ d


@nb.njit(cache=True, nogil=True)
def _lower(byte):  # type: ignore[no-untyped-def]
    return byte + 32 if 65 <= byte <= 90 else byte


@nb.njit(cache=True, nogil=True)
def _spell(data, begin, end, out):  # type: ignore[no-untyped-def]
    """Write a URL as it is compared. -> (bytes written, where its host begins and ends in them)"""
    at = begin
    while at < end and (97 <= _lower(data[at]) <= 122 or 43 <= data[at] <= 57) and data[at] != 47:  # a-z + - . 0-9
        at += 1
    n = 0
    if begin < at and at + 2 < end and data[at] == 58 and data[at + 1] == 47 and data[at + 2] == 47:  # ://
        plain = at - begin == 4 or (at - begin == 5 and _lower(data[begin + 4]) == 115)
        for i, byte in enumerate((104, 116, 116, 112)):
            plain = plain and _lower(data[begin + i]) == byte
        if not plain:
            for i in range(begin, at + 3):
                out[n] = _lower(data[i])
                n += 1
        at += 3
    else:
        at = begin
    first = n
    while at < end and data[at] != 47 and data[at] != 63 and data[at] != 35:  # / ? #
        out[n] = _lower(data[at])
        n += 1
        at += 1
    host = first
    for i in range(first, n):
        if out[i] == 64:  # @
            host = i + 1
    close = host
    if host < n and out[host] == 91:  # [
        while close < n and out[close] != 93:
            close += 1
    while close < n and out[close] != 58:  # :
        close += 1
    port = n - close
    if (
        port == 1
        or (port == 3 and out[close + 1] == 56 and out[close + 2] == 48)
        or (port == 4 and out[close + 1] == 52 and out[close + 2] == 52 and out[close + 3] == 51)
    ):
        n = close
    if at == end or data[at] != 47:
        out[n] = 47
        n += 1
    while at < end and data[at] != 35:
        out[n] = data[at]
        n += 1
        at += 1
    return n, host, close


@nb.njit(cache=True, nogil=True)
def _place(hi, lo, x, y):  # type: ignore[no-untyped-def]
    """Where (x, y) stands in sorted pairs; -1 where it does not."""
    begin, end = 0, hi.size
    while begin < end:
        middle = (begin + end) // 2
        if hi[middle] < x or (hi[middle] == x and lo[middle] < y):
            begin = middle + 1
        else:
            end = middle
    return begin if begin < hi.size and hi[begin] == x and lo[begin] == y else -1


@nb.njit(cache=True, nogil=True)
def _scan(data, offsets, there, url, host, hi, lo, rows, places):  # type: ignore[no-untyped-def]
    """Which URLs are named, and by which entry; `rows` and `places` are filled as far as they reach. -> how many"""
    longest = 0
    for i in range(offsets.size - 1):
        longest = max(longest, offsets[i + 1] - offsets[i])
    spelt = np.empty(longest + 1, np.uint8)
    found = 0
    for i in range(offsets.size - 1):
        if not there[i]:
            continue
        n, begin, end = _spell(data, offsets[i], offsets[i + 1], spelt)
        x, y = _sip(spelt, 0, n, url)
        at = _place(hi, lo, x, y)
        if at >= 0:
            if found < rows.size:
                rows[found], places[found] = i, at
            found += 1
        for j in range(begin, end):
            if j == begin or spelt[j - 1] == 46:
                x, y = _sip(spelt, j, end, host)
                at = _place(hi, lo, x, y)
                if at >= 0:
                    if found < rows.size:
                        rows[found], places[found] = i, at
                    found += 1
    return found


@nb.njit(cache=True, nogil=True)
def _hash_each(data, offsets, key, spell, hi, lo):  # type: ignore[no-untyped-def]
    longest = 0
    for i in range(offsets.size - 1):
        longest = max(longest, offsets[i + 1] - offsets[i])
    spelt = np.empty(longest + 1, np.uint8)
    for i in range(offsets.size - 1):
        if spell:
            n, _, _ = _spell(data, offsets[i], offsets[i + 1], spelt)
            hi[i], lo[i] = _sip(spelt, 0, n, key)
        else:
            hi[i], lo[i] = _sip(data, offsets[i], offsets[i + 1], key)


def _buffers(strings: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """Bytes and offsets of a string or binary array."""
    offsets = np.frombuffer(strings.buffers()[1], np.int32)[strings.offset : strings.offset + len(strings) + 1]
    data = strings.buffers()[2]
    return np.frombuffer(data, np.uint8) if data is not None and data.size else np.zeros(1, np.uint8), offsets


def _each(data: np.ndarray, offsets: np.ndarray, key: np.ndarray, spell: bool) -> Pair:
    hi, lo = np.empty(len(offsets) - 1, np.uint64), np.empty(len(offsets) - 1, np.uint64)
    _hash_each(data, offsets, key, spell, hi, lo)
    return hi, lo


def id_hashes(key: Key, ids: pa.Array) -> Pair:
    """Hashes of 128-bit ids, none of them null."""
    data = np.frombuffer(ids.buffers()[1], np.uint8) if len(ids) else np.zeros(1, np.uint8)
    return _each(data, 16 * np.arange(ids.offset, ids.offset + len(ids) + 1), key.of("id"), False)


def url_hashes(key: Key, urls: pa.Array) -> Pair:
    """Hashes of URLs, none of them null, as they are compared."""
    return _each(*_buffers(urls), key.of("url"), True)


def host_hashes(key: Key, hosts: pa.Array) -> Pair:
    """Hashes of names of hosts in lower case."""
    return _each(*_buffers(hosts), key.of("host"), False)


def find_urls(key: Key, urls: pa.Array, hi: np.ndarray, lo: np.ndarray) -> Pair:
    """Which of some URLs (nulls allowed) are named in the sorted hashes (hi, lo), as a page or by their host.
    -> (position of a URL, place of the entry that names it), one pair for each such entry."""
    if not len(hi) or not len(urls) or urls.null_count == len(urls):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    data, offsets = _buffers(tables.combine(urls))
    there = np.asarray(urls.is_valid())
    keys = key.of("url"), key.of("host")
    rows, places = np.empty(64, np.int64), np.empty(64, np.int64)
    found = _scan(data, offsets, there, *keys, hi, lo, rows, places)
    if found > len(rows):
        rows, places = np.empty(found, np.int64), np.empty(found, np.int64)
        _scan(data, offsets, there, *keys, hi, lo, rows, places)
    return rows[:found], places[:found]


def find_pairs(one: Pair, hi: np.ndarray, lo: np.ndarray) -> np.ndarray:
    """Place of each pair of `one` in the sorted pairs (hi, lo): int64, -1 where it is not there."""
    return _places(*one, hi, lo)


@nb.njit(cache=True, nogil=True)
def _places(x, y, hi, lo):  # type: ignore[no-untyped-def]
    out = np.empty(x.size, np.int64)
    for i in range(x.size):
        out[i] = _place(hi, lo, x[i], y[i])
    return out


def sorted_pairs(hi: np.ndarray, lo: np.ndarray) -> Pair:
    """In order, each once."""
    order = np.lexsort((lo, hi))
    hi, lo = hi[order], lo[order]
    fresh = np.ones(len(hi), bool)
    fresh[1:] = (hi[1:] != hi[:-1]) | (lo[1:] != lo[:-1])
    return hi[fresh], lo[fresh]
