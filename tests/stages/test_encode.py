"""Encoding: SentencePiece's own ids, lossless for every text, and the tokenizer that is shipped."""

import hashlib
import tomllib
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sentencepiece import SentencePieceProcessor

from corpus.errors import InputError
from stages import own_encoder
from stages.encode import Encode, SentencePieces

FOLDER = Path(__file__).parents[2] / "tokenizers" / "zh-en-16k"
CARD = tomllib.loads((FOLDER / "card.toml").read_text(encoding="utf-8"))
STAGE = Encode(tokenizer="tokenizers/zh-en-16k")

TEXTS = [
    "我们在这里说明，本公司的产品已经上市！",
    "The quick brown fox doesn't jump over 12345 lazy dogs.",
    "def f(x):\n\treturn [x['键'] for _ in range(10)]  # 注释\n",
    "👩\u200d💻 emoji 😀, rare 𠀋 𪚥, accents é e\u0301, ﬁ ①",
    "\x00\x01\x07\x1b\x7f\x85\ufeff\ufffd\U0010ffff",
    "  leading,   inner   and trailing   ",
    "\n\n\t\t \r\n\u3000\u00a0\u2028",
    "<eod></s><unk><0x0A><s>",
    "▁ ▁▁a▁b ▁",
    " ⁇  ⁇ ",
    "",
    "，！（）ＡＢＣ。",
]
TEXT = st.text(st.one_of(st.characters(exclude_categories=["Cs"]), st.sampled_from(" ▁\n\ta中1")), max_size=60)


@cache
def tokenizer() -> SentencePieces:
    return STAGE.load({STAGE.tokenizer: FOLDER / "tokenizer.model"})


def model() -> SentencePieceProcessor:
    return tokenizer().processor


def ids_of(*texts: str | None) -> list[list[int]]:
    columns = STAGE.apply(pa.record_batch({"text": pa.array(texts, pa.string())}), tokenizer())
    assert {name: column.type for name, column in columns.items()} == Encode.adds
    tokens = columns["tokens"].to_pylist()
    assert columns["n_tokens"].to_pylist() == [len(ids) for ids in tokens]
    return tokens


def test_ids_are_sentencepieces() -> None:
    texts = [text for text in TEXTS if "▁" not in text]
    assert ids_of(*texts) == [model().encode(text) for text in texts]


@given(st.lists(TEXT, max_size=5))
@example(TEXTS)
@settings(max_examples=200, deadline=None)
def test_decoding_gives_the_text_back(texts: list[str]) -> None:
    for text, ids in zip(texts, ids_of(*texts), strict=True):
        assert model().decode(ids) == text
        assert CARD["unk_id"] not in ids
        assert CARD["eod_id"] not in ids
        if "▁" not in text:
            assert ids == model().encode(text)


@given(st.lists(TEXT, min_size=1, max_size=8), st.integers(1, 64))
@settings(max_examples=50, deadline=None)
def test_batches_of_bytes_change_nothing(texts: list[str], batch_bytes: int) -> None:
    whole = ids_of(*texts)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(own_encoder, "BATCH_BYTES", batch_bytes)
        assert ids_of(*texts) == whole


def test_u2581_becomes_its_bytes() -> None:
    pieces = [model().id_to_piece(token) for token in ids_of("a▁b")[0]]
    assert pieces == ["a", "<0xE2>", "<0x96>", "<0x81>", "b"]
    assert model().decode(model().encode("a▁b")) == "a b"  # what would happen otherwise


def test_nulls_slices_and_empty_batches() -> None:
    column = pa.array(["no", "yes", None, "中文▁", "no"])
    ids, counts = tokenizer().encode(column.slice(1, 3))
    assert (ids.dtype, counts.dtype) == (np.int32, np.int64)
    assert ids.tolist() == [*model().encode("yes"), *ids_of("中文▁")[0]]
    assert counts.tolist() == [len(model().encode("yes")), 0, len(ids_of("中文▁")[0])]
    assert ids_of() == []


def test_a_file_that_is_no_model(tmp_path: Path) -> None:
    for content in (b"", b"not a model", (FOLDER / "tokenizer.model").read_bytes()[:5000]):
        (tmp_path / "bad.model").write_bytes(content)
        with pytest.raises(InputError, match=r"`t`.* is no SentencePiece model"):
            Encode(tokenizer="t").load({"t": tmp_path / "bad.model"})
    with pytest.raises(InputError):
        Encode(tokenizer="t").load({"t": tmp_path / "missing"})


def test_the_shipped_model_is_the_one_on_its_card() -> None:
    data = (FOLDER / CARD["model"]).read_bytes()
    assert hashlib.sha256(data).hexdigest() == CARD["sha256"]
    assert CARD["name"] == FOLDER.name
    assert sorted(path.name for path in FOLDER.iterdir()) == ["card.toml", "tokenizer.model"]
    shipped = model()
    assert shipped.vocab_size() == CARD["vocab_size"] == 16_000
    assert (shipped.unk_id(), shipped.eos_id()) == (CARD["unk_id"], CARD["eod_id"])
    assert (shipped.bos_id(), shipped.pad_id()) == (-1, -1)
    assert shipped.id_to_piece(CARD["eod_id"]) == CARD["eod_piece"]
    assert shipped.is_control(CARD["eod_id"])


def test_the_shipped_vocabulary() -> None:
    """Every ideograph of GB 2312 level 1 and common punctuation is a piece; line ends, tabs and digits stand alone."""
    level_1 = [
        char for char in map(chr, range(0x4E00, 0xA000)) if b"\xb0\xa1" <= char.encode("gb2312", "ignore") < b"\xd8"
    ]
    assert len(level_1) == 3755
    unknown = model().unk_id()
    assert [char for char in [*level_1, *"，。、；：？！“”《》（）—…"] if model().piece_to_id(char) == unknown] == []
    for text in ("\n", "\t", "7"):
        assert len(model().encode(text)) == 1
    assert len(model().encode("2026")) == 4
    assert len(model().encode("a\n\n\tb", out_type=str)) == 5
    assert model().encode("这。", out_type=str) == ["这", "。"]
    assert all(piece.startswith("<0x") for piece in model().encode("😀", out_type=str))
