"""The studies of rules: datatrove's formulae by hand, our units in Python, verdicts that are compared."""

import re
from collections import Counter
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.rules import adjusted, agreement, packs, units
from bench.rules.chinese import CHINESE
from bench.rules.formulae import ENGLISH, Peer, Rule, values
from stages.judge import Judge
from stages.packs import PACKS, read
from stages.signals import SIGNALS, Signals


def twice(parts: list[str]) -> tuple[int, int]:
    again = [part for at, part in enumerate(parts) if part in parts[:at]]
    return len(again), sum(map(len, again))


def over(words: list[str], n: int) -> int:
    met, at, total = set(), 0, 0
    while at + n <= len(words):
        gram = "".join(words[at : at + n])
        total += len(gram) * (gram in met)
        at += n if gram in met else 1
        met.add(gram)
    return total


PEER = Peer(
    twice, lambda grams: max(len(gram) * times for gram, times in Counter(grams).most_common(1)), over,
    lambda words, n: [" ".join(words[at : at + n]) for at in range(len(words) - n + 1)],
    re.compile("\n{2,}").split, re.compile("\n+").split, lambda line: re.sub(r"\[\d*]", "", line),
    set(".,-!?#…{}"), (".", "!", "?"), ("privacy policy",), ("the", "be", "to"),
)  # fmt: skip


def told(text: str) -> dict[str, float]:
    return values(text, re.findall(r"\w+|\.{3}|[^\w\s]", text), lambda number, line: line.count("."), PEER)


@pytest.mark.parametrize(
    ("text", "rule", "value"),
    [
        ("the cat # sat.", "words", 3),
        ("the cat # sat.", "mean_word", 3),
        ("the cat # sat.", "hash", 1 / 5),
        ("to be... the end…", "ellipsis", 2 / 6),
        ("- one\n  • two\nthree\n\n", "bullet_lines", 2 / 4),
        ("one...\ntwo… \nthree", "ellipsis_lines", 2 / 3),
        ("the 9 lives !", "alpha_words", 2 / 4),
        ("To be, to be", "stop_words", 2),
        ("a b\n\na b\n\nc", "dup_para", 1 / 3),
        ("a b\n\na b\n\nc", "dup_para_char", 3 / 11),
        ("same\nother\nsame\n", "dup_line", 1 / 4),
        ("same\nother\nsame\n", "dup_line_char", 4 / 16),
        ("new york or new york", "top_2", 16 / 20),
        ("once only", "top_2", 9 / 9),
        ("a b c d e a b c d e", "dup_5", 5 / 19),
        ("a b c d e a b c d e", "dup_6", 0),
        ("two words\nthree words here.\nno end of this", "c4_sentences", 1),
        ("two words\nthree words here.\nno end of this.[1]", "c4_sentences", 2),
        ("three words here. \nour privacy policy is.", "c4_any_sentences", 1),
        ("see { me here", "c4_brace", 0),
        ("see { me here", "c4_any_brace", 1),
        ("some lorem ipsum dolor.", "c4_lorem", 1),
        ("some of " + "x" * 1001 + " words.", "c4_sentences", 0),
        ("a\nbb \nccc\ndddd", "third_line", 3),
        ("a\nb", "third_line", 0),
        ("one.\ntwo. \n\nthree", "line_punct", 1 / 3),
        ("x" * 30 + "\n" + "y" * 31, "short_line", 1 / 2),
        ("ab\nab\nc", "char_dup", 2 / 5),
        ("a b\nc\n", "line_feeds", 2 / 3),
    ],
)
def test_formulae_by_hand(text: str, rule: str, value: float) -> None:
    assert told(text)[rule] == pytest.approx(value)


def test_every_rule_has_a_value_and_a_column() -> None:
    found = told("A text, of a few words.")
    for rule in (*ENGLISH, *CHINESE):
        assert rule.name in found
        assert rule.ours in SIGNALS or not rule.ours
    assert told("") == dict.fromkeys(found, 0)


def test_a_rule_breaks_beyond_its_threshold_alone() -> None:
    least, most = Rule("words", "gopher", "min", 50, "words"), Rule("hash", "gopher", "max", 0.1, "hash_per_word")
    assert (least.breaks(49), least.breaks(50), most.breaks(0.1), most.breaks(0.11)) == (True, False, False, True)


