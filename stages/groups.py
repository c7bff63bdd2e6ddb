"""Groups in a stream of sorted blocks: which records begin one, and what stands at its head.

A group may straddle blocks, so each function takes what the block before ended with.
"""

import numpy as np


def firsts(keys: tuple[np.ndarray, ...], before: tuple[int, ...] | None) -> np.ndarray:
    """Which elements of sorted parallel arrays (each (n,), n > 0) begin a group, given the last keys of the block
    before (None: there was none). -> (n,) bool"""
    fresh = np.zeros(len(keys[0]), dtype=bool)
    fresh[0] = before is None or any(int(key[0]) != last for key, last in zip(keys, before, strict=True))
    for key in keys:
        fresh[1:] |= key[1:] != key[:-1]
    return fresh


def heads(values: np.ndarray, fresh: np.ndarray, before: int) -> np.ndarray:
    """The value at the head of each element's group, (n,); `before` is that of the group which the block continues."""
    begin = np.maximum.accumulate(np.where(fresh, np.arange(len(values)), -1))
    return np.where(begin >= 0, values[begin], values.dtype.type(before))
