"""The order law: a bijection per pass and per epoch, and nothing but the four arguments decides it."""

import hashlib
import struct
from collections.abc import Mapping
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.errors import InputError, RecipeError
from trainer.order import Order, Permutation

TOKENS = {"a": 1000, "b": 350, "c": 90}


def order(
    tokens: Mapping[str, int] = TOKENS,
    mixture: Mapping[str, float] | None = None,
    sequence: int = 10,
    seed: int = 3,
    digest: str = "d" * 64,
) -> Order:
    return Order(digest, seed, sequence, tokens, mixture or {})


def places(law: Order, first: int, count: int) -> list[tuple[int, int]]:
    place = law.locate(np.arange(first, first + count))
    return list(zip(place.source.tolist(), place.start.tolist(), strict=True))


@settings(max_examples=60, deadline=None)
@given(size=st.integers(1, 3000), key=st.binary(max_size=40))
def test_permutation_is_a_bijection(size: int, key: bytes) -> None:
    permuted = Permutation(size, key)(np.arange(size))
    assert np.array_equal(np.sort(permuted), np.arange(size))


def test_permutation_is_the_network_it_says_it_is() -> None:
    """The same in Python integers, which cannot overflow."""
    size, key, half = 1000, b"some key", 5
    keys = struct.unpack("<8Q", hashlib.blake2b(key, digest_size=64).digest())

    def network(x: int) -> int:
        left, right = divmod(x, 2**half)
        for round_key in keys:
            z = (right + round_key) % 2**64
            for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
                z = (z ^ z >> shift) * factor % 2**64
            left, right = right, left ^ (z ^ z >> 31) % 2**half
        return left * 2**half + right

    expected = []
    for x in range(size):
        x = network(x)
        while x >= size:
            x = network(x)
        expected.append(x)
    assert Permutation(size, key)(np.arange(size)).tolist() == expected


def test_permutation_of_a_range_beyond_any_table() -> None:
    size = 2**61 + 12345
    index = np.concatenate([np.arange(1000), np.arange(size - 1000, size)])
    permuted = Permutation(size, b"key")(index)
    assert len(set(permuted.tolist())) == index.size
    assert permuted.min() >= 0
    assert permuted.max() < size
    # 2,000 draws from a uniform distribution: the standard deviation of their mean is size / sqrt(12 * 2000).
    assert abs(permuted.astype(float).mean() / size - 0.5) < 4 / np.sqrt(12 * 2000)


def test_permutation_shuffles() -> None:
    size = 4000
    drawn = Permutation(size, b"a")(np.arange(size))
    other = Permutation(size, b"b")(np.arange(size))
    # Correlations of independent orders have standard deviation 1 / sqrt(size); neighbours and keys alike.
    for x, y in ((np.arange(size), drawn), (drawn[:-1], drawn[1:]), (drawn, other)):
        assert abs(np.corrcoef(x, y)[0, 1]) < 4 / np.sqrt(size)
    assert (drawn == np.arange(size)).sum() < 8  # a random permutation has one fixed point on average


def test_permutation_refuses_what_is_outside() -> None:
    for bad in (-1, 7):
        with pytest.raises(IndexError):
            Permutation(7, b"")(np.array([0, bad]))
    with pytest.raises(ValueError, match="0 elements"):
        Permutation(0, b"")


@settings(max_examples=40, deadline=None)
@given(
    sizes=st.lists(st.integers(0, 400), min_size=1, max_size=4),
    epochs=st.lists(st.floats(0, 3), min_size=4, max_size=4),
    sequence=st.integers(1, 40),
    seed=st.integers(0, 2**63),
)
def test_every_epoch_reads_every_window_once(sizes: list[int], epochs: list[float], sequence: int, seed: int) -> None:
    tokens = {f"s{i}": size for i, size in enumerate(sizes)}
    mixture = dict(zip(tokens, epochs, strict=False))
    counts = [round(size // sequence * Fraction(value)) for size, value in zip(sizes, epochs, strict=False)]
    if not sum(counts):
        with pytest.raises(InputError, match="--sequence"):
            order(tokens, mixture, sequence=sequence, seed=seed)
        return
    law = order(tokens, mixture, sequence=sequence, seed=seed)
    assert law.counts.tolist() == counts
    passes = 2
    seen = places(law, 0, passes * law.pass_samples)
    for source, (size, count) in enumerate(zip(sizes, counts, strict=True)):
        starts = [start for s, start in seen if s == source]
        assert len(starts) == passes * count
        windows = size // sequence
        if not windows:
            continue
        # Over whole epochs each token of the ring is a target equally often, but for those left over by the division.
        whole, begun = divmod(passes * count, windows)
        targets = np.zeros(size, int)
        for start in starts:
            targets[np.arange(start, start + sequence) % size] += 1
        assert targets.max() <= whole + (begun > 0)
        assert targets.sum() == len(starts) * sequence


def test_order_does_not_depend_on_how_it_is_asked() -> None:
    law = order(mixture={"a": 1.3, "b": 2.5})
    at_once = places(law, 0, 700)
    for batch in (1, 7, 64):
        assert [p for first in range(0, 700, batch) for p in places(law, first, min(batch, 700 - first))] == at_once


def test_what_the_law_depends_on() -> None:
    base = places(order(), 0, 100)
    assert places(order(), 0, 100) == base
    for other in (
        order(seed=4),
        order(digest="e" * 64),
        order(mixture={"a": 1.0, "b": 1.0, "c": 1.0 + 1e-9}),
        order(sequence=11),
    ):
        assert places(other, 0, 100) != base


def test_the_law_is_pinned() -> None:
    """Whoever changes the order of a given build breaks resuming: then `order-1` in order.py must change too."""
    law = order(mixture={"a": 0.5, "b": 2.0})
    assert law.counts.tolist() == [50, 70, 9]
    assert places(law, 0, 6) == [(0, 736), (1, 115), (0, 236), (0, 86), (0, 626), (1, 335)]
    assert places(law, 10**12, 3) == [(2, 35), (1, 330), (1, 90)]


@pytest.mark.parametrize(
    ("mixture", "message"),
    [
        ({"d": 1.0}, "d = 1.0, but it has no training shards; the build holds a, b, c"),
        ({"a": -1.0}, "a = -1.0"),
        ({"a": float("nan")}, "a = nan"),
    ],
)
def test_mixtures_that_cannot_be_met(mixture: dict[str, float], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        order(mixture=mixture)
