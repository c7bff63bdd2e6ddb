"""Check that nothing of what a removal list names is left: `corpus verify DIR --removed`.

The list is known by keyed hashes alone, so that is what is compared: every id, and every value of every column of
strings, in the tables, runs, indices, side tables and records of the build, of its store, and of other builds that are
given; and what looks like an id or a URL in the report and the other files. Text cannot be compared with what nobody
knows any more. That it is gone follows from the rows: tombstones are empty and no later stage saw them, side tables
name no tokens of them, and no table in the store goes back to a read in which the list names something (`remains.py`).
A page that is merely mentioned in the text of another is not what this looks for.

Not read: input files, models that were trained on an earlier build, copies elsewhere, scratch folders of workers.

Tasks hold the string columns of one table, without `text`, or one side table; the driver what `remains.py` says, 16
bytes for each tombstone and 24 for each partition.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow.compute as pc

from corpus import index, runs, tables
from corpus.build import Executor
from corpus.errors import StoreError, VerifyError
from corpus.graph import Partition
from corpus.id_order import halves
from corpus.identity import file_key
from corpus.keyed import sorted_pairs
from corpus.left import Removed
from corpus.local import Local
from corpus.opened import Build, Tables
from corpus.packed_runs import run_documents
from corpus.progress import Progress
from corpus.purge import REPORT, graves_of
from corpus.remains import find
from corpus.removal import PURGED, REMOVED, sealed_list
from corpus.search import Search, SearchTask, search_files, search_table
from corpus.store import Blobs, is_local, local_path

_BATCH = 64  # files of a task
_BLOCKS = 1024  # of a run, at a time
_PLACE = np.dtype([("root", "<u8"), ("row", "<u4")])
_OTHER = ("manifest.json", "manifest.sha256", "mixture.json", "runs.jsonl")


def check_removed(
    builds: Sequence[tuple[Blobs, Blobs]],
    repair: bool = False,
    executor: Executor | Local | None = None,
    progress: Progress | None = None,
) -> Removed:
    """`builds`: (build directory, store); the list is that of the first. With `repair`, its next build purges the store
    again. VerifyError where a build is not sealed, or the first one has no list."""
    opened = [Build(out, store) for out, store in builds]
    check = _Check(opened, executor or Local(), progress or Progress(quiet=True))
    check.run()
    if repair and not check.found.ok:
        out = opened[0].out
        out.remove(PURGED)
        check.found.repaired.append(f"removed {out.url(PURGED)}: the next build purges its store again")
    return check.found


class _Check:
    def __init__(self, builds: list[Build], executor: Any, progress: Progress) -> None:
        self.builds, self.first, self.executor, self.progress = builds, builds[0], executor, progress
        removal = sealed_list(self.first.out, self.first.manifest)
        if removal is None:
            raise VerifyError(f"{self.first.out.root}: was sealed without [remove]: there is no list to check against.")
        self.touched = [p for p in self.first.partitions() if REMOVED in p.records[0].dropped]
        pairs = [removal.hashes(), *(graves_of(self.first.store, p) for p in self.touched)]
        every = sorted_pairs(*(np.concatenate([pair[side] for pair in pairs]) for side in (0, 1)))
        self.search = Search(removal, every)
        self.found = Removed(len(removal.hashes()[0]), sum(len(pair[0]) for pair in pairs[1:]))
        self.origins = [_origins(build) for build in builds]

    def run(self) -> None:
        self._tombstones()
        for store in dict.fromkeys(build.store for build in self.builds):
            names = [name for name in store.walk("tables") if not name.startswith("tables/scope/")]
            self._search(store, "tables", names, search_table)
            self._search(store, "records", list(store.walk("records")), search_files)
            self._lineage(store)
            for kind in store.list("runs"):
                self._runs(store, kind)
            self._search(store, "other files", list(store.walk("inputs")), search_files)
            self._temporary(store)
        for build in self.builds:
            self._shards(build)
            self._indices(build)
            self._search(build.out, "held-out list", list(build.out.walk("heldout")), search_table)
            self._search(build.out, "steps", list(build.out.walk("steps")), search_files)
            self._report(build)
            self._search(build.out, "other files", [n for n in _OTHER if build.out.exists(n)], search_files)
            self._temporary(build.out)

    def _search(self, blobs: Blobs, what: str, names: list[str], function: Callable[[Any], Any]) -> None:
        place = self.found.place(blobs.root, what)
        place.files += len(names)
        tasks = [SearchTask(blobs, self.search, tuple(names[i : i + _BATCH])) for i in range(0, len(names), _BATCH)]
        with self.progress.task(what, len(names), "files") as bar:
            for position, found in self.executor.map(function, tasks):
                for file, problems in found.items():
                    for problem in problems:
                        place.add(file, problem)
                bar.advance(len(tasks[position].names), "")

    # -- stores --------------------------------------------------------------------------------------------------------

    def _tombstones(self) -> None:
        place = self.found.place(self.first.store.root, "tables")
        for partition in self.touched:
            for name, problem in _tombstone_problems(self.first.store, partition):
                place.add(name, problem)

    def _lineage(self, store: Blobs) -> None:
        """Tables and records that go back to a row that is named."""
        ours = store == self.first.store
        current = {r.table.name for p in self.first.partitions() for r in p.records} if ours else set()
        roots = [p.key for p in self.touched] if ours else []
        remains = find(store, self.search.removal, current, roots, self.search.every, self.executor.map)
        place = self.found.place(store.root, "tables")
        for name in remains.tables:
            place.add(name, "holds rows of removed documents, or was made from them, or names one")
        place = self.found.place(store.root, "records")
        for (source, kind), steps in remains.records.items():
            place.add(f"records/{source}/{kind}", f"{len(steps)} records of such tables")

    def _runs(self, store: Blobs, kind: str) -> None:
        place = self.found.place(store.root, f"runs of {kind}")
        for name in store.walk(f"runs/{kind}"):
            place.files += 1
            try:
                place.add(name, self._run_problem(store, kind, name))
            except StoreError as error:
                place.add(name, str(error))

    def _run_problem(self, store: Blobs, kind: str, name: str) -> str:
        if not name.endswith(".run"):
            return "; ".join(self.search.text(store.get(name)))
        if kind == "pack":
            return self._documents(run_documents(store, name))
        if kind == "index":
            beside = name.replace("-urls.run", "-ids.run")
            if not store.exists(beside):
                return "holds hashes of URLs, of which documents cannot be told: the run of ids beside it is gone"
            ids = index.run_entries(store, beside)
            hit = self.search.ids((ids["hi"], ids["lo"]))
            if name.endswith("-ids.run"):
                return _count(hit, "ids of removed documents")
            return _count(np.isin(_places(index.run_entries(store, name)), _places(ids[hit])), _URLS)
        run = runs.Run(store, name)
        count = 0
        for begin in range(0, len(run.first), _BLOCKS):
            records = run.read(begin, min(begin + _BLOCKS, len(run.first)))
            for field in run.dtype.names or ():
                other = field[:-2] + "lo"
                if field.endswith("hi") and other in (run.dtype.names or ()):
                    count += int(self.search.ids((records[field], records[other])).sum())
        return f"holds {count:,} ids of removed documents" if count else ""

    def _documents(self, packed: np.ndarray) -> str:
        """Packed documents, by their ids and, where they are parts, by the id of the record that they are from."""
        gone = self.search.ids((packed["hi"], packed["lo"]))
        for keys, files, firsts in self.origins:
            place = np.minimum(np.searchsorted(keys, packed["partition"]), max(0, len(keys) - 1))
            part = (keys[place] == packed["partition"]) & (packed["hi"] != files[place]) if len(keys) else gone[:0]
            at = np.flatnonzero(part)  # what is whole has the id of its record, which was compared
            ordinals = firsts[place[at]] + packed["row"][at].astype(np.uint64)
            gone[at] |= self.search.ids((files[place[at]], ordinals))
        return _count(gone, "removed documents")

    def _temporary(self, blobs: Blobs) -> None:
        """What killed writers left may hold anything."""
        place = self.found.place(blobs.root, "temporary files")
        for path in local_path(blobs.root).rglob(".tmp-*") if is_local(blobs.root) else ():
            place.files += 1
            name = path.relative_to(local_path(blobs.root)).as_posix()
            place.add(name, "is of a writer that was killed: remove it when no build is running")

    # -- build directories ---------------------------------------------------------------------------------------------

    def _shards(self, build: Build) -> None:
        place = self.found.place(build.out.root, "shards")
        named = {f.path for s in build.shards for f in (s.bin, s.idx, s.docs)}
        for name in build.out.walk("tokens"):
            place.files += 1
            if name not in named:
                place.add(name, "is not of the sealed build: an older generation?")
        for shard in build.shards:
            docs = tables.read(build.out.get(shard.docs.path), ["id", "partition", "row"])
            packed = np.empty(len(docs), [("hi", "<u8"), ("lo", "<u8"), ("partition", "<u8"), ("row", "<u4")])
            packed["hi"], packed["lo"] = halves(tables.combine(docs["id"]))
            packed["partition"], packed["row"] = docs["partition"].to_numpy(), docs["row"].to_numpy()
            place.add(shard.docs.path, self._documents(packed))

    def _indices(self, build: Build) -> None:
        place = self.found.place(build.out.root, "index")
        named = {file["path"] for part in build.manifest["index"].values() for file in part["files"]}
        gone = [_tombstones(p, self.first.store) for p in self.touched if build is self.first]
        for name in build.out.walk("index"):
            place.files += 1
            if name not in named:
                place.add(name, "is not of the sealed build")
        for kind in ("ids", "urls"):  # of a URL only a hash is there: it is told by the row
            for file in build.manifest["index"][kind]["files"]:
                table = tables.read(build.out.get(file["path"]))
                rows = _places({name: table[name].to_numpy() for name in ("root", "row")})
                if kind == "ids":
                    hit = self.search.ids(halves(tables.combine(table["id"])))
                    gone.append(rows[hit & (table["level"].to_numpy() == 0)])
                    place.add(file["path"], _count(hit, "ids of removed documents"))
                else:
                    place.add(file["path"], _count(np.isin(rows, np.concatenate([rows[:0], *gone])), _URLS))

    def _report(self, build: Build) -> None:
        place = self.found.place(build.out.root, "report")
        if build.out.exists(REPORT):
            place.files += 1
            data = build.out.get(REPORT)
            for problem in self.search.page(data):
                place.add(REPORT, problem)
            if build.out.get("manifest.sha256").strip() not in data:
                place.add(REPORT, "shows texts of an earlier build: remove it, or write it again with `corpus report`")


_URLS = "URLs of removed documents"


def _count(hit: np.ndarray, what: str) -> str:
    return f"holds {int(hit.sum()):,} {what}" if hit.any() else ""


def _places(entries: Any) -> np.ndarray:
    """(root, row) of entries of an index."""
    made = np.empty(len(entries["root"]), _PLACE)
    made["root"], made["row"] = entries["root"], entries["row"]
    return made


def _origins(build: Build) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of each partition: key, key of its file, ordinal of its first record; sorted by key."""
    found = [(p.key, file_key(p.source, p.path), int(p.records[0].inputs["first_record"])) for p in build.partitions()]
    columns = np.array(sorted(found), dtype=np.uint64).reshape(-1, 3)
    return columns[:, 0], columns[:, 1], columns[:, 2]


