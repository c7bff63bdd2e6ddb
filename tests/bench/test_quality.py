"""Bad pages are made from good texts alone; the study parts sources; a page tells every figure."""

import math
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from bench.quality import bad, page, scorers, sets, study, training

CHINESE = [
    f"{place}的港口很安静，夜里归来的船只沿着堤岸停下。卖面包的妇人提着篮子从镇上走下来，她叫得出大多数船员的名字。到了中午，"
    f"风向变了，没有人再提起当天出海的事。{place}的人们都回到家里，等着第二天的早晨，窗外下着小雨。"
    for place in ("北方", "南边", "东岸")
]
ENGLISH = [
    f"The harbour of {place} was quiet in the morning, and the boats that had come in during the night lay along the wall. "
    "A woman who sold bread to the crews walked down from the town with her basket.\nBy noon the wind had turned."
    for place in ("Leith", "Whitby")
]


def test_each_text_gives_a_page_of_each_kind() -> None:
    pages = list(bad.bad_pages([*CHINESE, *ENGLISH, "short"]))
    assert Counter(kind for kind, _ in pages) == dict.fromkeys(bad.KINDS, 5)
    assert not {page for _, page in pages} & {*CHINESE, *ENGLISH}
    assert [kind for kind, _ in bad.bad_pages(CHINESE[:1], ["menu", "seo"])] == ["menu", "seo"]
    for kind, made in pages:
        assert 50 <= len(made) <= 3 * bad.MOST_CHARS, kind


def test_a_page_depends_on_its_text_alone() -> None:
    alone = {page for text in CHINESE for _, page in bad.bad_pages([text])}
    assert alone == {page for _, page in bad.bad_pages(CHINESE[::-1])}


@pytest.mark.parametrize("text", [CHINESE[0], ENGLISH[0]])
def test_shuffled_pages_have_the_words_of_their_text(text: str) -> None:
    made = dict(bad.bad_pages([text], ["shuffled"]))["shuffled"]
    assert Counter(made.replace(" ", "")) == Counter("".join(text.split()))


def test_mojibake_has_lost_its_words() -> None:
    for text in (*CHINESE, *ENGLISH):
        made = dict(bad.bad_pages([text], ["mojibake"]))["mojibake"]
        assert not any(word in made for word in ("港口", "harbour", "quiet"))


def test_folds_part_the_sources() -> None:
    first, second = sets.folds(["b", "d", "a", "c", "e"])
    assert (first, second) == (["a", "c", "e"], ["b", "d"])


def test_a_classifier_of_the_study_tells_pages_from_texts(tmp_path: Path) -> None:
    # The words of a text are its own; only the frame is the same.
    names = [a + b + c for a in "bdfgk" for b in "aeiou" for c in "mnrst"]
    texts = [f"{text} {name} {name[::-1]}{name}." for text in ENGLISH for name in names]
    learned, apart = {"one": texts[0::2]}, {"two": texts[1::2]}
    made = {name: study._made(own) for name, own in (learned | apart).items()}
    card = training.train(
        tmp_path, study._examples(["one"], learned, made), study._examples(["two"], apart, made), "epochs = 3"
    )
    assert {one["source"] for one in card["sources"] if one["held_out"]} == {"two-high", "two-low", "two-ad"}
    assert all(value > 0.95 for value in card["held_out_sources"]["auc"].values())


def test_scorers_without_labels(tmp_path: Path) -> None:
    """Rules count what is broken; perplexity prefers the order of words that it knows."""
    texts = [text + f" {name}." for text in ENGLISH for name in ("Ann", "Bob", "Eve")]
    broken = scorers.rules([*texts, "zzz " * 50], "en")
    assert broken.max() <= 0
    assert broken[-1] < broken[:-1].min()
    for make in scorers.FROM_GOOD.values():
        score = make(texts, tmp_path)
        assert score(texts).min() > score([page for _, page in bad.bad_pages(texts, ["shuffled"])]).max()


def test_pairs_of_characters() -> None:
    assert training._paired("港 口 的 , the 船 <n> 停 下".encode()).decode() == "港口 口的 , the <n> 停下"


def test_measured_and_page() -> None:
    scores = {"a": np.array([0.9, 0.8]), "b": np.array([0.7])}
    found = study._measured(
        lambda some: scores[some[0]], {"x": ["a"], "y": ["b"]}, {kind: ["b"] for kind in bad.KINDS}, {"sms": ["a"]}
    )
    assert found["cutoff"] == 0.7
    assert found["all"] == {"auc": round(5 * 2.5 / 15, 4), "passed": 1.0, "lost": 0.0}
    turn = {
        "learned_from": ["z"],
        "scorers": {"classifier": found, "rules": found},
        "kinds_apart": {"seo": found["all"]},
    }
    token = {"auc": {"low": 1.0, "ad": 0.9}, "passed": {"low": 0.0, "ad": 0.1}, "lost": math.pi}
    record = {
        "at": "now", "commit": "c", "command": "x", "machine": {"cpu": "y", "cores": 2}, "texts": 5, "loss": 0.01,
        "languages": {"zh": {"turns": [turn]}}, "tokens": {"characters": [token]},
        "labelled": [{"set": "s", "good": 1, "bad": 2, "scorers": {"rules": found["all"]}, "learned": found["all"]}],
        "speed": {"mb": 1.0, "ours_mb_per_s": 2.0, "fasttext": 3.0},
    }  # fmt: skip
    told = page.page(record)
    for part in (
        "| sms | 0.3333, 100.0% | 0.3333, 100.0% |  |",
        "| seo | 0.8333, 100.0% | 0.8333, 100.0% | 0.8333, 100.0% |",
        "| s | 1 | 2 | 0.8333",
        "3.1416",
        "none of",
    ):
        assert part in told
