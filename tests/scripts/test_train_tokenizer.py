"""The text that the shipped tokenizer learned from, and its card."""

import tomllib
from itertools import islice
from pathlib import Path

from corpus.tokenizer_train import settings, train
from corpus.tokenizer_training import Training
from scripts.train_tokenizer import ASKED, card, stretches

SHIPPED = Path(__file__).parents[2] / "tokenizers" / "zh-en-16k" / "card.toml"


def test_the_text_repeats() -> None:
    once = list(islice(stretches(7), 300))
    assert once == list(islice(stretches(7), 300))
    assert once != list(islice(stretches(8), 300))


def test_training_twice_gives_the_same_bytes_and_a_card() -> None:
    asked = Training(model="unigram", vocab_size=4600, han_chars=2)
    text = [*islice(stretches(7, asked), 3000), "我们在这里。", "\tindented  code", "12345"]
    model, learned = train(text, asked)
    assert train(iter(text), asked) == (model, learned)
    told = tomllib.loads(card("toy", 7, model, learned))
    assert told["training"]["text_bytes"] == sum(len(line.encode()) for line in text)
    shipped = tomllib.loads(SHIPPED.read_text(encoding="utf-8"))
    assert told.keys() == shipped.keys()
    assert told["training"].keys() == shipped["training"].keys()
    assert (told["vocab_size"], told["eod_id"]) == (shipped["vocab_size"], shipped["eod_id"])
    assert [settings(ASKED)[name] for name in ("model_type", "vocab_size")] == ["unigram", shipped["vocab_size"]]
