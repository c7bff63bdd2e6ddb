"""Encoding: text to token ids, by SentencePiece.

reads text (string)
adds  tokens (list of int32)  ids of the document's pieces, no <eod> or other mark around them: packing adds that
      n_tokens (int32)        how many

Ids are those of SentencePiece's own `encode`, with one exception, which makes `decode(encode(x)) == x` hold for every
text. SentencePiece writes a space as U+2581 and reads U+2581 as a space, so one that stands in the text would come back
as a space. Here the text is encoded on either side of it, and it becomes the three byte pieces E2 96 81, which decode
to it. That needs a model with byte fallback; with another, as without this care, it becomes a space.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sentencepiece import SentencePieceProcessor

from corpus.errors import InputError
from corpus.stage import Columns, Map
from stages.characters import utf8

SPACE_MARK = "\u2581"
# Documents handed over at a time: their copies and their arrays are all that is held beside the result.
BATCH_BYTES = 4 << 20


class Encode(Map, frozen=True, kw_only=True, tag="encode"):
    """`tokenizer`: asset, a SentencePiece model (`tokenizers/zh-en-16k`, which stands for the model in it). Encoding
    takes time linear in a document's length; memory grows with the longest one, which `split` bounds."""

    revision: ClassVar[int] = 1
    uses: ClassVar[tuple[str, ...]] = ("sentencepiece",)
    reads: ClassVar[tuple[str, ...]] = ("text",)
    adds: ClassVar[dict[str, pa.DataType]] = {"tokens": pa.list_(pa.int32()), "n_tokens": pa.int32()}
    totals: ClassVar[tuple[str, ...]] = ("n_tokens",)

    tokenizer: str

    @property
    def assets(self) -> tuple[str, ...]:
        return (self.tokenizer,)

    def load(self, assets: Mapping[str, Path]) -> SentencePieceProcessor:
        path = assets[self.tokenizer]
        try:
            return SentencePieceProcessor(model_file=str(path))
        except (OSError, RuntimeError) as error:
            raise InputError(f"tokenizer `{self.tokenizer}` ({path}) is no SentencePiece model: {error}") from error

    def vocabulary(self, model: SentencePieceProcessor) -> tuple[int, int]:
        """-> (number of ids, id that ends a document). InputError where the model has no end mark."""
        eod = int(model.eos_id())
        if eod < 0:
            eod = int(model.piece_to_id("<eod>"))
            if eod == int(model.unk_id()):
                raise InputError(f"tokenizer `{self.tokenizer}` has no end of document: neither an eos id nor `<eod>`")
        return int(model.vocab_size()), eod

    def apply(self, batch: pa.RecordBatch, model: SentencePieceProcessor) -> Columns:
        ids, counts = encode(batch["text"], model)
        offsets = np.zeros(len(counts) + 1, dtype=np.int64)
        np.cumsum(counts, out=offsets[1:])
        if offsets[-1] > np.iinfo(np.int32).max:
            raise OverflowError(f"{offsets[-1]} tokens in one batch; at most 2**31 - 1 fit into a column of lists")
        tokens = pa.ListArray.from_arrays(pa.array(offsets.astype(np.int32)), pa.array(ids))
        return {"tokens": tokens, "n_tokens": pa.array(counts.astype(np.int32))}


def encode(column: pa.Array, model: SentencePieceProcessor) -> tuple[np.ndarray, np.ndarray]:
    """n texts -> ids of all of them one after the other ((tokens,) int32), and how many each has ((n,) int64)."""
    data, bounds = utf8(column)
    view = memoryview(data)
    marked = set(pc.indices_nonzero(pc.match_substring(column, SPACE_MARK)).to_pylist())
    parts: list[np.ndarray] = [np.zeros(0, dtype=np.int32)]
    counts = np.zeros(len(column), dtype=np.int64)
    first = 0
    while first < len(column):
        # All documents that fit into a batch of bytes, at least one.
        last = int(np.searchsorted(bounds, int(bounds[first]) + BATCH_BYTES, side="right")) - 1
        last = min(max(last, first + 1), len(column))
        texts = [bytes(view[a:b]) for a, b in zip(bounds[first:last], bounds[first + 1 : last + 1], strict=True)]
        found = model.encode(texts, out_type="numpy", num_threads=1)
        for row in marked.intersection(range(first, last)):
            found[row - first] = _encode_marked(texts[row - first], model)
        counts[first:last] = [len(ids) for ids in found]
        parts.append(np.concatenate(found))
        first = last
    return np.concatenate(parts), counts


def _encode_marked(text: bytes, model: SentencePieceProcessor) -> np.ndarray:
    """Ids of a text with U+2581 in it."""
    mark = [model.piece_to_id(f"<0x{byte:02X}>") for byte in SPACE_MARK.encode()]
    if not all(map(model.is_byte, mark)):
        return model.encode([text], out_type="numpy", num_threads=1)[0]
    found = model.encode(text.split(SPACE_MARK.encode()), out_type="numpy", num_threads=1)
    between = np.array(mark, dtype=np.int32)
    return np.concatenate([part for ids in found for part in (between, ids)][1:])
