"""Ids through halves and back; the shuffled order; bundles that a new partition does not disturb."""

import hashlib
import io
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import sealed
from hypothesis import given
from hypothesis import strategies as st

from corpus import pack, packed_runs, tables
from corpus.bundling import bundles, power_of_two
from corpus.errors import StoreError
from corpus.id_order import halves, joined, mix, order_of
from corpus.opened import Build
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
    documents = np.zeros(300, packed_runs.DOCUMENT)
    documents["lo"] = np.arange(300)
    documents["order"] = order_of(documents["hi"], documents["lo"], 1)
    documents["tokens"] = 3
    tokens = np.arange(900, dtype="<u2")
    store = Blobs(str(tmp_path))
    packed_runs.write_run(
        store, "r", *packed_runs.in_order([packed_runs.piece_of(documents, tokens)], -1, tokens.dtype)
    )
    run = packed_runs.Run(store, "r", tokens.dtype)
    one, two = run.slice(0, packed_runs.BUCKETS)
    assert (np.diff(one["order"].astype(object)) > 0).all()
    assert sorted(two.tolist()) == tokens.tolist()
    assert two[:3].tolist() == [3 * int(one["lo"][0]) + i for i in range(3)]
    data = bytearray(store.get("r"))
    data[-5] ^= 1
    store.put("r", bytes(data))
    with pytest.raises(StoreError, match=r"r: damaged in range \d+\. Remove it"):
        packed_runs.Run(store, "r", tokens.dtype).slice(0, packed_runs.BUCKETS)


@pytest.mark.parametrize("clusters", [False, True])
@pytest.mark.parametrize("sizes", [[], [0], [5], [8192], [3, 0, 8190], [20_000, 300_000, 1], [262_144, 262_145]])
def test_a_side_table_in_blocks_has_the_bytes_of_one_table(sizes: list[int], clusters: bool) -> None:
    documents = np.zeros(sum(sizes), packed_runs.DOCUMENT)
    random = np.random.default_rng(0)
    for name in packed_runs.DOCUMENT.names or ():
        documents[name] = random.integers(0, 1 << 20, len(documents))
    file = io.BytesIO()
    writer = pack.SideWriter(file, clusters)
    for part in np.split(documents, np.cumsum(sizes)[:-1]) if sizes else []:
        writer.extend(part)
    done = writer.finish()
    lengths = documents["tokens"].astype(np.int64)
    columns = {
        "start": pa.array(np.cumsum(lengths) - lengths),
        "tokens": pa.array(lengths.astype(np.int32)),
        "id": joined(documents["hi"], documents["lo"]),
        "partition": pa.array(documents["partition"].copy()),
        "row": pa.array(documents["row"].copy()),
    }
    columns |= {"cluster_size": pa.array(documents["cluster"].copy())} if clusters else {}
    whole = tables.to_bytes(tables.canonical(columns))
    assert file.getvalue() == whole
    assert (done.bytes, done.sha256) == (len(whole), hashlib.sha256(whole).hexdigest())


def test_tokens_follow_their_documents_whatever_they_come_from() -> None:
    random = np.random.default_rng(1)
    pieces, want = [], {}
    for values_type in (np.int32, np.uint16):
        documents = np.zeros(500, packed_runs.DOCUMENT)
        documents["hi"] = random.integers(0, 3, 500)
        documents["lo"] = random.choice(1 << 40, 500, replace=False)
        documents["order"] = random.integers(0, 40, 500)  # ties go by the id
        lengths = random.integers(0, 9, 500)
        documents["tokens"] = lengths + 1
        starts = random.permutation(500) * 10
        values = random.integers(2, 60_000, 5000).astype(values_type)
        pieces.append(packed_runs.Piece(documents, values, starts, lengths))
        for d, a, n in zip(documents, starts.tolist(), lengths.tolist(), strict=True):
            want[int(d["order"]), int(d["hi"]), int(d["lo"])] = [*values[a : a + n].tolist(), 1]
    documents, tokens = packed_runs.in_order(pieces, 1, np.dtype("<u2"))
    keys = [(int(d["order"]), int(d["hi"]), int(d["lo"])) for d in documents]
    assert keys == sorted(want)
    assert tokens.tolist() == [t for key in keys for t in want[key]]
    documents, tokens = packed_runs.in_order([], -1, np.dtype("<u2"))
    assert (len(documents), tokens.dtype, len(tokens)) == (0, np.dtype("<u2"), 0)


def test_shards_hold_a_bounded_number_of_documents(tmp_path: Path) -> None:
    manifest = sealed.prepare(tmp_path)
    manifest.write_text(manifest.read_text().replace("shard_tokens = 1024", "shard_documents = 1024"))
    (tmp_path / "data" / "web" / "many.txt").write_text("".join(f"\t{i * 7919 % 100_003:06}\n" for i in range(3000)))
    build = Build(*sealed.build(manifest))
    train = build.splits("web")["train"]
    assert len(train) == 4
    assert sum(s.documents for s in train) > 2000
    assert max(s.documents for s in train) < 1024
