"""From records to chunks: what the readers of sequential files share.

A `Run` is the payload of a chunk: the bytes of its records one after another, where each lay, and which of them are
dropped already. A chunk closes with the record that brings it to `partition_rows` records or `partition_bytes` held
bytes, so its boundaries depend on the records alone, not on how the file was read or compressed.
"""

from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import xxhash

from corpus.stage import Chunk, Columns, Reader
from stages.members import Limits

_MAX_CHUNK_BYTES = (1 << 31) - (1 << 20)  # 32-bit offsets of Arrow strings
_NONE = -1


class StreamReader(Reader, frozen=True, kw_only=True):
    """A reader of files that are read from front to back, compressed or not.

    max_ratio          a compressed member that expands more is dropped from there on (`too_large`)
    max_decoded_bytes  most that one compressed member may decode to (`too_large`)
    """

    max_ratio: int = 400  # deflate reaches 1,032 on zeros; repeated log lines about 100
    max_decoded_bytes: int = 1 << 40

    def __post_init__(self) -> None:
        check_bounds(self, "max_ratio", "max_decoded_bytes")

    @property
    def limits(self) -> Limits:
        return Limits(ratio=self.max_ratio, decoded_bytes=self.max_decoded_bytes)


def check_bounds(reader: Reader, *more: str) -> None:
    """Raise ValueError where a bound of `reader` is not positive, or a chunk could outgrow an Arrow column."""
    for name in ("partition_rows", "partition_bytes", "max_record_bytes", *more):
        if getattr(reader, name) < 1:
            raise ValueError(f"{name} must be at least 1 (got {getattr(reader, name)})")
    total = reader.partition_bytes + reader.max_record_bytes
    if total > _MAX_CHUNK_BYTES:
        raise ValueError(f"partition_bytes + max_record_bytes must be at most {_MAX_CHUNK_BYTES} (got {total})")


class Run(msgspec.Struct, frozen=True):
    """n records. `held` bytes of each lie in `data`, in order; a record with a fault holds none.

    span_start, span_bytes  n x int64, in the decoded stream
    file_start, file_bytes  n x int64, in the stored file; -1 where not known
    faults                  position -> (drop, detail)
    """

    data: bytes
    held: np.ndarray
    span_start: np.ndarray
    span_bytes: np.ndarray
    file_start: np.ndarray
    file_bytes: np.ndarray
    faults: dict[int, tuple[str, str]]

    def __len__(self) -> int:
        return len(self.held)

    def records(self) -> Iterator[memoryview]:
        """The bytes of each record, empty for one with a fault."""
        view, begin = memoryview(self.data), 0
        for size in self.held.tolist():
            yield view[begin : begin + size]
            begin += size

    def digest(self) -> str:
        hasher = xxhash.xxh3_128(self.data)
        for column in (self.held, self.span_start, self.span_bytes, self.file_start, self.file_bytes):
            hasher.update(column.astype("<i8").tobytes())
        hasher.update(msgspec.json.encode([[row, *fault] for row, fault in sorted(self.faults.items())]))
        return hasher.hexdigest()

    def spans(self) -> Columns:
        return {"span_start": pa.array(self.span_start), "span_bytes": pa.array(self.span_bytes)}

    def file_ranges(self) -> Columns:
        unknown = self.file_start == _NONE
        return {
            "file_start": pa.array(self.file_start, mask=unknown),
            "file_bytes": pa.array(self.file_bytes, mask=unknown),
        }


class Cutter:
    """Collects records into chunks."""

    def __init__(self, reader: Reader) -> None:
        self._max_rows, self._max_bytes = reader.partition_rows, reader.partition_bytes
        self._chunks = 0
        self.rows = 0
        self._clear()

    def _clear(self) -> None:
        self._records: list[bytes] = []
        self._spans: list[np.ndarray] = []  # each 4 x some records
        self._single: list[tuple[int, int, int, int]] = []  # spans of records that came one by one since the last array
        self._faults: dict[int, tuple[str, str]] = {}
        self._bytes = 0

    def add(
        self, record: bytes, span_start: int, span_bytes: int, file_start: int = _NONE, file_bytes: int = _NONE
    ) -> Chunk | None:
        """A readable record -> the chunk that it completes, if it does."""
        self._records.append(record)
        self._single.append((span_start, span_bytes, file_start, file_bytes))
        self._bytes += len(record)
        self.rows += 1
        return self.finish() if len(self._records) >= self._max_rows or self._bytes >= self._max_bytes else None

    def add_many(self, records: list[bytes], span_start: np.ndarray, span_bytes: np.ndarray) -> Iterator[Chunk]:
        """The same for many records, whose spans are as long as they are."""
        done = 0
        while done < len(records):
            filled = self._bytes + np.cumsum(span_bytes[done:])
            full = int(np.searchsorted(filled, self._max_bytes)) + 1  # records up to and with the one that fills it
            count = min(full, self._max_rows - len(self._records), len(records) - done)
            part = slice(done, done + count)
            self._stack()
            spans = np.full((4, count), _NONE, dtype=np.int64)
            spans[0], spans[1] = span_start[part], span_bytes[part]
            self._spans.append(spans)
            self._records += records[part]
            self._bytes = int(filled[count - 1])
            self.rows += count
            done += count
            if (len(self._records) >= self._max_rows or self._bytes >= self._max_bytes) and (chunk := self.finish()):
                yield chunk

    def add_fault(
        self,
        drop: str,
        detail: str,
        span_start: int,
        span_bytes: int,
        file_start: int = _NONE,
        file_bytes: int = _NONE,
    ) -> Chunk | None:
        """A record of which nothing is held."""
        self._faults[len(self._records)] = (drop, detail)
        return self.add(b"", span_start, span_bytes, file_start, file_bytes)

    def finish(self) -> Chunk | None:
        """What has been collected, as a chunk; None if nothing has."""
        if not self._records:
            return None
        self._stack()
        held = np.fromiter(map(len, self._records), dtype=np.int64, count=len(self._records))
        start, size, file_start, file_bytes = np.concatenate(self._spans, axis=1)
        run = Run(b"".join(self._records), held, start, size, file_start, file_bytes, self._faults)
        chunk = Chunk(self._chunks, self.rows - len(run), len(run), run.digest(), run)
        self._chunks += 1
        self._clear()
        return chunk

    def _stack(self) -> None:
        if self._single:
            self._spans.append(np.array(self._single, dtype=np.int64).T)
            self._single = []


Row = tuple[Any, ...]


def parse_rows(
    run: Run, types: Mapping[str, pa.DataType], row: Callable[[memoryview], Row], batch_rows: int = 1024
) -> Columns:
    """Columns `types`, `drop` and `detail` of the records of `run`. `row` turns the bytes of a record into the values
    of these columns, in this order. Done a batch at a time: short-lived objects, one array per column at the end."""
    types = {**types, "drop": pa.string(), "detail": pa.string()}
    absent = (None,) * (len(types) - 2)
    records, batches = enumerate(run.records()), []
    for _ in range(0, len(run), batch_rows):
        rows = [
            row(record) if number not in run.faults else absent + run.faults[number]
            for number, record in islice(records, batch_rows)
        ]
        batches.append([pa.array(v, kind) for v, kind in zip(zip(*rows, strict=True), types.values(), strict=True)])
    return {name: pa.concat_arrays(parts) for name, parts in zip(types, zip(*batches, strict=True), strict=True)}