def test_units_are_those_of_the_walk() -> None:
    texts = ["Don't stop, U.S. firm -- wait...", "", "用iPhone拍\u200b的。", " naïve\u00a0café "]
    found = units.words(texts)
    assert found == [
        ["Don", "'t", "stop", ",", "U.S.", "firm", "--", "wait", "..."], [], ["用", "iPhone", "拍", "的", "。"],
        ["naïve", "café"],
    ]  # fmt: skip
    assert units.sentences(["One. Two! three", "", "一。二"]) == [3, 0, 2]


@given(st.lists(st.text(max_size=30), max_size=4))
def test_units_hold_every_visible_character_once(texts: list[str]) -> None:
    alone = [units.words([text])[0] for text in texts]
    assert units.words(texts) == alone
    for text, own in zip(texts, alone, strict=True):
        seen = [char for char in text if units.kind(ord(char)) not in units.UNSEEN]
        assert "".join(own) == "".join(seen)
        assert all(own)


PIECES = (
    "...",
    "the cat ",
    "sat. ",
    "the cat sat. ",
    " ",
    "\n",
    "\n",
    "\n\n",
    "  \t",
    "- ",
    "* ",
    "…",
    "{",
    "}",
    "#",
    "$ ",
    "x" * 31,
)


@given(st.lists(st.sampled_from(PIECES), max_size=30).map("".join))
def test_what_differs_is_what_the_page_says(text: str) -> None:
    """With these differences taken out, datatrove's formulae on our units give our signals."""
    ours = agreement.measured([text])
    [words] = units.words([text])
    left = {**values(text, words, lambda number, line: 0, PEER), **adjusted.values(text, words)}
    for rule in ENGLISH:
        if "sentences" not in rule.name and "lorem" not in rule.name:
            assert abs(left[rule.name] - ours[rule.ours][0]) <= agreement.STEP / 2 + 1e-9, rule.name


def test_compared_counts_verdicts_and_values() -> None:
    rule = Rule("x", "f", "max", 0.5, "y")
    row = agreement.compared(np.array([0.6, 0.6, 0.1, 0.1]), np.array([0.7, 0.1, 0.9, 0.1 + 1e-5]), rule)
    assert (row["both"], row["only_theirs"], row["only_ours"], row["agreement"], row["same"]) == (1, 1, 1, 0.5, 0.25)
    assert agreement.compared(np.zeros(2), np.ones(2), rule)["correlation"] is None


def test_breaks_are_those_of_the_judge() -> None:
    texts = ["短文。" * n for n in (1, 4, 40)] + ["# " * 30, "首页\n" * 20, "123 456 789 1011 1213"]
    signals = dict(Signals().apply(pa.record_batch({"text": pa.array(texts, pa.string())}), None))
    plain, trimmed = packs.measured(texts)
    assert plain.keys() == signals.keys() < trimmed.keys()
    for name in ("zh", "map-cc", "en", "gopher"):
        columns = signals | {"lang": pa.array([PACKS[name].languages[0]] * len(texts))}
        judge = Judge(packs=(name,))
        judged = judge.apply(pa.record_batch({key: columns[key] for key in judge.reads}), None)
        broken = packs.breaks(plain, PACKS[name])
        assert np.sum(list(broken.values()), axis=0).tolist() == judged["rules_broken"].to_pylist()


def test_where_says_whom_a_rule_is_asked_of() -> None:
    pack = read(
        {"rule": [{"signal": "x", "min": 3, "where": {"signal": "y", "max": 1}}, {"signal": "other", "max": 1}]}
    )
    found = packs.breaks({"x": np.array([2, 2, 3]), "y": np.array([1, 2, 1])}, pack)
    assert {name: broken.tolist() for name, broken in found.items()} == {"min_x": [True, False, False]}


def test_kinds_of_bad_page_weigh_the_same() -> None:
    rows = [{"side": "bad", "name": name, "share": share} for name, share in (("a", 1.0), ("a", 0.0), ("b", 0.0))]
    assert packs.bad_share([*rows, {"side": "good", "name": "c", "share": 1.0}], lambda row: row["share"]) == 0.25


def test_batches_hold_every_text() -> None:
    texts = ["x" * 1_500_000] * 7
    cut = list(packs._batches(texts))
    assert [len(some) for some in cut] == [3, 3, 1]
    assert all(a is b for some in cut for a, b in pairwise(some))
