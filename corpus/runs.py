"""Sorted runs: fixed-width records in order, in files that are read block by block, and merged in a fixed budget.

A record is one element of a numpy structured array whose first field is `key` (u64). A run is sorted by the fields that
its header names; it lies on disk as

    magic  | u32 length of the header | header (JSON) | u64 first key of each block | u64 xxh3_64 of each block | records

with blocks of 4,096 records, so that a range of keys is found without reading the rest and every block that is read is
checked. Merging orders by all sort fields, not by the key alone, and emits what is known to be complete: a single key
with millions of records passes through the same few megabytes as any other.
"""

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import numpy as np
import xxhash

from corpus.errors import StoreError
from corpus.store import Blobs

MAGIC = b"CORPRUN1"
BLOCK_RECORDS = 4096
FAN_IN = 256  # runs merged at a time; more are merged in levels
FLUSH_BYTES = 64 << 20  # a task writes a run each time it holds this much
MERGE_BYTES = 64 << 20  # buffers of one merge, all runs together


class _Header(msgspec.Struct):
    fields: list[list[str]]
    sort: list[str]
    records: int


def sorted_records(records: np.ndarray, sort: Sequence[str]) -> np.ndarray:
    """`records` in ascending order of the `sort` fields, the first of them weighing most; ties keep their order."""
    if len(sort) == 1:
        return records[np.argsort(records[sort[0]], kind="stable")]
    return records[np.lexsort([records[name] for name in reversed(sort)])]


def write(blobs: Blobs, name: str, records: np.ndarray, sort: Sequence[str]) -> None:
    """Publish `records`, which must be sorted already."""
    header = msgspec.json.encode(_Header([list(f[:2]) for f in records.dtype.descr], list(sort), len(records)))
    starts = range(0, len(records), BLOCK_RECORDS)
    first = records["key"][::BLOCK_RECORDS].astype("<u8")
    digests = np.array(
        [xxhash.xxh3_64_intdigest(records[i : i + BLOCK_RECORDS].tobytes()) for i in starts], dtype="<u8"
    )
    parts = [MAGIC, len(header).to_bytes(4, "little"), header, first.tobytes(), digests.tobytes(), records.tobytes()]
    blobs.put(name, b"".join(parts))


class Ref(msgspec.Struct, frozen=True):
    """A run by name. Document numbers in it may count from the first document of a bundle: `shift` is added to the
    fields `shifted` as they are read."""

    name: str
    shift: int = 0
    shifted: tuple[str, ...] = ()


