"""Shingles of a document as 64-bit hashes, each byte of its key hashed once.

A **unit** of the key (see `stages/key.py`) is a word or one Han or kana character. A word weighs `han`, a character
weighs `words`, and a **shingle** is the least run of units from one unit on that weighs `words * han`; a document that
weighs less than that has one shingle, all its units. With u[i] the hash of unit i and arithmetic modulo 2**64:

    u = 0, then u = mix(u ^ w) for each 8 bytes w of the unit (little-endian, the last filled up with zeros)
    H = mix(sum over the m units of the shingle of u[i] * BASE**(m - 1 - i))

`mix` is MurmurHash3's 64-bit finalizer, a bijection: two units of at most 8 bytes never share a hash. The sum is the
fingerprint of Karp and Rabin (Efficient randomized pattern-matching algorithms, IBM J. Res. Dev. 31, 1987) over units
in place of bytes. It comes from prefix sums of u[i] * BASE**-i, times BASE**(number of the last unit): so no unit
waits for the one before it.

One document takes several calls of bounded size: `scan` writes the key and leaves up to CHUNK units, `hash_windows`
hashes their shingles, and `keep` moves the units of the unfinished shingle to the front. The loops over a chunk are
apart, and in an order that lets the compiler make vectors of them.
"""

from typing import NamedTuple

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from stages.characters import decode
from stages.key import CODES, LETTERS, NOTHING, SINGLE
from stages.repetition import mix

# 3 modulo 8, so that BASE**d - 1 has few factors of two: those are the bits lost between two shingles in which units d
# apart are swapped.
BASE = 0x94D049BB133111EB
_INVERSE = pow(BASE, -1, 1 << 64)
MAX_UNITS = 32  # of a shingle
CHUNK = 512  # units that wait for their shingles: their arrays, 20 kB, stay in the first cache
SLACK = 8  # bytes that a key buffer needs beyond the text: words are written 8 bytes at a time

BLOCK = 64  # bytes of text looked at together: one bit each

_ONES = 0x0101010101010101


@intrinsic
def load64(typingctx, data, at):  # type: ignore[no-untyped-def]
    """8 bytes of a uint8 array from index `at`, not checked, as a little-endian uint64."""

    def codegen(context, builder, signature, args):  # type: ignore[no-untyped-def]
        array = context.make_array(signature.args[0])(context, builder, args[0])
        place = builder.gep(array.data, [args[1]])
        return builder.load(builder.bitcast(place, ir.IntType(64).as_pointer()), align=1)

    return types.uint64(data, types.int64), codegen


@intrinsic
def store64(typingctx, data, at, value):  # type: ignore[no-untyped-def]
    """Writes a uint64 as 8 little-endian bytes at index `at` of a uint8 array, not checked."""

    def codegen(context, builder, signature, args):  # type: ignore[no-untyped-def]
        array = context.make_array(signature.args[0])(context, builder, args[0])
        place = builder.gep(array.data, [args[1]])
        builder.store(args[2], builder.bitcast(place, ir.IntType(64).as_pointer()), align=1)
        return context.get_dummy_value()

    return types.void(data, types.int64, types.uint64), codegen


@intrinsic
def put(typingctx, data, at, value):  # type: ignore[no-untyped-def]
    """data[at] = value for at >= 0. The usual assignment first looks whether the index counts from the end, which
    takes a fifth of the time of `scan`."""

    def codegen(context, builder, signature, args):  # type: ignore[no-untyped-def]
        array = context.make_array(signature.args[0])(context, builder, args[0])
        builder.store(args[2], builder.gep(array.data, [args[1]]))
        return context.get_dummy_value()

    return types.void(data, types.int64, data.dtype), codegen


@intrinsic
def zeros_below(typingctx, value):  # type: ignore[no-untyped-def]
    """Zero bits below the lowest one of a uint64; 64 where it is 0."""

    def codegen(context, builder, signature, args):  # type: ignore[no-untyped-def]
        return builder.cttz(args[0], cgutils.false_bit)

    return types.int64(types.uint64), codegen


def _among(builder, data, first, last):  # type: ignore[no-untyped-def]
    """Which of the bytes of a vector lie in first..last."""
    shifted = builder.sub(data, ir.Constant(data.type, [first] * BLOCK))
    return builder.icmp_unsigned("<=", shifted, ir.Constant(data.type, [last - first] * BLOCK))


def _block_of(context, builder, signature, args):  # type: ignore[no-untyped-def]
    array = context.make_array(signature.args[0])(context, builder, args[0])
    kind = ir.VectorType(ir.IntType(8), BLOCK)
    return builder.load(builder.bitcast(builder.gep(array.data, [args[1]]), kind.as_pointer()), align=1)


