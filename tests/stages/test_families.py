"""Families against sets joined in plain Python."""

import random
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.families import Families, members

PAIRS = np.dtype([("key", "<u8"), ("other", "<u8"), ("near", "u1")])
NUMBERS = st.integers(0, 19)


def joined(pairs: list[tuple[int, int]], documents: int) -> list[int]:
    """Smallest number of each document's family."""
    label = list(range(documents))
    for one, other in pairs:
        low, high = sorted((label[one], label[other]))
        label = [low if own == high else own for own in label]
    return label


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(NUMBERS, NUMBERS)), st.lists(NUMBERS), st.integers(1, 5))
def test_roots_are_the_smallest_numbers(pairs: list[tuple[int, int]], near: list[int], step: int) -> None:
    families = Families(20)
    for begin in range(0, len(pairs), step):
        block = np.array(pairs[begin : begin + step], np.uint64)
        families.join(block[:, 0], block[:, 1])
    families.settle()
    families.mark_near(np.array(near, np.uint64))
    want = joined(pairs, 20)
    for documents in (np.arange(20, dtype=np.uint64), np.array([19, 0, 19], np.uint64)):
        root, flag = families.of(documents)
        assert root.tolist() == [want[d] for d in documents]
        assert flag.tolist() == [any(want[n] == want[d] for n in near) for d in documents]


def test_a_long_chain_in_any_order() -> None:
    n = 20_000
    one, other = np.arange(n - 1, dtype=np.uint64), np.arange(1, n, dtype=np.uint64)
    order = np.random.default_rng(1).permutation(n - 1)
    for own in (order, np.arange(n - 1), np.arange(n - 1)[::-1]):
        families = Families(n + 1)
        families.join(one[own], other[own])
        families.settle()
        root, near = families.of(np.arange(n + 1, dtype=np.uint64))
        assert root.tolist() == [0] * n + [n]
        assert not near.any()


@pytest.mark.parametrize("documents", [0, 1])
def test_nothing_to_join(documents: int) -> None:
    families = Families(documents)
    families.join(np.empty(0, np.uint64), np.empty(0, np.uint64))
    families.settle()
    families.mark_near(np.empty(0, np.uint64))
    root, near = families.of(np.arange(documents, dtype=np.uint64))
    assert (root.tolist(), near.tolist()) == ([0] * documents, [False] * documents)
    assert list(members(lambda: iter(()), documents)) == []


@pytest.mark.parametrize("seed", range(5))
def test_members_of_families(seed: int) -> None:
    """Copies name their head; a near pair names both as themselves; near is said of the whole family."""
    rng = random.Random(seed)
    pairs = [(rng.randrange(15, 30), rng.randrange(15), rng.randrange(4) == 0) for _ in range(25)]
    block = np.array(pairs, PAIRS)
    calls = []

    def blocks() -> Iterator[np.ndarray]:
        calls.append(1)
        yield from (block[:10], block[10:])

    found = {row for out in members(blocks, 30) for row in zip(*(column.tolist() for column in out))}
    root = joined([(a, b) for a, b, _ in pairs], 30)
    near = {root[a] for a, _, flag in pairs if flag}
    want = {(a, root[a], a if flag else b, root[a] in near) for a, b, flag in pairs}
    want |= {(b, root[b], b, root[b] in near) for _, b, _ in pairs}
    assert found == want
    assert len(calls) <= 3
