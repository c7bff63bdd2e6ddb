"""Dedup against brute force over datasketch signatures: same pairs, same clusters, evidence for every removal."""

import itertools
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import xxhash
from datasketch import MinHash

from corpus import exchange, runs
from corpus.errors import RecipeError
from corpus.exchange import Bundle, Loader, Part, numbered, run_rounds, settled
from corpus.stage import Columns
from corpus.store import Blobs
from stages import minhash as kernel
from stages.dedup import Dedup


class Documents(Loader, frozen=True):
    batches: dict[int, pa.RecordBatch]

    def read(self, key: int, names: tuple[str, ...]) -> pa.RecordBatch:
        return self.batches[key].select(list(names)) if names else self.batches[key]


class Backwards:
    def map(self, function: Any, items: Any) -> Iterator[tuple[int, Any]]:
        for index, item in reversed(list(enumerate(items))):
            yield index, function(item)


def family(seed: int, size: int) -> list[list[str]]:
    """Documents as shingle lists: one original and copies with more and more shingles replaced."""
    rng = random.Random(seed)
    original = [f"{seed}-{i}" for i in range(100)]
    copies = [original]
    for number in range(1, size):
        copy = list(original)
        for at in rng.sample(range(100), rng.choice([0, 3, 8, 14, 30])):
            copy[at] = f"{seed}-{number}-{at}"
        copies.append(copy)
    return copies


def corpus(seed: int = 0) -> list[list[str]]:
    documents = [shingles for n in range(30) for shingles in family(1000 * seed + n, random.Random(n).randrange(1, 9))]
    random.Random(seed).shuffle(documents)
    return [*documents, [], []]  # two documents with nothing to compare


def batch(documents: list[list[str]], first: int) -> pa.RecordBatch:
    signatures, exact, content = [], [], []
    for number, shingles in enumerate(documents):
        text = " ".join(shingles).encode()
        m = MinHash(num_perm=126, seed=1, hashfunc=xxhash.xxh32_intdigest)
        m.update_batch([s.encode() for s in shingles])
        signatures.append(m.hashvalues.astype("<u4").tobytes() if shingles else None)
        exact.append(xxhash.xxh3_128_digest(text) if shingles else None)
        content.append(xxhash.xxh3_128_digest(text + str(number % 2).encode()))
    ids = [(first + i).to_bytes(16, "big") for i in range(len(documents))]
    columns = {
        "exact": pa.array(exact, pa.binary(16)),
        "minhash": pa.array(signatures, pa.binary(504)),
        "content": pa.array(content, pa.binary(16)),
        "id": pa.array(ids, pa.binary(16)),
    }
    return pa.record_batch(list(columns.values()), names=list(columns))