@intrinsic
def _alphanumeric(typingctx, data, at):  # type: ignore[no-untyped-def]
    """Of BLOCK bytes of a uint8 array from index `at`: one bit each, set for the letters and digits of ASCII."""

    def codegen(context, builder, signature, args):  # type: ignore[no-untyped-def]
        block = _block_of(context, builder, signature, args)
        small = builder.or_(block, ir.Constant(block.type, [0x20] * BLOCK))
        found = builder.or_(_among(builder, small, 0x61, 0x7A), _among(builder, block, 0x30, 0x39))
        return builder.bitcast(found, ir.IntType(BLOCK))

    return types.uint64(data, types.int64), codegen


@intrinsic
def _not_plain(typingctx, data, at):  # type: ignore[no-untyped-def]
    """Of BLOCK bytes of a uint8 array from index `at`: one bit each, set for what is not ASCII, and for the ASCII that
    neither belongs to a word nor ends it: the apostrophe, and the controls that are no white space."""

    def codegen(context, builder, signature, args):  # type: ignore[no-untyped-def]
        block = _block_of(context, builder, signature, args)
        found = _among(builder, block, 0x7F, 0xFF)
        for first, last in ((0x00, 0x08), (0x0E, 0x1F), (0x27, 0x27)):
            found = builder.or_(found, _among(builder, block, first, last))
        return builder.bitcast(found, ir.IntType(BLOCK))

    return types.uint64(data, types.int64), codegen


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
    limit = zeros_below(_not_plain(source, start))
    inside = ones >> np.uint64(64 - limit) if limit > 0 else np.uint64(0)
    alphanumeric = _alphanumeric(source, start) & inside
    before = alphanumeric << np.uint64(1)
    starts = alphanumeric & ~before
    ends = before & ~alphanumeric & inside
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
        word = load64(source, at) | np.uint64(0x20 * _ONES)  # lower case; digits have this bit anyway
        while count > 8:
            store64(key, size, word)
            h = mix(h ^ word)
            size += 8
            at += 8
            count -= 8
            word = load64(source, at) | np.uint64(0x20 * _ONES)
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
    last           out, (CHUNK,) uint64: u ^ w of the last 8 bytes of each unit, so that the last mix of all units is
                   made in one loop
    single         out, (CHUNK + MAX_UNITS,) uint8: whether the unit is a character
    held           units there are
    margin         (BLOCK + SLACK,) uint8: scratch, for the end of a document

    -> at, size, spaced, held

    Three ways through the text, from quick to general: words of ASCII a block at a time, Han and other characters of
    three bytes in runs, and anything one character at a time.
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
            while at + 8 <= end and held < CHUNK:
                word = load64(text, at)
                if word & np.uint64(0xC0C0F0) != np.uint64(0x8080E0):
                    break
                code = (word & np.uint64(0x0F)) << np.uint64(12) | (word >> np.uint64(2)) & np.uint64(0xFC0)
                packed = table[code | (word >> np.uint64(16)) & np.uint64(0x3F)]
                action = packed >> np.uint64(40)
                if action == np.uint64(LETTERS):
                    break
                taken = packed & np.uint64(0xFFFFFFFF)
                store64(key, size, taken)
                size += np.int64((packed >> np.uint64(32)) & np.uint64(255))
                at += 3
                # Written in any case and counted if it is a unit: punctuation costs no wrong guess of a branch.
                put(last, held, taken)
                put(single, held, 1)
                held += action == np.uint64(SINGLE)
                spaced &= action != np.uint64(SINGLE)
            if at > begin:
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
            store64(key, size, load64(text, at) | np.uint64(0x20 * _ONES))
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


class Windows(NamedTuple):
    """Working memory for the units of one chunk.

    last, single, margin  see `scan`
    sums          (CHUNK + 1,) uint64: prefix sums of u[i] * BASE**-i
    heavy         (CHUNK + MAX_UNITS,) uint16: weight of each unit
    weight        (CHUNK,) uint16: weight of the units from each unit on, as many as were added so far
    length        (CHUNK,) uint16: units of the shingle that starts at each unit
    power         (CHUNK + 1,) uint64: BASE**(i - 1)
    inverse       (CHUNK,) uint64: BASE**-i
    """

    last: np.ndarray
    single: np.ndarray
    sums: np.ndarray
    heavy: np.ndarray
    weight: np.ndarray
    length: np.ndarray
    power: np.ndarray
    inverse: np.ndarray
    margin: np.ndarray


@njit(cache=True, nogil=True)
def _powers(power, inverse):  # type: ignore[no-untyped-def]
    power[0] = np.uint64(_INVERSE)
    inverse[0] = 1
    for i in range(CHUNK):
        power[i + 1] = power[i] * np.uint64(BASE)
    for i in range(1, CHUNK):
        inverse[i] = inverse[i - 1] * np.uint64(_INVERSE)


def windows() -> Windows:
    """Working memory, with its tables filled."""
    longs = np.zeros((4, CHUNK + 1), np.uint64)
    shorts = np.zeros((3, CHUNK + MAX_UNITS), np.uint16)
    _powers(longs[2], longs[3])
    single = np.zeros(CHUNK + MAX_UNITS, np.uint8)
    return Windows(longs[0], single, longs[1], *shorts, longs[2], longs[3], np.zeros(BLOCK + SLACK, np.uint8))


