"""Check of one partition: its records against each other and the manifest, then every table against its record.

What the laws say between stages is checked on the rows themselves: the rows of a table are those that the stage before
left alive, by digest.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from corpus import tables
from corpus.checks import Sum, entries, packed_entries, token_hashes
from corpus.errors import LawError
from corpus.findings import Finding
from corpus.graph import Partition
from corpus.id_order import halves
from corpus.identity import child_partition_key, partition_key, recorded_id, sha256
from corpus.index import url_hash
from corpus.opened import Tables, level_of
from corpus.publish import check_law
from corpus.record import Record, folder
from corpus.store import Blobs

_BATCH_ROWS = 32_768
_BATCH = 32  # small partitions travel together


class PartitionTask(msgspec.Struct, frozen=True):
    """`chain` is what the manifest says of each stage, `settled` the labels of stages that are not row-local."""

    store: Blobs | None
    chain: tuple[dict[str, Any], ...]
    settled: frozenset[str]
    partition: Partition


class PartitionResult(msgspec.Struct):
    """`tables` are steps whose table is damaged. `packed` sums what the last survivors must be in the shards."""

    key: int
    findings: list[Finding]
    tables: list[int] = []
    rows: int = 0
    bytes: int = 0
    packed: Sum = msgspec.field(default_factory=Sum)
    ids: Sum = msgspec.field(default_factory=Sum)
    urls: Sum = msgspec.field(default_factory=Sum)
    whole: bool = False  # every table was read, so the sums are complete


def record_name(record: Record) -> str:
    return f"{folder(record.source, record.kind)}/{record.step}.json"


def check_partitions(batch: tuple[PartitionTask, ...]) -> list[PartitionResult]:
    return [check_partition(task) for task in batch]


def check_partition(task: PartitionTask) -> PartitionResult:
    """Records of one partition against each other and the manifest, then every table against its record."""
    partition = task.partition
    result = PartitionResult(partition.key, [])
    for k in range(len(partition.records)):
        for text in _record_problems(task, k):
            result.findings.append(Finding(record_name(partition.records[k]), text, True))
    if task.store is None:
        return result
    seen = Tables(task.store, partition)
    for k, record in enumerate(partition.records):
        wrong = _open(task.store, seen, k)
        found = [wrong] if wrong else _table_problems(task, seen, k)
        result.findings += [Finding(record.table.name, text, True) for text in found]
        if found:
            result.tables.append(k)
        if not wrong:
            result.bytes += record.table.bytes
            result.rows += len(seen.rows(k))
    if not result.tables and len(partition.records) == sum(step["kind"] != "pack" for step in task.chain):
        _sums(seen, result)
        result.whole = True
    return result


def _open(store: Blobs, seen: Tables, k: int) -> str:
    """Read a table and hand it on, if its bytes are right. -> what is wrong with it."""
    table = seen.records[k].table
    try:
        data = store.get(table.name)
    except FileNotFoundError:
        return "is missing"
    if len(data) != table.bytes:
        return f"has {len(data):,} bytes, expected {table.bytes:,}"
    if sha256(data) != table.sha256:
        return f"has sha256 {sha256(data)}, expected {table.sha256}"
    seen.hold(k, data)
    return ""


def _record_problems(task: PartitionTask, k: int) -> list[str]:
    """Identity, inputs and laws, from records alone."""
    records, record = task.partition.records, task.partition.records[k]
    found = []
    if record.step != recorded_id(record.definition, record.inputs):
        found.append("its identity is not the hash of its definition and inputs")
    label = task.chain[k]["stage"] if k < len(task.chain) else ""
    if k >= len(task.chain) or record.definition != {n: v for n, v in task.chain[k].items() if n != "stage"}:
        found.append("its definition is not that of the stage in the manifest")
    key = task.partition.key
    for j in range(1, k + 1):
        if "parents" in records[j].columns:
            key = child_partition_key(key, task.chain[j]["stage"])
    if record.partition != f"{key:016x}" or record.source != task.partition.source:
        found.append(f"it is about partition {record.partition} of `{record.source}`, expected {key:016x}")
    if k == 0 and key != partition_key(task.partition.source, task.partition.path, task.partition.chunk):
        found.append("its partition's key is not the hash of source, path and chunk")
    try:
        check_law(record)
    except LawError as error:
        found.append(str(error))
    if k:
        before = records[k - 1]
        living = before.made if "parents" in before.columns else before.kept
        if record.rows != living:
            found.append(f"saw {record.rows} rows, but {living} were alive before it")
        if label not in task.settled:
            if record.inputs.get("rows") != before.alive:
                found.append("the rows that it read are not those that were alive before it")
            for name in sorted(set(record.inputs) - {"rows", "partition"}):
                written = next(
                    (records[j].columns[name] for j in range(k - 1, -1, -1) if name in records[j].columns), ""
                )
                if written != record.inputs[name]:
                    found.append(f"the column `{name}` that it read is not the one that was written")
    if "parents" in record.columns:
        text = f"{record.columns['parents']}{record.inputs['text']}{record.inputs['rows']}"
        if record.columns.get("text") != sha256(text.encode()):
            found.append("the digest of its text does not follow from its spans")
    return found


def _table_problems(task: PartitionTask, seen: Tables, k: int) -> list[str]:
    """A table whose bytes are right, against its record and the one before."""
    record = seen.records[k]
    regroups = "parents" in record.columns
    rows, drop = seen.rows(k), seen.column(k, "drop")
    found = []
    expected = record.made if regroups else record.rows
    if len(rows) != expected:
        found.append(f"holds {len(rows)} rows, its record says {expected}")
    if len(rows) > 1 and not (rows[1:] > rows[:-1]).all():
        found.append("`row` is not sorted")
    if level_of(seen.records, k) == k or "parents" in seen.records[k - 1].columns:
        if not np.array_equal(rows, np.arange(len(rows))):
            found.append("`row` does not count up from 0")
    elif tables.rows_digest(rows) != seen.records[k - 1].alive:
        found.append("its rows are not those that were alive before it")
    counts = {str(v["values"]): v["counts"] for v in pc.value_counts(drop.drop_null()).to_pylist()}
    if counts != record.dropped:
        found.append(f"drops {counts}, its record says {record.dropped}")
    if tables.rows_digest(seen.living(k)) != record.alive:
        found.append("its survivors are not those of its record")
    for name in seen.stored(k):
        if name in ("row", "drop", "detail"):
            continue
        column = seen.column(k, name)
        if name not in record.columns:
            found.append(f"its column `{name}` is not in its record")
        elif tables.column_digest(column) != record.columns[name]:
            found.append(f"the values of `{name}` are not those of its record")
        found += _sum_problems(record, name, column, np.asarray(drop.is_null()) | (k == 0 and name != "text"))
    if regroups:
        parent, start, end = seen.parents(k)
        if int((end - start).sum()) != record.sums["text_bytes"]:
            found.append(
                f"its spans hold {int((end - start).sum())} bytes, its record says {record.sums['text_bytes']}"
            )
        same = parent[1:] == parent[:-1]
        if (start < 0).any() or (start > end).any() or (same & (start[1:] < end[:-1])).any():
            found.append("its spans overlap or are out of order")
    return found


def _sum_problems(record: Record, name: str, column: pa.Array, counted: np.ndarray) -> list[str]:
    """A total of a record against the column that it sums: a reader's over all rows, others over the living."""
    total = "text_bytes" if name == "text" else name
    if total not in record.sums:
        return []
    numbers = pc.fill_null(pc.binary_length(column) if name == "text" else column, 0)
    got = int(numbers.to_numpy(zero_copy_only=False)[counted].sum(dtype=np.int64))
    return [] if got == record.sums[total] else [f"`{name}` adds up to {got}, its record says {record.sums[total]}"]


