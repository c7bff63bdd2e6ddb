"""Held out: the same documents however they are cut, nothing in training like one of them, and no cluster lost to it."""

import random
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import rounds
from dedup_truth import Document, batch, dedup, documents, edited, jaccard, shingles, text_of, tokens, units
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.errors import RecipeError
from corpus.split import is_heldout
from stages.dedup import Dedup
from stages.heldout import Heldout
from stages.sign import Sign

Verdicts = dict[bytes, dict[str, Any]]
PLAIN = Heldout(share=0.2, templates=False)


def hold_out(
    docs: Sequence[Document], stage: Heldout = PLAIN, rows: int = 1 << 20, bundles: int = 1, seed: int = 0
) -> tuple[Verdicts, dict[str, int]]:
    """Those of `docs` that stand are of a list. -> verdict of each of the others, by id; counts"""
    batches, standing, members = [], set(), []
    for listed in (False, True):
        own = [doc for doc in docs if doc.standing == listed]
        for begin in range(0, len(own), rows):
            standing |= {len(batches)} if listed else set()
            members.append(own[begin : begin + rows])
            batches.append(("s", 1, batch(members[-1], Sign())))
    found, counts = rounds.run(stage, batches, bundles, seed, standing=standing)
    verdicts = {
        doc.id: {name: values[at] for name, values in columns.items()}
        for n, (own, columns) in enumerate(zip(members, found, strict=True))
        for at, doc in enumerate(own)
        if n not in standing
    }
    return verdicts, counts


def corpus(seed: int, families: int = 12) -> list[Document]:
    """Texts of 40 to 160 units in two languages, each with near copies of falling similarity and an upper-case copy."""
    rng = random.Random(seed)
    texts = []
    for n in range(families):
        language = "zh" if n % 3 == 0 else "en"
        base = tokens(rng, rng.randrange(40, 160), language)
        texts.append(text_of(base, language))
        texts += [text_of(edited(rng, base, edits, language), language) for edits in (1, 2, 5) for _ in range(2)]
        texts.append(texts[-7].upper() + ".")
    return documents(texts)


def check(docs: Sequence[Document], found: Verdicts, threshold: float, sure: float = 1.0) -> None:
    """Who leaves is like a held-out document by count of shingles; of those that are, `sure` leave."""
    by_id = {doc.id: doc for doc in docs}
    held = [doc for doc in docs if doc.standing or found[doc.id]["split"] == "heldout"]
    alike, left = 0, 0
    for doc in docs:
        if doc.standing:
            continue
        verdict = found[doc.id]
        if verdict["split"] == "heldout":
            assert verdict["drop"] is None
            assert verdict["partner"] is None
            continue
        sets = shingles(doc.text)
        most = max((jaccard(sets, shingles(other.text)) for other in held), default=0.0)
        alike += most >= threshold
        left += verdict["drop"] is not None
        if verdict["drop"] is None:
            assert verdict["detail"] is None
            continue
        partner = by_id[verdict["partner"]]
        assert partner in held
        assert verdict["drop"] == "like_heldout"
        assert verdict["similarity"] == pytest.approx(jaccard(sets, shingles(partner.text)), abs=1e-6)
        assert verdict["similarity"] >= threshold
        assert verdict["detail"] == f"{verdict['similarity']:.4f} of {partner.id.hex()}"
        assert verdict["relation"] == ("exact" if units(doc.text) == units(partner.text) else "near")
    assert left <= alike
    assert left >= sure * alike


def test_near_copies_of_what_is_held_out_leave_and_others_stay() -> None:
    docs = corpus(1, 40)
    found, counts = hold_out(docs)
    check(docs, found, PLAIN.threshold, 0.98)
    dropped = sum(one["drop"] is not None for one in found.values())
    kept = sum(one["drop"] is None and one["split"] == "train" for one in found.values())
    assert dropped > 30 < kept
    summary = PLAIN.summary(counts | {"heldout": 3}, dropped)
    assert summary["dropped"] == dropped
    assert summary["copies"] > 0


def test_training_documents_are_not_compared_with_each_other() -> None:
    docs = corpus(2, 10)
    found, _ = hold_out(docs, Heldout(share=0.0))
    assert {one["drop"] for one in found.values()} == {None}
    assert {one["split"] for one in found.values()} == {"train"}
    found, _ = hold_out(docs, Heldout(share=1 - 2**-40))
    assert {one["split"] for one in found.values()} == {"heldout"}
    assert {one["partner"] for one in found.values()} == {None}


@settings(deadline=None, max_examples=8)
@given(st.integers(0, 1000), st.randoms(use_true_random=False), st.integers(1, 40), st.integers(1, 9), st.booleans())
def test_order_and_cut_do_not_decide(seed: int, rng: random.Random, rows: int, bundles: int, templates: bool) -> None:
    stage = Heldout(share=0.2, templates=templates)
    docs = corpus(seed, 5)
    listed = [doc._replace(standing=True, name=f"old {doc.name}") for doc in corpus(seed, 6)[-20:]]
    wanted, counts = hold_out([*docs, *listed], stage)
    shuffled = [*docs, *listed]
    rng.shuffle(shuffled)
    found, others = hold_out(shuffled, stage, rows, bundles, rng.randrange(100))
    assert found == wanted
    assert stage.summary(counts, 0) == stage.summary(others, 0)


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0, 0.9), st.floats(0, 0.9))
def test_a_larger_share_holds_out_what_a_smaller_one_does(seed: int, one: float, other: float) -> None:
    content = batch(corpus(3, 3), Sign())["content"]
    low, high = (is_heldout(content, seed, share) for share in sorted((one, other)))
    assert not (low & ~high).any()


