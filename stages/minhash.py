"""MinHash signatures of documents, equal bit for bit to datasketch 2.0's `affine32` scheme over XXH32.

h = fmix32(XXH32 of the shingle's bytes, seed 0);  signature[k] = min over shingles of a[k] * h + b[k] mod 2^32

The kernel walks the text once: it writes the key (see `stages/key.py`), hashes each shingle when its last unit is
complete, and folds hashes into the signature a block at a time. Nothing per shingle is stored, so a document's memory
is its key. Each byte is hashed at most as often as a shingle has units.

Shapes: n documents, p permutations, all arrays C-contiguous.
"""

import numpy as np
from numba import njit

from stages.characters import HAN, TABLE_SIZE, decode, far_kind
from stages.key import GAP, LETTERS, NOTHING, SINGLE
from stages.repetition import mix

_P1 = np.uint32(2654435761)
_P2 = np.uint32(2246822519)
_P3 = np.uint32(3266489917)
_P4 = np.uint32(668265263)
_P5 = np.uint32(374761393)

LANES = 32  # permutations are padded to a multiple of this, so that the loop over them has no remainder
_BLOCK = 256  # hashes collected before they are folded into the signature
_RING = 64  # units of a shingle in flight; a power of two
MAX_UNITS = _RING // 2  # so that a ring slot is never overwritten while in use


