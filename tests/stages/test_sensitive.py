"""Terms of lists, found folded and as words, against a slow search."""

import re

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.errors import InputError
from stages.sensitive import LONGEST, SHIPPED, Sensitive, Terms, prepared
from stages.term_automaton import folded

LISTS = {"rude": "damn\nhot pot\n混蛋\n混蛋东西\nass", "arms": "枪\n手枪\nM16"}
STAGE = Sensitive(lists={name: f"{name}.txt" for name in LISTS})
MODEL = prepared(list(LISTS.items()))


def found(*texts: str | None, stage: Sensitive = STAGE, model: Terms = MODEL) -> list[dict[str, float]]:
    columns = stage.apply(pa.record_batch({"text": pa.array(texts, pa.string())}), model)
    assert {name: array.type for name, array in columns.items()} == stage.adds
    return pa.table(columns).to_pylist()


def one(text: str) -> dict[str, float]:
    return found(text)[0]


def test_words_by_hand() -> None:
    values = one("Damn, that glass of hot pot!\nDAMN\n\n")
    assert (values["rude_hits"], values["rude_chars"]) == (3, 4 + 7 + 4)  # ass in glass is no word
    assert (values["sensitive_distinct"], values["sensitive_longest"]) == (2, 7)
    assert values["sensitive_per_line"] == 1
    assert values["sensitive_share"] == round(15 / 35 * 4096) / 4096


def test_chinese_has_no_words_and_the_longest_that_ends_together_counts() -> None:
    values = one("你这混蛋东西有手枪和Ｍ１６")
    assert (values["rude_hits"], values["arms_hits"]) == (1, 2)  # 混蛋 ends first; 手枪, not 枪 in it; M16 folded
    assert (values["rude_chars"], values["arms_chars"]) == (2, 2 + 3)


def test_empty_and_null() -> None:
    assert [set(values.values()) for values in found("", None, " \n")] == [{0}, {0}, {0}]


def slowly(text: str) -> tuple[int, int]:
    """-> hits and their characters: the term that ends first, of those the longest, then on behind it."""
    terms = [folded(term) for term in "\n".join(LISTS.values()).split("\n")]
    seen, taken, hits, chars = folded(text), 0, 0, 0
    for end in range(1, len(seen) + 1):
        for term in sorted(terms, key=len, reverse=True):
            begin = end - len(term)
            if begin < taken or seen[begin:end] != term:
                continue
            if re.match(r"[a-z0-9]", term) and begin and re.match(r"[a-z0-9]", seen[begin - 1]):
                continue
            if re.match(r"[a-z0-9]", term[-1]) and re.match(r"[a-z0-9]", seen[end : end + 1]):
                continue
            taken, hits, chars = end, hits + 1, chars + len(term)
            break
    return hits, chars


pieces = st.sampled_from(
    ["damn", "ass", "hot", " ", "pot", "混", "蛋", "东西", "手", "枪", "M", "16", "1", "\n", "。", "槍"]
)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.lists(pieces, max_size=15).map("".join), min_size=1, max_size=4))
def test_hits_are_those_of_a_slow_search(texts: list[str]) -> None:
    for text, values in zip(texts, found(*texts), strict=True):
        got = sum(values[f"{name}_hits"] for name in LISTS), sum(values[f"{name}_chars"] for name in LISTS)
        assert got == slowly(text)
        assert values == one(text)


def test_lists_that_ship() -> None:
    stage = Sensitive()
    assert stage.assets == ()
    clean, rude = found(
        "The cat sat on the mat. 我去买牛奶。", "what the fuck, 你他妈的", stage=stage, model=stage.load({})
    )
    assert set(clean.values()) == {0}
    assert rude["obscene_en_hits"] == 1
    assert rude["obscene_zh_hits"] >= 1
    for name in stage.lists.values():
        assert "CC BY 4.0" in (SHIPPED / name).read_text("utf-8")


def test_what_is_wrong_is_told() -> None:
    assert Sensitive(lists={"arms": "arms.txt"}).assets == ("arms.txt",)
    for lists, message in (({}, "lists: got none"), ({"Arms": "a.txt"}, r"lists\.Arms: expected lower-case")):
        with pytest.raises(ValueError, match=message):
            Sensitive(lists=lists)
    with pytest.raises(InputError, match="`arms`: no term in it"):
        prepared([("arms", "# nothing\n\n")])
    with pytest.raises(InputError, match=rf"has 61 characters; {LONGEST} is the most"):
        prepared([("arms", "x" * 61)])
