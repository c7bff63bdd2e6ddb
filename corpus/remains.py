"""What a store still holds of documents that a removal list names: by lineage, so that text is found without its text.

A read whose ids or URLs the list names holds the text of a removed document, or what later stages made of it does. In
the partitions of such reads, and of those with tombstones, a record is *clean* if everything that it read was written
by a clean record, beginning with the reads in which the list names nothing. What is not clean goes: tables of other
builds in the store among them. Then there are tables of global stages, in any partition, that name a removed document
as a partner; and tables that no record names, which killed builds left.

The records of one source are held at a time, and 8 bytes for each record of the store.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import xxhash

from corpus import record as records
from corpus.keyed import Pair, find_pairs, id_hashes, sorted_pairs
from corpus.opened import declared
from corpus.record import Record
from corpus.removal import NOBODY, Named, Removal
from corpus.store import Blobs

Map = Callable[[Callable[[Any], Any], Sequence[Any]], Iterator[tuple[int, Any]]]
_BATCH = 64  # tables of a task
_NOT_STEPS = ("file", "shard")  # kinds of records that say nothing about rows


class Remains(msgspec.Struct):
    """`tables` in the order in which they may go: what tells that others must go comes after these. `records`: (source,
    kind) -> steps. `roots` are the partitions of input files that hold removed documents, by key. `graves` are the
    keyed hashes of removed ids, sorted."""

    tables: list[str] = []
    records: dict[tuple[str, str], set[str]] = {}
    roots: set[int] = set()
    graves: Pair = (np.empty(0, np.uint64), np.empty(0, np.uint64))

    @property
    def any(self) -> bool:
        return bool(self.tables or self.records)


class SearchTask(msgspec.Struct, frozen=True):
    store: Blobs
    removal: Removal
    names: tuple[str, ...]


class Hit(msgspec.Struct, frozen=True):
    """Rows of a table that are named, and the keyed hashes of their ids."""

    rows: np.ndarray
    ids: Pair


def search(task: SearchTask) -> list[Hit | None]:
    """What the list names in tables that have ids, and perhaps URLs; None where that is nothing, or no such table."""
    found: list[Hit | None] = []
    for name in task.names:
        table = _open(task.store, name)
        named = NOBODY
        if table is not None and "id" in table.schema_arrow.names:
            ids = _column(table, "id")
            urls = _column(table, "url") if "url" in table.schema_arrow.names else None
            named = task.removal.match(ids, urls)
        found.append(_hit(task.removal, ids, named) if len(named.row) else None)
    return found


def _hit(removal: Removal, ids: pa.Array, named: Named) -> Hit:
    return Hit(named.rows, id_hashes(removal.key, ids.take(pa.array(named.rows))))


class PartnersTask(msgspec.Struct, frozen=True):
    store: Blobs
    removal: Removal
    names: tuple[str, ...]
    graves: Pair


def search_partners(task: PartnersTask) -> list[bool]:
    """Whether tables name a removed document in a column that holds ids of other documents."""
    found = []
    for name in task.names:
        table = _open(task.store, name)
        found.append(table is not None and any(_names(task, _column(table, one)) for one in _others(table)))
    return found


def _others(table: pq.ParquetFile) -> list[str]:
    """Columns that may hold ids of other documents."""
    names = [field.name for field in table.schema_arrow if field.type == pa.binary(16)]
    return [name for name in names if name not in ("id", "content")]


def _names(task: PartnersTask, ids: pa.Array) -> bool:
    pairs = id_hashes(task.removal.key, ids.drop_null())
    return any(bool((find_pairs(pairs, *known) >= 0).any()) for known in (task.graves, task.removal.hashes()))


def _open(store: Blobs, name: str) -> pq.ParquetFile | None:
    try:
        return pq.ParquetFile(pa.BufferReader(store.get(name)), pre_buffer=False)
    except FileNotFoundError:
        return None


def _column(table: pq.ParquetFile, name: str) -> pa.Array:
    return declared(table.read([name], use_threads=False)[name])


def find(store: Blobs, removal: Removal, current: set[str], roots: Iterable[int], graves: Pair, map_: Map) -> Remains:
    """`current` are the tables of a build that has the list applied, `roots` its partitions with tombstones, `graves`
    the ids of these. Nothing of it is in the result."""
    found = Remains(roots=set(roots), graves=graves)
    parts: list[list[str]] = [[], [], []]  # tables of other stages, of Regroups, of reads
    partners: list[tuple[str, Record]] = []
    named: list[int] = []
    for source in store.list("records"):
        if source.startswith("_"):  # of global stages: see settle.py
            continue
        own: dict[str, Record] = {}
        for kind in store.list(f"records/{source}"):
            if kind not in _NOT_STEPS:
                own |= records.load(store, source, kind, Record)
        named += [xxhash.xxh3_64_intdigest(r.table.name.encode()) for r in own.values()]
        one = _Source(store, removal, current, own, found)
        one.run(map_)
        for record in one.dirty:
            found.records.setdefault((source, record.kind), set()).add(record.step)
            if record.table.name not in one.clean_tables:
                parts[2 if _is_read(record) else 1 if _regroups(record) else 0].append(record.table.name)
        partners += [(source, r) for r in one.verdicts]
    found.graves = sorted_pairs(*found.graves)
    _partners(store, removal, found, partners, parts[0], map_)
    parts[2] += _orphans(store, removal, found, np.array(named, np.uint64), current, map_)
    found.tables = [name for part in parts for name in dict.fromkeys(part)]
    return found


def _is_read(record: Record) -> bool:
    return "first_record" in record.inputs


def _regroups(record: Record) -> bool:
    return "parents" in record.columns


def _digests(record: Record) -> Iterator[str]:
    yield from record.columns.values()
    yield record.alive


class _Source:
    """The records of one source: which of them are not clean."""

    def __init__(self, store: Blobs, removal: Removal, current: set[str], own: dict[str, Record], found: Remains):
        self.store, self.removal, self.current, self.found = store, removal, current, found
        self.by_partition: dict[str, list[Record]] = {}
        for record in own.values():
            self.by_partition.setdefault(record.partition, []).append(record)
        self.all = own
        self.dirty: list[Record] = []
        self.clean_tables: set[str] = set()
        self.verdicts: list[Record] = []  # of global stages, clean as far as their rows go

    def run(self, map_: Map) -> None:
        hits = self._hits(map_)
        roots = {f"{root:016x}" for root in self.found.roots}
        roots = {one for one in roots if one in self.by_partition} | {self.all[step].partition for step in hits}
        self.found.roots |= {int(key, 16) for key in roots}
        group: list[Record] = []
        clean: set[str] = set()
        for family in self._families(roots):
            own = [record for key in family for record in self.by_partition[key]]
            group += own
            clean |= self._clean(own, hits)
        self.dirty = [r for r in group if r.step not in clean]
        self.clean_tables = {self.all[step].table.name for step in clean}
        gone = {r.step for r in self.dirty}
        self.verdicts = [
            r for r in self.all.values()
            if "verdict" in r.inputs and r.step not in gone and r.table.name not in self.current
        ]  # fmt: skip
        self._bury(hits)

    def _hits(self, map_: Map) -> dict[str, Hit]:
        """By step."""
        reads = [r for r in self.all.values() if _is_read(r) and r.table.name not in self.current]
        batches = [reads[i : i + _BATCH] for i in range(0, len(reads), _BATCH)]
        tasks = [SearchTask(self.store, self.removal, tuple(r.table.name for r in batch)) for batch in batches]
        return {
            record.step: hit
            for number, hits in map_(search, tasks)
            for record, hit in zip(batches[number], hits, strict=True)
            if hit is not None
        }

    def _families(self, roots: set[str]) -> list[list[str]]:
        """Each of these partitions with those that Regroups made of it, known by the ids that they read."""
        holders: dict[str, set[str]] = {}
        for record in self.all.values():
            if "id" in record.columns:
                holders.setdefault(record.columns["id"], set()).add(record.partition)
        children: dict[str, set[str]] = {}
        for record in self.all.values():
            if _regroups(record):
                for parent in holders.get(record.inputs["id"], set()) - {record.partition}:
                    children.setdefault(parent, set()).add(record.partition)
        families = []
        for root in sorted(roots):
            family = [root]
            for key in family:  # grows
                family += sorted(children.get(key, set()) - set(family))
            families.append(family)
        return families

    def _clean(self, family: list[Record], hits: dict[str, Hit]) -> set[str]:
        """Steps of a family that go back to clean reads. Digests are compared within it: small ones are alike."""
        clean = {r.step for r in family if r.table.name in self.current or (_is_read(r) and r.step not in hits)}
        digests = {digest for step in clean for digest in _digests(self.all[step])}
        waiting = [r for r in family if r.step not in clean and not _is_read(r)]
        grows = True
        while grows:
            ready = [r for r in waiting if all(v in digests for v in _read_by(r))]
            grows = bool(ready)
            clean |= {r.step for r in ready}
            digests |= {digest for r in ready for digest in _digests(r)}
            waiting = [r for r in waiting if r.step not in clean]
        return clean

    def _bury(self, hits: dict[str, Hit]) -> None:
        """Add the ids of what is removed, and of its parts, to the graves."""
        gone: dict[int, np.ndarray] = {}
        pairs = [self.found.graves]
        for step, hit in hits.items():
            key = int(self.all[step].partition, 16)
            gone[key] = np.union1d(gone.get(key, np.empty(0, np.uint32)), hit.rows)
            pairs.append(hit.ids)
        waiting = [r for r in self.dirty if _regroups(r)]
        grows = True
        while grows and waiting:
            grows, later = False, []
            for record in waiting:
                table = _open(self.store, record.table.name)
                spans = None if table is None else _column(table, "parents").flatten()
                if spans is None or not len(spans):
                    continue
                parent = spans.field("partition")[0].as_py()
                if parent not in gone:
                    later.append(record)
                    continue
                rows = np.flatnonzero(np.isin(spans.field("row").to_numpy(), gone[parent])).astype(np.uint32)
                key = int(record.partition, 16)
                gone[key] = np.union1d(gone.get(key, np.empty(0, np.uint32)), rows)
                pairs.append(id_hashes(self.removal.key, _column(table, "id").take(pa.array(rows))))
                grows = True
            waiting = later
        self.found.graves = tuple(np.concatenate([pair[side] for pair in pairs]) for side in (0, 1))  # type: ignore[assignment]


def _read_by(record: Record) -> list[Any]:
    """Digests that a record's stage read."""
    return [value for name, value in record.inputs.items() if name not in ("partition", "verdict")]


