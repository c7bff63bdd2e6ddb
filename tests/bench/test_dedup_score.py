"""Scores of the dedup benchmark, on families small enough to count by hand."""

import pytest

from bench.dedup.score import Verdict, bin_of, misses, score, wilson

DOCUMENTS = [
    ["a0", "edit", "a", "original"],
    ["a1", "edit", "a", "copy"],
    ["b0", "edit", "b", "original"],
    ["b1", "edit", "b", "copy"],
    ["c0", "blocks", "c", "original"],
    ["c1", "blocks", "c", "copy"],
    ["p1", "template-5", "t/0", "original"],
    ["p2", "template-5", "t/1", "original"],
    ["s", "short", "s/0", "original"],
]
PAIRS = [("a0", "a1", 0.83), ("b0", "b1", 0.96), ("c0", "c1", 0.72)]
KEPT = {name: Verdict(True, None) for name, *_ in DOCUMENTS}


def test_wilson_by_an_independent_figure() -> None:
    # Newcombe (1998), table I: 81 of 263 is 0.3080 with 0.2553 to 0.3662.
    share = wilson(81, 263)
    assert (share.value, share.low, share.high) == pytest.approx((0.3080, 0.2553, 0.3662), abs=5e-5)
    assert wilson(0, 0).value is None
    assert wilson(10, 10).high == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("similarity", "name"),
    [(0.69, None), (0.7, "0.70-0.75"), (0.7999, "0.75-0.80"), (0.8, "0.80-0.85"), (0.999, "0.95-1.00"), (1.0, "1.00")],
)
def test_bins_are_closed_below(similarity: float, name: str | None) -> None:
    assert bin_of(similarity) == name


def test_nothing_found_and_nothing_removed() -> None:
    one = score(DOCUMENTS, PAIRS, KEPT)
    assert one["at_0.80"]["found"]["value"] == 0
    assert one["from_0.85"]["found"]["total"] == 1
    assert one["removals"]["precision"]["value"] is None
    assert [m["what"] for m in misses(DOCUMENTS, PAIRS, KEPT)] == ["missed", "missed"]


def test_a_perfect_system() -> None:
    found = KEPT | {"a0": Verdict(True, "A"), "a1": Verdict(False, "A")}
    found |= {"b0": Verdict(False, "B"), "b1": Verdict(True, "B")}
    one = score(DOCUMENTS, PAIRS, found)
    assert one["at_0.80"]["found"]["value"] == one["from_0.85"]["found"]["value"] == 1
    assert one["removals"]["precision"]["value"] == 1
    assert one["pages_removed"] == one["unrelated_removed"] == 0
    assert one["kinds"]["edit"]["found"]["total"] == 2
    assert misses(DOCUMENTS, PAIRS, found) == []


def test_what_is_lost_is_counted_by_kind() -> None:
    gone = Verdict(False, "X")
    one = score(DOCUMENTS, PAIRS, KEPT | {"p2": gone, "s": gone, "c1": gone, "a0": gone, "a1": gone})
    assert one["template_pages_removed"] == 1
    assert one["unrelated_removed"] == 1
    assert one["kinds"]["blocks"]["below"] == 1  # its only relative is at 0.72
    assert one["kinds"]["edit"]["orphaned"] == 2  # both of a pair: each was right, had the other stayed
    assert one["kinds"]["short"]["lost"] == 1
    assert (one["removals"]["precision"]["hits"], one["removals"]["precision"]["total"]) == (0, 5)
    assert one["precision_any"]["hits"] == 2
    assert one["precision_less_free"]["total"] == 4


def test_found_is_not_resolved() -> None:
    one = score(DOCUMENTS, PAIRS, KEPT | {"a0": Verdict(True, "A"), "a1": Verdict(True, "A")})
    assert one["at_0.80"]["found"]["value"] == 1
    assert one["at_0.80"]["resolved"]["value"] == 0
    one = score(DOCUMENTS, PAIRS, KEPT | {"a1": Verdict(False, None)})
    assert one["at_0.80"]["found"]["value"] == 0
    assert one["at_0.80"]["resolved"]["value"] == 1


def test_copies_left_are_survivors_beside_a_twin() -> None:
    documents = [[name, "sites", "f", "copy" if name != "f0" else "original"] for name in ("f0", "f1", "f2")]
    chain = [("f0", "f1", 0.9), ("f1", "f2", 0.9), ("f0", "f2", 0.7)]
    kept = {name: Verdict(True, None) for name, *_ in documents}
    assert score(documents, chain, kept)["removals"]["left"] == 1  # f1, beside f0; f2 has no twin but f1
    assert score(documents, chain, kept | {"f1": Verdict(False, "F")})["removals"]["left"] == 0
    assert score(DOCUMENTS, PAIRS, KEPT)["kinds"]["edit"]["left"] == 2


def test_free_pairs_and_families_stay_out_of_the_bins_that_count() -> None:
    documents = [["f0", "family-100", "f", "original"], ["f1", "family-100", "f", "copy"]]
    one = score(
        DOCUMENTS + documents, [*PAIRS, ("f0", "f1", 0.82)], KEPT | dict.fromkeys(("f0", "f1"), Verdict(True, "F"))
    )
    assert one["at_0.80"]["found"]["total"] == 1
    assert one["kinds"]["family-100"]["found"]["hits"] == 1
    assert one["bins"]["0.70-0.75"]["found"]["total"] == 1
    assert one["kinds"]["blocks"]["free_pairs"] == 1


def test_a_document_that_never_reached_dedup_counts_nowhere() -> None:
    seen = {name: verdict for name, verdict in KEPT.items() if name != "a1"}
    one = score(DOCUMENTS, PAIRS, seen)
    assert (one["unseen"], one["unseen_pairs"]) == (1, 1)
    assert one["at_0.80"]["found"]["total"] == 0
