"""Dedup by example: evidence, ranks, scopes, short documents, hot keys in fixed memory. Laws: test_dedup_laws.py."""

import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from dedup_truth import (
    Document,
    Found,
    batch,
    brute_force,
    check_evidence,
    dedup,
    differences,
    documents,
    edited,
    text_of,
    tokens,
    units,
)

from corpus import runs
from corpus.errors import RecipeError
from corpus.exchange import Part
from corpus.store import Blobs
from stages.dedup import Dedup
from stages.sign import Sign

A = tokens(random.Random("a"), 200)
B = tokens(random.Random("b"), 200)


def near(number: int) -> str:
    """A with one word changed, at a place of its own."""
    return text_of([*A[: 10 * number], "changed", *A[10 * number + 1 :]])


def names(docs: list[Document], found: Found) -> dict[str, str | None]:
    """Name of each document that leaves -> name of its partner."""
    by_id = {doc.id: doc.name for doc in docs}
    return {doc.name: by_id[found[doc.id]["partner"]] for doc in docs if found[doc.id]["drop"]}


def test_copies_and_near_copies_name_their_partner() -> None:
    docs = [
        Document(text_of(A), "best", quality=2),
        Document(text_of(A).upper() + " ...", "same key", quality=1),
        Document(near(3), "near", quality=0),
        Document(text_of(B), "alone"),
    ]
    found, counts = dedup(docs, Dedup(quality="q"))
    check_evidence(docs, found)
    copy, close, alone = (found[doc.id] for doc in docs[1:])
    assert (copy["drop"], copy["relation"], copy["similarity"]) == ("exact_duplicate", "exact", 1.0)
    assert copy["detail"] == f"1.0000 of {docs[0].id.hex()}"
    share = 191 / 201
    assert close["drop"] == "near_duplicate"
    assert close["similarity"] == pytest.approx(share, abs=1e-6)
    assert close["rare_similarity"] == pytest.approx(share, abs=1e-6)  # two documents: nothing is a frame
    assert close["detail"] == f"{share:.4f} of {docs[0].id.hex()}"
    assert set(alone.values()) == {None}
    assert [found[doc.id]["cluster"] for doc in docs[:3]] == [docs[0].id] * 3
    assert [found[doc.id]["cluster_size"] for doc in docs[:3]] == [3] * 3
    assert Dedup().summary(counts, 2) == {
        "copies": 1, "compared": 2, "clustered_documents": 3, "clusters": 1, "largest_cluster": 3, "templates": 0,
        "apart": 0, "crowded": 0, "evicted": 0, "dropped": 2,
    }  # fmt: skip
    assert counts["screen"] == 1


@pytest.mark.parametrize("same", [True, False])
def test_priority_before_quality_before_content_before_id(same: bool) -> None:
    """`same`: copies, or near copies."""
    nan = float("nan")
    ladder = [(1, 9.0), (1, 1e-30), (1, 0.0), (1, -1.0), (1, None), (2, float("inf")), (2, nan), (3, 5.0)]
    docs = [
        Document(near(3 if same else n), f"{n}", priority=priority, quality=quality)
        for n, (priority, quality) in enumerate(ladder)
    ]
    for first in range(len(docs)):
        own = docs[first:]
        found, _ = dedup(own[::-1], Dedup(quality="q", templates=False), rows=2)
        assert names(own, found) == {doc.name: own[0].name for doc in own[1:]}


@pytest.mark.parametrize("values", [[0.5, None, float("nan")], [None, float("nan"), None], [-0.0, 0.0, -0.0]])
def test_equal_quality_is_settled_by_content_then_id(values: list[float | None]) -> None:
    docs = [Document(near(0), f"{n}", quality=value) for n, value in enumerate(values)]
    docs += [Document(near(n), f"{n}", quality=value) for n, value in enumerate(values, 3)]
    for stage in (Dedup(quality="q", templates=False), Dedup(templates=False)):
        ranked = [doc if stage.quality else doc._replace(quality=None) for doc in docs]
        assert differences(dedup(docs, stage)[0], brute_force(ranked)) == []


@pytest.mark.parametrize(
    "column",
    [
        pa.array([1 << 22, (1 << 22) + 1, 5], pa.int32()),
        pa.array([1 << 40, (1 << 40) + 1, 5]),
        pa.array([0.1, 0.1 + 2**-30, -5.0]),
        pa.array([2, 3, None], pa.uint8()),
        pa.array([1.5, 2.5, None], pa.float64()),
    ],
    ids=["int32", "int64", "close", "uint8", "float64"],
)
def test_any_numeric_column_ranks(column: pa.Array) -> None:
    """More of it is better, whatever its type: order is second, first, third."""
    docs = documents([near(1), near(2), near(3)])
    whole = batch(docs, Sign())
    whole = whole.set_column(whole.schema.get_field_index("q"), "q", column)
    ranks = Dedup(quality="q")._ranks(whole, Part(1, "s", 1, 3))["quality"].tolist()
    assert ranks[1] < ranks[0] < ranks[2]


