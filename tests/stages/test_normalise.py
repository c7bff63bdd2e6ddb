"""Normalisation against a slow reading of its rules with the standard library, and against xxhash and unicodedata."""

import re
import unicodedata

import numpy as np
import pyarrow as pa
import pytest
import xxhash
from hypothesis import example, given, settings
from hypothesis import strategies as st

from stages.normalise import STABLE, Normalise, cleaned, composed, digests


def normalised(*texts: str | None) -> list[str]:
    column = pa.array(texts, pa.string())
    return Normalise().apply(pa.record_batch({"text": column}), None)["text"].to_pylist()


def slowly(text: str) -> str:
    """The rules of the module's docstring, one after the other."""
    text = re.sub("\r\n|[\r\v\f\u2028\u2029]", "\n", text)
    text = re.sub("[\x00-\x08\x0e-\x1f\x7f-\x9f\u00ad\u200b\u2060\ufeff]", "", text)
    text = re.sub("[ \t]+(?=\n|\\Z)", "", text)
    text = re.sub("\n{4,}", "\n\n\n", text)
    text = re.sub("\\A\n{3,}", "\n\n", text)
    return unicodedata.normalize("NFC", text)


# Weighted towards what the rules are about.
CHARACTERS = st.one_of(
    st.sampled_from("\n\r\t \x00\x0b\x0c\x7f\x85\xa0\xad\u200b\u200c\u200d\u2028\u2029\u2060\ufeff\u3000，ａab中é"),
    st.sampled_from(
        "e\u0301\u0327\u0323\u1100\u1161\u11a8\u212b\u2126\uf900\u0958\u05b4\u3099か\U0001d15e\u2000\u037e"
    ),
    st.characters(exclude_categories=["Cs"]),
)
TEXTS = st.text(CHARACTERS, max_size=40)


@given(st.lists(TEXTS, max_size=4))
@example(
    ["\ufeff\n\n\n\n", "a \u200b \r\n \n\t\n\n\nb \t", "e\u200b\u0301", "\r\x00\n", " ", "\xc2\xad".encode().decode()]
)
@settings(max_examples=400, deadline=None)
def test_it_does_what_its_rules_say(texts: list[str]) -> None:
    assert normalised(*texts) == [slowly(text) for text in texts]


@given(TEXTS)
@settings(max_examples=300, deadline=None)
def test_twice_is_once(text: str) -> None:
    once = normalised(text)
    assert normalised(*once) == once


def test_what_can_be_seen_stays() -> None:
    text = (
        "，！（）ＡＢＣ　１２３ “引号”\u00a0x\u3000\n  indented\tcell ﬁ ① ½ ㎏ ｶﾅ\n"
        "नि\u200dक می\u200cخواهم 👩\u200d💻\ufe0f \u00e1"
    )
    assert normalised(text) == [text]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a\r\nb\rc\u2028d\x0ce", "a\nb\nc\nd\ne"),
        ("\ufeffso\u00adft zero\u200bwidth\u2060", "soft zerowidth"),
        ("tail  \t\nnext \t", "tail\nnext"),
        ("a\n\n\n\n\n\nb", "a\n\n\nb"),
        ("a\n \n\t\n  \n \nb", "a\n\n\nb"),
        ("e\u0301 \u1112\u1161\u11ab Å", "é 한 Å"),
        ("nul\x00bell\x07next\x85line", "nulbellnextline"),
        ("keeps\u3000\nand\u00a0\n", "keeps\u3000\nand\u00a0\n"),
        ("", ""),
        (None, ""),
    ],
)
def test_by_example(before: str | None, after: str) -> None:
    assert normalised(before) == [after]


def test_stable_characters_are_stable() -> None:
    """In the standard library's tables: unchanged by NFC, never reordered, never second in a composition."""
    seconds = set()
    for code in range(0x110000):
        decomposition = unicodedata.decomposition(chr(code))
        if decomposition and not decomposition.startswith("<"):
            seconds.update(int(part, 16) for part in decomposition.split()[1:])
    stable = np.concatenate([np.arange(first, last + 1) for first, last in STABLE])
    assert len(stable) == len(set(stable.tolist()))
    assert not seconds.intersection(stable.tolist())
    assert not seconds.isdisjoint(range(0x300, 0x310))  # the accents are found, so the check checks
    for code in stable.tolist():
        char = chr(code)
        assert unicodedata.is_normalized("NFC", char), hex(code)
        assert unicodedata.combining(char) == 0, hex(code)


def test_unchanged_columns_are_not_copied_for_nfc() -> None:
    column = pa.array(["plain", "中文，标点。", "naïve Москва 한국 👍"])
    assert composed(column) is column


def test_content_is_xxh3_128_of_the_new_text() -> None:
    texts = ["a\r\nb", "", "e\u0301", "中" * 1000, None]
    columns = Normalise().apply(pa.record_batch({"text": pa.array(texts, pa.string())}), None)
    assert {name: column.type for name, column in columns.items()} == Normalise.adds
    for text, content in zip(columns["text"].to_pylist(), columns["content"].to_pylist(), strict=True):
        assert content == xxhash.xxh3_128(text.encode()).digest()
        assert int.from_bytes(content, "big") == xxhash.xxh3_128_intdigest(text.encode())


def test_slices_empty_batches_and_memory() -> None:
    column = pa.array(["x" * 50, "a \n", None, "b\u200b", "e\u0301"])
    assert cleaned(column.slice(1, 3)).to_pylist() == ["a\n", "", "b"]
    assert digests(column.slice(1, 1)).to_pylist() == [xxhash.xxh3_128(b"a \n").digest()]
    assert Normalise().apply(pa.record_batch({"text": column.slice(2, 0)}), None)["text"].to_pylist() == []
    shrunk = cleaned(pa.array(["\u200b" * 1_000_000 + "a"]))
    assert shrunk.to_pylist() == ["a"]
    assert shrunk.get_total_buffer_size() < 100
