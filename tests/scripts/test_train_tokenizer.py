"""Training the shipped tokenizer: what it learns from, and that training twice gives the same bytes."""

import tomllib
from itertools import islice

import sentencepiece
from hypothesis import given, settings
from hypothesis import strategies as st

from scripts import train_tokenizer
from scripts.train_tokenizer import HAN_CHARS, SENTENCE_CHARS, card, gb2312_level_1, sentences, shown, train


def test_level_1_of_gb2312() -> None:
    level_1 = gb2312_level_1()
    assert len(level_1) == len(set(level_1)) == 3755
    assert (level_1[0], level_1[-1]) == ("啊", "座")


@given(st.text(st.sampled_from("汉字a 。\n😀")), st.integers(1, HAN_CHARS))
@settings(max_examples=200, deadline=None)
def test_what_is_shown_is_the_sentence(sentence: str, phase: int) -> None:
    stretches = list(shown(sentence, phase))
    assert "".join(stretches) == sentence
    assert all(stretches)


def test_sentences_are_shown_in_stretches() -> None:
    assert list(shown("他说：中华人民共和国 ok", 1)) == ["他说：中", "华人", "民共", "和国 ok"]
    assert list(shown("中华人民共和国", 2)) == ["中华", "人民", "共和", "国"]
    assert [len(stretch) for stretch in shown("x" * 2500, 1)] == [SENTENCE_CHARS, SENTENCE_CHARS, 500]


def test_sentences_repeat() -> None:
    once = list(islice(sentences(7), 300))
    assert once == list(islice(sentences(7), 300))
    assert once != list(islice(sentences(8), 300))


def test_training_twice_gives_the_same_bytes() -> None:
    text = [*islice(sentences(7), 3000), "我们在这里。", "\tindented  code", "12345"]
    model, learned = train(text, 4600)
    assert train(iter(text), 4600) == (model, learned)
    assert learned["sentences"] == len(text)
    trained = sentencepiece.SentencePieceProcessor(model_proto=model)
    for line in ["我们，在这里\n\t123  x ", *text[::500], " leading", "😀\x00"]:
        assert trained.decode(trained.encode(line)) == line
    assert trained.vocab_size() == 4600
    told = tomllib.loads(card("toy", 7, 4600, model, learned))
    assert told["eod_id"] == trained.eos_id() == train_tokenizer.EOD_ID
    assert told["training"]["text_bytes"] == sum(len(line.encode()) for line in text)
