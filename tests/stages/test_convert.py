"""Conversion to simplified characters: phrases, what is left alone, and how many characters changed."""

from typing import Any

import msgspec
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.convert import Convert, changed


def apply(stage: Convert, *texts: str | None) -> list[tuple[str, int]]:
    columns = stage.apply(pa.record_batch({"text": pa.array(texts, pa.string())}), stage.load({}))
    return list(zip(columns["text"].to_pylist(), columns["converted"].to_pylist(), strict=True))


T2S = Convert()
MODEL = T2S.load({})


@pytest.mark.parametrize(
    ("before", "after", "number"),
    [
        ("臺灣的氣候", "台湾的气候", 3),
        ("頭髮很乾燥，乾隆皇帝", "头发很干燥，乾隆皇帝", 3),
        ("（ＡＢＣ），「軟體」", "（ＡＢＣ），「软体」", 2),
        ("已經是简体了", "已经是简体了", 1),
    ],
)
def test_characters_become_simplified_by_phrases(before: str, after: str, number: int) -> None:
    assert apply(T2S, before) == [(after, number)]


@pytest.mark.parametrize(
    "text",
    [
        "软件的国家标准",
        "於先生与乾隆，没有别的繁体字",
        "東京大學で學ぶ学生は、日本語を話すことができる。",
        "大韓民國의 수도는 서울이다.",
        "plain English",
        "",
    ],
)
def test_what_is_no_traditional_chinese_stays(text: str) -> None:
    assert apply(T2S, text) == [(text, 0)]


def test_none_changes_nothing() -> None:
    assert apply(Convert(to="none"), "臺灣", None) == [("臺灣", 0), ("", 0)]


def test_rows_are_converted_each_for_itself() -> None:
    texts = ["臺灣", None, "abc", "說話"]
    assert apply(T2S, *texts) == [row for text in texts for row in apply(T2S, text)]


def test_only_documents_with_traditional_characters_are_handed_over() -> None:
    asked = []

    class Converter:
        def convert(self, text: str) -> str:
            asked.append(text)
            return text

    batch = pa.record_batch({"text": pa.array(["简体", "繁體", "x"])})
    T2S.apply(batch, (MODEL[0], Converter()))
    assert asked == ["繁體"]


def test_another_direction_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError, match="Invalid enum value 's2t'"):
        msgspec.convert({"kind": "convert", "to": "s2t"}, Convert)


@pytest.mark.parametrize(
    ("before", "after", "number"),
    [
        ("ab", "ab", 0),
        ("ab", "cb", 1),
        ("abc", "ac", 1),
        ("ac", "abc", 1),
        ("", "a", 1),
        ("abcd", "axxd", 2),
        ("aa", "a", 1),
    ],
)
def test_changed_counts_characters(before: str, after: str, number: int) -> None:
    assert changed(before, after) == number


@given(st.text(st.sampled_from("臺灣頭髮乾燥隆於简体的,\nabの한"), max_size=30))
@settings(max_examples=200, deadline=None)
def test_twice_is_once(text: str) -> None:
    model: Any = MODEL
    once = T2S.apply(pa.record_batch({"text": pa.array([text])}), model)["text"]
    again = T2S.apply(pa.record_batch({"text": once}), model)
    assert again["text"].equals(once)
    assert again["converted"].to_pylist() == [0]
