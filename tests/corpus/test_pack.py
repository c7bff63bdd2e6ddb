"""Ids through halves and back; the shuffled order; bundles that a new partition does not disturb."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus import pack
from corpus.errors import StoreError
from corpus.pack import bundles, halves, is_heldout, joined, mix, order_of, power_of_two
from corpus.store import Blobs


@given(st.lists(st.binary(min_size=16, max_size=16), max_size=20))
def test_halves_and_back(ids: list[bytes]) -> None:
    array = pa.array([b"\0" * 16, *ids], pa.binary(16)).slice(1)
    hi, lo = halves(array)
    assert [h << 64 | low for h, low in zip(hi.tolist(), lo.tolist(), strict=True)] == [
        int.from_bytes(i, "big") for i in ids
    ]
    assert joined(hi, lo).to_pylist() == ids


def test_the_order_is_uniform_and_a_bijection_of_the_id() -> None:
    lo = np.arange(100_000, dtype=np.uint64)
    order = order_of(np.full_like(lo, 7), lo, seed=1)
    assert len(np.unique(order)) == len(lo)
    counts = np.bincount((order >> np.uint64(60)).astype(int), minlength=16)
    assert counts.min() > 6250 * 0.95
    assert counts.max() < 6250 * 1.05
    assert not np.array_equal(order, order_of(np.full_like(lo, 7), lo, seed=2))


def test_splitmix_finaliser_against_published_values() -> None:
    """First outputs of splitmix64 seeded with 0: mix of k times the golden gamma (Vigna's splitmix64.c)."""
    gamma = np.uint64(0x9E3779B97F4A7C15)
    got = mix(np.array([1, 2, 3], dtype=np.uint64) * gamma)
    assert [int(x) for x in got] == [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]


def test_heldout_goes_by_content() -> None:
    same = pa.array([bytes([i // 2] * 16) for i in range(200)], pa.binary(16))
    chosen = is_heldout(same, 3, 0.3)
    assert np.array_equal(chosen[::2], chosen[1::2])
    assert 0.1 < chosen.mean() < 0.5
    assert not is_heldout(same, 3, 0.0).any()


def test_a_new_partition_touches_one_bundle() -> None:
    keys = {int(k): 10 for k in mix(np.arange(1000, dtype=np.uint64))}
    before = bundles(keys, 1000)
    extra = 12345 << 40
    after = bundles({**keys, extra: 10}, 1000)
    assert [k for group in before for k in group] == sorted(keys)
    assert len(before) == 16
    assert len([group for group in after if group not in before]) in (1, 16)  # 16: the count of bundles doubled
    assert power_of_two(0.3) == 1
    assert power_of_two(9) == 16


def test_a_damaged_run_is_named(tmp_path: Path) -> None:
    documents = np.zeros(300, pack._DOCUMENT)
    documents["lo"] = np.arange(300)
    documents["order"] = order_of(documents["hi"], documents["lo"], 1)
    documents["tokens"] = 3
    tokens = np.arange(900, dtype="<u2")
    store = Blobs(str(tmp_path))
    pack._write_run(store, "r", [(documents, np.zeros(300, bool), tokens)], False, tokens.dtype)
    run = pack._Run(store, "r", tokens.dtype)
    one, two = run.slice(0, pack.BUCKETS)
    assert (np.diff(one["order"].astype(object)) > 0).all()
    assert sorted(two.tolist()) == tokens.tolist()
    assert two[:3].tolist() == [3 * int(one["lo"][0]) + i for i in range(3)]
    data = bytearray(store.get("r"))
    data[-5] ^= 1
    store.put("r", bytes(data))
    with pytest.raises(StoreError, match=r"r: damaged in range \d+\. Remove it"):
        pack._Run(store, "r", tokens.dtype).slice(0, pack.BUCKETS)