def run(
    folder: Path, parts: dict[int, tuple[pa.RecordBatch, int]], bundles: int, stage: Dedup, executor: Any
) -> dict[int, Columns]:
    blobs = Blobs(str(folder))
    loader = Documents({key: b for key, (b, _) in parts.items()})
    ordered = numbered({key: Part(key, "s", priority, b.num_rows) for key, (b, priority) in parts.items()})
    size = -(-len(ordered) // bundles)
    work = [Bundle(i, f"b{i}", tuple(ordered[i * size : (i + 1) * size]), loader) for i in range(bundles)]
    flow, _ = run_rounds(stage, blobs, work, "scratch", "cache", executor.map, lambda name, count: None)
    return {part.key: columns for b in work for part, columns in settled(stage, blobs, flow, b)}


def brute_force(parts: dict[int, tuple[pa.RecordBatch, int]], stage: Dedup) -> dict[bytes, tuple[bytes, int]]:
    """id -> (id of its cluster's survivor, cluster size) of clustered documents, from all pairs of each key's group."""
    rows = []
    for key in sorted(parts):
        b, priority = parts[key]
        for values in zip(*(b[n].to_pylist() for n in ("exact", "minhash", "content", "id")), strict=True):
            rows.append((*values, priority))
    groups: dict[Any, list[int]] = {}
    for number, (exact, signature, *_rest) in enumerate(rows):
        if exact is None:
            continue
        groups.setdefault(exact, []).append(number)
        keys = kernel.bands(np.frombuffer(signature, "<u4")[None], stage.bands, stage.rows)[0]
        for key in keys.tolist():
            groups.setdefault(key, []).append(number)
    parent = list(range(len(rows)))

    def root(i: int) -> int:
        return i if parent[i] == i else root(parent[i])

    for a, b in {pair for members in groups.values() for pair in itertools.combinations(members, 2)}:
        same = np.mean(np.frombuffer(rows[a][1], "<u4") == np.frombuffer(rows[b][1], "<u4"))
        if rows[a][0] == rows[b][0] or same >= stage.threshold:
            parent[root(a)] = root(b)
    clusters: dict[int, list[int]] = {}
    for number in range(len(rows)):
        clusters.setdefault(root(number), []).append(number)
    result = {}
    for members in clusters.values():
        if len(members) > 1:
            survivor = min(members, key=lambda n: (rows[n][4], rows[n][2], rows[n][3]))
            for number in members:
                result[rows[number][3]] = (rows[survivor][3], len(members))
    return result


def layout(seed: int = 0, partitions: int = 7) -> dict[int, tuple[pa.RecordBatch, int]]:
    documents = corpus(seed)
    size = -(-len(documents) // partitions)
    return {
        (n * 5 + 3) * 2**59 % 2**64: (batch(documents[n * size : (n + 1) * size], n * size), n % 3)
        for n in range(partitions)
    }


def flat(parts: dict[int, tuple[pa.RecordBatch, int]], got: dict[int, Columns], name: str) -> dict[bytes, Any]:
    return {
        i: v for key in parts for i, v in zip(parts[key][0]["id"].to_pylist(), got[key][name].to_pylist(), strict=True)
    }


@pytest.mark.parametrize("seed", [0, 1])
def test_the_clusters_of_brute_force(tmp_path: Path, seed: int) -> None:
    parts, stage = layout(seed), Dedup()
    got = run(tmp_path, parts, 1, stage, Backwards())
    want = brute_force(parts, stage)
    cluster, size, drop = (flat(parts, got, name) for name in ("cluster", "cluster_size", "drop"))
    assert len(want) > 40
    assert {i: (c, size[i]) for i, c in cluster.items() if c is not None} == want
    assert {i for i, d in drop.items() if d} == {i for i, (survivor, _) in want.items() if i != survivor}
    assert {"exact_duplicate", "near_duplicate", None} == set(drop.values())


def test_every_removal_has_evidence(tmp_path: Path) -> None:
    parts = layout()
    got = run(tmp_path, parts, 1, Dedup(), Backwards())
    rows = {i: s for b, _ in parts.values() for i, s in zip(b["id"].to_pylist(), b["minhash"].to_pylist(), strict=True)}
    partner, similarity, drop, detail = (flat(parts, got, n) for n in ("partner", "similarity", "drop", "detail"))
    for i, code in drop.items():
        if code:
            a, b = (np.frombuffer(rows[x], "<u4") for x in (i, partner[i]))
            share = float(np.mean(a == b))
            assert share >= 0.8
            assert similarity[i] == pytest.approx(1.0 if code == "exact_duplicate" else share, abs=2**-12)
            assert detail[i] == f"{similarity[i]:.4f} of {partner[i].hex()}"
        else:
            assert detail[i] is None


def test_nothing_to_compare_is_never_merged(tmp_path: Path) -> None:
    empty = batch([[], [], []], 0)
    got = run(tmp_path, {5: (empty, 1)}, 1, Dedup(), Backwards())
    assert got[5]["drop"].null_count == 3


@pytest.mark.parametrize("seed", [1, 2, 5])
@pytest.mark.parametrize("rows", [3, 7])  # with 3, most candidates are not duplicates
def test_bundles_do_not_show(tmp_path: Path, seed: int, rows: int) -> None:
    parts, stage = layout(seed), Dedup(rows=rows)
    one, *others = (run(tmp_path / str(n), parts, n, stage, Backwards()) for n in (1, 3, 7))
    for other in others:
        assert other.keys() == one.keys()
        for key, columns in one.items():
            assert {n: a.to_pylist() for n, a in columns.items()} == {n: a.to_pylist() for n, a in other[key].items()}


def test_ranges_and_flushes_and_levels_do_not_show(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parts = layout()
    one = run(tmp_path / "1", parts, 2, Dedup(), Backwards())
    monkeypatch.setattr(exchange, "RANGE_BYTES", 3000)
    monkeypatch.setattr(runs, "FLUSH_BYTES", 4000)
    monkeypatch.setattr(runs, "FAN_IN", 8)
    monkeypatch.setattr(runs, "BLOCK_BYTES", 700)
    many = run(tmp_path / "7", parts, 2, Dedup(), Backwards())
    assert {k: {n: a.to_pylist() for n, a in c.items()} for k, c in one.items()} == {
        k: {n: a.to_pylist() for n, a in c.items()} for k, c in many.items()
    }


@pytest.mark.parametrize("rows", [3, 7])
def test_the_cut_into_partitions_does_not_decide(tmp_path: Path, rows: int) -> None:
    documents = batch(corpus(3), 0)
    verdicts = []
    for partitions in (1, 5, 23):
        size = -(-documents.num_rows // partitions)
        keys = [random.Random(f"{partitions}-{n}").getrandbits(64) for n in range(partitions)]
        parts = {key: (documents.slice(n * size, size), 1) for n, key in enumerate(keys)}
        got = run(tmp_path / str(partitions), parts, min(3, partitions), Dedup(rows=rows), Backwards())
        verdicts.append({n: flat(parts, got, n) for n in ("cluster", "cluster_size", "drop", "similarity")})
    assert verdicts[0] == verdicts[1] == verdicts[2]
    assert sum(d is not None for d in verdicts[0]["drop"].values()) > 40


def test_a_hot_key_sends_one_record_a_partition(tmp_path: Path) -> None:
    same = family(1, 1) * 400
    parts = {key * 2**60: (batch(same, key * 1000), 1) for key in range(4)}
    got = run(tmp_path, parts, 2, Dedup(), Backwards())
    assert sum(d is None for d in flat(parts, got, "drop").values()) == 1
    emitted = [
        runs.Run(Blobs(str(tmp_path)), f"cache/{runs.FORMAT}-b{i}-{n}.run")
        for i in range(2)
        for n in ("keys", "combined-00000")
    ]
    assert [run_.records for run_ in emitted] == [2 * 19, 2 * 399] * 2


def test_the_counts_of_a_report(tmp_path: Path) -> None:
    same, alone = family(1, 1) * 3, family(2, 1)
    work = [Bundle(0, "b", (Part(9, "s", 1, 4),), Documents({9: batch(same + alone, 0)}))]
    _, counts = run_rounds(Dedup(), Blobs(str(tmp_path)), work, "s", "c", Backwards().map, lambda name, count: None)
    assert Dedup().summary(counts, 2) == {
        "candidate_pairs": 2, "confirmed_pairs": 2, "clustered_documents": 3, "clusters": 1, "largest_cluster": 3,
        "dropped": 2,
    }  # fmt: skip


def test_a_key_or_a_signature_may_be_missing(tmp_path: Path) -> None:
    whole = batch(family(1, 1) * 2 + family(2, 1) * 2, 0)
    for name in ("exact", "minhash"):
        column = whole[name]
        at = whole.schema.get_field_index(name)
        none = whole.set_column(at, name, pa.nulls(4, column.type))
        got = run(tmp_path / name, {5: (none, 1)}, 1, Dedup(), Backwards())[5]
        code = "near_duplicate" if name == "exact" else "exact_duplicate"
        assert sorted(got["drop"].to_pylist(), key=str) == [None, None, code, code]
        assert got["similarity"].to_pylist() == [1.0] * 4


HOT = """
import resource, sys
import numpy as np, pyarrow as pa
from corpus.exchange import Bundle, Loader, Part, numbered, run_rounds, settled
from corpus.store import Blobs
from stages.dedup import Dedup

class Same(Loader, frozen=True):
    mixed: bool
    def read(self, key, names):
        rows = 20_000
        signatures = np.full((rows, 8), 7, "<u4")
        if self.mixed:  # one band in common, everything else different
            signatures[:, 4:] = np.random.default_rng(key >> 57).integers(0, 2**32, (rows, 4))
        ids = np.stack([np.full(rows, key, ">u8"), np.arange(rows).astype(">u8")], axis=1).astype(">u8")
        exact = ids if self.mixed else np.ones((rows, 2), ">u8")
        known = {"minhash": signatures, "id": ids, "content": ids, "exact": exact}
        columns = [column(known[name], 32 if name == "minhash" else 16) for name in names]
        return pa.record_batch(columns or [pa.nulls(rows)], names=list(names) or ["row"])

def column(values, width):
    buffers = [None, pa.py_buffer(values.tobytes())]
    return pa.FixedSizeBinaryArray.from_buffers(pa.binary(width), len(values), buffers)

def once(folder, partitions, mixed):
    parts = numbered({k * 2**57 + 5: Part(k * 2**57 + 5, "s", 1, 20_000) for k in range(partitions)})
    work = [Bundle(i, f"b{i}", tuple(parts[i * 10 : i * 10 + 10]), Same(mixed)) for i in range(-(-partitions // 10))]
    stage, blobs = Dedup(bands=2, rows=4), Blobs(folder)
    flow, counts = run_rounds(stage, blobs, work, "s", "c", lambda f, t: enumerate(map(f, t)), lambda n, c: None)
    verdicts = [columns["drop"] for b in work for _, columns in settled(stage, blobs, flow, b)]
    return counts, sum(len(drop) - drop.null_count for drop in verdicts)

folder, partitions, mixed = sys.argv[1], int(sys.argv[2]), sys.argv[3] == "mixed"
once(folder + "/small", 1, mixed)  # compile
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
counts, dropped = once(folder + "/large", partitions, mixed)
print(dropped, counts["attach"], (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024)
"""


def test_a_million_documents_of_one_key_pass_in_fixed_memory(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", HOT, str(tmp_path), "50", "same"], capture_output=True, text=True, check=True
    )
    dropped, pairs, grown = map(int, done.stdout.split())
    assert dropped == pairs == 999_999
    assert grown < 9 * runs.FLUSH_BYTES  # a merge and a writer, see corpus/exchange.py


def test_a_band_of_documents_that_differ_stays_linear(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", HOT, str(tmp_path), "10", "mixed"], capture_output=True, text=True, check=True
    )
    dropped, pairs, grown = map(int, done.stdout.split())
    assert dropped == 0
    assert 199_999 < pairs < 400_000
    assert grown < 9 * runs.FLUSH_BYTES


@pytest.mark.parametrize("parameters", [{"bands": 0}, {"rows": 2000}, {"threshold": 0.0}, {"threshold": 1.5}])
def test_parameters_out_of_range(parameters: dict[str, Any]) -> None:
    with pytest.raises(RecipeError, match=rf"\.{next(iter(parameters))}: got"):
        Dedup(**parameters)


def test_signatures_too_short_for_the_bands(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="need 200 permutations, the signatures have 126"):
        run(tmp_path, layout(), 1, Dedup(bands=20, rows=10), Backwards())