@njit(cache=True, nogil=True)
def _starts(single, held, words, han):  # type: ignore[no-untyped-def]
    """How many of the units held, from the first on, start a whole shingle."""
    count = held
    rest = 0
    while count > 0 and rest < words * han:
        count -= 1
        rest += words if single[count] else han
    return count + 1 if rest >= words * han else 0


@njit(cache=True, nogil=True)
def _lengths(single, heavy, weight, length, count, words, han):  # type: ignore[no-untyped-def]
    """Units of the shingles that start at the first `count` units, where both kinds of unit are there. One unit more
    for all shingles at a time, so that the loops run in vectors."""
    least, most = min(words, han), max(words, han)
    target = np.uint16(words * han)
    for i in range(count + most - 1):
        heavy[i] = words if single[i] else han
    for i in range(count):
        weight[i] = 0
        length[i] = least
    for m in range(most - 1):
        for i in range(count):
            weight[i] = np.uint16(weight[i] + heavy[i + m])
        if m + 1 >= least:
            for i in range(count):
                length[i] = np.uint16(length[i] + (weight[i] < target))


@njit(cache=True, nogil=True)
def hash_windows(w, held, words, han, alone, out):  # type: ignore[no-untyped-def]
    """Hashes of the shingles of the units held, written to `out`. `alone` says that these are all units of a document:
    they are its one shingle where they weigh less than one. -> shingles"""
    characters = 0
    for i in range(held):
        characters += w.single[i]
    for i in range(held):
        w.sums[i + 1] = mix(w.last[i]) * w.inverse[i]
    total = np.uint64(0)
    for i in range(held):
        total += w.sums[i + 1]
        w.sums[i + 1] = total
    count = _starts(w.single, held, words, han)
    if count == 0:
        if alone and held > 0:
            out[0] = mix(w.sums[held] * w.power[held])
            return 1
        return 0
    if characters == 0 or characters == held:
        units = han if characters else words
        for i in range(count):
            out[i] = (w.sums[i + units] - w.sums[i]) * w.power[i + units]
    else:
        _lengths(w.single, w.heavy, w.weight, w.length, count, words, han)
        for i in range(count):
            end = np.uint64(i) + np.uint64(w.length[i])
            out[i] = (w.sums[end] - w.sums[i]) * w.power[end]
    for i in range(count):
        out[i] = mix(out[i])
    return count


@njit(cache=True, nogil=True)
def keep(w, held, count):  # type: ignore[no-untyped-def]
    """Moves the units from `count` on to the front. -> how many they are"""
    for i in range(held - count):
        w.last[i] = w.last[count + i]
        w.single[i] = w.single[count + i]
    return held - count


@njit(cache=True, nogil=True)
def _shingle_hashes(text, bounds, table, words, han, w, key, out, offsets):  # type: ignore[no-untyped-def]
    total = 0
    offsets[0] = 0
    for document in range(bounds.size - 1):
        begin = total
        at = np.int64(bounds[document])
        end = np.int64(bounds[document + 1])
        held = 0
        spaced = False
        while at < end:
            at, _, spaced, held = scan(text, at, end, table, key, 0, spaced, w.last, w.single, held, w.margin)
            count = hash_windows(w, held, words, han, at >= end and total == begin, out[total:])
            total += count
            held = keep(w, held, count)
        offsets[document + 1] = total


def most_shingles(text_bytes: int, documents: int) -> int:
    """Upper bound: a unit takes two bytes at least, a word's letter and the gap after it, save at the end of a text."""
    return (text_bytes + documents) // 2


def shingle_hashes(
    text: np.ndarray, bounds: np.ndarray, table: np.ndarray, words: int, han: int
) -> tuple[np.ndarray, np.ndarray]:
    """Hashes of all shingles of n documents, in the order of the text, repeats included.

    text, bounds   uint8 and (n + 1,) int32 or int64: document i is text[bounds[i]:bounds[i + 1]], valid UTF-8
    table          what the key takes from a code point, `stages.key.table()`
    words, han     how many words, or Han and kana characters, make a shingle: 1 to MAX_UNITS

    -> (m,) uint64 and (n + 1,) int64: the shingles of document i are hashes[offsets[i]:offsets[i + 1]].
    Memory: 4 bytes of address space per byte of text, of which what the hashes take is used, and the longest document.
    """
    sizes = np.diff(bounds)
    out = np.empty(most_shingles(int(sizes.sum()), len(sizes)), np.uint64)
    offsets = np.empty(len(bounds), np.int64)
    key = np.empty(int(sizes.max(initial=0)) + SLACK, np.uint8)
    _shingle_hashes(text, bounds, table, words, han, windows(), key, out, offsets)
    return out[: offsets[-1]], offsets
