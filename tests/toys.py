"""Stages small enough to reason about: documents are the lines of a text file."""

import itertools
import os
import signal
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import xxhash

from corpus.stage import Chunk, Columns, Ledger, Map, Reader, Regroup

applied: list[str] = []  # labels of the stages that ran, in order; tests clear it


class Lines(Reader, frozen=True, kw_only=True, tag="lines"):
    """One document a line; a line `!` is unreadable."""

    adds: ClassVar[dict[str, pa.DataType]] = {
        "text": pa.string(),
        "url": pa.string(),
        "span_start": pa.int64(),
        "span_bytes": pa.int64(),
    }

    def cut(self, stream: BinaryIO, path: str, ledger: Ledger) -> Iterator[Chunk]:
        lines = stream.read().splitlines(keepends=True)
        size = sum(map(len, lines))
        ledger.file_bytes = ledger.framed_bytes = ledger.decoded_bytes = size
        for number, begin in enumerate(range(0, len(lines), self.partition_rows)):
            part = lines[begin : begin + self.partition_rows]
            digest = xxhash.xxh3_128_hexdigest(b"".join(part))
            start = sum(map(len, lines[:begin]))
            yield Chunk(number, begin, len(part), digest, (start, part))

    def parse(self, chunk: Chunk) -> Columns:
        applied.append("parse")
        start, lines = chunk.payload
        sizes = np.array([len(line) for line in lines], dtype=np.int64)
        texts = [line.rstrip(b"\n").decode() for line in lines]
        bad = [text == "!" for text in texts]
        return {
            "text": pa.array([None if b else t for t, b in zip(texts, bad, strict=True)], pa.string()),
            "url": pa.nulls(len(lines), pa.string()),
            "span_start": pa.array(start + np.cumsum(sizes) - sizes),
            "span_bytes": pa.array(sizes),
            "drop": pa.array(["damaged" if b else None for b in bad], pa.string()),
            "detail": pa.nulls(len(lines), pa.string()),
        }


class Upper(Map, frozen=True, kw_only=True, tag="upper"):
    """reads text   adds text, content"""

    reads: ClassVar[tuple[str, ...]] = ("text",)
    adds: ClassVar[dict[str, pa.DataType]] = {"text": pa.string(), "content": pa.binary(16)}

    suffix: str = ""

    def apply(self, batch: pa.RecordBatch, model: Any) -> Columns:
        applied.append(self.label)
        text = pc.binary_join_element_wise(pc.utf8_upper(batch["text"]), self.suffix, "")
        hashes = [xxhash.xxh3_128_digest(t.encode()) for t in text.to_pylist()]
        return {"text": text, "content": pa.array(hashes, pa.binary(16))}


class Size(Map, frozen=True, kw_only=True, tag="size"):
    """reads text   adds chars. Raises on a batch with the word BOMB in it."""

    reads: ClassVar[tuple[str, ...]] = ("text",)
    adds: ClassVar[dict[str, pa.DataType]] = {"chars": pa.int32()}

    def apply(self, batch: pa.RecordBatch, model: Any) -> Columns:
        applied.append(self.label)
        if any("BOMB" in text for text in batch["text"].to_pylist()):
            raise ValueError("boom")
        return {"chars": pc.utf8_length(batch["text"])}


class Fragile(Map, frozen=True, kw_only=True, tag="fragile"):
    """reads text   kills its process on a text with the word POISON in it"""

    reads: ClassVar[tuple[str, ...]] = ("text",)

    def apply(self, batch: pa.RecordBatch, model: Any) -> Columns:
        if any("POISON" in (text or "") for text in batch["text"].to_pylist()):
            os.kill(os.getpid(), signal.SIGKILL)
        return {}


class AtLeast(Map, frozen=True, kw_only=True, tag="at-least"):
    """reads chars   drops documents that are too short"""

    reads: ClassVar[tuple[str, ...]] = ("chars",)
    may_drop: ClassVar[bool] = True

    chars: int = 3

    def apply(self, batch: pa.RecordBatch, model: Any) -> Columns:
        applied.append(self.label)
        short = pc.less(batch["chars"], self.chars)
        return {"drop": pc.if_else(short, pa.scalar("short"), pa.scalar(None, pa.string()))}


class Halves(Regroup, frozen=True, kw_only=True, tag="halves"):
    """Documents of 8 bytes or more become two."""

    def regroup(self, batch: pa.RecordBatch, model: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        applied.append(self.label)
        position, start, end = [], [], []
        for i, size in enumerate(pc.binary_length(batch["text"]).to_pylist()):
            cuts = [0, size // 2, size] if size >= 8 else [0, size]
            for a, b in itertools.pairwise(cuts):
                position.append(i), start.append(a), end.append(b)
        return tuple(np.array(v, dtype=np.int64) for v in (position, start, end))  # type: ignore[return-value]


class Encode(Map, frozen=True, kw_only=True, tag="encode"):
    """reads text   adds tokens, n_tokens. A token is the position of a character in the tokenizer file, or its length
    for one that is not in it; the id after that ends documents."""

    reads: ClassVar[tuple[str, ...]] = ("text",)
    adds: ClassVar[dict[str, pa.DataType]] = {"tokens": pa.list_(pa.uint16()), "n_tokens": pa.int32()}
    totals: ClassVar[tuple[str, ...]] = ("n_tokens",)

    tokenizer: str = "letters.txt"

    @property
    def assets(self) -> tuple[str, ...]:
        return (self.tokenizer,)

    def load(self, assets: Mapping[str, Path]) -> str:
        return assets[self.tokenizer].read_text(encoding="utf-8")

    def vocabulary(self, model: str) -> tuple[int, int]:
        """-> (number of ids, id that ends a document)"""
        return len(model) + 2, len(model) + 1

    def apply(self, batch: pa.RecordBatch, model: str) -> Columns:
        applied.append(self.label)
        tokens = [[model.find(c) if c in model else len(model) for c in text] for text in batch["text"].to_pylist()]
        return {
            "tokens": pa.array(tokens, pa.list_(pa.uint16())),
            "n_tokens": pa.array([len(one) for one in tokens], pa.int32()),
        }


Readers = Lines
Stages = Upper | Size | AtLeast | Halves | Fragile | Encode
