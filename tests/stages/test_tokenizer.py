"""Other tokenizers than SentencePiece's: byte for byte there and back, marks that no text can make, clear refusals."""

import json
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tiny_tokenizers import END, PAGE, byte_level, pieces, ranks

from corpus import assets
from corpus.errors import InputError
from corpus.store import Blobs
from corpus.tokenizer import Tokenizer
from corpus.tokens import optimal_dtype
from stages.encode import Encode
from stages.hugging_face import HuggingFace
from stages.tiktoken_ranks import Tiktoken

TEXTS = [
    "我们在这里说明，本公司的产品已经上市！",
    "The quick brown fox doesn't jump over 12345 lazy dogs.",
    "👩\u200d💻 emoji 😀, rare 𠀋 𪚥, accents é e\u0301, ﬁ ①",
    "\x00\x01\x07\x1b\x7f\x85\ufeff\ufffd\U0010ffff",
    "  leading,   inner   and trailing   ",
    "\r\n\n\t\t \r\n\u3000\u00a0\u2028",
    f"a{END}b {END}",
    "▁ ▁▁a▁b ▁",
    "<0x0A><s></s><unk>",
    "Ġ Ċ ĉ",
    "",
]
TEXT = st.lists(
    st.one_of(st.characters(exclude_categories=["Cs"]), st.sampled_from([*" ▁\n\ta中1", END, "the "])), max_size=40
).map("".join)


def loaded(path: Path, store: Path) -> tuple[Encode, Tokenizer]:
    """As a build does it: installed in a store, fetched by digest, opened by the stage."""
    stage, blobs = Encode(tokenizer=str(path)), Blobs(str(store))
    digest = assets.install(blobs, assets.find(stage.tokenizer))
    return stage, stage.load({stage.tokenizer: assets.fetch(blobs, digest)})


@cache
def made(kind: str) -> tuple[Encode, Tokenizer]:
    folder = Path(mkdtemp(prefix="tiny-tokenizer-"))
    if kind == "ranks":
        return loaded(ranks(folder / "it"), folder / "store")
    byte_level(folder / "it", special=kind == "byte-level")
    return loaded(folder / "it", folder / "store")


KINDS = pytest.mark.parametrize("kind", ["byte-level", "byte-level, no special token", "ranks"])


def ids_of(kind: str, *texts: str | None) -> list[list[int]]:
    stage, model = made(kind)
    columns = stage.apply(pa.record_batch({"text": pa.array(texts, pa.string())}), model)
    assert {name: column.type for name, column in columns.items()} == Encode.adds
    assert columns["n_tokens"].to_pylist() == [len(ids) for ids in columns["tokens"].to_pylist()]
    return columns["tokens"].to_pylist()


@KINDS
@given(texts=st.lists(TEXT, max_size=4))
@example(texts=TEXTS)
@example(texts=PAGE[::20])
@settings(max_examples=60, deadline=None)
def test_text_comes_back_byte_for_byte(kind: str, texts: list[str]) -> None:
    stage, model = made(kind)
    size, end = stage.vocabulary(model)
    for text, ids in zip(texts, ids_of(kind, *texts), strict=True):
        assert model.decode(ids) == text
        assert end not in ids
        assert all(0 <= number < size for number in ids)
        assert b"".join(model.pieces()[number] for number in ids) == text.encode()


@KINDS
def test_its_mark_ends_documents_and_is_text_in_them(kind: str) -> None:
    stage, model = made(kind)
    size, end = stage.vocabulary(model)
    assert (size, end) == (model.vocab_size, model.special[END])
    assert model.decode([end]) == END
    assert model.pieces()[end] == b""
    (spelled,) = ids_of(kind, END)
    assert len(spelled) > 1
    assert model.unknown is None


def test_merges_and_ranks_give_the_same_pieces() -> None:
    """The library `tokenizers` and tiktoken on one vocabulary, whose ids differ by the mark in front."""
    page = [*PAGE, *TEXTS]
    assert [[number - 1 for number in ids] for ids in ids_of("byte-level", *page)] == ids_of("ranks", *page)


