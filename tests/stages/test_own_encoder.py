"""Ids computed here are the library's: for kinds of models, for texts of every kind, wherever a segment stands."""

import io
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import sentencepiece
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sentencepiece import SentencePieceProcessor

from sampledata.documents import document, names
from stages import own_encoder
from stages.own_encoder import OwnEncoder, by_library, open_pieces, why_not
from stages.pieces import UNIGRAM, read
from stages.segments import encode_texts

OWN_SYMBOLS = ["\n", "<user>", "ab", "abc", "bc", "中国"]
PLAIN = {"normalization_rule_name": "identity", "vocab_size": 2000, "hard_vocab_limit": False}
BARE = PLAIN | {"add_dummy_prefix": False, "remove_extra_whitespaces": False}
SETTINGS: dict[str, dict[str, Any]] = {
    "bytes": BARE | {"byte_fallback": True, "allow_whitespace_only_pieces": True, "user_defined_symbols": OWN_SYMBOLS},
    "across": BARE | {"split_by_whitespace": False, "control_symbols": ["<ctl>", "@"]},
    "usual": PLAIN,
    "suffix": PLAIN | {"treat_whitespace_as_suffix": True, "byte_fallback": True},
}
MODELS = [f"{kind}-{name}" for kind in ("unigram", "bpe") for name in SETTINGS]
WORDS = [
    "\n",
    "\t",
    "\0",
    " ",
    "  ",
    *["▁", "a", "ab", "abc", "中国", "中", "<user>", "<ctl>", "@", "<unk>", "==", "the😀"],
]
CHARS = st.characters(exclude_categories=["Cs"])
TEXT = st.lists(st.one_of(st.sampled_from(WORDS), CHARS, st.text(CHARS, max_size=20)), max_size=30).map("".join)


@cache
def sample() -> list[str]:
    subsets = ["zh/news", "pile/wikipedia-en", "pile/github"]
    found = [document(5, name).text[:9000] for subset in subsets for name in islice(names(5, subset, 0.05), 12)]
    assert sum(map(len, found)) > 20_000
    return found


@cache
def trained(name: str) -> bytes:
    kind, _, own = name.partition("-")
    out = io.BytesIO()
    lines = (line[:1000] for text in sample() for line in text.split("\n") if line)
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=lines, model_writer=out, model_type=kind, num_threads=1, minloglevel=2, **SETTINGS[own]
    )
    return out.getvalue()


@cache
def both(name: str) -> tuple[OwnEncoder, SentencePieceProcessor]:
    own = open_pieces(trained(name))
    assert own is not None
    return own, SentencePieceProcessor(model_proto=trained(name))


def check(name: str, texts: list[str | None], own: OwnEncoder | None = None) -> None:
    known, library = both(name)
    column = pa.array(texts, pa.string())
    for mine, theirs in zip((own or known).encode(column), by_library(column, library), strict=True):
        assert mine.dtype == theirs.dtype
        np.testing.assert_array_equal(mine, theirs)


@pytest.mark.parametrize("name", MODELS)
def test_documents(name: str) -> None:
    check(name, ["", None, *sample(), "\n".join(sample())])


@pytest.mark.parametrize("name", MODELS)
@given(st.lists(TEXT, max_size=6))
@example(["", " ", "   ", "▁", " ▁ a", "x  y ", "\0", "abcab", "😀😀", "的" * 40, "=" * 41, " " * 17])
@settings(max_examples=60, deadline=None)
def test_any_text(name: str, texts: list[str]) -> None:
    check(name, list(texts))


@pytest.mark.parametrize("name", MODELS)
def test_pieces_of_all_kinds_in_any_order(name: str) -> None:
    library = both(name)[1]
    rng = np.random.default_rng(3)
    pieces = [library.id_to_piece(number).replace("▁", " ") for number in range(library.vocab_size())]
    check(name, ["".join(rng.choice(pieces, size)) for size in (1, 2, 3, 10, 100, 1000) for _ in range(10)])


@pytest.mark.parametrize("kind", ["unigram", "bpe"])
def test_a_small_memory_and_a_full_one_give_the_same(kind: str) -> None:
    name = f"{kind}-bytes"
    for _ in range(2):
        check(name, sample(), OwnEncoder(trained(name), cells=4))
        check(name, sample())


