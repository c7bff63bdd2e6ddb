"""The driver: brings a manifest's graph up to date, and nothing else.

For each segment: files that must be read, then partitions that stand behind, then the global stage that ends it. It may
be killed at any instant and started again: every step that was published is adopted, the rest is done. What it holds in
memory is one record (about half a kilobyte) per partition and stage.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec
import numpy as np

from corpus import record as records
from corpus.errors import InputError, LawError
from corpus.graph import Graph, Partition, Segment, adopt, needs_source
from corpus.identity import child_partition_key, partition_key
from corpus.inputs import Memory, by_path, file_step, listing
from corpus.losses import check_file, check_losses
from corpus.named import NamedRows
from corpus.progress import Progress
from corpus.recipe import Recipe, Source
from corpus.record import FileRecord, Record
from corpus.removal import NOBODY, Named, Opened, open_list
from corpus.stage import Regroup
from corpus.steps import Origin, Step
from corpus.store import Blobs, Stat
from corpus.work import HashTask, ReadResult, ReadTask, Spent, Walked, WalkTask, hash_file, read_file, walk_partitions

_LANE_BYTES = 128 << 20  # compressed bytes of a file that are worth a further lane
_LANES = 8  # every lane decompresses the whole file
_SMALL_ROWS = 2048  # partitions below this travel in batches
_BATCH = 32


class Executor:
    """What `corpus.local.Local` and `corpus.cluster.Cluster` both are."""

    workers: int

    def map(self, function: Any, items: Iterable[Any]) -> Iterator[tuple[int, Any]]:
        raise NotImplementedError


class Costs(msgspec.Struct):
    """Where the time of a build went: worker seconds by stage, steps made, peak memory of any worker."""

    seconds: dict[str, float] = {}
    steps: int = 0
    peak_rss_bytes: int = 0

    def add(self, spent: Spent) -> None:
        for label, value in spent.seconds.items():
            self.seconds[label] = self.seconds.get(label, 0.0) + value
        self.steps += spent.steps
        self.peak_rss_bytes = max(self.peak_rss_bytes, spent.peak_rss_bytes)


class Builder:
    """State of one run of the driver over one manifest."""

    def __init__(self, graph: Graph, executor: Executor, progress: Progress, rehash: bool = False) -> None:
        self.graph = graph
        self.recipe: Recipe = graph.recipe
        self.store: Blobs = graph.store
        self.executor = executor
        self.progress = progress
        self.rehash = rehash
        self.again = ""  # label of a stage that runs again though it is fresh
        self.costs = Costs()
        self.partitions: dict[str, list[Partition]] = {}  # by source, in (path, chunk) order
        self.files: dict[str, dict[str, FileRecord]] = {}  # by source and path
        self.stats: dict[str, dict[str, Stat]] = {}
        self.memories: dict[str, Memory] = {}  # by source
        remove = self.recipe.remove
        self.removal: Opened | None = open_list(remove.list, remove.salt, self.store) if remove else None
        self.named: dict[str, NamedRows] = {}  # by source, where there is a removal list
        self.bases: dict[str, dict[str, FileRecord]] = {}  # the records in `files` as they are without removal
        self.known: dict[str, dict[str, Record]] = {}  # by source
        self._by_partition: dict[str, dict[str, dict[str, Record]]] = {}
        for source in self.recipe.sources:
            self._load_known(source)

    # -- what is there -------------------------------------------------------------------------------------------

    def _load_known(self, source: Source) -> None:
        known: dict[str, Record] = {}
        for kind in sorted({step.stage.kind for step in self.graph.chains[source.name]}):
            known |= records.load(self.store, source.name, kind, Record)
        grouped: dict[str, dict[str, Record]] = {}
        for step, one in known.items():
            grouped.setdefault(one.partition, {})[step] = one
        self.known[source.name] = known
        self._by_partition[source.name] = grouped

    def known_of(self, source: str, root: int) -> dict[str, Record]:
        """Records of a root partition and of its children."""
        grouped = self._by_partition[source]
        found = dict(grouped.get(f"{root:016x}", {}))
        key = root
        for step in self.graph.chains[source]:
            if isinstance(step.stage, Regroup):
                key = child_partition_key(key, step.label)
                found |= grouped.get(f"{key:016x}", {})
        return found

    def forget(self, label: str) -> None:
        """Treat a stage as never run, so that it runs again; its results must then equal the recorded ones."""
        self.again = label
        for source, known in self.known.items():
            k = self.graph.index(source, label)
            if k is None:
                continue
            identity = self.graph.chains[source][k].definition.identity()
            for step in [s for s, record in known.items() if record.definition == identity]:
                record = known.pop(step)
                del self._by_partition[source][record.partition][step]

    def candidates(self, source: str, partition: str) -> Iterable[Record]:
        return self._by_partition[source].get(partition, {}).values()

    def quarantined(self, source: str, path: str) -> dict[int, str]:
        return {q.record: q.reason for q in self.recipe.quarantine if (q.source, q.path) == (source, path)}

    # -- files ---------------------------------------------------------------------------------------------------

    def discover(self, hash_changed: bool = True) -> dict[str, list[str]]:
        """Find the files of every source and those whose partitions are known. -> source -> paths still to be read."""
        unread: dict[str, list[str]] = {}
        for source in self.recipe.sources:
            name = source.name
            stats = self.stats[name] = listing(source)
            step = self.graph.chains[name][0]
            known = records.load(self.store, name, "file", FileRecord)
            earlier = by_path(known)
            memory = self.memories[name] = Memory(self.store, source)
            digests = {p: memory.digest(p, s) for p, s in stats.items() if not self.rehash}
            doubtful = [p for p in stats if digests.get(p) is None and p in earlier] if hash_changed else []
            tasks = [HashTask(f"{source.root.rstrip('/')}/{p}") for p in doubtful]
            for index, digest in self.executor.map(hash_file, tasks):
                digests[doubtful[index]] = digest
                memory.remember(doubtful[index], stats[doubtful[index]], digest)
            memory.save()
            self.files[name], self.partitions[name], unread[name] = {}, [], []
            bases = self.bases[name] = {}
            for path, digest in digests.items():
                if digest is not None:
                    base = known.get(file_step(step.definition, name, path, digest, self.quarantined(name, path)))
                    if base is not None:
                        bases[path] = base
            if self.removal is not None:
                own = self.named[name] = NamedRows(self.store, name, self.removal.removal)
                own.check(list(bases.values()), self.known[name], step.definition, self.executor.map)
                own.save()
            for path in stats:
                found = self._listed(source, bases[path]) if path in bases else None
                if found is None or not all(read in self.known[name] for _, read in found.partitions):
                    unread[name].append(path)
                else:
                    if found.step not in known:
                        records.publish(self.store, found, name, "file")
                    self._accept(source, found)
        return unread

    def _listed(self, source: Source, base: FileRecord) -> FileRecord | None:
        """The record of a file as the removal list leaves it; None where the file must be read to know."""
        if self.removal is None:
            return base
        definition = self.graph.chains[source.name][0].definition
        return self.named[source.name].file(base, definition, self.quarantined(source.name, base.path))

    def _accept(self, source: Source, file: FileRecord) -> None:
        self.files[source.name][file.path] = file
        for chunk, (key, read) in enumerate(file.partitions):
            first = self.known[source.name][read]
            self.partitions[source.name].append(Partition(source.name, file.path, chunk, int(key, 16), [first]))

    def _read_tasks(
        self, source: Source, paths: Iterable[str], until: int, settled: Iterable[Partition] = ()
    ) -> Iterator[ReadTask]:
        steps = self.graph.chains[source.name][:until]
        stats = self.stats[source.name]
        for path in sorted(paths, key=lambda p: (-stats[p].size, p)):  # long ones first
            known: dict[str, Record] = {}
            for chunk in range(1 << 30):
                found = self.known_of(source.name, partition_key(source.name, path, chunk))
                if not found:
                    break
                known |= found
            lanes = min(self.executor.workers, _LANES, 1 + stats[path].size // _LANE_BYTES)
            for lane in range(lanes):
                yield ReadTask(
                    store=self.store,
                    source=source.name,
                    path=path,
                    url=f"{source.root.rstrip('/')}/{path}",
                    steps=steps,
                    known=known,
                    quarantined=self.quarantined(source.name, path),
                    lane=lane,
                    lanes=lanes,
                    removal=self.removal.removal if self.removal else None,
                    named=self._known_names(source.name, path),
                    settled={p.key: tuple(p.records) for p in settled if p.path == path},
                )

    def _known_names(self, source: str, path: str) -> dict[str, Named]:
        """What the list names in a file's partitions, as far as it is known without the file."""
        if source not in self.named:  # the list is given, but no file was looked at: `probe`
            return {}
        file = self.bases[source].get(path)
        return self.named[source].known([step for _, step in file.partitions]) if file else {}

    def read_task(self, source: str, path: str) -> ReadTask:
        """The task that reads one file through the first segment, nothing adopted. InputError for unknown names."""
        found = {s.name: s for s in self.recipe.sources}
        if source not in found:
            raise InputError(f"no source is called {source!r}. Sources: {', '.join(sorted(found))}")
        self.stats[source] = listing(found[source])
        if path not in self.stats[source]:
            raise InputError(f"source `{source}` has no file {path!r} under {found[source].root}")
        return next(self._read_tasks(found[source], [path], self.segments()[0].until[source]))

    def _finish_file(self, source: Source, path: str, results: list[ReadResult]) -> None:
        """Check the reader's law over a whole file and publish its record."""
        walked = sorted((w for r in results for w in r.walked), key=lambda w: w.chunk)
        if [w.chunk for w in walked] != list(range(len(walked))):
            raise LawError(f"{source.name}: {path}: chunks {[w.chunk for w in walked]} are not a complete run")
        ledger, digest = results[0].ledger, results[0].sha256
        if any(r.sha256 != digest for r in results):
            raise InputError(
                f"{source.name}: {path}: the file changed while it was read. Build again when it is still."
            )
        check_file(source.name, path, sum(w.records[0].sums["span_bytes"] for w in walked), ledger)
        definition = self.graph.chains[source.name][0].definition
        base = FileRecord(
            step=file_step(definition, source.name, path, digest, self.quarantined(source.name, path)),
            source=source.name,
            path=path,
            sha256=digest,
            definition=definition.identity(),
            partitions=tuple((f"{w.key:016x}", w.base or w.records[0].step) for w in walked),
            ledger=msgspec.to_builtins(ledger),
        )
        if self.removal is not None:
            for one in walked:
                self.named[source.name].remember(one.base, one.records[0].step, one.named or NOBODY)
        file = self._listed(source, base)
        assert file is not None
        self.bases[source.name][path] = base
        for each in {base.step: base, file.step: file}.values():
            records.publish(self.store, each, source.name, "file")
        for one in walked:
            self.known[source.name] |= {r.step: r for r in one.records}
        self._accept(source, file)
        for partition, one in zip(self.partitions[source.name][-len(walked) :] if walked else [], walked, strict=True):
            partition.records = list(one.records)
        self.memories[source.name].remember(path, self.stats[source.name][path], digest)

    def check_losses(self) -> None:
        """Stop where a source lost more than its set share of records or bytes to damage."""
        for source in self.recipe.sources:
            check_losses(source, self.partitions[source.name], self.files[source.name].values())

    # -- segments ------------------------------------------------------------------------------------------------

    def walk(self, until: Mapping[str, int], unread: Mapping[str, list[str]]) -> None:
        """Bring every partition of every source to `until[source]`: first files, then what needs no file."""
        reads: list[ReadTask] = []
        for source in self.recipe.sources:
            steps = self.graph.chains[source.name]
            stop = until[source.name]
            again = set(unread.get(source.name, ()))
            for partition in self.partitions[source.name]:
                adopt(steps, partition, stop, self.known[source.name])
                behind = len(partition.records) < stop
                if behind and needs_source(steps, len(partition.records), stop):
                    again.add(partition.path)
            settled = [p for p in self.partitions[source.name] if p.path in again]
            self.partitions[source.name] = [p for p in self.partitions[source.name] if p.path not in again]
            reads += self._read_tasks(source, again, stop, settled)
        self._run_reads(reads)
        for source in self.recipe.sources:
            self.partitions[source.name].sort(key=lambda p: (p.path, p.chunk))
        self._run_walks(list(self._walk_batches(until)))

    def _run_reads(self, tasks: list[ReadTask]) -> None:
        sources = {s.name: s for s in self.recipe.sources}
        waiting: dict[tuple[str, str], list[ReadResult]] = {}
        sizes = [self.stats[t.source][t.path].size // t.lanes for t in tasks]
        try:
            with self.progress.task("read and map", sum(sizes), "B") as bar:
                for index, result in self.executor.map(read_file, tasks):
                    task = tasks[index]
                    self.costs.add(result.spent)
                    got = waiting.setdefault((task.source, task.path), [])
                    got.append(result)
                    if len(got) == task.lanes:
                        self._finish_file(sources[task.source], task.path, got)
                        del waiting[task.source, task.path]
                    bar.advance(sizes[index], f"{task.source}/{task.path}")
        finally:
            for hints in (*self.memories.values(), *self.named.values()):
                hints.save()

    def _walk_batches(self, until: Mapping[str, int]) -> Iterator[tuple[WalkTask, ...]]:
        for source in self.recipe.sources:
            steps: tuple[Step, ...] = self.graph.chains[source.name]
            stop = until[source.name]
            small: list[WalkTask] = []
            for partition in self.partitions[source.name]:
                if len(partition.records) >= stop:
                    continue
                task = WalkTask(
                    store=self.store,
                    origin=Origin(partition.source, partition.path, partition.key),
                    steps=steps,
                    until=stop,
                    known=self.known_of(source.name, partition.key),
                    records=tuple(partition.records),
                )
                if partition.records[-1].rows > _SMALL_ROWS:
                    yield (task,)
                else:
                    small.append(task)
                    if len(small) == _BATCH:
                        yield tuple(small)
                        small = []
            if small:
                yield tuple(small)

    def _run_walks(self, batches: list[tuple[WalkTask, ...]]) -> None:
        where = {p.key: p for own in self.partitions.values() for p in own}
        with self.progress.task("map", sum(len(b) for b in batches), "partitions") as bar:
            for index, result in self.executor.map(walk_partitions, batches):
                self.costs.add(result.spent)
                for one in result.walked:
                    self._advance(where[one.key], one)
                bar.advance(len(batches[index]), "")

    def _advance(self, partition: Partition, walked: Walked) -> None:
        partition.records = list(walked.records)
        self.known[partition.source] |= {r.step: r for r in walked.records}

    def unused_lines(self) -> list[int]:
        """Lines of the removal list that name no record."""
        if self.removal is None:
            return []
        hi, lo = self.removal.removal.hashes()
        unused = np.ones(len(hi), dtype=bool)
        for source, own in self.partitions.items():
            unused &= self.named[source].unused([p.records[0].step for p in own], hi, lo)
        return sorted(self.removal.lines[unused].tolist())

    def fold(self) -> None:
        for source in self.recipe.sources:
            for kind in {"file", *(step.stage.kind for step in self.graph.chains[source.name])}:
                records.fold(self.store, source.name, kind)

    def segments(self) -> list[Segment]:
        return self.graph.segments()