@KINDS
def test_nulls_and_slices(kind: str) -> None:
    column = pa.array(["no", "yes", None, "中文", "no"]).slice(1, 3)
    ids, counts = made(kind)[1].encode(column)
    assert (ids.dtype, counts.dtype) == (np.int32, np.int64)
    assert ids.tolist() == [number for text in ("yes", "", "中文") for number in ids_of(kind, text)[0]]
    assert counts[1] == 0
    assert ids_of(kind) == []


@KINDS
def test_bytes_that_spell_what_no_piece_has(kind: str) -> None:
    _, model = made(kind)
    spelled = model.spelled()
    assert spelled.sum() == 128
    (ids,) = ids_of(kind, "a😀")
    assert spelled[ids].tolist() == [False, *[True] * (len(ids) - 1)]


def test_what_a_file_adds_around_a_document_is_left_out(tmp_path: Path) -> None:
    """Marks of a post-processor, truncation, padding."""
    library = byte_level(tmp_path / "it")
    told = json.loads(library.to_str())
    told["truncation"] = {"direction": "Right", "max_length": 3, "strategy": "LongestFirst", "stride": 0}
    told["padding"] = {
        "strategy": {"Fixed": 20},
        "direction": "Right",
        "pad_to_multiple_of": None,
        "pad_id": 0,
        "pad_type_id": 0,
        "pad_token": END,
    }
    told["post_processor"] = {
        "type": "TemplateProcessing",
        "single": [{"SpecialToken": {"id": END, "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
        "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 0}}],
        "special_tokens": {END: {"id": END, "ids": [0], "tokens": [END]}},
    }
    (tmp_path / "it" / "tokenizer.json").write_text(json.dumps(told))
    _, model = loaded(tmp_path / "it", tmp_path / "store")
    ids, _ = model.encode(pa.array(PAGE[:1]))
    assert ids.tolist() == ids_of("byte-level", PAGE[0])[0]


def test_a_card_says_what_the_file_does_not(tmp_path: Path) -> None:
    byte_level(tmp_path / "it")
    told = (tmp_path / "it" / "tokenizer.json").read_text().replace(json.dumps(END), '"<|stop|>"')
    (tmp_path / "it" / "tokenizer.json").write_text(told)
    with pytest.raises(InputError, match=r"no end of document: none of its marks \(<\|stop\|>\)"):
        loaded(tmp_path / "it", tmp_path / "one")
    plain = assets.digest_of(assets.find(str(tmp_path / "it")))
    card = tmp_path / "it" / "card.toml"
    card.write_text('model = "tokenizer.json"\nlicence = "MIT"\n')
    assert assets.digest_of(assets.find(str(tmp_path / "it"))) == plain  # it says nothing that matters
    card.write_text('model = "tokenizer.json"\n[encode]\neod = "<|stop|>"\n')
    assert assets.digest_of(assets.find(str(tmp_path / "it"))) != plain
    stage, model = loaded(tmp_path / "it", tmp_path / "two")
    assert stage.vocabulary(model) == (400, 0)
    card.write_text('[encode]\neod = "<|halt|>"\n')
    with pytest.raises(InputError, match=r"eod = '<\|halt\|>', which is none of its marks: <\|stop\|>"):
        loaded(tmp_path / "it", tmp_path / "three")


def test_the_version_of_the_library_is_part_of_the_asset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    byte_level(tmp_path / "it")
    digest = assets.install(Blobs(str(tmp_path / "store")), assets.find(str(tmp_path / "it")))
    monkeypatch.setattr("corpus.tokenizer_file.version", lambda name: "9.9")
    assert assets.digest_of(assets.find(str(tmp_path / "it"))) != digest
    with pytest.raises(InputError, match=r"began with tokenizers .*, here is 9\.9"):
        Encode(tokenizer="t").load({"t": assets.fetch(Blobs(str(tmp_path / "store")), digest)})


def test_a_library_that_is_missing_is_named_with_its_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    byte_level(tmp_path / "it")
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    with pytest.raises(InputError, match=r"tokenizers, which is missing.*corpus-compiler\[tokenizers\]"):
        Encode(tokenizer="t").load({"t": tmp_path / "it" / "tokenizer.json"})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda folder: (folder / "card.toml").unlink(), r"do not say how text is cut"),
        (lambda folder: swap(folder / "card.toml", "= 400", "= 7"), r"the id 7, which is that of a rank"),
        (lambda folder: swap(folder / "card.toml", "(?:[sdmt]", "(?:[sdmt"), r"pattern cannot be used"),
        (lambda folder: swap(folder / "card.toml", "special", "marks"), r"\[encode\].*unknown field `marks`"),
        (lambda folder: swap(folder / "card.toml", '"tiny.', '"other.'), r"model: got 'other\.tiktoken'"),
        (lambda folder: swap(folder / "tiny.tiktoken", "IQ== 0\n", "IQ==\n"), r"line 1 is no `base64 rank`"),
        (
            lambda folder: swap(folder / "tiny.tiktoken", "IQ== 0\n", ""),
            r"1 bytes have no rank, the first of them 0x21",
        ),
        (lambda folder: swap(folder / "tiny.tiktoken", "IQ== 0\n", "IQ== 1\n"), r"have the same rank"),
    ],
)
def test_ranks_that_cannot_be_used(tmp_path: Path, change: Callable[[Path], None], message: str) -> None:
    ranks(tmp_path / "it")
    change(tmp_path / "it")
    with pytest.raises(InputError, match=message):
        loaded(tmp_path / "it" / "tiny.tiktoken" if "cut" in message else tmp_path / "it", tmp_path / "store")