SCOPES = {
    "corpus": [{"a1", "a2", "b1", "b2", "c1", "d1"}],
    "snapshot": [{"a1", "b1"}, {"a2", "b2"}, {"c1"}, {"d1"}],
    "source": [{"a1", "a2"}, {"b1", "b2"}, {"c1"}, {"d1"}],
}


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("copies", [True, False])
def test_documents_of_different_scopes_do_not_meet(scope: Any, copies: bool) -> None:
    docs = [
        Document(near(4 if copies else n), name, source=name[0], snapshot="" if name[0] in "cd" else name[1])
        for n, name in enumerate(["a1", "a2", "b1", "b2", "c1", "d1"])
    ]
    found, _ = dedup(docs, Dedup(scope=scope, templates=False), bundles=2)
    check_evidence(docs, found)
    by_id = {doc.id: doc.name for doc in docs}
    places = SCOPES[scope]
    for place in places:
        stay = [doc for doc in docs if doc.name in place and not found[doc.id]["drop"]]
        assert len(stay) == 1
        sizes = {found[doc.id]["cluster_size"] for doc in docs if doc.name in place}
        assert sizes == {len(place) if len(place) > 1 else None}
        partners = {by_id[found[doc.id]["partner"]] for doc in docs if doc.name in place and found[doc.id]["partner"]}
        assert partners <= place


def test_short_documents_merge_only_where_they_are_equal() -> None:
    texts = [
        "one two",
        "two one",
        "one two three",
        "one",
        "1",
        "One, two.",
        "二",
        "二三",
        "三二",
        "一二三四五六",
        "一二三四五七",
    ]
    docs = documents([*texts, *texts[:3]])
    found, _ = dedup(docs)
    check_evidence(docs, found)
    gone = [doc for doc in docs if found[doc.id]["drop"]]
    assert len(gone) == 4
    assert {v["relation"] for v in found.values()} == {None, "exact"}


def test_nothing_to_compare_is_never_merged() -> None:
    docs = documents(["", "", "...", "!!!", "。。。", " \n", "—", "..."])
    found, counts = dedup(docs, rows=3)
    assert {value for verdict in found.values() for value in verdict.values()} == {None}
    assert counts["equal"] == counts["screen"] == 0


def test_at_threshold_one_only_equal_sets_merge() -> None:
    """Texts of one period hold the same shingles, however long they are."""
    period = A[:9]
    docs = documents([text_of(period * n) for n in (3, 5, 5)] + [near(2), near(3), text_of(A)])
    found, _ = dedup(docs, Dedup(threshold=1.0, templates=False))
    assert differences(found, brute_force(docs, 1.0)) == []
    assert [v["drop"] for v in found.values()].count(None) == 4
    assert [v["drop"] is None for v in found.values()][3:] == [True] * 3
    assert {v["similarity"] for v in found.values()} == {None, 1.0}


@pytest.mark.parametrize("threshold", [0.5, 0.65, 0.9, 0.95])
def test_other_thresholds(threshold: float) -> None:
    rng = random.Random(4)
    docs = documents([text_of(edited(rng, A, edits)) for edits in (0, 1, 1, 2, 3, 4, 6, 8)])
    stage = Dedup(threshold=threshold, templates=False, bands=42, rows=3)
    found, _ = dedup(docs, stage)
    assert differences(found, brute_force(docs, threshold)) == []
    assert {v["relation"] for v in found.values()} >= {"near", None}


def test_copies_of_one_that_left_have_its_verdict() -> None:
    docs = [
        Document(text_of(A), "best", quality=3),
        *(Document(near(5), f"near {n}", quality=2 - n) for n in range(3)),
        *(Document(text_of(A), f"copy {n}", quality=-n) for n in range(3)),
    ]
    found, counts = dedup(docs, Dedup(quality="q"), rows=2, bundles=2)
    check_evidence(docs, found)
    assert [found[doc.id]["relation"] for doc in docs] == [None, *["near"] * 3, *["exact"] * 3]
    assert set(names(docs, found).values()) == {"best"}
    assert {v["cluster_size"] for v in found.values()} == {7}
    assert (counts["clusters"], counts["clustered_documents"], counts["largest_cluster"]) == (1, 7, 7)


def test_no_documents_and_one() -> None:
    assert dedup([])[0] == {}
    found, counts = dedup(documents([text_of(A)]))
    assert set(next(iter(found.values())).values()) == {None}
    assert Dedup().summary(counts, 0).keys() >= {"copies", "dropped", "largest_cluster"}


def test_another_shingle_is_taken_where_the_recipe_says_so() -> None:
    docs = documents([text_of(A), near(3), near(4)])
    found, _ = dedup(docs, Dedup(words=2, han=3, templates=False), sign=Sign(words=2, han=3))
    share = [v["similarity"] for v in found.values() if v["drop"]]
    assert len(share) == 2
    assert all(s in (pytest.approx(197 / 201, abs=1e-6), pytest.approx(195 / 203, abs=1e-6)) for s in share)


