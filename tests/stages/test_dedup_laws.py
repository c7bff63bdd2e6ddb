"""Laws of dedup against brute force over all pairs: the same verdicts, by id, however documents are ordered and cut."""

import random
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from dedup_truth import (
    Document,
    Found,
    brute_force,
    check_evidence,
    dedup,
    differences,
    documents,
    edited,
    jaccard,
    rank,
    shingles,
    text_of,
    tokens,
    units,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus import rounds, runs
from stages import leaders, near, near_records, shingle_sets
from stages.dedup import Dedup
from stages.shingle_sets import CHUNK

PLAIN = Dedup(templates=False, quality="q")
SHORT = ["", "...", "!!!", "，。", "one two", "One, two!", "two one", "one two three", "三字", "三字。", "字三"]


def corpus(seed: int, families: int = 10, copies: int = 7) -> list[Document]:
    """Families of an original and copies of copies, in both languages: 1 edit leaves a similarity of 0.93 at least, so
    a family is always proposed as one, while similarities inside it pass the threshold in both directions."""
    rng = random.Random(seed)
    docs = []
    for _ in range(families):
        language = rng.choice(["en", "zh"])
        size = rng.choice([20, 160, 300])
        made = [tokens(rng, size, language)]
        for _ in range(rng.randrange(copies)):
            source = rng.choice(made[-3:])
            made.append(edited(rng, source, rng.choice([0, 1, 2, 3]) if size > 100 else 0, language))
        for one in made:
            text = text_of(one, language)
            docs.append(
                Document(
                    rng.choice([text, text.upper() + "!", text]),
                    f"{seed}-{len(docs)}",
                    source=rng.choice("ab"),
                    priority=rng.randrange(1, 3),
                    quality=rng.choice([None, float("nan"), 0.0, -0.0, 0.5, 0.5, -1.0, float("inf"), float("-inf")]),
                )
            )
    docs += documents(SHORT, f"{seed}-short-")
    rng.shuffle(docs)
    return docs


@pytest.mark.parametrize("seed", range(14))
def test_the_verdicts_of_brute_force(seed: int) -> None:
    docs = corpus(seed)
    found, counts = dedup(docs, PLAIN, rows=[1, 5, 1000][seed % 3], bundles=1 + seed % 4, seed=seed)
    assert differences(found, brute_force(docs)) == []
    check_evidence(docs, found)
    relations = [verdict["relation"] for verdict in found.values()]
    assert {"exact", "near"} <= set(relations)
    assert counts["apart"] == relations.count("apart")
    assert counts["templates"] == counts["evicted"] == 0


def test_brute_force_knows_apart_documents() -> None:
    """The corpora of the test above do have chains."""
    relations = [v["relation"] for seed in range(14) for v in brute_force(corpus(seed)).values()]
    assert relations.count("apart") > 5
    assert relations.count("near") > 100


@settings(deadline=None, max_examples=8)
@given(st.integers(0, 1000), st.randoms(use_true_random=False), st.integers(1, 40), st.integers(1, 9), st.booleans())
def test_order_and_cut_do_not_decide(seed: int, rng: random.Random, rows: int, bundles: int, templates: bool) -> None:
    """Also with pages of a template among the documents."""
    stage = Dedup(templates=templates, quality="q")
    docs = corpus(seed, 5, 5)
    frame = tokens(rng, 150)
    docs += documents([text_of(frame + tokens(rng, 12)) for _ in range(8)], "page")
    wanted, counts = dedup(docs, stage)
    shuffled = list(docs)
    rng.shuffle(shuffled)
    found, others = dedup(shuffled, stage, rows, bundles, rng.randrange(100))
    assert found == wanted
    assert stage.summary(counts, 0) == stage.summary(others, 0)


@pytest.mark.parametrize("seed", range(3))
def test_ranges_flushes_blocks_and_levels_do_not_show(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    docs = corpus(seed, 12)
    wanted, _ = dedup(docs, PLAIN)
    monkeypatch.setattr(rounds, "RANGE_BYTES", 3000)
    monkeypatch.setattr(rounds, "_PIECE", 3)
    monkeypatch.setattr(runs, "FLUSH_BYTES", 4000)
    monkeypatch.setattr(runs, "FAN_IN", 4)
    monkeypatch.setattr(runs, "BLOCK_BYTES", 700)
    monkeypatch.setattr(runs, "MERGE_BYTES", 4000)
    monkeypatch.setattr(near, "_SHIP_ROWS", 2)
    assert dedup(docs, PLAIN, 9, 5, seed)[0] == wanted


def big_family(templates: bool) -> list[Document]:
    """60 copies of one text of 200 words, each with an edit of its own, or with 14 words of its own."""
    rng = random.Random(3)
    base = tokens(rng, 200)
    made = [base + tokens(rng, 14) if templates else edited(rng, base, 1) for _ in range(60)]
    made += [edited(rng, one, 1) for one in made[:20]]
    return documents([text_of(one) for one in made]) + corpus(5, 6)


@pytest.mark.parametrize("templates", [False, True])
def test_tiles_are_cut_by_the_family_not_by_blocks(templates: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    docs = big_family(templates)
    tile = 16 * CHUNK * 7  # about 16 documents
    whole, _ = dedup(docs, Dedup(templates=templates, quality="q"))
    monkeypatch.setattr(near_records, "TILE_HASHES", tile)
    monkeypatch.setattr(leaders, "TILE_HASHES", tile)
    one, counts = dedup(docs, Dedup(templates=templates, quality="q"))
    check_evidence(docs, one)
    assert (counts["evicted"] > 0) == templates  # 60 pages that stay do not fit, one original does
    if not templates:
        kept = {name for name, verdict in whole.items() if not verdict["drop"]}
        assert kept == {name for name, verdict in one.items() if not verdict["drop"]}
    monkeypatch.setattr(runs, "BLOCK_BYTES", 2000)
    monkeypatch.setattr(runs, "MERGE_BYTES", 5000)
    monkeypatch.setattr(runs, "FLUSH_BYTES", 9000)
    assert dedup(docs, Dedup(templates=templates, quality="q"), 7, 3)[0] == one


@pytest.mark.parametrize("most", [1, 5, 9])
@pytest.mark.parametrize("step", [1, 2, 3, 8, 1000])
def test_a_tile_holds_whole_sets_of_one_family_or_whole_families(
    most: int, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = random.Random(most)
    monkeypatch.setattr(near_records, "TILE_HASHES", (most + 3) * CHUNK)
    rows = [
        (key, doc, part)
        for key in range(12)
        for doc in range(rng.choice([1, 2, 3, 15, 40]))
        for part in range(rng.randrange(1, 4))
    ]
    records = np.zeros(len(rows), np.dtype(list(near_records.SETS)))
    records["key"], records["doc"], records["part"] = np.array(rows).T
    tiles = list(near_records.tiles(iter([records[at : at + step] for at in range(0, len(rows), step)])))
    assert [tuple(r) for t, _ in tiles for r in t[["key", "doc", "part"]].tolist()] == rows
    assert all(t["part"][0] == 0 for t, _ in tiles)
    cut = [(t["key"][-1], t["doc"][-1]) for t, more in tiles if more]
    assert all(len(t) <= most + 3 and len(set(t["key"].tolist())) == 1 for t, more in tiles if more)
    assert all(t["key"][-1] != after["key"][0] or more for (t, more), (after, _) in pairwise(tiles))
    whole = list(near_records.tiles(iter([records])))
    assert cut == [(t["key"][-1], t["doc"][-1]) for t, more in whole if more]


def test_recall_is_that_of_the_bands() -> None:
    """Pairs of similarity 0.80 to 0.9 in both languages, each alone in the corpus: found with 1 - (1 - s**7)**18."""
    rng = random.Random(11)
    pairs = []
    while len(pairs) < 500:
        language = rng.choice(["en", "zh"])
        one = tokens(rng, rng.randrange(150, 400), language)
        other = edited(rng, one, round(len(one) * rng.uniform(0.005, 0.026)), language)
        texts = text_of(one, language), text_of(other, language)
        share = jaccard(*map(shingles, texts))
        if 0.8 <= share < 0.9:
            pairs.append((share, documents(texts, f"{len(pairs)}-")))
    found, _ = dedup([doc for _, pair in pairs for doc in pair], Dedup())
    caught = [sum(found[doc.id]["drop"] is not None for doc in pair) for _, pair in pairs]
    assert set(caught) <= {0, 1}
    chance = np.array([1 - (1 - share**7) ** 18 for share, _ in pairs])
    deviation = np.sqrt((chance * (1 - chance)).sum())
    assert sum(caught) > chance.sum() - 4 * deviation - 2  # 2: signatures that miss the margin, one pair in 400 at 0.8
    assert sum(caught) > 0.97 * len(pairs)


@pytest.mark.parametrize("seed", range(3))
def test_documents_that_stand_stay_and_lead(seed: int) -> None:
    """Standing documents outrank every other, and nothing is decided about them, whatever their priority."""
    rng = random.Random(seed)
    docs = [doc for doc in corpus(seed) if units(doc.text)]
    texts: set[tuple[str, ...]] = set()
    mixed = []
    for doc in docs:
        stands = tuple(units(doc.text)) not in texts and rng.random() < 0.4
        texts |= {tuple(units(doc.text))} if stands else set()
        mixed.append(doc._replace(standing=stands, priority=9 if stands else doc.priority))
    found, _ = dedup(mixed, PLAIN, rows=9, bundles=3)
    assert differences(found, brute_force(mixed)) == []
    assert not any(found[doc.id]["drop"] for doc in mixed if doc.standing)
    by_id = {doc.id: doc for doc in mixed}
    assert any(by_id[v["partner"]].standing for v in found.values() if v["drop"])


def test_sets_that_are_thinned_give_nearly_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 256 hashes at most, the standard error is below 3.2%."""
    rng = random.Random(2)
    texts = []
    for _ in range(40):
        base = tokens(rng, rng.choice([240, 1500]))
        texts += [text_of(base), text_of(edited(rng, base, len(base) // 100))]
    docs = documents(texts)
    wanted, _ = dedup(docs)
    monkeypatch.setattr(shingle_sets, "MOST", 256)
    found, _ = dedup(docs, rows=13, bundles=2)
    errors = _similarities(found, docs) - _similarities(wanted, docs)
    long = np.array([len(units(doc.text)) > 260 for doc in docs])
    assert not errors[~long].any()
    assert 0 < np.abs(errors[long]).max() < 4.5 / (2 * 256**0.5)
    assert [v["drop"] for v in found.values()].count(None) == 40


def _similarities(found: Found, docs: Sequence[Document]) -> np.ndarray:
    return np.array([found[doc.id]["similarity"] or 0.0 for doc in docs])


def test_ranks_of_the_model() -> None:
    """Priority before quality, quality before content, nothing and not a number last."""
    a = Document("text", "a")
    order = [
        a._replace(priority=0, quality=None),
        *(a._replace(quality=q) for q in (float("inf"), 1.0, 0.0, -1.0, float("-inf"), None)),
    ]
    backwards = order[::-1]
    assert sorted(backwards, key=rank) == order