def _sums(seen: Tables, result: PartitionResult) -> None:
    """What the index and the shards must hold of this partition."""
    records, key = seen.records, result.key
    for k in range(len(records)):
        if k and "parents" not in records[k].columns:
            continue
        ids = seen.column(k, "id")
        hi, lo = halves(ids)
        new = np.ones(len(ids), dtype=bool)
        if k:  # a document that was not parted keeps its id, and its first place is in the index
            above = level_of(records, k - 1)
            own = halves(seen.column(above, "id").take(pa.array(seen.parents(k)[0])))
            new = (hi != own[0]) | (lo != own[1])
        rows = seen.rows(k)
        result.ids.add(entries(hi[new], lo[new], key, rows[new], k) if new.any() else np.empty(0, np.uint64))
        if not k and "url" in seen.stored(0):
            url = seen.column(0, "url")
            there = np.asarray(url.is_valid())
            hashes = np.array([url_hash(one) for one in url.drop_null().to_pylist()], dtype=np.uint64)
            result.urls.add(entries(hashes, key, rows[there]) if there.any() else hashes)
    encoded = next((j for j in range(len(records) - 1, -1, -1) if "tokens" in records[j].columns), None)
    if encoded is None:
        return
    last = len(records) - 1
    level = level_of(records, last)
    living = seen.living(last)
    tokens = seen.column(encoded, "tokens")
    lengths = pc.list_value_length(tokens).to_numpy(zero_copy_only=False)
    hashes = token_hashes(tokens.values.to_numpy(zero_copy_only=False), tokens.offsets.to_numpy()[:-1], lengths)
    place = np.searchsorted(seen.rows(encoded), seen.up(living, level, level_of(records, encoded)))
    if len(living):
        first = seen.up(living, level, 0)
        result.packed.add(packed_entries(seen.column(level, "id").take(pa.array(living)), first, hashes[place]))


def batches(tasks: Iterable[PartitionTask]) -> Iterator[tuple[PartitionTask, ...]]:
    held: list[PartitionTask] = []
    rows = 0
    for task in tasks:
        held.append(task)
        rows += task.partition.records[0].rows
        if rows > _BATCH_ROWS or len(held) == _BATCH:
            yield tuple(held)
            held, rows = [], 0
    if held:
        yield tuple(held)
