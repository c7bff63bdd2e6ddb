"""Verify: read everything of a sealed build again and name every file that is not what it must be.

The chain starts at `manifest.sha256`. The manifest names the files of records, indices and shards by digest; the
records name the tables. Over the bytes stand the laws: rows and bytes are conserved between stages and at the reader,
the funnel is the sum of the records, the shards hold each survivor of the last stage once, with the tokens that its
stage wrote, and nothing else, and the indices point at every row.

Not part of a build, and not read: `inputs/`, `runs/`, `removals/`, `packed/`, `runs.jsonl`. Tasks hold one partition,
one index bucket or 16M tokens at a time; the driver holds 64 bytes per record and 50 per partition and source.
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from corpus import mixing
from corpus.build import Executor
from corpus.check_partition import PartitionResult, PartitionTask, batches, check_partitions
from corpus.check_shard import ShardTask, check_shard
from corpus.check_store import StoreCheck, file_record
from corpus.checks import IndexTask, Sum, check_index, problem, settled_entry
from corpus.errors import VerifyError
from corpus.findings import Finding, Findings, show
from corpus.graph import Partition
from corpus.identity import canonical, sha256
from corpus.local import Local
from corpus.opened import Build
from corpus.pack import Vocabulary
from corpus.progress import Progress
from corpus.record import folder
from corpus.repair import Repair
from corpus.seal import Flow
from corpus.sealed import read_steps
from corpus.store import Blobs


def verify(
    out: Blobs,
    store: Blobs | None,
    repair: bool = False,
    executor: Executor | Local | None = None,
    progress: Progress | None = None,
) -> Findings:
    """Check a build directory and, where given, its store. With `repair`, take damaged files of either away so that the
    next build makes them again, and put damaged records back; nothing that is whole is touched, but for the records of
    a damaged table. VerifyError where there is no build."""
    found = Findings()
    if _check_root(out, found):
        _Verify(out, store, executor or Local(), progress or Progress(quiet=True), found).run(repair)
    return found


def _check_root(out: Blobs, found: Findings) -> bool:
    """Both files of the root, byte by byte. -> whether what they say may be relied on."""
    try:
        data, digest = out.get("manifest.json"), out.get("manifest.sha256")
    except FileNotFoundError as error:
        raise VerifyError(
            f"{out.root}: no sealed build here ({error.filename or error}). Run `corpus build` to its end."
        ) from None
    found.root = sha256(data)
    found.files, found.bytes = 2, len(data) + len(digest)
    if digest == f"{found.root}\n".encode():
        return True
    one = (
        f"its sha256 is {found.root}, manifest.sha256 says otherwise: one of the two was changed. Nothing else was read"
    )
    found.wrong = [
        Finding("manifest.json", one),
        Finding("manifest.sha256", f"does not hold the sha256 of manifest.json, {found.root}, and a line break"),
    ]
    return False


class _Verify:
    def __init__(self, out: Blobs, store: Blobs | None, executor: Any, progress: Progress, found: Findings) -> None:
        self.out, self.store, self.executor, self.progress, self.found = out, store, executor, progress, found
        self.build = Build(out, store or out)
        self.manifest = self.build.manifest
        self.flows = {
            name: [Flow(step["stage"], step["kind"]) for step in source["chain"]]
            for name, source in self.build.sources.items()
        }
        self.chunks: dict[tuple[str, str], dict[int, tuple[str, str, int]]] = {}  # file -> chunk -> key, step, spans
        self.packed: dict[str, dict[int, Sum]] = {name: {} for name in self.build.sources}
        self.ids, self.urls = Sum(), Sum()
        self.whole = store is not None  # every table was read: sums may be compared
        self.steps_whole = True
        self.repair = Repair(out, store)
        self.records = StoreCheck(self.build, executor, found, self.repair)

    def run(self, repair: bool) -> None:
        self._strays()
        packed_whole = self._shards()
        self._partitions(packed_whole)
        self._files()
        self._funnels()
        self._indices()
        if self.store is not None:
            self.records.run(self.steps_whole)
        if repair:
            self.found.repaired = self.repair.run(self.build if self.steps_whole else None)

    def wrong(self, file: str, text: str, stored: bool = False) -> None:
        self.found.wrong.append(Finding(file, text, stored))

    # -- the build directory ---------------------------------------------------------------------------------------

    def _strays(self) -> None:
        named = {f.path for s in self.build.shards for f in (s.bin, s.idx, s.docs)}
        named |= {f["path"] for f in self.manifest["steps"]}
        named |= {f["path"] for part in self.manifest["index"].values() for f in part["files"]}
        named |= {f["path"] for f in self.manifest.get("heldout", {}).get("files", [])}
        for place in ("tokens", "steps", "index", "heldout"):
            for name in self.out.walk(place):
                if name not in named:
                    self.wrong(name, "is not named in the manifest")

    def _shards(self) -> dict[str, bool]:
        """-> whether the sums of each source's shards are complete"""
        whole = dict.fromkeys(self.build.sources, True)
        if not self.build.shards:
            return whole
        vocabulary = msgspec.convert(self.manifest["tokenizer"], Vocabulary)
        tasks = [
            ShardTask(self.out, shard, number, len(shards), self.build.seed, vocabulary)
            for source in self.build.sources
            for shards in self.build.splits(source).values()
            for number, shard in enumerate(shards)
        ]
        with self.progress.task("shards", len(tasks), "shards") as bar:
            for position, result in self.executor.map(check_shard, tasks):
                shard = tasks[position].shard
                self.found.wrong += result.findings
                self.found.files += 3
                self.found.bytes += result.bytes
                self.found.documents += shard.documents
                self.found.tokens += shard.tokens
                self.repair.tokens += result.damaged
                whole[shard.source] &= not result.findings
                for key, (documents, value) in result.sums.items():
                    self.packed[shard.source].setdefault(key, Sum()).merge(Sum(documents, value))
                bar.advance(1, shard.path)
        return whole

    def _read_steps(self) -> Iterator[Partition]:
        """Partitions of every file of records that is whole, in order of their keys."""
        files = self.manifest["steps"]
        for number, file in enumerate(files):
            self.found.files += 1
            wrong = problem(self.out, file["path"], file["bytes"], file["sha256"])
            if wrong:
                self.wrong(file["path"], wrong)
                self.whole = self.steps_whole = False
                continue
            self.found.bytes += file["bytes"]
            last = -1
            for partition in read_steps(self.out, file):
                if partition.key <= last or partition.key * len(files) >> 64 != number:
                    self.wrong(file["path"], f"partition {partition.key:016x} is out of place")
                last = partition.key
                if partition.source not in self.flows:
                    self.wrong(file["path"], f"holds a partition of `{partition.source}`, which is no source")
                    continue
                yield partition

    def _partitions(self, packed_whole: dict[str, bool]) -> None:
        settled = frozenset(self.manifest["exchanges"])
        chains = {name: tuple(source["chain"]) for name, source in self.build.sources.items()}
        steps: dict[int, Partition] = {}

        def tasks() -> Iterator[PartitionTask]:
            for partition in self._read_steps():
                self._count(partition)
                steps[partition.key] = partition
                yield PartitionTask(self.store, chains[partition.source], settled, partition)

        total = sum(f["partitions"] for source in self.build.sources.values() for f in source["files"])
        with self.progress.task("partitions", total, "partitions") as bar:
            for _, results in self.executor.map(check_partitions, batches(tasks())):
                for result in results:
                    self._settle(steps.pop(result.key), result, packed_whole)
                bar.advance(len(results), "")
        for source, left in self.packed.items():
            if left and self.whole and packed_whole[source]:
                for key, packed in left.items():
                    self.wrong(
                        f"tokens/{source}_*.docs.parquet",
                        f"{packed.count} documents of partition {key:016x}, which has no survivors",
                    )

    def _count(self, partition: Partition) -> None:
        """Take what later checks need from the records of a partition."""
        self.found.partitions += 1
        first = partition.records[0]
        file = self.chunks.setdefault((partition.source, partition.path), {})
        file[partition.chunk] = (f"{partition.key:016x}", first.step, first.sums.get("span_bytes", 0))
        for flow, record in zip(self.flows[partition.source], partition.records, strict=False):
            if flow.stage in self.records.settled:
                self.records.settled[flow.stage].add(settled_entry(partition.key, [record.step]))
            flow.rows += record.rows
            flow.made += record.made
            flow.kept += record.kept
            for ours, own in ((flow.dropped, record.dropped), (flow.sums, record.sums)):
                for name, value in own.items():
                    ours[name] = ours.get(name, 0) + value
            self.records.want(folder(record.source, record.kind), record.step, record.digest())

    def _settle(self, partition: Partition, result: PartitionResult, packed_whole: dict[str, bool]) -> None:
        found = self.found
        found.wrong += result.findings
        found.rows += result.rows
        found.bytes += result.bytes
        found.files += len(partition.records) if self.store is not None else 0
        self.repair.tables += [partition.records[k] for k in result.tables]
        packed = self.packed[partition.source].pop(result.key, Sum())
        chain = self.build.sources[partition.source]["chain"]
        if chain[-1]["kind"] == "pack" and packed_whole[partition.source] and result.whole and packed != result.packed:
            self.wrong(
                f"tokens/{partition.source}_*.docs.parquet",
                f"partition {result.key:016x}: {packed.count} documents are packed, {result.packed.count} survive the "
                f"last stage; they, or their tokens, are not the same",
            )
        if not result.whole and self.store is not None:
            self.whole = False
            if not result.findings:
                self.wrong(
                    "manifest.json",
                    f"partition {result.key:016x} has {len(partition.records)} records, not one a stage",
                )
        self.ids.merge(result.ids)
        self.urls.merge(result.urls)

    # -- laws that span partitions -------------------------------------------------------------------------------------

    def _files(self) -> None:
        """The reader's law, and that every chunk of every file is there."""
        for source in self.build.sources.values():
            for file in source["files"]:
                where, what = "manifest.json", f"{source['name']}: {file['path']}"
                chunks = self.chunks.pop((source["name"], file["path"]), {})
                if sorted(chunks) != list(range(file["partitions"])):
                    if self.steps_whole:
                        self.wrong(
                            where, f"{what}: has partitions {sorted(chunks)[:20]}, expected {file['partitions']}"
                        )
                    continue
                spans = sum(span for _, _, span in chunks.values())
                if spans + file["skipped_bytes"] != file["decoded_bytes"]:
                    self.wrong(
                        where,
                        f"{what}: spans {spans} + skipped {file['skipped_bytes']} bytes are not the "
                        f"{file['decoded_bytes']} decoded bytes",
                    )
                if file["framed_bytes"] + file["lost_bytes"] != file["file_bytes"]:
                    self.wrong(
                        where,
                        f"{what}: framed {file['framed_bytes']} + lost {file['lost_bytes']} bytes are not "
                        f"the {file['file_bytes']} bytes of the file",
                    )
                record = file_record(source, file, chunks)
                place = folder(source["name"], "file")
                self.records.want(place, record.step, sha256(canonical(record)))
                self.repair.known[f"{place}/{record.step}.json"] = canonical(record)
        for name, path in self.chunks:
            self.wrong("manifest.json", f"{name}: {path}: has partitions, but is not among the files")

    def _funnels(self) -> None:
        if not self.steps_whole:
            return
        for name, source in self.build.sources.items():
            flows = [flow for flow in self.flows[name] if flow.kind != "pack"]
            if flows != msgspec.convert(source["funnel"], list[Flow]):
                self.wrong("manifest.json", f"{name}: its funnel is not the sum of the records")
            packed = sum(shard.documents for shard in self.build.shards if shard.source == name)
            last = flows[-1].made if "parent_bytes" in flows[-1].sums else flows[-1].kept
            if source["chain"][-1]["kind"] == "pack" and packed != last:
                self.wrong("manifest.json", f"{name}: {last} documents survive, {packed} are in its shards")

    def _indices(self) -> None:
        listed = self.manifest["index"].get("removed", {"files": []})["files"]
        table = self.manifest["mixture"]["table"]
        for file in [*listed, *self.manifest.get("heldout", {}).get("files", []), *([table] if table else [])]:
            self.found.files += 1
            self.found.bytes += file["bytes"]
            if wrong := problem(self.out, file["path"], file["bytes"], file["sha256"]):
                self.wrong(file["path"], wrong)
            elif file is table:
                for text in mixing.problems(self.out, self.manifest, self.build.shards):
                    self.wrong(file["path"], text)
        for kind, rows in (("ids", self.ids), ("urls", self.urls)):
            part = self.manifest["index"][kind]
            tasks = [
                IndexTask(self.out, kind, number, part["buckets"], file["path"], file["bytes"], file["sha256"])
                for number, file in enumerate(part["files"])
            ]
            there, whole = Sum(), self.whole
            for position, (findings, entries) in self.executor.map(check_index, tasks):
                self.found.wrong += findings
                self.found.files += 1
                self.found.bytes += tasks[position].bytes
                whole &= not findings
                there.merge(entries)
            if whole and there != rows:
                self.wrong(f"index/{kind}-*.parquet", f"{there.count} entries, expected {rows.count}, or others")


__all__ = ["Findings", "show", "verify"]
