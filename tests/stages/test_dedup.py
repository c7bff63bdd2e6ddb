"""Dedup against brute force over datasketch signatures: same pairs, same clusters, evidence for every removal."""

import itertools
import random
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


def run(folder: Path, parts: dict[int, tuple[pa.RecordBatch, int]], bundles: int, stage: Dedup, executor: Any) -> dict[int, Columns]:
    blobs = Blobs(str(folder))
    loader = Documents({key: b for key, (b, _) in parts.items()})
    ordered = numbered({key: Part(key, "s", priority, b.num_rows) for key, (b, priority) in parts.items()})
    size = -(-len(ordered) // bundles)
    work = [Bundle(i, f"b{i}", tuple(ordered[i * size : (i + 1) * size]), loader) for i in range(bundles)]
    flow, _ = run_rounds(stage, blobs, work, "scratch", "cache", executor.map, lambda name, count: None)
    return {part.key: columns for b in work for part, columns in settled(stage, blobs, flow, b)}


def brute_force(parts: dict[int, tuple[pa.RecordBatch, int]], stage: Dedup) -> dict[bytes, tuple[bytes, int]]:
    """id -> (id of its cluster's survivor, cluster size), for clustered documents, from all pairs of each key's group."""
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

    for members in groups.values():
        # what the stage compares: each with the first and with the previous one
        candidates = {(members[0], m) for m in members[1:]} | set(itertools.pairwise(members))
        for a, b in candidates:
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
        (n * 5 + 3) * 2**59 % 2**64: (batch(documents[n * size : (n + 1) * size], n * size), n % 3) for n in range(partitions)
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


def test_bundles_and_ranges_and_flushes_do_not_show(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parts = layout()
    one = run(tmp_path / "1", parts, 1, Dedup(), Backwards())
    monkeypatch.setattr(exchange, "RANGE_BYTES", 3000)
    monkeypatch.setattr(runs, "FLUSH_BYTES", 4000)
    monkeypatch.setattr(runs, "FAN_IN", 8)
    many = run(tmp_path / "7", parts, 1, Dedup(), Backwards())
    assert {k: {n: a.to_pylist() for n, a in c.items()} for k, c in one.items()} == {
        k: {n: a.to_pylist() for n, a in c.items()} for k, c in many.items()
    }


def test_a_hot_key_sends_one_record_a_bundle(tmp_path: Path) -> None:
    same = family(1, 1) * 400
    parts = {key * 2**60: (batch(same, key * 1000), 1) for key in range(4)}
    got = run(tmp_path, parts, 4, Dedup(), Backwards())
    drop = flat(parts, got, "drop")
    assert sum(d is None for d in drop.values()) == 1
    keys = [runs.Run(Blobs(str(tmp_path)), f"cache/b{i}-keys.run").records for i in range(4)]
    assert keys == [19] * 4


@pytest.mark.parametrize("parameters", [{"bands": 0}, {"rows": 2000}, {"threshold": 0.0}, {"threshold": 1.5}])
def test_parameters_out_of_range(parameters: dict[str, Any]) -> None:
    with pytest.raises(RecipeError, match=rf"\.{next(iter(parameters))}: got"):
        Dedup(**parameters)


def test_signatures_too_short_for_the_bands(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="need 200 permutations, the signatures have 126"):
        run(tmp_path, layout(), 1, Dedup(bands=20, rows=10), Backwards())