class Run:
    """An open run: its index in memory, its records read on demand. StoreError where a block is not what was written."""

    def __init__(self, blobs: Blobs, name: str) -> None:
        self.blobs, self.name = blobs, name
        head = blobs.get(name, 0, 12)
        if head[:8] != MAGIC:
            raise self._damaged("no sorted run")
        size = int.from_bytes(head[8:], "little")
        try:
            header = msgspec.json.decode(blobs.get(name, 12, 12 + size), type=_Header)
        except msgspec.DecodeError as error:
            raise self._damaged(f"header: {error}") from error
        self.dtype = np.dtype([(f[0], f[1]) for f in header.fields])
        self.sort = tuple(header.sort)
        self.records = header.records
        blocks = -(-header.records // BLOCK_RECORDS)
        index = np.frombuffer(blobs.get(name, 12 + size, 12 + size + 16 * blocks), "<u8")
        if len(index) != 2 * blocks:
            raise self._damaged("index is cut short")
        self.first, self.digests = index[:blocks], index[blocks:]
        self._data_at = 12 + size + 16 * blocks

    def _damaged(self, what: str) -> StoreError:
        return StoreError(f"{self.blobs.url(self.name)}: {what}. Remove that file and build again.")

    def read(self, begin: int, end: int) -> np.ndarray:
        """Records of blocks begin..end-1."""
        a, b = begin * BLOCK_RECORDS, min(end * BLOCK_RECORDS, self.records)
        wide = self.dtype.itemsize
        data = self.blobs.get(self.name, self._data_at + a * wide, self._data_at + b * wide)
        if len(data) != (b - a) * wide:
            raise self._damaged("records are cut short")
        for number in range(begin, end):
            at = (number - begin) * BLOCK_RECORDS * wide
            block = memoryview(data)[at : at + BLOCK_RECORDS * wide]
            if xxhash.xxh3_64_intdigest(block) != self.digests[number]:
                raise self._damaged(f"block {number} is damaged")
        return np.frombuffer(data, self.dtype)

    def range(self, low: int, high: int) -> tuple[int, int]:
        """Blocks that may hold keys in low..high-1."""
        begin = max(0, int(np.searchsorted(self.first, np.uint64(low), "left")) - 1)
        end = len(self.first) if high >= 1 << 64 else int(np.searchsorted(self.first, np.uint64(high), "left"))
        return begin, max(begin, end)


class _Cursor:
    """A run's records in a range of keys, a few blocks at a time."""

    def __init__(self, run: Run, ref: Ref, low: int, high: int, blocks: int) -> None:
        self.run, self.ref, self.blocks = run, ref, blocks
        shift = ref.shift if "key" in ref.shifted else 0
        self.low, self.high = max(0, low - shift), high if high >= 1 << 64 else max(0, high - shift)
        self.next, self.end = run.range(self.low, self.high)
        self.held = np.empty(0, run.dtype)

    def fill(self) -> None:
        while not len(self.held) and self.next < self.end:
            stop = min(self.end, self.next + self.blocks)
            records = self.run.read(self.next, stop)
            self.next = stop
            begin = int(np.searchsorted(records["key"], np.uint64(self.low), "left"))
            end = len(records) if self.high >= 1 << 64 else int(np.searchsorted(records["key"], np.uint64(self.high), "left"))
            self.held = records[begin:end]
            if self.ref.shift and len(self.held):
                self.held = self.held.copy()
                for name in self.ref.shifted:
                    self.held[name] += np.uint64(self.ref.shift)

    @property
    def more(self) -> bool:
        return self.next < self.end


def _count_up_to(records: np.ndarray, bound: np.void, sort: Sequence[str]) -> int:
    """How many of the sorted `records` are at most `bound`."""
    low, high = 0, len(records)
    for name in sort:
        part = records[name][low:high]
        low, high = (
            low + int(np.searchsorted(part, bound[name], "left")),
            low + int(np.searchsorted(part, bound[name], "right")),
        )
    return high


def merge(blobs: Blobs, refs: Sequence[Ref], low: int = 0, high: int = 1 << 64) -> Iterator[np.ndarray]:
    """Records of all runs with low <= key < high, as sorted blocks in sorted order.

    Memory: MERGE_BYTES of buffers, the index of each run, and one emitted block of at most the same size.
    """
    runs = [Run(blobs, ref.name) for ref in refs]
    each = max(1, MERGE_BYTES // max(1, len(runs)) // (BLOCK_RECORDS * max((r.dtype.itemsize for r in runs), default=1)))
    cursors = [_Cursor(run, ref, low, high, each) for run, ref in zip(runs, refs, strict=True)]
    sort = runs[0].sort if runs else ()
    while True:
        for cursor in cursors:
            cursor.fill()
        cursors = [cursor for cursor in cursors if len(cursor.held)]
        if not cursors:
            return
        if len(cursors) == 1:
            held, cursors[0].held = cursors[0].held, cursors[0].held[:0]
            yield held
            continue
        ends = [cursor.held[-1] for cursor in cursors if cursor.more]
        parts = []
        if ends:
            bound = min(ends, key=lambda record: tuple(record[name] for name in sort))
            for cursor in cursors:
                count = _count_up_to(cursor.held, bound, sort)
                parts.append(cursor.held[:count])
                cursor.held = cursor.held[count:]
        else:
            for cursor in cursors:
                parts.append(cursor.held)
                cursor.held = cursor.held[:0]
        yield sorted_records(np.concatenate(parts), sort)


class Writer:
    """Collects records and writes a sorted run whenever FLUSH_BYTES are held. Names are prefix-00000.run, …"""

    def __init__(self, blobs: Blobs, prefix: str, dtype: np.dtype, sort: Sequence[str]) -> None:
        self.blobs, self.prefix, self.dtype, self.sort = blobs, prefix, dtype, tuple(sort)
        self.names: list[str] = []
        self.records = 0
        self._held: list[np.ndarray] = []
        self._bytes = 0

    def add(self, records: np.ndarray) -> None:
        if len(records):
            self._held.append(records)
            self._bytes += records.nbytes
            self.records += len(records)
            if self._bytes >= FLUSH_BYTES:
                self._flush()

    def _flush(self) -> None:
        name = f"{self.prefix}-{len(self.names):05d}.run"
        write(self.blobs, name, sorted_records(np.concatenate(self._held), self.sort), self.sort)
        self.names.append(name)
        self._held, self._bytes = [], 0

    def finish(self) -> tuple[Ref, ...]:
        if self._held:
            self._flush()
        return tuple(Ref(name) for name in self.names)


def merge_to_one(blobs: Blobs, refs: Sequence[Ref], target: str) -> None:
    """Merge runs into one, in the memory of a merge plus the index; the result is written through a local file."""
    first = Run(blobs, refs[0].name)
    total = sum(Run(blobs, ref.name).records for ref in refs)
    header = msgspec.json.encode(_Header([list(f[:2]) for f in first.dtype.descr], list(first.sort), total))
    keys: list[int] = []
    digests: list[int] = []
    with tempfile.TemporaryDirectory(prefix="corpus-merge-") as folder:
        body, whole = Path(folder) / "body", Path(folder) / "run"
        with open(body, "wb") as file:
            for block in _rechunked(merge(blobs, refs), np.empty(0, first.dtype)):
                keys.append(int(block["key"][0]))
                data = block.tobytes()
                digests.append(xxhash.xxh3_64_intdigest(data))
                file.write(data)
        with open(whole, "wb") as file, open(body, "rb") as data_file:
            file.write(MAGIC + len(header).to_bytes(4, "little") + header)
            file.write(np.array(keys, "<u8").tobytes() + np.array(digests, "<u8").tobytes())
            while part := data_file.read(8 << 20):
                file.write(part)
        blobs.put_file(target, whole)


def _rechunked(blocks: Iterator[np.ndarray], rest: np.ndarray) -> Iterator[np.ndarray]:
    for block in blocks:
        rest = np.concatenate([rest, block])
        whole = len(rest) // BLOCK_RECORDS * BLOCK_RECORDS
        for begin in range(0, whole, BLOCK_RECORDS):
            yield rest[begin : begin + BLOCK_RECORDS]
        rest = rest[whole:]
    if len(rest):
        yield rest