def _tombstones(partition: Partition, store: Blobs) -> np.ndarray:
    """Where the tombstones of a partition are."""
    seen = Tables(store, partition)
    rows = seen.rows(0)[np.asarray(pc.fill_null(pc.equal(seen.column(0, "drop"), REMOVED), False))]
    return _places({"root": np.full(len(rows), partition.key, np.uint64), "row": rows})


def _tombstone_problems(store: Blobs, partition: Partition) -> Iterator[tuple[str, str]]:
    """Tombstones must be empty, and no later stage may have seen them. -> (table, what is wrong)"""
    seen = Tables(store, partition)
    gone = pc.fill_null(pc.equal(seen.column(0, "drop"), REMOVED), False)
    rows = seen.rows(0)[np.asarray(gone)]
    for name in seen.stored(0):
        if name not in ("row", "drop", "id", "span_start", "span_bytes"):
            left = seen.column(0, name).filter(gone)
            if left.null_count != len(left):
                yield partition.records[0].table.name, f"tombstones hold values of `{name}`"
    for k, record in enumerate(partition.records[1:], 1):
        if seen.level(k) == 0:
            own = seen.rows(k)
        elif seen.level(k) == k and seen.level(k - 1) == 0:
            own = seen.parents(k)[0]
        else:
            continue  # later numberings come from these
        if np.isin(own, rows).any():
            yield record.table.name, "holds rows of removed documents"
