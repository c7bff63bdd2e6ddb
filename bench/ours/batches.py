"""Documents as the engine hands them to a stage: record batches of one partition each."""

from pathlib import Path

import pyarrow as pa

from bench import inputs
from corpus.stage import Reader

PARTITION_BYTES = Reader().partition_bytes


def of_text(path: Path) -> list[pa.RecordBatch]:
    """Column `text`; as many batches as partitions."""
    batches: list[pa.RecordBatch] = []
    held: list[str] = []
    size = 0
    for text in inputs.documents(path):
        held.append(text)
        size += len(text.encode())
        if size >= PARTITION_BYTES:
            batches.append(_batch(held))
            held, size = [], 0
    return [*batches, _batch(held)] if held else batches


def _batch(texts: list[str]) -> pa.RecordBatch:
    return pa.record_batch({"text": pa.array(texts, pa.string())})


def text_bytes(batches: list[pa.RecordBatch]) -> int:
    return sum(int(batch["text"].buffers()[2].size) for batch in batches)
