"""Shingle sets: distinct hashes in order, packed and unpacked, and the error of sets that are thinned."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stages import shingle_sets
from stages.shingle_sets import CHUNK, NO_LIMIT, distinct, pack, unpack

# Few values, and values that fall into one slot of the table.
HASH = st.integers(0, 5) | st.integers(0, 5).map(lambda n: n << 40) | st.sampled_from([2**64 - 1, 2**63])
DOCUMENTS = st.lists(st.lists(HASH, max_size=80), max_size=6)


def arrays(documents: list[list[int]]) -> tuple[np.ndarray, np.ndarray]:
    hashes = np.array([value for one in documents for value in one], np.uint64)
    return hashes, np.cumsum([0, *map(len, documents)], dtype=np.int64)


def sets(hashes: np.ndarray, bounds: np.ndarray) -> list[list[int]]:
    return [hashes[a:b].tolist() for a, b in pairwise(bounds)]


@settings(deadline=None, max_examples=60)
@given(DOCUMENTS)
def test_the_first_of_each_hash_in_order(documents: list[list[int]]) -> None:
    hashes, bounds, limits = distinct(*arrays(documents))
    assert sets(hashes, bounds) == [list(dict.fromkeys(one)) for one in documents]
    assert limits.tolist() == [int(NO_LIMIT)] * len(documents)


@settings(deadline=None, max_examples=60)
@given(DOCUMENTS | st.lists(st.integers(0, 3 * CHUNK + 1).map(lambda n: list(range(n))), max_size=5))
def test_packed_and_unpacked(documents: list[list[int]]) -> None:
    hashes, bounds = arrays(documents)
    owner, part, count, chunks = pack(hashes, bounds)
    assert owner.tolist() == [i for i, one in enumerate(documents) for _ in range(max(1, -(-len(one) // CHUNK)))]
    assert all(not chunks[i, count[i] :].any() for i in range(len(chunks)))
    back, edges = unpack(part, count, chunks)
    assert sets(back, edges) == documents
    assert part[count < CHUNK].tolist() == [len(one) // CHUNK for one in documents if len(one) % CHUNK or not one]


@settings(deadline=None, max_examples=60)
@given(st.lists(st.lists(st.integers(0, 2**64 - 1), max_size=40), max_size=4), st.integers(1, 30))
def test_the_smallest_hashes_stay_where_there_are_too_many(documents: list[list[int]], most: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shingle_sets, "MOST", most)
        hashes, bounds, limits = distinct(*arrays(documents))
    for own, found, limit in zip(documents, sets(hashes, bounds), limits.tolist(), strict=True):
        smallest = sorted(set(own))[:most]
        assert found == [value for value in dict.fromkeys(own) if value in smallest]
        assert limit == (smallest[-1] if len(set(own)) > most else int(NO_LIMIT))


@pytest.mark.parametrize("sizes", [(4000, 4000), (4000, 900), (1100, 900), (30_000, 20_000)])
def test_thinned_sets_estimate_the_similarity(monkeypatch: pytest.MonkeyPatch, sizes: tuple[int, int]) -> None:
    """Of 1,024 hashes at most: the standard error is below 1 / (2 * sqrt(1024)), 1.6%, and there is no bias."""
    monkeypatch.setattr(shingle_sets, "MOST", 1024)
    rng = np.random.default_rng(sizes[0])
    errors = []
    for share in (0.5, 0.7, 0.8, 0.9, 0.95):
        for _ in range(12):
            common = int(share * min(sizes))
            pool = rng.integers(0, 2**64, sum(sizes), np.uint64)
            one, other = pool[: sizes[0]], np.concatenate([pool[:common], pool[sizes[0] :][: sizes[1] - common]])
            true = common / (sum(sizes) - common)
            hashes, bounds, limits = distinct(*arrays([one.tolist(), other.tolist()]))
            a, b = (hashes[s:e][hashes[s:e] <= limits.min()] for s, e in pairwise(bounds))
            assert max(len(a), len(b)) <= 1024
            both = len(np.intersect1d(a, b))
            errors.append(both / (len(a) + len(b) - both) - true)
    deviation = 0.5 / np.sqrt(1024)
    assert np.sqrt(np.mean(np.square(errors))) < 1.1 * deviation
    assert np.abs(errors).max() < 4.5 * deviation
    assert abs(np.mean(errors)) < 4 * deviation / np.sqrt(len(errors))
