"""MinHash signatures of documents, equal bit for bit to datasketch 2.0's `affine32` scheme.

H = the 64-bit hash of a shingle (see `stages/shingles.py`)
h = fmix32(H >> 32);  signature[k] = min over shingles of a[k] * h + b[k] mod 2^32

The kernel walks the text once: it writes the key, makes shingles of the units and folds their hashes into the
signature a block at a time. Nothing per shingle is stored, so a document's memory is its key.

Shapes: n documents, p permutations, all arrays C-contiguous.
"""

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

from stages.key_units import CHUNK, scan
from stages.mix import mix
from stages.shingles import hash_windows, keep

_VECTOR = 8  # permutations in a register, 256 bits; the compiler cuts it in two where registers are shorter
LANES = 2 * _VECTOR  # permutations folded at a time, and padded to a multiple of it


def permutations(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The parameters a (odd) and b of datasketch's affine32 scheme, drawn in its order from numpy's frozen legacy
    generator. Two arrays (padded,) of uint32; entries beyond `count` repeat the first."""
    draw = np.random.RandomState(seed)
    a = draw.randint(0, 1 << 31, count, dtype=np.uint32) * np.uint32(2) + np.uint32(1)
    b = draw.randint(0, 1 << 32, count, dtype=np.uint32)
    padding = -count % LANES
    return np.pad(a, (0, padding), mode="wrap"), np.pad(b, (0, padding), mode="wrap")


@njit(cache=True, nogil=True, inline="always")
def _fmix32(h):  # type: ignore[no-untyped-def]
    """MurmurHash3's 32-bit finalizer: a bijection."""
    h = np.uint32(h)
    h = np.uint32((h ^ (h >> np.uint32(16))) * np.uint32(0x85EBCA6B))
    h = np.uint32((h ^ (h >> np.uint32(13))) * np.uint32(0xC2B2AE35))
    return np.uint32(h ^ (h >> np.uint32(16)))


@intrinsic
def _fold_lanes(typingctx, hashes, count, a, b, least, at):  # type: ignore[no-untyped-def]
    """least[k] = min(least[k], a[k] * h + b[k]) for the first `count` hashes, of which there is one at least, and the
    LANES permutations from `at` on.

    Written as vector code for the sake of one thing that the compiler does not find: a, b and the minima stay in
    registers while the hashes pass by. On Zen 3 a hash and 128 permutations take 14.3 cycles, where loops over arrays
    take 16.6 and the 48 vector operations alone 13.4 to 14.3, by their order.
    """

    def codegen(context, builder, signature, args):  # type: ignore[no-untyped-def]
        integer, vector = ir.IntType(64), ir.VectorType(ir.IntType(32), _VECTOR)
        data = [context.make_array(kind)(context, builder, value) for kind, value in zip(signature.args, args)
                if isinstance(kind, types.Array)]  # fmt: skip
        starts = [ir.Constant(integer, lane) for lane in range(0, LANES, _VECTOR)]

        def place(array, start):  # type: ignore[no-untyped-def]
            element = builder.gep(array.data, [builder.add(args[5], start)])
            return builder.bitcast(element, vector.as_pointer())

        factors, summands, before = ([builder.load(place(x, start), align=4) for start in starts] for x in data[1:])
        entry = builder.block
        loop = builder.append_basic_block("hashes")
        done = builder.append_basic_block("done")
        builder.branch(loop)
        builder.position_at_end(loop)
        index = builder.phi(integer)
        minima = [builder.phi(vector) for _ in starts]
        one = builder.load(builder.gep(data[0].data, [index]), align=4)
        undefined = ir.Constant(vector, ir.Undefined)
        all_lanes = ir.Constant(vector, [0] * _VECTOR)
        h = builder.shuffle_vector(
            builder.insert_element(undefined, one, ir.Constant(ir.IntType(32), 0)), undefined, all_lanes
        )
        after = []
        for factor, summand, least in zip(factors, summands, minima):
            value = builder.add(builder.mul(factor, h), summand)
            after.append(builder.select(builder.icmp_unsigned("<", value, least), value, least))
        following = builder.add(index, ir.Constant(integer, 1))
        for phi, first, then in zip([index, *minima], [ir.Constant(integer, 0), *before], [following, *after]):
            phi.add_incoming(first, entry)
            phi.add_incoming(then, loop)
        builder.cbranch(builder.icmp_signed("<", following, args[1]), loop, done)
        builder.position_at_end(done)
        for start, value in zip(starts, after):
            builder.store(value, place(data[3], start), align=4)
        return context.get_dummy_value()

    return types.void(hashes, types.int64, a, b, least, types.int64), codegen


@njit(cache=True, nogil=True)
def _fold(hashes, count, a, b, signature):  # type: ignore[no-untyped-def]
    """signature = min(signature, a * h + b) over the first `count` hashes."""
    if count > 0:
        for at in range(0, a.size, LANES):
            _fold_lanes(hashes, count, a, b, signature, at)


@njit(cache=True, nogil=True)
def sign(  # type: ignore[no-untyped-def]
    text, bounds, table, words, han, w, a, b, key, key_bounds, signatures, shingles
):
    """Keys and signatures of n documents.

    text, bounds   uint8 and (n + 1,) int32: document i is text[bounds[i]:bounds[i + 1]]
    table          what the key takes from a code point, `stages.key.table()`
    words, han     how many words, or Han and kana characters, make a shingle: 1 to MAX_UNITS
    a, b           (padded,) uint32
    key            out, uint8, `shingles.SLACK` longer than the text: the keys, one after the other
    key_bounds     out, (n + 1,) int64
    signatures     out, (n, p) uint32; all ones for an empty key
    shingles       out, (n,) int32
    """
    found = np.empty(CHUNK, np.uint64)
    hashes = np.empty(CHUNK, np.uint32)
    signature = np.empty(a.size, np.uint32)
    size = np.int64(0)
    key_bounds[0] = 0
    for document in range(bounds.size - 1):
        for k in range(a.size):
            signature[k] = 0xFFFFFFFF
        total = np.int64(0)
        held = np.int64(0)
        spaced = np.bool_(False)
        at = np.int64(bounds[document])
        end = np.int64(bounds[document + 1])
        while at < end:
            at, size, spaced, held = scan(text, at, end, table, key, size, spaced, w.last, w.single, held, w.margin)
            count = hash_windows(w, held, words, han, at >= end and total == 0, found)
            for i in range(count):
                hashes[i] = np.uint32(found[i] >> np.uint64(32))
            for i in range(count):
                hashes[i] = _fmix32(hashes[i])
            held = keep(w, held, count)
            _fold(hashes, count, a, b, signature)
            total += count
        for k in range(signatures.shape[1]):
            signatures[document, k] = signature[k]
        shingles[document] = total
        key_bounds[document + 1] = size


@njit(cache=True, nogil=True)
def _bands(minhash, keys, rows):  # type: ignore[no-untyped-def]
    for document in range(keys.shape[0]):
        for band in range(keys.shape[1]):
            h = mix(np.uint64(band) + np.uint64(0x9E3779B97F4A7C15))
            for row in range(band * rows, (band + 1) * rows):
                h = mix(h ^ np.uint64(minhash[document, row]))
            keys[document, band] = h


def bands(minhash: np.ndarray, bands: int, rows: int) -> np.ndarray:
    """Keys under which documents meet: (n, p) uint32 -> (n, bands) uint64, one hash per band of `rows` consecutive
    permutations, the band's number included. Permutations beyond bands * rows are left out.

    ValueError where the signature is shorter than bands * rows.
    """
    if minhash.ndim != 2 or bands < 1 or rows < 1 or bands * rows > minhash.shape[1]:
        raise ValueError(f"{bands} bands of {rows} rows do not fit into signatures of shape {minhash.shape}")
    keys = np.empty((len(minhash), bands), np.uint64)
    _bands(np.ascontiguousarray(minhash, np.uint32), keys, rows)
    return keys


@njit(cache=True, nogil=True)
def _agreement(a, b, share):  # type: ignore[no-untyped-def]
    for pair in range(a.shape[0]):
        equal = 0
        for k in range(a.shape[1]):
            equal += a[pair, k] == b[pair, k]
        share[pair] = equal / a.shape[1]


def agreement(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """MinHash estimate of the Jaccard similarity of each pair (a[i], b[i]): share of equal positions, (n, p) uint32
    twice -> (n,) float64. ValueError where the shapes differ."""
    if a.shape != b.shape or a.ndim != 2:
        raise ValueError(f"signatures of shapes {a.shape} and {b.shape} cannot be compared")
    share = np.empty(len(a), np.float64)
    _agreement(np.ascontiguousarray(a, np.uint32), np.ascontiguousarray(b, np.uint32), share)
    return share