def test_a_key_or_a_signature_may_be_missing() -> None:
    """Without a key no copy is found, without a signature no near copy is proposed; neither is an error."""
    docs = documents([text_of(A)] * 2 + [text_of(B)] * 2)
    stage, part = Dedup(), Part(1, "s", 1, 4)
    for name, copies, proposed in (("minhash", 4, 0), ("exact", 0, 4 * stage.bands)):
        whole = batch(docs, Sign())
        none = whole.set_column(whole.schema.get_field_index(name), name, pa.nulls(4, whole[name].type))
        assert len(stage.texts(none, part)) == copies
        assert len(stage.bands_of(none, part)) == proposed


def test_a_hot_key_sends_the_bands_of_one_document_a_bundle(tmp_path: Path) -> None:
    docs = [Document(text_of(A), f"{source}{n}", source=source) for source in "abcd" for n in range(300)]
    found, _ = dedup(docs, bundles=2, folder=str(tmp_path))
    assert len(names(docs, found)) == 1199
    blobs = Blobs(str(tmp_path))
    emitted = [name for name in blobs.walk("cache") if "bands_of" in name and name.endswith(".run")]
    assert sum(runs.Run(blobs, name).records for name in emitted) == 2 * 18


HOT = """
import resource, sys
import numpy as np, pyarrow as pa
from corpus.exchange import Loader, Part
from corpus.rounds import Bundle, numbered, run_rounds, settled
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
        exact = np.random.default_rng(key >> 56).integers(0, 2**63, (rows, 2)).astype(">u8") if self.mixed else ids * 0 + 1
        known = {"minhash": signatures, "id": ids, "content": ids, "exact": exact.astype(">u8")}
        known = {name: column(values, 32 if name == "minhash" else 16) for name, values in known.items()}
        known["text"] = pa.array(["same"] * rows)
        return pa.record_batch([known[n] for n in names] or [pa.nulls(rows)], names=list(names) or ["row"])

def column(values, width):
    buffers = [None, pa.py_buffer(values.tobytes())]
    return pa.FixedSizeBinaryArray.from_buffers(pa.binary(width), len(values), buffers)

def once(folder, partitions, mixed):
    parts = numbered({k * 2**57 + 5: Part(k * 2**57 + 5, "s", 1, 20_000) for k in range(partitions)})
    work = [Bundle(i, f"b{i}", tuple(parts[i * 10 : i * 10 + 10]), Same(mixed)) for i in range(-(-partitions // 10))]
    stage, blobs = Dedup(bands=2, rows=4, threshold=0.95), Blobs(folder)
    flow, counts = run_rounds(stage, blobs, work, "s", "c", lambda f, t: enumerate(map(f, t)), lambda n, c: None)
    verdicts = [columns["drop"] for b in work for _, columns in settled(stage, blobs, flow, b)]
    return counts, sum(len(drop) - drop.null_count for drop in verdicts)

folder, partitions, mixed = sys.argv[1], int(sys.argv[2]), sys.argv[3] == "mixed"
once(folder + "/small", 1, mixed)  # compile
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
counts, dropped = once(folder + "/large", partitions, mixed)
grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
print(dropped, counts["equal"], counts["screen"], counts["crowded"], grown)
"""


def hot(folder: Path, partitions: int, kind: str) -> list[int]:
    command = [sys.executable, "-c", HOT, str(folder), str(partitions), kind]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [*map(int, done.stdout.split())]


def test_three_hundred_thousand_documents_of_one_key_pass_in_fixed_memory(tmp_path: Path) -> None:
    dropped, copies, pairs, crowded, grown = hot(tmp_path, 15, "same")
    assert (dropped, copies, pairs, crowded) == (299_999, 299_999, 0, 0)
    assert grown < 9 * runs.FLUSH_BYTES  # a merge and a writer, see corpus/rounds.py


def test_a_band_of_documents_that_differ_stays_linear(tmp_path: Path) -> None:
    dropped, copies, pairs, crowded, grown = hot(tmp_path, 10, "mixed")
    assert (dropped, copies, pairs, crowded) == (0, 0, 0, 200_000)
    assert grown < 9 * runs.FLUSH_BYTES


@pytest.mark.parametrize(
    "parameters",
    [
        {"bands": 0}, {"rows": 2000}, {"threshold": 0.0}, {"threshold": 1.5}, {"threshold": float("nan")},
        {"margin": -0.1}, {"margin": 0.8}, {"words": 0}, {"han": 99},
    ],
)  # fmt: skip
def test_parameters_out_of_range(parameters: dict[str, Any]) -> None:
    with pytest.raises(RecipeError, match=rf"\.{next(iter(parameters))}: got"):
        Dedup(**parameters)


def test_signatures_too_short_for_the_bands() -> None:
    with pytest.raises(RecipeError, match="need 200 permutations, the signatures have 126"):
        dedup(documents(["one two"]), Dedup(bands=20, rows=10))


def test_the_model_reads_texts_as_the_stage_does() -> None:
    assert units("One,two 三四five!") == ["one", "two", "三", "四", "five"]
