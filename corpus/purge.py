"""After a build with a removal list is sealed: what the store still holds of the removed documents goes.

Tables and records that `remains.find` names; sorted runs that hold documents of the same partitions (runs are caches:
what is missing is made again); temporary files of killed writers; a report of an earlier build. Done once for a list
and the tombstones that it makes, which a mark in the build directory says; a build with another list takes the mark
away before it reads anything. A purge that was killed is finished by the next build, since what tells that something
must go is removed last.

No other build may write to the store meanwhile: one that does may find a table gone, fails, and can be started again.

build: packed/purged.step   digests of the list and of the reads with tombstones that the store was purged for
"""

import msgspec
import numpy as np
import pyarrow.compute as pc

from corpus import index, record
from corpus.build import Builder
from corpus.errors import StoreError
from corpus.graph import Partition
from corpus.id_order import halves
from corpus.identity import canonical, sha256
from corpus.keyed import Pair
from corpus.opened import Tables
from corpus.pack import Pack
from corpus.packed_runs import run_documents
from corpus.packing import run_names
from corpus.remains import Remains, find
from corpus.removal import PURGED, REMOVED
from corpus.store import Blobs

REPORT = "report.html"


class Purged(msgspec.Struct):
    """How much went."""

    tables: int = 0
    records: int = 0
    runs: int = 0
    files: int = 0  # temporary ones, and a report


def graves_of(store: Blobs, partition: Partition) -> Pair:
    """The ids of tombstones: keyed hashes of the ids of the records that they stand for."""
    seen = Tables(store, partition)
    gone = pc.fill_null(pc.equal(seen.column(0, "drop"), REMOVED), False)
    return halves(seen.column(0, "id").filter(gone))


def begin(builder: Builder, out: Blobs) -> None:
    """Before a build does anything: what it reads under another list, or none, must be looked for again."""
    if out.exists(PURGED) and (
        builder.removal is None or not out.get(PURGED).startswith(builder.removal.removal.digest.encode())
    ):
        out.remove(PURGED)


def purge(builder: Builder, out: Blobs) -> Purged | None:
    """Purge the store of a build that was just sealed in `out`. -> None where there was nothing to look for."""
    assert builder.removal is not None
    removal, store = builder.removal.removal, builder.store
    done = Purged()
    done.files += _old_report(out)
    every = [p for own in builder.partitions.values() for p in own]
    touched = sorted((p for p in every if REMOVED in p.records[0].dropped), key=lambda p: p.key)
    mark = f"{removal.digest} {sha256(canonical([p.records[0].step for p in touched]))} {store.root}".encode()
    if out.exists(PURGED) and out.get(PURGED) == mark:
        return None
    pairs = [graves_of(store, partition) for partition in touched]
    graves = tuple(np.concatenate([np.empty(0, np.uint64), *(pair[side] for pair in pairs)]) for side in (0, 1))
    current = {r.table.name for p in every for r in p.records}
    found = find(store, removal, current, [p.key for p in touched], graves, builder.executor.map)
    done.runs = _runs(builder, found)
    done.tables, done.records = _tables(store, found)
    done.files += store.sweep() + out.sweep()
    out.put(PURGED, mark)
    return done


def _old_report(out: Blobs) -> int:
    """A report shows texts: one that is not of the build that is sealed here now goes."""
    if not out.exists(REPORT) or out.get("manifest.sha256").strip() in out.get(REPORT):
        return 0
    out.remove(REPORT)
    return 1


def _tables(store: Blobs, found: Remains) -> tuple[int, int]:
    """Remove tables in their order, the records of each kind before its tables: a table without record is found by its
    name, a record without table is of no use."""
    gone = 0
    kinds = list(dict.fromkeys(name.split("/")[1] for name in found.tables))
    left = dict(found.records)
    for kind in [*kinds, *sorted({kind for _, kind in left})]:
        for place in [place for place in left if place[1] == kind]:
            gone += record.forget(store, *place, left.pop(place))
        for name in found.tables:
            if name.split("/")[1] == kind:
                store.remove(name)
    return len(found.tables), gone


def _runs(builder: Builder, found: Remains) -> int:
    """Runs of packing with documents of touched partitions, of indices that are not of this build, and, as they tell
    documents by numbers alone, all runs of global stages."""
    store, gone = builder.store, []
    ours = {n for s in builder.segments() if isinstance(s.stage, Pack) for n in run_names(builder, s)}
    ours |= index.run_names(builder)
    roots = np.array(sorted(found.roots), np.uint64)
    for kind in store.list("runs"):
        for name in store.walk(f"runs/{kind}"):
            if kind == "pack":
                old = name not in ours and _holds(store, name, roots)
            else:
                old = name not in ours if kind == "index" else found.any
            gone += [name] if old else []
    for name in gone:
        store.remove(name)
    return len(gone)


def _holds(store: Blobs, name: str, roots: np.ndarray) -> bool:
    try:
        return bool(np.isin(run_documents(store, name)["partition"], roots).any())
    except StoreError:  # damaged: of no use to anyone
        return True


def show(done: Purged) -> str:
    """For a terminal."""
    return (
        f"removed documents: {done.tables:,} older tables, {done.records:,} records, {done.runs:,} sorted runs and "
        f"{done.files:,} other files taken out of the store"
    )
