"""Encoding: text to token ids, by the library that the tokenizer's file is for.

reads text (string)
adds  tokens (list of int32)  ids of the document's pieces, no <eod> or other mark around them: packing adds that
      n_tokens (int32)        how many

Files: SentencePiece models, Hugging Face's `tokenizer.json`, tiktoken's ranks. A mark such as <eod> or <|endoftext|>
that stands in a document is text like any other: its id ends documents and comes from nowhere else.

Ids of a SentencePiece model are those of SentencePiece's own `encode`, with one exception, which makes
`decode(encode(x)) == x` hold for every text. SentencePiece writes a space as U+2581 and reads U+2581 as a space, so one
that stands in the text would come back as a space. Here the text is encoded on either side of it, and it becomes the
three byte pieces E2 96 81, which decode to it. That needs a model with byte fallback; with another, as without this
care, it becomes a space. The library itself is asked only where `stages/own_encoder.py` does not give the same ids.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sentencepiece import SentencePieceProcessor

from corpus.errors import InputError
from corpus.stage import Columns, Map
from corpus.tokenizer import END_OF_DOCUMENT, Tokenizer, end_of_document
from corpus.tokenizer_file import HUGGING_FACE, TIKTOKEN, parts
from stages.hugging_face import HuggingFace
from stages.own_encoder import by_library, open_pieces, why_not
from stages.pieces import SPACE_MARK
from stages.tiktoken_ranks import Tiktoken

Encoding = Callable[[pa.Array], tuple[np.ndarray, np.ndarray]]


class Encode(Map, frozen=True, kw_only=True, tag="encode"):
    """`tokenizer`: asset, a SentencePiece model, a `tokenizer.json`, ranks of tiktoken with a card, or the folder of
    one of them (`tokenizers/zh-en-16k`; see `corpus/tokenizer_file.py`). Encoding takes time linear in a document's
    length; memory grows with the longest one, which `split` bounds."""

    revision: ClassVar[int] = 1
    uses: ClassVar[tuple[str, ...]] = ("sentencepiece",)  # versions of the others are part of the asset
    reads: ClassVar[tuple[str, ...]] = ("text",)
    adds: ClassVar[dict[str, pa.DataType]] = {"tokens": pa.list_(pa.int32()), "n_tokens": pa.int32()}
    totals: ClassVar[tuple[str, ...]] = ("n_tokens",)

    tokenizer: str

    @property
    def assets(self) -> tuple[str, ...]:
        return (self.tokenizer,)

    def load(self, assets: Mapping[str, Path]) -> Tokenizer:
        path = assets[self.tokenizer]
        try:
            data = path.read_bytes()
        except OSError as error:
            raise InputError(f"tokenizer `{self.tokenizer}` ({path}) cannot be read: {error}") from error
        model = self.opened(data)
        self.vocabulary(model)  # before hours of encoding, not when its end of document is asked for
        return model

    def opened(self, data: bytes) -> Tokenizer:
        """The tokenizer that the bytes of an asset are. InputError where they are none."""
        file = parts(data, self.tokenizer)
        if file.library == HUGGING_FACE:
            return HuggingFace(file, self.tokenizer)
        if file.library == TIKTOKEN:
            return Tiktoken(file, self.tokenizer)
        processor = SentencePieceProcessor()
        try:
            processor.LoadFromSerializedProto(file.data)
        except RuntimeError as error:
            raise InputError(f"tokenizer `{self.tokenizer}` is no SentencePiece model: {error}") from error
        return SentencePieces(processor, file.said.eod)

    def vocabulary(self, model: Tokenizer) -> tuple[int, int]:
        """-> (number of ids, id that ends a document). InputError where the tokenizer has no such mark, or makes it of
        text that spells it out."""
        return model.vocab_size, end_of_document(model, self.tokenizer)

    def apply(self, batch: pa.RecordBatch, model: Tokenizer) -> Columns:
        ids, counts = model.encode(batch["text"])
        offsets = np.zeros(len(counts) + 1, dtype=np.int64)
        np.cumsum(counts, out=offsets[1:])
        if offsets[-1] > np.iinfo(np.int32).max:
            raise OverflowError(f"{offsets[-1]} tokens in one batch; at most 2**31 - 1 fit into a column of lists")
        tokens = pa.ListArray.from_arrays(pa.array(offsets.astype(np.int32)), pa.array(ids))
        return {"tokens": tokens, "n_tokens": pa.array(counts.astype(np.int32))}


class SentencePieces:
    """A `Tokenizer`: a SentencePiece model. Its pieces write a space as U+2581."""

    def __init__(self, processor: SentencePieceProcessor, wanted: str = "") -> None:
        self.processor = processor
        self.vocab_size = int(processor.vocab_size())
        self.unknown = None if processor.is_byte(processor.piece_to_id("<0x00>")) else int(processor.unk_id())
        marks = {i for i in range(self.vocab_size) if processor.is_control(i)}
        named = {mark: int(processor.piece_to_id(mark)) for mark in END_OF_DOCUMENT}
        marks |= {i for mark, i in named.items() if processor.id_to_piece(i) == mark}
        self.special = {processor.id_to_piece(i): i for i in sorted(marks)}
        in_bytes = [int(processor.piece_to_id(f"<0x{byte:02X}>")) for byte in SPACE_MARK.encode()]
        self.space_mark = np.array(in_bytes if all(map(processor.is_byte, in_bytes)) else [], dtype=np.int32)
        proto = processor.serialized_model_proto()
        own = open_pieces(proto)
        self.plain: Encoding = partial(by_library, processor=processor) if own is None else own.encode
        self.by_library = why_not(proto) if own is None else ""
        ends = int(processor.eos_id())
        self.wanted = wanted or (processor.id_to_piece(ends) if ends >= 0 else "")

    def encode(self, column: pa.Array) -> tuple[np.ndarray, np.ndarray]:
        return encode(column, self.plain, self.space_mark)

    def decode(self, ids: Sequence[int]) -> str:
        return str(self.processor.decode(list(map(int, ids))))

    def pieces(self) -> list[bytes]:
        return [self._piece(i) for i in range(self.vocab_size)]

    def _piece(self, i: int) -> bytes:
        piece, marks = self.processor.id_to_piece(i), self.special.values()
        if i in marks or self.processor.is_unknown(i) or self.processor.is_unused(i):
            return b""
        return bytes([int(piece[3:5], 16)]) if self.processor.is_byte(i) else piece.replace(SPACE_MARK, " ").encode()

    def spelled(self) -> np.ndarray:
        return np.array([self.processor.is_byte(i) for i in range(self.vocab_size)], dtype=bool)


def encode(column: pa.Array, plain: Encoding, mark: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """n texts -> ids of all of them one after the other ((tokens,) int32), and how many each has ((n,) int64).

    `plain` does that for a model's own ids; `mark` are those of the bytes of U+2581, none without byte fallback."""
    if mark.size == 0 or not pc.any(pc.match_substring(column, SPACE_MARK)).as_py():
        return plain(column)
    split = pc.split_pattern(pc.fill_null(column, ""), SPACE_MARK)
    ids, counts = plain(split.flatten())
    ends = np.cumsum(pc.list_value_length(split).to_numpy(zero_copy_only=False))  # of the parts of each text
    after = np.cumsum(counts)
    between = np.delete(np.arange(len(counts)), ends - 1)  # parts that a mark follows
    ids = np.insert(ids, np.repeat(after[between], mark.size), np.tile(mark, len(between)))
    counts[between] += mark.size
    return ids.astype(np.int32, copy=False), np.diff(np.cumsum(counts)[ends - 1], prepend=0)
