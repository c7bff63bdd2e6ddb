"""Train a SentencePiece model on survivors of a build, and say in a card what it learned from.

Sentences come from an iterator and the model goes into a writer, so that no name of a file gets into it; with one
thread the same sentences give the same bytes. The card has what was sampled, by source and language, and what the
sample leans to: with whom the tokens will be short.
"""

import hashlib
import io
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import sentencepiece

from corpus.build import Builder
from corpus.errors import InputError
from corpus.sentences import Sentences, required_chars
from corpus.survivors import sample
from corpus.tokenizer_card import card_of, written
from corpus.tokenizer_file import CARD
from corpus.tokenizer_training import Training

MODEL = "tokenizer.model"
UNKNOWN_ID, EOD_ID = 0, 1


class Learned(msgspec.Struct, frozen=True):
    """What the trainer was shown: stretches of sentences, their bytes, and a hash of all of them in order."""

    sentences: int
    text_bytes: int
    text_sha256: str


def settings(asked: Training) -> dict[str, object]:
    """What the trainer is told."""
    return {
        "model_type": asked.model,
        "vocab_size": asked.vocab_size,
        # No text is changed and every text can be written: what is no piece is spelled in bytes.
        "normalization_rule_name": "identity",
        "add_dummy_prefix": False,
        "remove_extra_whitespaces": False,
        "byte_fallback": True,
        "allow_whitespace_only_pieces": True,
        "split_digits": True,
        "user_defined_symbols": list(asked.symbols),  # one token each, wherever they stand
        "required_chars": required_chars(asked),
        "character_coverage": asked.coverage,
        # A document ends with <eod>; text that spells it out is not it, for it is a control symbol.
        "unk_id": UNKNOWN_ID,
        "eos_id": EOD_ID,
        "eos_piece": asked.eod,
        "bos_id": -1,
        "pad_id": -1,
        "control_symbols": list(asked.marks),
        "num_threads": asked.threads,
        "minloglevel": 2,
    }


def train(stretches: Iterable[str], asked: Training) -> tuple[bytes, Learned]:
    """-> the model, and what it learned from. InputError where the text is too little for the vocabulary."""
    taken = hashlib.sha256()
    count = text_bytes = 0

    def feed() -> Iterator[str]:
        nonlocal count, text_bytes
        for stretch in stretches:
            data = stretch.encode()
            taken.update(data + b"\n")
            count += 1
            text_bytes += len(data)
            yield stretch

    writer = io.BytesIO()
    try:
        sentencepiece.SentencePieceTrainer.train(sentence_iterator=feed(), model_writer=writer, **settings(asked))
    except RuntimeError as error:
        raise InputError(
            f"SentencePiece cannot train {asked.vocab_size:,} pieces on {count:,} stretches of text, {text_bytes:,} "
            f"bytes: {str(error).strip().splitlines()[-1]} Ask for another vocab_size, or give it more text."
        ) from error
    return writer.getvalue(), Learned(count, text_bytes, taken.hexdigest())


def train_on_survivors(builder: Builder, asked: Training, out: Path, command: str) -> dict[str, Any]:
    """Train on what survives in a build that is up to date; write model and card to the folder `out` -> the card.
    InputError as in `survivors.sample` and `train`."""
    recipe = builder.recipe
    found = sample(builder, recipe.mixture, recipe.seed, asked.sample_bytes, asked.document_bytes)
    sentences = Sentences(asked)
    texts = ((sentence, phase) for one in found.chosen for sentence, phase in sentences.of(one.text))
    stretches = (stretch for sentence, phase in texts for stretch in sentences.shown(sentence, phase))
    taken = sum(len(one.text.encode()) for one in found.chosen)
    builder.progress.say(f"training on {len(found.chosen):,} documents, {taken / 1e6:,.1f} MB")
    model, learned = train(stretches, asked)
    card = {
        "name": out.name,
        "model": MODEL,
        "sha256": hashlib.sha256(model).hexdigest(),
        "vocab_size": asked.vocab_size,
        "unk_id": UNKNOWN_ID,
        "eod_id": EOD_ID,
        "eod_piece": asked.eod,
        "training": card_of(builder, asked, found, msgspec.to_builtins(learned), command),
    }
    out.mkdir(parents=True, exist_ok=True)
    (out / MODEL).write_bytes(model)
    (out / CARD).write_text(written(card), encoding="utf-8")
    return card