def _partners(
    store: Blobs, removal: Removal, found: Remains, verdicts: list[tuple[str, Record]], into: list[str], map_: Map
) -> None:
    batches = [verdicts[i : i + _BATCH] for i in range(0, len(verdicts), _BATCH)]
    tasks = [PartnersTask(store, removal, tuple(r.table.name for _, r in batch), found.graves) for batch in batches]
    for number, results in map_(search_partners, tasks):
        for (source, record), hit in zip(batches[number], results, strict=True):
            if hit:
                found.records.setdefault((source, record.kind), set()).add(record.step)
                into.append(record.table.name)


def _orphans(
    store: Blobs, removal: Removal, found: Remains, named: np.ndarray, current: set[str], map_: Map
) -> list[str]:
    """Tables that no record names, of touched partitions or with something that the list names."""
    named.sort()
    unnamed: list[str] = []
    for kind in store.list("tables"):
        if kind == "scope":  # their records are not of steps
            continue
        names = [f"tables/{kind}/{name}" for name in store.list(f"tables/{kind}")]
        hashes = np.array([xxhash.xxh3_64_intdigest(name.encode()) for name in names], np.uint64)
        unnamed += [names[i] for i in np.flatnonzero(~np.isin(hashes, named)) if names[i] not in current]
    roots = {f"{root:016x}" for root in found.roots}
    sure = [name for name in unnamed if name.rsplit("/", 1)[-1][:16] in roots]
    others = sorted(set(unnamed) - set(sure))
    batches = [others[i : i + _BATCH] for i in range(0, len(others), _BATCH)]
    for number, hits in map_(search, [SearchTask(store, removal, tuple(batch)) for batch in batches]):
        sure += [name for name, hit in zip(batches[number], hits, strict=True) if hit is not None]
    return sure
