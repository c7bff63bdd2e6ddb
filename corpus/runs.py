"""Sorted runs: fixed-width records in order, in files that are read block by block, and merged in a fixed budget.

A record is one element of a numpy structured array whose first field is `key` (u64). A run is sorted by the fields that
its header names; it lies on disk as

    magic | u32 bytes of the header | u32 blocks | u64 xxh3_64 of all this, of the header and of the index
    header (JSON) | index: u64 first key of each block, u64 xxh3_64 of each block | records

in blocks of 64 KiB, so that a range of keys is found without reading the rest, and every byte that is used is checked:
a flipped bit in the index would otherwise lose records without a sound. Merging orders by all sort fields, not by the
key alone, and emits what is known to be complete: a single key with millions of records passes through the same few
megabytes as any other. A run may be `distinct`: of records that are equal in all sort fields one is left, in the run
and in every merge of it.
"""

import struct
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import numba as nb
import numpy as np
import xxhash

from corpus.errors import StoreError
from corpus.store import Blobs

FORMAT = "run2"  # in the names of runs that outlive a build
MAGIC = b"CORPRUN2"
BLOCK_BYTES = 64 << 10  # in bytes, not records: FAN_IN blocks must fit into MERGE_BYTES however wide a record is
FAN_IN = 256  # runs merged at a time; more are merged in levels
FLUSH_BYTES = 64 << 20  # a task writes a run each time it holds this much
MERGE_BYTES = 64 << 20  # buffers of one merge, all runs together

_HEAD = struct.Struct("<8sIIQ")
_OPENING_BYTES = 16 << 10  # read at first; holds the index of a run of up to 60 MB


class _Header(msgspec.Struct):
    fields: list[list[str]]
    sort: list[str]
    records: int
    block: int  # records in each block but the last
    distinct: bool = False


def sorted_records(records: np.ndarray, sort: Sequence[str]) -> np.ndarray:
    """`records` in ascending order of the `sort` fields (unsigned), the first of them weighing most; ties keep their
    order."""
    return records if len(records) < 2 else rows_of(records, sort_order(records, sort))


def sort_order(records: np.ndarray, sort: Sequence[str]) -> np.ndarray:
    """Positions (u32) of `records` in that order."""
    return _order(_words(records, sort)) if len(records) else np.empty(0, np.uint32)


def _words(records: np.ndarray, sort: Sequence[str]) -> np.ndarray:
    """The sort fields as u64, neighbours packed into one where they fit: (words, records)."""
    words: list[np.ndarray] = []
    free = 0
    for name in sort:
        size = records.dtype[name].itemsize
        if size > free:
            words.append(np.zeros(len(records), np.uint64))
            free = 8
        free -= size
        _append(records[name], size, words[-1])
    return np.stack(words)


@nb.njit(cache=True, nogil=True)
def _append(field, size, word):  # type: ignore[no-untyped-def]
    shift = np.uint64(8 * size & 63)  # of 8 bytes: none, onto a word that is 0
    for i in range(field.size):
        word[i] = word[i] << shift | np.uint64(field[i])


def together(parts: Sequence[np.ndarray]) -> np.ndarray:
    """Records of one type, one after the other. As bytes: numpy joins these four times as fast as records."""
    if len(parts) == 1:
        return parts[0]
    return np.concatenate([np.ascontiguousarray(part).view(np.uint8) for part in parts]).view(parts[0].dtype)