def swap(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_a_json_file_that_is_no_tokenizer(tmp_path: Path) -> None:
    for content in (b"{", b"{}", b'{"model": 3}'):
        (tmp_path / "tokenizer.json").write_bytes(content)
        with pytest.raises(InputError, match=r"`t` is no tokenizer\.json that the library can read"):
            Encode(tokenizer="t").load({"t": tmp_path / "tokenizer.json"})


def test_a_sentencepiece_model_whose_mark_is_text(tmp_path: Path) -> None:
    """A symbol that users define is found in text, so a document could end itself."""
    path = pieces(tmp_path / "tokenizer.model", user_defined_symbols=["<eod>"], eos_id=-1)
    with pytest.raises(InputError, match=r"a document that spells out <eod> would be taken for its own end"):
        loaded(path, tmp_path / "store")


def test_a_sentencepiece_model_and_its_card(tmp_path: Path) -> None:
    path = pieces(tmp_path / "tokenizer.model", control_symbols=["<|stop|>"])
    stage, model = loaded(path, tmp_path / "store")
    assert stage.vocabulary(model)[1] == model.special["</s>"] == 2
    assert assets.digest_of(path) == assets.sha256(path.read_bytes())
    (tmp_path / "card.toml").write_text('model = "tokenizer.model"\n[encode]\neod = "<|stop|>"\n')
    stage, model = loaded(path, tmp_path / "store")
    assert stage.vocabulary(model)[1] == model.special["<|stop|>"] == 3
    text = "我们 <|stop|>▁\n"
    ids, _ = model.encode(pa.array([text]))
    assert b"".join(model.pieces()[number] for number in ids) == text.encode()
    assert model.decode(ids) == text


def test_classes_are_tokenizers_and_dtypes_are_megatrons() -> None:
    found: list[Tokenizer] = [made(kind)[1] for kind in ("byte-level", "ranks")]
    assert [type(model) for model in found] == [HuggingFace, Tiktoken]
    assert [optimal_dtype(size).name for size in (65_499, 65_500, 200_019)] == ["uint16", "int32", "int32"]
