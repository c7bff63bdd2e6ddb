"""Documents that are made where they are read: token ids from the number of the document, and no text.

An input file holds its number and how many documents it stands for. Ids are uniform over the vocabulary, the worst case
for compression; lengths are geometric around the mean, at least one token.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, ClassVar

import numpy as np
import pyarrow as pa
import xxhash

from corpus.stage import Chunk, Columns, Ledger, Map, Reader

VOCABULARY = 32_000
EOD = 1


class Numbers(Reader, frozen=True, kw_only=True, tag="numbers"):
    """Rows without a text: their spans are one byte each of a stream that is not there."""

    adds: ClassVar[dict[str, pa.DataType]] = {"span_start": pa.int64(), "span_bytes": pa.int64()}

    def cut(self, stream: BinaryIO, path: str, ledger: Ledger) -> Iterator[Chunk]:
        data = stream.read()
        file, documents = map(int, data.split())
        ledger.file_bytes = ledger.framed_bytes = len(data)
        ledger.decoded_bytes = documents
        for number, begin in enumerate(range(0, documents, self.partition_rows)):
            rows = min(self.partition_rows, documents - begin)
            yield Chunk(
                number, begin, rows, xxhash.xxh3_128_hexdigest(f"{file} {begin} {rows}".encode()), (file, begin)
            )

    def parse(self, chunk: Chunk) -> Columns:
        start = np.arange(chunk.first_record, chunk.first_record + chunk.records, dtype=np.int64)
        return {"span_start": pa.array(start), "span_bytes": pa.array(np.ones(chunk.records, np.int64))}


class Ids(Map, frozen=True, kw_only=True, tag="ids"):
    """reads id   adds tokens, n_tokens: `mean` of them on average"""

    reads: ClassVar[tuple[str, ...]] = ("id",)
    adds: ClassVar[dict[str, pa.DataType]] = {"tokens": pa.list_(pa.int32()), "n_tokens": pa.int32()}
    totals: ClassVar[tuple[str, ...]] = ("n_tokens",)

    mean: int
    tokenizer: str = "vocabulary.txt"

    @property
    def assets(self) -> tuple[str, ...]:
        return (self.tokenizer,)

    def load(self, assets: Mapping[str, Path]) -> None:
        return None

    def vocabulary(self, model: None) -> tuple[int, int]:
        return VOCABULARY, EOD

    def apply(self, batch: pa.RecordBatch, model: Any) -> Columns:
        random = np.random.default_rng(xxhash.xxh3_64_intdigest(batch["id"][0].as_py()))
        lengths = random.geometric(1 / self.mean, batch.num_rows).astype(np.int32)
        offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
        values = random.integers(2, VOCABULARY, int(offsets[-1]), dtype=np.int32)
        return {"tokens": pa.ListArray.from_arrays(pa.array(offsets), pa.array(values)), "n_tokens": pa.array(lengths)}
