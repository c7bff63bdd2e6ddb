"""From text to key: the walk that writes a document's key and takes the hash of each of its units on the way.

A unit is a word or one Han or kana character (see `stages/key.py`). Its hash, modulo 2**64:

    u = 0, then u = mix(u ^ w) for each 8 bytes w of the unit (little-endian, the last filled up with zeros)

`mix` is MurmurHash3's 64-bit finalizer, a bijection: two units of at most 8 bytes never share a hash.

There are three ways through the text, from quick to general: words of ASCII a block of 64 bytes at a time, Han and
other characters of three bytes in runs, and anything one character at a time. What the first knows of ASCII is what
`key.table` says of it.
"""

import numpy as np
from numba import njit

from stages.byte_blocks import BLOCK, alphanumeric, load64, not_plain, put, store64, zeros_below
from stages.characters import decode
from stages.key import CODES, LETTERS, NOTHING, SINGLE
from stages.mix import mix

CHUNK = 512  # units that a walk leaves at most before it stops
SLACK = 8  # bytes that a key buffer needs beyond the text: words are written 8 bytes at a time
_LOWER = 0x20 * 0x0101010101010101  # makes letters lower case; digits have this bit anyway


@njit(cache=True, nogil=True)
def _last_block(key, start, end):  # type: ignore[no-untyped-def]
    """u ^ w of the last 8 bytes of the unit key[start:end]; its hash is `mix` of it."""
    h = np.uint64(0)
    while start + 8 < end:
        h = mix(h ^ load64(key, start))
        start += 8
    return h ^ (load64(key, start) & (np.uint64(0xFFFFFFFFFFFFFFFF) >> np.uint64(8 * (start + 8 - end))))


@njit(cache=True, nogil=True, inline="always")
def _look_up(text, at, end, table):  # type: ignore[no-untyped-def]
    """What the key takes from the character at `at`: action, bytes, how many, and the width of the character."""
    code, width = decode(text, at, end)
    packed = table[code] if code < CODES else np.uint64(NOTHING << 40)
    return (
        np.int64(packed >> np.uint64(40)),
        packed & np.uint64(0xFFFFFFFF),
        np.int64((packed >> np.uint64(32)) & np.uint64(255)),
        width,
    )


@njit(cache=True, nogil=True, inline="always")
def _plain_words(source, start, key, size, spaced, last, single, held):  # type: ignore[no-untyped-def]
    """Words of letters and digits of ASCII, of the BLOCK bytes from source[start] on, as far as they are followed by
    ASCII that ends a word. The first byte is a letter or digit, and SLACK bytes follow the block.

    -> bytes used up; how many more belong to a word that may go on otherwise; size, spaced, held
    """
    ones = np.uint64(0xFFFFFFFFFFFFFFFF)
    limit = zeros_below(not_plain(source, start))
    inside = ones >> np.uint64(64 - limit) if limit > 0 else np.uint64(0)
    found = alphanumeric(source, start) & inside
    before = found << np.uint64(1)
    starts = found & ~before
    ends = before & ~found & inside
    while ends:
        at = zeros_below(starts)
        count = zeros_below(ends) - at
        at += start
        starts &= starts - np.uint64(1)
        ends &= ends - np.uint64(1)
        put(key, size, 32)
        size += spaced
        spaced = True
        h = np.uint64(0)
        word = load64(source, at) | np.uint64(_LOWER)
        while count > 8:
            store64(key, size, word)
            h = mix(h ^ word)
            size += 8
            at += 8
            count -= 8
            word = load64(source, at) | np.uint64(_LOWER)
        word &= ones >> np.uint64(64 - 8 * count)
        store64(key, size, word)
        size += count
        put(last, held, h ^ word)
        put(single, held, 0)
        held += 1
    if starts:
        used = zeros_below(starts)
        return used, limit - used if limit < BLOCK or used == 0 else 0, size, spaced, held
    return limit, 0, size, spaced, held


@njit(cache=True, nogil=True)
def scan(text, at, end, table, key, size, spaced, last, single, held, margin):  # type: ignore[no-untyped-def]
    """Key and units of a document, from byte `at` on, until its end or until no more units may fit.

    text, at, end  uint8; the document ends at `end`
    table          `stages.key.table()`
    key, size      out, uint8: the key is written from key[size] on
    spaced         the unit before was a word
    last           out, (CHUNK,) uint64 or more: u ^ w of the last 8 bytes of each unit. Its hash is `mix` of it, made
                   later for all units in one loop
    single         out, (CHUNK,) uint8 or more: whether the unit is a character
    held           units there are
    margin         (BLOCK + SLACK,) uint8: scratch, for the end of a document

    -> at, size, spaced, held
    """
    while at < end and held < CHUNK - BLOCK // 2:
        first = text[at]
        if first < 0x80:
            if table[first] >> np.uint64(40) != np.uint64(LETTERS):
                at += 1  # ends no word: there is none
                continue
            if at + BLOCK + SLACK <= end:
                used, plain, size, spaced, held = _plain_words(text, at, key, size, spaced, last, single, held)
            else:
                for i in range(BLOCK + SLACK):
                    margin[i] = 32
                for i in range(end - at):
                    margin[i] = text[at + i]
                used, plain, size, spaced, held = _plain_words(margin, 0, key, size, spaced, last, single, held)
            at += used
            if plain == 0:
                continue
        else:
            plain = 0
            begin = at
            before = held
            while at + 8 <= end and held < CHUNK:
                word = load64(text, at)
                if word & np.uint64(0xC0C0F0) != np.uint64(0x8080E0):
                    break
                code = (word & np.uint64(0x0F)) << np.uint64(12) | (word >> np.uint64(2)) & np.uint64(0xFC0)
                packed = table[code | (word >> np.uint64(16)) & np.uint64(0x3F)]
                action = packed >> np.uint64(40)
                if action == np.uint64(LETTERS):
                    break
                # Written in any case and counted if it is a unit: punctuation costs no wrong guess of a branch. Three
                # bytes give three bytes (test_key.py), and SINGLE is 3 where the other two are 0 and 1.
                taken = packed & np.uint64(0xFFFFFFFF)
                unit = np.int64(action >> np.uint64(1))
                store64(key, size, taken)
                put(last, held, taken)
                put(single, held, 1)
                size += 3 * unit
                held += unit
                at += 3
            if at > begin:
                spaced &= held == before
                continue
        action, taken, count, width = _look_up(text, at, end, table)
        if action == SINGLE:
            store64(key, size, taken)
            size += count
            at += width
            spaced = False
            put(last, held, taken)
            put(single, held, 1)
            held += 1
            continue
        if action != LETTERS:
            at += width
            continue
        put(key, size, 32)
        size += spaced
        start = size
        while plain > 0 and at + 8 <= end:
            store64(key, size, load64(text, at) | np.uint64(_LOWER))
            size += min(plain, 8)
            at += min(plain, 8)
            plain -= 8
        while at < end:
            action, taken, count, width = _look_up(text, at, end, table)
            if action == LETTERS:
                store64(key, size, taken)
                size += count
            elif action != NOTHING:
                break
            at += width
        spaced = True
        put(last, held, _last_block(key, start, size))
        put(single, held, 0)
        held += 1
    return min(at, end), size, spaced, held
