"""Two texts side by side: what is shared is a longest common subsequence, and nothing of either text is lost."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus import sides
from corpus.sides import GAP, OWN, SAME, Piece, compare, split_words

WORDS = st.lists(st.sampled_from(["a", "b", "c", "的", ","]), max_size=14)


def longest(one: list[str], other: list[str]) -> int:
    lengths = [[0] * (len(other) + 1) for _ in range(len(one) + 1)]
    for i, a in enumerate(one):
        for j, b in enumerate(other):
            lengths[i + 1][j + 1] = lengths[i][j] + 1 if a == b else max(lengths[i][j + 1], lengths[i + 1][j])
    return lengths[-1][-1]


@given(WORDS, WORDS)
def test_what_is_shared_is_as_long_as_can_be(one: list[str], other: list[str]) -> None:
    found = sides._matches(one, other)
    assert all(one[i] == other[j] for i, j in found)
    assert all(i < k and j < m for (i, j), (k, m) in pairwise(found))
    assert len(found) == longest(one, other)


@given(WORDS, WORDS)
def test_runs_make_up_both_texts(one: list[str], other: list[str]) -> None:
    left, right = " ".join(one), "\n".join(other)
    runs = compare(left, right)
    assert "".join(word for run in runs for word in run.left) == left
    assert "".join(word for run in runs for word in run.right) == right
    assert all(a.same != b.same for a, b in pairwise(runs))
    assert all([w.strip() for w in run.left] == [w.strip() for w in run.right] for run in runs if run.same)


def test_words_and_characters() -> None:
    assert split_words("It's 3 новых, 你好！  x") == ["It", "'", "s", " 3", " новых", ",", " 你", "好", "！", "  x"]
    assert split_words(" \n") == [" \n"]


def test_differing_words_are_told() -> None:
    left, right = sides.sides("one two three four five six", "one two 3 four five six seven", 900)
    assert left == [Piece(SAME, "one two"), Piece(SAME, " "), Piece(OWN, "three"), Piece(SAME, " four five six")]
    assert [piece.text for piece in right if piece.kind == OWN] == ["3", "seven"]
    chinese = sides.sides("今天天气很好，我们去公园", "今天天气很坏，我们去公园", 900)
    assert [[piece.text for piece in side if piece.kind == OWN] for side in chinese] == [["好"], ["坏"]]


def test_a_word_that_is_equal_by_chance_does_not_count() -> None:
    left, _ = sides.sides("x1 x2 x3 the y1 y2 y3 end of it all", "z1 z2 z3 the w1 w2 w3 end of it all", 900)
    assert [piece.text for piece in left if piece.kind == OWN] == ["x1 x2 x3 the y1 y2 y3"]


def test_long_runs_are_left_out_and_sides_are_cut() -> None:
    words = [f"w{i}" for i in range(200)]
    left, right = sides.sides(" ".join(words), " ".join([*words[:100], "new", *words[100:]]), 900, around=5)
    assert [piece.kind for piece in left] == [SAME, GAP, SAME, SAME, GAP, SAME]
    assert left[0].text == "w0 w1 w2 w3 w4"
    assert left[1].left_out == len(" ".join(words[:100])) - len(" ".join(words[:5] + words[95:100]))
    assert [piece.text for piece in right if piece.kind == OWN] == ["new"]
    left, right = sides.sides("same " * 500, "same " * 500, 100)
    assert left == right
    assert [len(piece.text) for piece in left] == [100, 0]
    assert left[-1] == Piece(GAP)
    assert sides.sides("", "a", 10) == ([], [Piece(OWN, "a")])


@pytest.mark.parametrize("unit", ["a ", "a b ", "的", "x" * 300 + " ", "\x00 "])
def test_work_is_bounded_whatever_the_text(unit: str) -> None:
    left, right = sides.sides(unit * 30_000, ("b " + unit) * 30_000, 500)
    assert all(sum(len(piece.text) for piece in side) <= 500 for side in (left, right))
    assert left[-1] == right[-1] == Piece(GAP)
    assert len(split_words(unit * 30_000)) <= sides.MOST_WORDS


def test_blanks_and_control_characters() -> None:
    assert sides.clean("a\u3000b\tc\n\n\x00d\u202e") == "a b c\n\\x00d\\x202e"