@pytest.mark.parametrize("kind", ["unigram", "bpe"])
def test_batches_change_nothing(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_encoder, "BATCH_BYTES", 1000)
    check(f"{kind}-bytes", ["", *sample(), ""])
    check(f"{kind}-across", [text * 3 for text in sample()], OwnEncoder(trained(f"{kind}-across")))


def test_ties_fall_as_they_do_at_their_place_in_the_text() -> None:
    """Five dashes are - -- -- or -- - --, equally good: rounding decides, by the score of the text before."""
    model = (Path(__file__).parents[2] / "tokenizers" / "zh-en-16k" / "tokenizer.model").read_bytes()
    own, library = OwnEncoder(model), SentencePieceProcessor(model_proto=model)
    text = "-----\n the of 的的 fully\n" * 400
    pieces = library.encode(text, out_type=str)
    assert len({" ".join(line.split(" ")[:3]) for line in " ".join(pieces).split("\n ") if line.startswith("-")}) == 2
    texts = pa.array([text[cut:] for cut in range(40)])
    for mine, theirs in zip(own.encode(texts), by_library(texts, library), strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_scores_are_taken_back_as_in_the_library() -> None:
    """Beyond 100,000 the library subtracts the score of a place from all open ones."""
    text = "\n".join(sample()) * 12
    scores = read(trained("unigram-bytes")).scores
    assert scores[both("unigram-bytes")[1].encode(text)].sum() < -400_000
    for name in ("unigram-bytes", "unigram-across", "unigram-usual"):
        check(name, [text])


@pytest.mark.parametrize("kind", ["unigram", "bpe"])
def test_a_line_without_an_end(kind: str) -> None:
    for char in "a=的 \u00e9😀":
        check(f"{kind}-across", [char * 50_001])
        check(f"{kind}-bytes", [char * 50_001])


def test_one_kernel_is_compiled_for_all_columns() -> None:
    text = "".join(sample()[:2])
    for column in (
        pa.array([text]),
        pa.array([""]),
        pa.array(["", None]),
        pa.array([text, "▁"]),
        pa.array([text]).slice(1),
    ):
        both("unigram-bytes")[0].encode(column)
        both("bpe-usual")[0].encode(column)
    assert len(encode_texts.signatures) == 1


def test_bytes_that_are_no_text() -> None:
    offsets = pa.array([0, 3, 4, 9], pa.int32()).buffers()[1]
    column = pa.StringArray.from_buffers(3, offsets, pa.py_buffer(b"ab\xffc\xe4\xb8 de"))
    own, library = both("unigram-bytes")
    np.testing.assert_array_equal(own.encode(column)[0], by_library(column, library)[0])


def test_it_says_why_the_library_is_asked() -> None:
    usual = trained("unigram-usual")
    assert why_not(usual) == ""
    out = io.BytesIO()
    lines = [line[:500] for text in sample() for line in text.split("\n") if line]
    given = {"sentence_iterator": iter(lines), "model_writer": out, "num_threads": 1, "minloglevel": 2}
    sentencepiece.SentencePieceTrainer.train(**given, vocab_size=2000, hard_vocab_limit=False)
    assert why_not(out.getvalue()) == "its normalisation changes the text"
    assert open_pieces(out.getvalue()) is None
    assert why_not(b"no model") == "not a protocol buffer"
    assert why_not(usual[:-3]) == "not a protocol buffer"
    assert why_not(b"") == "it has no unknown piece, or several"
    assert why_not(usual + usual) == "it has no unknown piece, or several"


def test_another_version_of_the_library_is_not_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_encoder, "PROVED", ("0.1.99",))
    assert why_not(trained("unigram-usual")).endswith("may give other ids than 0.1.99")


def test_the_file_is_read_as_the_library_reads_it() -> None:
    for name in MODELS:
        pieces, library = read(trained(name)), both(name)[1]
        numbers = range(library.vocab_size())
        assert [text.decode() for text in pieces.texts] == [library.id_to_piece(number) for number in numbers]
        assert pieces.scores.tolist() == [np.float32(library.get_score(number)) for number in numbers]
        assert (pieces.model == UNIGRAM) == name.startswith("unigram")
        assert pieces.byte_fallback == library.is_byte(library.piece_to_id("<0x00>"))