def chosen(records: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Records where `mask` is set."""
    return records if mask.all() else rows_of(records, np.flatnonzero(mask))


def rows_of(records: np.ndarray, order: np.ndarray) -> np.ndarray:
    """records[order], of structured records: as bytes, which numpy takes faster."""
    raw = np.ascontiguousarray(records).view(np.uint8).reshape(len(records), records.itemsize)
    return np.take(raw, order, axis=0).view(records.dtype).ravel()


_DIGIT = 11  # bits that a pass of the sort looks at
_FEW = 24  # records that are sorted by insertion


@nb.njit(cache=True, nogil=True)
def _order(words):  # type: ignore[no-untyped-def]
    """Positions (u32) in ascending order of the words, the first weighing most; stable. Two passes over leading bits
    of the first word, after what all records have in common; what these leave together is few where keys are hashes or
    numbers, and sorted by insertion, or else in full."""
    n = words.shape[1]
    first = words[0]
    low, high = first.min(), first.max()
    width = 0
    while width < 64 and (high - low) >> np.uint64(width):
        width += 1
    shift = np.uint64(max(0, width - 2 * _DIGIT))
    led = np.empty(n, np.uint64)  # leading bits, and the position
    for i in range(n):
        led[i] = (first[i] - low) >> shift << np.uint64(32) | np.uint64(i)
    led = _pass(_pass(led, 32), 32 + _DIGIT)
    order = (led & np.uint64(0xFFFFFFFF)).astype(np.uint32)
    begin = 0
    while begin < n:
        bucket = led[begin] >> np.uint64(32)
        end = begin + 1
        while end < n and led[end] >> np.uint64(32) == bucket:
            end += 1
        if end - begin > _FEW:
            part = order[begin:end].copy()
            for word in range(words.shape[0] - 1, -1, -1):
                part = _radix(words[word], part)
            order[begin:end] = part
        else:
            for i in range(begin + 1, end):
                one = order[i]
                at = i
                while at > begin and _before(words, one, order[at - 1]):
                    order[at] = order[at - 1]
                    at -= 1
                order[at] = one
        begin = end
    return order


@nb.njit(cache=True, nogil=True)
def _before(words, one, other):  # type: ignore[no-untyped-def]
    for word in range(words.shape[0]):
        if words[word, one] != words[word, other]:
            return words[word, one] < words[word, other]
    return False


@nb.njit(cache=True, nogil=True)
def _pass(led, shift):  # type: ignore[no-untyped-def]
    """Sorted by one digit, stable."""
    mask = np.int64((1 << _DIGIT) - 1)
    count = np.zeros(1 << _DIGIT, np.int64)
    for one in led:
        count[np.int64(one >> np.uint64(shift)) & mask] += 1
    begin = 0
    for value in range(count.size):
        begin, count[value] = begin + count[value], begin
    out = np.empty_like(led)
    for one in led:
        value = np.int64(one >> np.uint64(shift)) & mask
        out[count[value]] = one
        count[value] += 1
    return out


@nb.njit(cache=True, nogil=True)
def _radix(word, order):  # type: ignore[no-untyped-def]
    """`order` (u32 positions) sorted by word[order], stable: least digit first, 11 bits at a time. Digits that are the
    same everywhere cost nothing, as the high ones of document numbers."""
    n = order.size
    counts = np.zeros((6, 2048), np.int64)
    ahead, after = np.empty(n, np.uint64), np.empty(n, np.uint64)
    order, spare = order.copy(), np.empty(n, np.uint32)
    for i in range(n):
        ahead[i] = word[order[i]]
        for digit in range(6):
            counts[digit, np.int64(ahead[i] >> np.uint64(11 * digit)) & 2047] += 1
    for digit in range(6):
        shift = np.uint64(11 * digit)
        count = counts[digit]
        if n == 0 or count[np.int64(ahead[0] >> shift) & 2047] == n:
            continue
        begin = 0
        for value in range(2048):
            begin, count[value] = begin + count[value], begin
        for i in range(n):
            value = np.int64(ahead[i] >> shift) & 2047
            to = count[value]
            count[value] = to + 1
            after[to], spare[to] = ahead[i], order[i]
        ahead, after = after, ahead
        order, spare = spare, order
    return order


def differs(records: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """Which of the sorted `records` differ in one of the fields `names` from the record before; the first does."""
    fresh = np.zeros(len(records), dtype=bool)
    fresh[:1] = True
    for name in names:
        fresh[1:] |= records[name][1:] != records[name][:-1]
    return fresh


def _opening(
    dtype: np.dtype, sort: Sequence[str], records: int, distinct: bool, keys: np.ndarray, digests: np.ndarray
) -> bytes:
    """All of a run that comes before its records."""
    fields = [list(field[:2]) for field in dtype.descr]
    header = msgspec.json.encode(_Header(fields, list(sort), records, _block_records(dtype), distinct))
    rest = header + keys.astype("<u8").tobytes() + digests.astype("<u8").tobytes()
    start = _HEAD.pack(MAGIC, len(header), len(keys), 0)[:-8]
    return start + xxhash.xxh3_64_intdigest(start + rest).to_bytes(8, "little") + rest


def _block_records(dtype: np.dtype) -> int:
    return max(1, BLOCK_BYTES // dtype.itemsize)


def write(blobs: Blobs, name: str, records: np.ndarray, sort: Sequence[str], distinct: bool = False) -> None:
    """Publish `records`, which must be sorted already, and different in the sort fields if they are `distinct`."""
    block = _block_records(records.dtype)
    data = memoryview(np.ascontiguousarray(records).view(np.uint8))
    step = block * records.dtype.itemsize
    digests = [xxhash.xxh3_64_intdigest(data[at : at + step]) for at in range(0, len(data), step)]
    opening = _opening(records.dtype, sort, len(records), distinct, records["key"][::block], np.array(digests, "<u8"))
    blobs.put(name, opening, data)


class Ref(msgspec.Struct, frozen=True):
    """A run by name. Document numbers in it may count from the first document of a bundle: `shift` is added to the
    fields `shifted` as they are read."""

    name: str
    shift: int = 0
    shifted: tuple[str, ...] = ()


class Run:
    """An open run: its index in memory, its records read on demand. StoreError where the run is missing, or a part of
    it that is read is not what was written."""

    def __init__(self, blobs: Blobs, name: str) -> None:
        self.blobs, self.name = blobs, name
        opening = self._get(0, _OPENING_BYTES)
        if len(opening) < _HEAD.size or opening[:8] != MAGIC:
            raise self._damaged("no sorted run")
        _, size, blocks, digest = _HEAD.unpack(opening[: _HEAD.size])
        self._data_at = _HEAD.size + size + 16 * blocks
        if self._data_at > len(opening) == _OPENING_BYTES and self._data_at <= blobs.size(name):
            opening += self._get(len(opening), self._data_at)
        rest = opening[_HEAD.size : self._data_at]
        if xxhash.xxh3_64_intdigest(opening[: _HEAD.size - 8] + rest) != digest:
            raise self._damaged("header or index is damaged or cut short")
        header = msgspec.json.decode(rest[:size], type=_Header)
        self.dtype = np.dtype([(f[0], f[1]) for f in header.fields])
        self.sort = tuple(header.sort)
        self.records, self.block, self.distinct = header.records, header.block, header.distinct
        index = np.frombuffer(rest, "<u8", 2 * blocks, size)
        self.first, self.digests = index[:blocks], index[blocks:]

    def _get(self, start: int, stop: int) -> bytes:
        try:
            return self.blobs.get(self.name, start, stop)
        except FileNotFoundError as error:
            raise StoreError(f"{self.blobs.url(self.name)}: this run is missing. Build again.") from error

    def _damaged(self, what: str) -> StoreError:
        return StoreError(f"{self.blobs.url(self.name)}: {what}. Remove that file and build again.")

    def read(self, begin: int, end: int) -> np.ndarray:
        """Records of blocks begin..end-1."""
        a, b = begin * self.block, min(end * self.block, self.records)
        wide = self.dtype.itemsize
        data = self._get(self._data_at + a * wide, self._data_at + b * wide)
        if len(data) != (b - a) * wide:
            raise self._damaged("records are cut short")
        step = self.block * wide
        for number in range(begin, end):
            at = (number - begin) * step
            if xxhash.xxh3_64_intdigest(memoryview(data)[at : at + step]) != self.digests[number]:
                raise self._damaged(f"block {number} is damaged")
        return np.frombuffer(data, self.dtype)

    def range(self, low: int, high: int) -> tuple[int, int]:
        """Blocks that may hold keys in low..high-1."""
        begin = max(0, int(np.searchsorted(self.first, np.uint64(low), "left")) - 1)
        end = len(self.first) if high >= 1 << 64 else int(np.searchsorted(self.first, np.uint64(high), "left"))
        return begin, max(begin, end)


class _Cursor:
    """A run's records in a range of keys, a few blocks at a time."""

    def __init__(self, run: Run, ref: Ref, low: int, high: int, bytes_: int) -> None:
        self.run, self.ref = run, ref
        self.blocks = max(1, bytes_ // (run.block * run.dtype.itemsize))
        shift = ref.shift if "key" in ref.shifted else 0
        self.low, self.high = max(0, low - shift), high if high >= 1 << 64 else max(0, high - shift)
        self.next, self.end = run.range(self.low, self.high)
        self.held = np.empty(0, run.dtype)

    def fill(self) -> None:
        while not len(self.held) and self.next < self.end:
            stop = min(self.end, self.next + self.blocks)
            records = self.run.read(self.next, stop)
            self.next = stop
            key = records["key"]
            begin = int(np.searchsorted(key, np.uint64(self.low), "left"))
            end = len(key) if self.high >= 1 << 64 else int(np.searchsorted(key, np.uint64(self.high), "left"))
            self.held = records[begin:end]
            if self.ref.shift and len(self.held):
                self.held = self.held.copy()
                for name in self.ref.shifted:
                    self.held[name] += self.held[name].dtype.type(self.ref.shift)

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


Opened = list[tuple[Run, Ref]]


def opened(blobs: Blobs, refs: Sequence[Ref]) -> Opened:
    """Runs ready to be merged, over one range of keys after another: indexes are read once."""
    return [(Run(blobs, ref.name), ref) for ref in refs]


def merge(blobs: Blobs, refs: Sequence[Ref], low: int = 0, high: int = 1 << 64) -> Iterator[np.ndarray]:
    """`merged` of runs by name."""
    return merged(opened(blobs, refs), low, high)


def merged(runs: Opened, low: int = 0, high: int = 1 << 64) -> Iterator[np.ndarray]:
    """Records of all runs with low <= key < high, as sorted blocks in sorted order, none of them empty.

    Memory: MERGE_BYTES of buffers, the index of each run, and up to three times MERGE_BYTES while a block is put in
    order (its parts, the sort's own copies, the result).
    """
    blocks = _emitted(runs, low, high)
    return _distinct(blocks, runs[0][0].sort) if runs and all(run.distinct for run, _ in runs) else blocks


def _emitted(runs: Opened, low: int, high: int) -> Iterator[np.ndarray]:
    cursors = [_Cursor(run, ref, low, high, MERGE_BYTES // len(runs)) for run, ref in runs]
    sort = runs[0][0].sort if runs else ()
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
        yield sorted_records(together(parts), sort)


def _distinct(blocks: Iterator[np.ndarray], sort: Sequence[str]) -> Iterator[np.ndarray]:
    last: tuple[int, ...] | None = None
    for block in blocks:
        fresh = differs(block, sort)
        fresh[0] = last != tuple(int(block[name][0]) for name in sort)
        last = tuple(int(block[name][-1]) for name in sort)
        if fresh.any():
            yield chosen(block, fresh)


class Writer:
    """Collects records and writes a sorted run whenever FLUSH_BYTES are held. Names are prefix-00000.run, …

    `records` counts what was written: of equal records in one run of a `distinct` writer, one.
    """

    def __init__(self, blobs: Blobs, prefix: str, dtype: np.dtype, sort: Sequence[str], distinct: bool = False) -> None:
        self.blobs, self.prefix, self.dtype, self.sort, self.distinct = blobs, prefix, dtype, tuple(sort), distinct
        self.names: list[str] = []
        self.records = 0
        self._held: list[np.ndarray] = []
        self._bytes = 0

    def add(self, records: np.ndarray) -> None:
        if len(records):
            self._held.append(records)
            self._bytes += records.nbytes
            if self._bytes >= FLUSH_BYTES:
                self._flush()

    def _flush(self) -> None:
        name = f"{self.prefix}-{len(self.names):05d}.run"
        records = together(self._held)
        self._held, self._bytes = [], 0
        records = sorted_records(records, self.sort)
        if self.distinct:
            records = chosen(records, differs(records, self.sort))
        write(self.blobs, name, records, self.sort, self.distinct)
        self.names.append(name)
        self.records += len(records)

    def finish(self) -> tuple[Ref, ...]:
        if self._held:
            self._flush()
        return tuple(Ref(name) for name in self.names)


def merge_to_one(blobs: Blobs, refs: Sequence[Ref], target: str) -> int:
    """Merge runs into one, in the memory of a merge plus the index; the result is written through a local file.
    -> its records"""
    runs = opened(blobs, refs)
    first = runs[0][0]
    distinct = all(run.distinct for run, _ in runs)
    keys: list[int] = []
    digests: list[int] = []
    total = 0
    with tempfile.TemporaryDirectory(prefix="corpus-merge-") as folder:
        body, whole = Path(folder) / "body", Path(folder) / "run"
        with open(body, "wb") as file:
            for block in _rechunked(merged(runs), np.empty(0, first.dtype)):
                keys.append(int(block["key"][0]))
                data = block.tobytes()
                digests.append(xxhash.xxh3_64_intdigest(data))
                file.write(data)
                total += len(block)
        with open(whole, "wb") as file, open(body, "rb") as data_file:
            file.write(
                _opening(first.dtype, first.sort, total, distinct, np.array(keys, "<u8"), np.array(digests, "<u8"))
            )
            while part := data_file.read(8 << 20):
                file.write(part)
        blobs.put_file(target, whole)
    return total


def _rechunked(blocks: Iterator[np.ndarray], rest: np.ndarray) -> Iterator[np.ndarray]:
    step = _block_records(rest.dtype)
    for block in blocks:
        rest = together([rest, block])
        whole = len(rest) // step * step
        for begin in range(0, whole, step):
            yield rest[begin : begin + step]
        rest = rest[whole:]
    if len(rest):
        yield rest
