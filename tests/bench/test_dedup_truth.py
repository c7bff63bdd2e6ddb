"""The truth of the dedup benchmark: units, shingles and Jaccard, by hand; and by another way of counting."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.dedup import shingle_size
from bench.dedup.truth import HAN, WORDS, jaccard, pairs, shingles, units

HAN_TEXT = "".join(chr(code) for code in range(0x4E00, 0x4E00 + 30))
TRADITIONAL = str.maketrans("漢語體", "汉语体")


def simplify(text: str) -> str:
    return text.translate(TRADITIONAL)


def test_units_are_words_and_single_han_characters() -> None:
    assert units("The Café's 2 doors, ＡＢＣ") == ["the", "cafes", "2", "doors", "abc"]
    assert units("我用 Python3 写，代码。") == ["我", "用", "python3", "写", "代", "码"]
    assert units("漢語", simplify) == units("汉语")
    assert units("… — !") == []


def test_five_words_and_eight_characters_are_one_shingle() -> None:
    assert shingles(["a", "b", "c", "d", "e", "f"]) == {"a b c d e", "b c d e f"}
    assert len(shingles(list("一二三四五六七八九"))) == 2


def test_a_mixture_counts_in_proportion() -> None:
    # Five characters weigh 25, two words 16: together as much as five words, and the last character is needed.
    assert shingles([*"一二三四五", "x", "y"]) == {"一 二 三 四 五 x y"}
    assert shingles([*"一二三四", "x", "y", "z"]) == {"一 二 三 四 x y z"}


def test_a_short_document_is_one_shingle_and_an_empty_one_is_like_nothing() -> None:
    assert shingles(["one", "two"]) == {"one two"}
    assert shingles([]) == set()
    assert jaccard(set(), set()) == 0.0
    assert jaccard({"a", "b"}, {"b", "c"}) == pytest.approx(1 / 3)


@given(st.lists(st.sampled_from("abcdefg"), min_size=WORDS, max_size=30))
def test_words_alone_are_plain_n_grams(words: list[str]) -> None:
    expected = {" ".join(words[at : at + WORDS]) for at in range(len(words) - WORDS + 1)}
    assert shingles(words) == expected


@given(st.text(alphabet="天地人日月山水火", min_size=HAN, max_size=30))
def test_characters_alone_are_plain_n_grams(text: str) -> None:
    assert shingles(list(text)) == {" ".join(text[at : at + HAN]) for at in range(len(text) - HAN + 1)}


def test_pairs_are_all_pairs_of_a_family() -> None:
    found = pairs([("a", "one two three four five six"), ("b", "One, two - three four five six."), ("c", "else")])
    assert [(pair.one, pair.other) for pair in found] == [("a", "b"), ("a", "c"), ("b", "c")]
    assert [pair.similarity for pair in found] == [1.0, 0.0, 0.0]


def test_similarities_of_all_pairs_are_those_of_single_pairs() -> None:
    rng = random.Random(7)
    sets = [{rng.choice("abcdefghij") * 3 for _ in range(rng.randrange(8))} for _ in range(12)]
    found = shingle_size.similarities(sets)
    for at, one in enumerate(sets):
        for to, other in enumerate(sets):
            assert found[at, to] == pytest.approx(jaccard(one, other))


def test_a_longer_run_is_longer_in_both_languages() -> None:
    words, han = [f"w{n}" for n in range(20)], list(HAN_TEXT)
    assert len(shingle_size.run_sets(words, "en", 7)) == 14
    assert len(shingle_size.run_sets(han, "zh", 13)) == len(han) - 12
