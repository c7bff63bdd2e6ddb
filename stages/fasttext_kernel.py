"""What fastText's `predict` computes, over UTF-8 bytes: sums of n-gram rows, then the likeliest label.

A token is a run between ASCII white space (and NUL), as in fastText; a line end inside a text ends a token and nothing
else. The sum of a text is the sum of the sums of its parts, so a text is read once in windows, and each window and the
whole can be asked about.

Sums are float32, of a token's rows and then of the tokens, in the order of the text. exp and log are libm's. Labels and
scores equal the library's but for the last bits of a score (`tests/stages/test_fasttext.py` compares them).
"""

import math

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

_PREFIX = np.frombuffer(b"__label__", np.uint8)
HASH_OFFSET = np.uint32(2166136261)
_PRIME = np.uint32(16777619)
CACHED = 4096  # tokens, 64 bytes each: they fit in the second level of a processor's cache
FLOOR = 1e-5  # fastText adds it to what it takes the logarithm of


@intrinsic
def ones(typingctx, value):  # type: ignore[no-untyped-def]
    """Bits set in a uint64."""

    def codegen(context, builder, signature, args):  # type: ignore[no-untyped-def]
        return builder.ctpop(args[0])

    return types.int64(types.uint64), codegen


@intrinsic
def add_row(typingctx, total, rows, row):  # type: ignore[no-untyped-def]
    """total += rows[row] for float32 rows of 16, not checked: two vector additions with AVX."""

    def codegen(context, builder, signature, args):  # type: ignore[no-untyped-def]
        array = context.make_array(signature.args[0])(context, builder, args[0])
        table = context.make_array(signature.args[1])(context, builder, args[1])
        kind = ir.VectorType(ir.FloatType(), 16).as_pointer()
        place = builder.bitcast(array.data, kind)
        at = builder.gep(table.data, [builder.mul(args[2], ir.Constant(ir.IntType(64), 16))])
        added = builder.fadd(builder.load(place, align=4), builder.load(builder.bitcast(at, kind), align=4))
        builder.store(added, place, align=4)
        return context.get_dummy_value()

    return types.void(total, rows, types.int64), codegen


@njit(cache=True, nogil=True, inline="always")
def is_break(byte):  # type: ignore[no-untyped-def]
    """What stands between tokens."""
    return byte == 32 or 9 <= byte <= 13 or byte == 0


@njit(cache=True, nogil=True, inline="always")
def mixed(value, byte):  # type: ignore[no-untyped-def]
    if byte >= 128:
        return np.uint32((value ^ (np.uint32(byte) | np.uint32(0xFFFFFF00))) * _PRIME)
    return np.uint32((value ^ np.uint32(byte)) * _PRIME)


@njit(cache=True, nogil=True)
def find_word(data, at, end, value, heads, word_ends, word_bytes):  # type: ignore[no-untyped-def]
    """Number of the word at `at`..`end`, whose hash is `value`; -1 where the model does not know it."""
    mask = heads.size - 1
    slot = np.int64(value) & mask
    while heads[slot] > 0:
        number = heads[slot] - 1
        first = word_ends[number]
        if word_ends[number + 1] - first == end - at:
            same = True
            for step in range(end - at):
                if word_bytes[first + step] != data[at + step]:
                    same = False
                    break
            if same:
                return number
        slot = (slot + 1) & mask
    return -1


@njit(cache=True, nogil=True, inline="always")
def _row(value, n_buckets, reciprocal, buckets, before):  # type: ignore[no-untyped-def]
    """Row of the n-gram with this hash, 0 where it has none."""
    # value % n_buckets by a product: the quotient is right or one too small.
    quotient = (np.uint64(value) * reciprocal) >> np.uint64(32)
    bucket = np.uint64(value) - quotient * np.uint64(n_buckets)
    if bucket >= n_buckets:
        bucket -= np.uint64(n_buckets)
    return row_of_bucket(bucket, buckets, before)


@njit(cache=True, nogil=True, inline="always")
def row_of_bucket(bucket, buckets, before):  # type: ignore[no-untyped-def]
    """Row of the n-grams in this bucket (uint64), 0 where it has none."""
    cell = np.int64(bucket >> np.uint64(6))
    bits = buckets[cell]
    bit = np.uint64(1) << (bucket & np.uint64(63))
    if bits & bit == 0:
        return 0
    return np.int64(before[cell]) + ones(bits & (bit - np.uint64(1)))


@njit(cache=True, nogil=True, inline="always")
def add_row_of(total, rows, row):  # type: ignore[no-untyped-def]
    """total += rows[row]"""
    if rows.shape[1] == 16:
        add_row(total, rows, row)
    else:
        for d in range(rows.shape[1]):
            total[d] += rows[row, d]


@njit(cache=True, nogil=True)
def token_cache(dim):  # type: ignore[no-untyped-def]
    """Sums of tokens met before, for `add_window`: where the last token of each hash stands, its bytes, its rows, and
    their sum. Three of four tokens of English are found in it. A cache belongs to one `data`."""
    places = np.full(CACHED, -1, np.int64)
    return places, np.zeros(CACHED, np.int64), np.zeros(CACHED, np.int64), np.zeros((CACHED, dim), np.float32)


