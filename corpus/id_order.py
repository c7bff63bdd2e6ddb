"""The order that a hash of (seed, id) gives to documents: uniform, and the same wherever a document came from."""

import numpy as np
import pyarrow as pa


def mix(values: np.ndarray) -> np.ndarray:
    """The finaliser of splitmix64 (Steele, Lea and Flood 2014): a bijection on u64 that spreads any input."""
    x = values.astype(np.uint64, copy=True)
    x ^= x >> np.uint64(30)
    x *= np.uint64(0xBF58476D1CE4E5B9)
    x ^= x >> np.uint64(27)
    x *= np.uint64(0x94D049BB133111EB)
    x ^= x >> np.uint64(31)
    return x


def halves(ids: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """Two u64 from each 128-bit id, big-endian: they sort as the id does."""
    pairs = np.frombuffer(ids.buffers()[1], dtype=">u8")[2 * ids.offset : 2 * (ids.offset + len(ids))].reshape(-1, 2)
    return pairs[:, 0].astype(np.uint64), pairs[:, 1].astype(np.uint64)


def joined(hi: np.ndarray, lo: np.ndarray) -> pa.Array:
    """The 128-bit ids of two halves."""
    pairs = np.empty((len(hi), 2), dtype=">u8")  # not np.stack: it would turn the bytes round to the machine's order
    pairs[:, 0], pairs[:, 1] = hi, lo
    return pa.FixedSizeBinaryArray.from_buffers(pa.binary(16), len(hi), [None, pa.py_buffer(pairs.tobytes())])


def order_of(hi: np.ndarray, lo: np.ndarray, seed: int) -> np.ndarray:
    """Place of each document in the shuffled order: u64, uniform."""
    start = mix(np.array([seed + 0x9E3779B97F4A7C15 & 0xFFFFFFFFFFFFFFFF], dtype=np.uint64))[0]
    return mix(mix(hi ^ start) + lo)