def test_the_share_is_met_and_follows_the_seed() -> None:
    content = batch(documents([f"a text of its own {n}" for n in range(20_000)]), Sign())["content"]
    chosen = is_heldout(content, 0, 0.01)
    again = is_heldout(content.take(pa.array([*range(20_000), *range(20_000)])), 0, 0.01)
    assert np.array_equal(again, np.tile(chosen, 2))  # by content alone
    assert 150 < chosen.sum() < 250  # 200, a standard deviation of 14
    assert (chosen & is_heldout(content, 1, 0.01)).sum() < 20


def test_what_was_held_out_once_is_held_out_again_and_what_is_like_it_leaves() -> None:
    """Also near copies that came later, copies in other letters, and near copies that dedup chose instead of it."""
    rng = random.Random(8)
    base = tokens(rng, 150)
    old = Document(text_of(base), "old", standing=True)
    again = Document(old.text, "again")
    later = Document(text_of(edited(rng, base, 2)), "later")
    louder = Document(old.text.upper(), "louder")
    other = Document(text_of(tokens(rng, 150)), "other")
    found, _ = hold_out([old, again, later, louder, other], Heldout(share=0.0))
    assert [found[doc.id]["split"] for doc in (again, later, louder, other)] == ["heldout", "train", "train", "train"]
    assert [found[doc.id]["drop"] for doc in (again, later, louder, other)] == [
        None, "like_heldout", "like_heldout", None,
    ]  # fmt: skip
    assert found[later.id]["partner"] == old.id
    assert found[louder.id]["relation"] == "exact"
    found, _ = hold_out([old, later], Heldout(share=0.0))  # the document itself is gone
    assert found[later.id]["drop"] == "like_heldout"


def test_a_copy_of_a_near_copy_leaves_too() -> None:
    """Where dedup had a narrower scope: banding proposes one of the copies, the others follow it."""
    rng = random.Random(5)
    base = tokens(rng, 150)
    near = text_of(edited(rng, base, 1))
    docs = [Document(text_of(base), "old", standing=True), *(Document(near, f"n{n}") for n in range(5))]
    for rows in (1, 2, 9):
        found, _ = hold_out(docs, Heldout(share=0.0), rows)
        assert [found[doc.id]["drop"] for doc in docs[1:]] == ["like_heldout"] * 5
        assert {found[doc.id]["similarity"] for doc in docs[1:]} == {found[docs[1].id]["similarity"]}


def test_clusters_of_a_hundred_stay_in_training() -> None:
    """Near copies: dedup leaves one of each, so 10% of clusters are lost at a share of 10%, not 1 - 0.9**100. Pages of
    a template stay after dedup, and no page takes the others with it."""
    rng = random.Random(4)
    docs, stage = [], Heldout(share=0.1)
    for n in range(40):
        base = tokens(rng, 120)
        docs += documents([text_of(edited(rng, base, 1)) for _ in range(30)], f"c{n}-")
    frame = tokens(rng, 200)
    pages = documents([text_of(frame + tokens(rng, 20)) for _ in range(100)], "page")
    deduped = dedup([*docs, *pages], Dedup())[0]
    kept = [doc for doc in [*docs, *pages] if deduped[doc.id]["drop"] is None]
    clusters = [doc for doc in kept if doc not in pages]
    assert len(clusters) < 60
    found, _ = hold_out(kept, stage)
    lost = [doc for doc in clusters if found[doc.id]["split"] == "heldout" or found[doc.id]["drop"]]
    assert len(lost) < 0.3 * len(clusters)
    of_pages = [found[doc.id] for doc in kept if doc in pages]
    assert len(of_pages) > 90
    assert sum(one["split"] == "heldout" for one in of_pages) > 2
    assert not any(one["drop"] for one in of_pages)
    assert sum(one["relation"] == "template" for one in of_pages) > 50
    before = hold_out([*docs, *pages], stage)[0]  # what splitting before dedup would cost
    gone = {doc.name.split("-")[0] for doc in docs} - {
        doc.name.split("-")[0] for doc in docs if before[doc.id]["split"] == "train" and not before[doc.id]["drop"]
    }
    assert len(gone) > 30


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"share": 1.0}, r"\.share: got 1\.0"),
        ({"share": -0.1}, r"\.share: got -0\.1"),
        ({"seed": -1}, r"\.seed: got -1"),
        ({"threshold": 0.0}, r"\.threshold: got 0\.0"),
        ({"max_dropped_share": 2.0}, r"\.max_dropped_share: got 2\.0"),
    ],
)
def test_parameters_out_of_range(values: dict[str, Any], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        Heldout(**values)