@njit(cache=True, nogil=True)
def add_window(data, begin, end, model, cache, total):  # type: ignore[no-untyped-def]
    """Add to `total` ((D,) float32) the rows of the tokens in bytes `begin`..`end`, token by token -> how many rows.
    `model` is a `FastText` without its labels; the token for the line end is the caller's to add, once a text."""
    places, sizes, counts, sums = cache
    added = 0
    at = begin
    while at < end:
        if is_break(data[at]):
            at += 1
            continue
        stop = at
        value = HASH_OFFSET
        while stop < end and not is_break(data[stop]):
            value = mixed(value, data[stop])
            stop += 1
        slot = np.int64(value) & (CACHED - 1)
        if not (places[slot] >= 0 and sizes[slot] == stop - at and _same(data, places[slot], at, stop - at)):
            places[slot] = at
            sizes[slot] = stop - at
            sums[slot] = 0
            counts[slot] = add_token(data, at, stop, value, model, sums[slot])
        for d in range(total.size):
            total[d] += sums[slot, d]
        added += counts[slot]
        at = stop
    return added


@njit(cache=True, nogil=True, inline="always")
def _same(data, one, other, size):  # type: ignore[no-untyped-def]
    for step in range(size):  # noqa: SIM110
        if data[one + step] != data[other + step]:
            return False
    return True


@njit(cache=True, nogil=True)
def add_token(data, at, stop, value, model, total):  # type: ignore[no-untyped-def]
    """Add to `total` the rows of the token at `at`..`stop`, whose hash is `value`: its own, if it is a known word, and
    those of its n-grams with a mark at either end -> how many."""
    rows, buckets, before, heads, word_ends, word_bytes, _, _, _, minn, maxn, n_buckets, _, _ = model
    reciprocal = np.uint64((1 << 32) // n_buckets)
    added = 0
    number = find_word(data, at, stop, value, heads, word_ends, word_bytes)
    if number >= 0:
        add_row_of(total, rows, np.int64(number + 1))
        added += 1
    elif _is_label(data, at, stop):
        return 0
    first = at - 1 if maxn > 0 else stop  # the first one stands for the mark that begins a word
    while first < stop:
        value = mixed(HASH_OFFSET, 60 if first < at else data[first])
        after = first + 1
        if first >= at:
            while after < stop and data[after] & 0xC0 == 0x80:
                value = mixed(value, data[after])
                after += 1
        follows = after
        for n in range(1, maxn + 1):
            # A lone mark is no n-gram.
            if n >= minn and not (n == 1 and first < at):
                row = _row(value, n_buckets, reciprocal, buckets, before)
                if row > 0:
                    add_row_of(total, rows, row)
                    added += 1
            if n == maxn or after > stop:
                break
            if after == stop:
                value = mixed(value, 62)
                after += 1
                continue
            value = mixed(value, data[after])
            after += 1
            while after < stop and data[after] & 0xC0 == 0x80:
                value = mixed(value, data[after])
                after += 1
        first = follows
    return added


@njit(cache=True, nogil=True)
def _is_label(data, at, end):  # type: ignore[no-untyped-def]
    if end - at < _PREFIX.size:
        return False
    for step in range(_PREFIX.size):  # noqa: SIM110
        if data[at + step] != _PREFIX[step]:
            return False
    return True


@njit(cache=True, nogil=True, inline="always")
def dot(output, row, total, scale):  # type: ignore[no-untyped-def]
    value = np.float32(0)
    for d in range(total.size):
        value += output[row, d] * (total[d] * scale)
    return value


@njit(cache=True, nogil=True)
def best_label(total, added, model, beneath, allowed, nodes, sums):  # type: ignore[no-untyped-def]
    """The likeliest label for the mean of `added` rows, among those that have one of the bits of `allowed`.

    `beneath` ((2 L - 1) or (L,), int64): bits of each label, and of all labels below each inner node. `nodes` (int32)
    and `sums` (float64), both of 2 L, are scratch. -> (label, probability); (-1, 0.0) where there is none. Of equal
    labels the more frequent one."""
    _, _, _, _, _, _, output, left, right, _, _, _, _, _ = model
    if added == 0:
        return -1, 0.0
    scale = np.float32(1.0 / added)
    n_labels = output.shape[0] if left.size == 0 else (left.size + 1) // 2
    best = -1
    most = -1e300
    if left.size == 0:
        highest = np.float32(-3e38)
        for label in range(n_labels):
            sums[label] = dot(output, label, total, scale)
            highest = max(highest, np.float32(sums[label]))
        whole = 0.0
        for label in range(n_labels):
            sums[label] = math.exp(sums[label] - highest)
            whole += sums[label]
        for label in range(n_labels):
            if beneath[label] & allowed and sums[label] > most:
                best, most = label, sums[label]
        return best, 0.0 if best < 0 else most / whole
    waiting = 1
    nodes[0] = left.size - 1
    sums[0] = 0.0
    while waiting > 0:
        waiting -= 1
        node, score = nodes[waiting], sums[waiting]
        if score < most or beneath[node] & allowed == 0:
            continue
        if left[node] < 0:
            if score > most or node < best:
                best, most = node, score
            continue
        f = 1.0 / (1.0 + math.exp(-np.float64(dot(output, node - n_labels, total, scale))))
        # The likelier side is looked at first: the other one seldom needs to be.
        near, far, side = (right[node], left[node], f) if f >= 0.5 else (left[node], right[node], 1.0 - f)
        nodes[waiting] = far
        sums[waiting] = score + math.log(1.0 - side + FLOOR)
        nodes[waiting + 1] = near
        sums[waiting + 1] = score + math.log(side + FLOOR)
        waiting += 2
    return (best, math.exp(most)) if best >= 0 else (-1, 0.0)
