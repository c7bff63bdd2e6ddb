"""Groups in a stream of blocks, against itertools.groupby over the whole stream."""

from itertools import groupby

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from stages.groups import firsts, heads

BLOCKS = st.lists(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2)), min_size=1, max_size=5), max_size=8)


@given(BLOCKS)
def test_blocks_do_not_show(blocks: list[list[tuple[int, int]]]) -> None:
    stream = sorted(pair for block in blocks for pair in block)
    begin_wanted, head_wanted = [], []
    at = 0
    for _, group in groupby(stream):
        for member, _ in enumerate(group):
            begin_wanted.append(member == 0)
            head_wanted.append(at - member if member else at)
            at += 1
    begins: list[bool] = []
    found: list[int] = []
    before, head, at = None, 0, 0
    for size in map(len, blocks):
        keys = tuple(np.array([pair[side] for pair in stream[at : at + size]], np.uint64) for side in range(2))
        fresh = firsts(keys, before)
        values = heads(np.arange(at, at + size, dtype=np.uint64), fresh, head)
        assert (fresh.dtype, values.dtype) == (np.bool_, np.uint64)
        begins += fresh.tolist()
        found += values.tolist()
        before, head, at = (int(keys[0][-1]), int(keys[1][-1])), int(values[-1]), at + size
    assert begins == begin_wanted
    assert found == head_wanted


def test_keys_of_64_bits_are_told_apart() -> None:
    keys = np.array([2**64 - 2, 2**64 - 1, 2**64 - 1], np.uint64)
    assert firsts((keys,), (2**64 - 2,)).tolist() == [False, True, False]
    assert firsts((keys,), (2**64 - 1,)).tolist() == [True, True, False]
    assert firsts((keys,), None).tolist() == [True, True, False]
    assert firsts((keys[:1], keys[1:2]), (2**64 - 2, 0)).tolist() == [True]


def test_what_no_group_has_begun_takes_the_head_of_the_block_before() -> None:
    values = np.array([5, 6, 7, 8], np.uint64)
    assert heads(values, np.array([False, False, True, False]), 2**64 - 1).tolist() == [2**64 - 1] * 2 + [7, 7]
