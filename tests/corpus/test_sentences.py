"""What the trainer of a tokenizer is shown."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.errors import RecipeError
from corpus.sentences import Sentences, gb2312_level_1, required_chars
from corpus.tokenizer_training import Training


def shown(sentence: str, phase: int, han_chars: int = 2, chars: int = 1000) -> list[str]:
    return list(Sentences(Training(han_chars=han_chars, sentence_chars=chars)).shown(sentence, phase))


def test_level_1_of_gb2312() -> None:
    level_1 = gb2312_level_1()
    assert len(level_1) == len(set(level_1)) == 3755
    assert (level_1[0], level_1[-1]) == ("啊", "座")
    assert required_chars(Training(required=())) == ""
    assert required_chars(Training(required=("gb2312-level-1",))) == level_1


@given(st.text(st.sampled_from("汉字a 。\n😀")), st.integers(1, 3), st.integers(3, 5), st.integers(1, 9))
@settings(max_examples=200, deadline=None)
def test_what_is_shown_is_the_sentence(sentence: str, phase: int, han_chars: int, chars: int) -> None:
    for stretches in (shown(sentence, phase, han_chars, chars), shown(sentence, 0, 0, chars)):
        assert "".join(stretches) == sentence
        assert all(0 < len(stretch) <= chars for stretch in stretches)


def test_sentences_are_shown_in_stretches() -> None:
    assert shown("他说：中华人民共和国 ok", 1) == ["他说：中", "华人", "民共", "和国 ok"]
    assert shown("中华人民共和国", 2) == ["中华", "人民", "共和", "国"]
    assert shown("中华人民共和国", 0, han_chars=0) == ["中华人民共和国"]
    assert [len(stretch) for stretch in shown("x" * 2500, 1)] == [1000, 1000, 500]


def test_a_text_is_cut_into_sentences_and_white_space_in_front_stays() -> None:
    cut = Sentences(Training())
    assert [one for one, _ in cut.of("他来了。我走了！\n\n\tif x:\n 我走了！\n")] == ["他来了。", "我走了！", "\tif x:"]
    assert [one for one, _ in cut.of("我走了！ok")] == ["ok"]
    every = Sentences(Training(distinct=False))
    assert [one for one, _ in every.of("是。是。")] == ["是。", "是。"]


def test_phases_cut_phrases_at_every_place() -> None:
    cut = Sentences(Training(han_chars=2))
    assert {phase for number in range(50) for _, phase in cut.of(f"第{number}句")} == {1, 2}


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"vocab_size": 260}, r"\.vocab_size: got 260\. Expected more than 260"),
        ({"sample_bytes": 0}, r"\.sample_bytes: got 0"),
        ({"sentence_chars": 1049}, r"\.sentence_chars: got 1049\. Expected 1048 at most"),
        ({"threads": 0}, r"\.threads: got 0"),
        ({"coverage": 0.5}, r"\.coverage: got 0\.5"),
        ({"required": ("latin",)}, r"\.required: got 'latin'\. Valid names: gb2312-level-1, cjk-punctuation"),
        ({"marks": ("<eod>",)}, r"\.eod: got '<eod>'"),
        ({"han_chars": -1}, r"\.han_chars: got -1"),
    ],
)
def test_parameters_that_cannot_be(changed: dict[str, object], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        Training(**changed)