def permutations(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The parameters a (odd) and b of datasketch's affine32 scheme, drawn in its order from numpy's frozen legacy
    generator. Two arrays (padded,) of uint32; entries beyond `count` repeat the first."""
    draw = np.random.RandomState(seed)
    a = draw.randint(0, 1 << 31, count, dtype=np.uint32) * np.uint32(2) + np.uint32(1)
    b = draw.randint(0, 1 << 32, count, dtype=np.uint32)
    padding = -count % LANES
    return np.pad(a, (0, padding), mode="wrap"), np.pad(b, (0, padding), mode="wrap")


@njit(cache=True, nogil=True, inline="always")
def _word(data, at):  # type: ignore[no-untyped-def]
    low = np.uint32(data[at]) | (np.uint32(data[at + np.uint64(1)]) << np.uint32(8))
    high = np.uint32(data[at + np.uint64(2)]) | (np.uint32(data[at + np.uint64(3)]) << np.uint32(8))
    return np.uint32(low | (high << np.uint32(16)))


@njit(cache=True, nogil=True, inline="always")
def _rotate(value, bits):  # type: ignore[no-untyped-def]
    value = np.uint32(value)
    return np.uint32((value << np.uint32(bits)) | (value >> np.uint32(32 - bits)))


@njit(cache=True, nogil=True, inline="always")
def _round(lane, word):  # type: ignore[no-untyped-def]
    return np.uint32(_rotate(np.uint32(lane + np.uint32(word * _P2)), 13) * _P1)


@njit(cache=True, nogil=True)
def xxh32(data, start, end):  # type: ignore[no-untyped-def]
    """XXH32 with seed 0 of data[start:end] (uint8). Source: the xxHash fast digest specification, XXH32."""
    at = np.uint64(start)
    stop = np.uint64(end)
    size = stop - at
    if size >= np.uint64(16):
        one = np.uint32(_P1 + _P2)
        two = _P2
        three = np.uint32(0)
        four = np.uint32(np.uint32(0) - _P1)
        while at + np.uint64(16) <= stop:
            one = _round(one, _word(data, at))
            two = _round(two, _word(data, at + np.uint64(4)))
            three = _round(three, _word(data, at + np.uint64(8)))
            four = _round(four, _word(data, at + np.uint64(12)))
            at += np.uint64(16)
        h = np.uint32(_rotate(one, 1) + _rotate(two, 7) + _rotate(three, 12) + _rotate(four, 18))
    else:
        h = _P5
    h = np.uint32(h + np.uint32(size))
    while at + np.uint64(4) <= stop:
        h = np.uint32(_rotate(np.uint32(h + np.uint32(_word(data, at) * _P3)), 17) * _P4)
        at += np.uint64(4)
    while at < stop:
        h = np.uint32(_rotate(np.uint32(h + np.uint32(np.uint32(data[at]) * _P5)), 11) * _P1)
        at += np.uint64(1)
    h = np.uint32((h ^ (h >> np.uint32(15))) * _P2)
    h = np.uint32((h ^ (h >> np.uint32(13))) * _P3)
    return np.uint32(h ^ (h >> np.uint32(16)))


@njit(cache=True, nogil=True, inline="always")
def _fmix32(h):  # type: ignore[no-untyped-def]
    """MurmurHash3's 32-bit finalizer: a bijection."""
    h = np.uint32(h)
    h = np.uint32((h ^ (h >> np.uint32(16))) * np.uint32(0x85EBCA6B))
    h = np.uint32((h ^ (h >> np.uint32(13))) * np.uint32(0xC2B2AE35))
    return np.uint32(h ^ (h >> np.uint32(16)))


@njit(cache=True, nogil=True)
def _fold(hashes, count, a, b, signature):  # type: ignore[no-untyped-def]
    """signature = min(signature, a * h + b) over the first `count` hashes, four at a time to save loads and stores."""
    for spare in range(count, (count + 3) & ~3):
        hashes[spare] = hashes[0]  # a minimum does not mind repeats
    for at in range(0, count, 4):
        h0 = hashes[at]
        h1 = hashes[at + 1]
        h2 = hashes[at + 2]
        h3 = hashes[at + 3]
        for k in range(a.size):
            ak = a[k]
            bk = b[k]
            low = np.uint32(ak * h0 + bk)
            value = np.uint32(ak * h1 + bk)
            low = value if value < low else low
            other = np.uint32(ak * h2 + bk)
            value = np.uint32(ak * h3 + bk)
            other = value if value < other else other
            low = other if other < low else low
            signature[k] = low if low < signature[k] else signature[k]


@njit(cache=True, nogil=True)
def sign(text, bounds, table, words, han, a, b, key, key_bounds, signatures, shingles):  # type: ignore[no-untyped-def]
    """Keys and signatures of n documents.

    text, bounds   uint8 and (n + 1,) int32: document i is text[bounds[i]:bounds[i + 1]]
    table          what the key takes from a code point, `stages.key.table()`
    words, han     how many words, or Han and kana characters, make a shingle: 1 to MAX_UNITS
    a, b           (padded,) uint32
    key            out, uint8, at least as long as the text: the keys, one after the other
    key_bounds     out, (n + 1,) int64
    signatures     out, (n, p) uint32; all ones for an empty key
    shingles       out, (n,) int32
    """
    target = words * han
    starts = np.empty(_RING, np.int64)
    weights = np.empty(_RING, np.int64)
    hashes = np.empty(_BLOCK, np.uint32)
    signature = np.empty(a.size, np.uint32)
    size = 0
    key_bounds[0] = 0
    for document in range(bounds.size - 1):
        begin = size
        signature[:] = np.uint32(0xFFFFFFFF)
        oldest = 0
        newest = 0  # units oldest..newest-1 are in the ring
        total = 0  # their weight
        pending = 0
        count = 0
        in_word = False
        word_start = size
        spaced = False  # the last unit was a word, so the next word needs a space
        at = bounds[document]
        end = bounds[document + 1]
        while at <= end:
            # The end of the document ends a word, as a gap would.
            action = GAP
            packed = np.uint64(0)
            width = 1
            if at < end:
                code, width = decode(text, at, end)
                if code < TABLE_SIZE:
                    packed = table[code]
                    action = np.int64(packed >> np.uint64(40))
                elif far_kind(code) == HAN:
                    action = SINGLE
                    raw = np.uint64(text[at]) | np.uint64(text[at + 1]) << np.uint64(8)
                    raw |= np.uint64(text[at + 2]) << np.uint64(16) | np.uint64(text[at + 3]) << np.uint64(24)
                    packed = raw | np.uint64(4) << np.uint64(32)
                else:
                    action = NOTHING
            at += width
            if action == NOTHING:
                continue
            if action == LETTERS:
                if not in_word:
                    in_word = True
                    if spaced:
                        key[size] = 32
                        size += 1
                    word_start = size
                for _ in range(np.int64((packed >> np.uint64(32)) & np.uint64(255))):
                    key[size] = np.uint8(packed & np.uint64(255))
                    packed >>= np.uint64(8)
                    size += 1
                continue
            # A gap or a single character: first the word before it is complete, then the character itself.
            for unit in range(2):
                if unit == 0:
                    if not in_word:
                        continue
                    in_word = False
                    spaced = True
                    starts[newest & (_RING - 1)] = word_start
                    weights[newest & (_RING - 1)] = han
                    total += han
                else:
                    if action != SINGLE:
                        continue
                    spaced = False
                    starts[newest & (_RING - 1)] = size
                    for _ in range(np.int64((packed >> np.uint64(32)) & np.uint64(255))):
                        key[size] = np.uint8(packed & np.uint64(255))
                        packed >>= np.uint64(8)
                        size += 1
                    weights[newest & (_RING - 1)] = words
                    total += words
                newest += 1
                while total >= target:
                    hashes[pending] = _fmix32(xxh32(key, starts[oldest & (_RING - 1)], size))
                    pending += 1
                    count += 1
                    total -= weights[oldest & (_RING - 1)]
                    oldest += 1
                    if pending == _BLOCK:
                        _fold(hashes, pending, a, b, signature)
                        pending = 0
        if count == 0 and size > begin:
            hashes[0] = _fmix32(xxh32(key, begin, size))
            pending = 1
            count = 1
        if pending:
            _fold(hashes, pending, a, b, signature)
        signatures[document] = signature[: signatures.shape[1]]
        shingles[document] = count
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
