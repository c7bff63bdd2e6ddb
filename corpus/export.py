"""Export: the survivors of a sealed build, with their texts, in formats that other programs read.

data/<source>/<split>-<nnnnn>.…   files of about `file_bytes` of text: partitions of a source, by key, as many as fit
                  (mds: folders <split>/<source>-<nnnnn>, and <split>/index.json over them)
README.md         dataset card           croissant.json   description (JSON-LD, parquet)
export.json       every file with size and sha256, the digest of the build's manifest, counts. Written last
.parts/…          which files each bundle of partitions gave: what is there already is not written again

A file is a function of the records of its partitions: the same bytes at any number of workers, and after a takedown
only the bundles that held what left are written again; files that no bundle gives any more are removed. A document that
was dropped or removed is in no table of survivors, so in no file. Counts are compared with the sealed manifest before
`export.json` says that the export is whole: LawError where they differ.

Memory of a task: the text of one partition, and a row group. A file may exceed `file_bytes` by one partition.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from corpus import export_card
from corpus.build import Executor
from corpus.errors import InputError, LawError
from corpus.export_files import SINKS, merged
from corpus.export_rows import rows
from corpus.graph import Partition
from corpus.identity import canonical, sha256
from corpus.local import Local
from corpus.opened import Build
from corpus.pack import SPLITS, FileInfo
from corpus.progress import Progress
from corpus.store import Blobs

FORMAT = 1
FILE_BYTES = 512 << 20  # of text; a third of it as a Parquet file. The hub recommends files of up to some hundred MB
DONE = "export.json"
_PARTS = ".parts"


class Count(msgspec.Struct):
    documents: int = 0
    text_bytes: int = 0
    tokens: int = 0

    def add(self, other: "Count") -> None:
        self.documents += other.documents
        self.text_bytes += other.text_bytes
        self.tokens += other.tokens


class Part(msgspec.Struct):
    """What a bundle gave: its files, and its counts by split and language ("" where none was told)."""

    identity: str
    files: list[FileInfo] = []
    counts: dict[str, dict[str, Count]] = {}


class Task(msgspec.Struct, frozen=True):
    store: Blobs
    out: Blobs
    kind: str
    source: str
    licence: str
    number: int
    partitions: tuple[Partition, ...]

    @property
    def mark(self) -> str:
        return f"{_PARTS}/{self.source}-{self.number:05d}.json"

    @property
    def identity(self) -> str:
        made = [[f"{p.key:016x}", [record.digest() for record in p.records]] for p in self.partitions]
        return sha256(
            canonical([FORMAT, self.kind, self.source, self.licence, self.number, SINKS[self.kind].versions(), made])
        )


class Exported(msgspec.Struct):
    """What `export.json` says. `counts`: by source and split; `languages` over all."""

    format: int
    kind: str
    name: str
    manifest: str  # sha256 of the build's manifest.json
    files: list[FileInfo]
    counts: dict[str, dict[str, Count]]
    languages: dict[str, Count]

    @property
    def total(self) -> Count:
        total = Count()
        for count in self.languages.values():
            total.add(count)
        return total


def export(
    build: Build,
    out: Blobs,
    kind: str,
    file_bytes: int = FILE_BYTES,
    executor: Executor | Local | None = None,
    progress: Progress | None = None,
) -> Exported:
    """Write a build to `out`, in one of the formats of `export_files.SINKS`. InputError where the format is none."""
    if kind not in SINKS:
        raise InputError(f"--format {kind}: no such format. Formats: {', '.join(SINKS)}")
    SINKS[kind].versions()  # fails here, not in a worker, where its library is missing
    progress = progress or Progress(quiet=True)
    earlier = _earlier(out)
    out.remove(DONE)
    tasks = list(_plan(build, out, kind, file_bytes))
    parts: dict[int, Part] = {}
    with progress.task("export", len(tasks), "files") as bar:
        for number, part in (executor or Local()).map(write_part, tasks):
            parts[number] = part
            bar.advance(1, tasks[number].source)
    done = _summed(build, kind, tasks, [parts[number] for number in range(len(tasks))])
    _check(build, done)
    pages = export_card.pages(build.manifest, done) | merged(out, [f.path for f in done.files])
    for name, data in pages.items():
        out.put(name, data)
        done.files.append(FileInfo(name, len(data), sha256(data)))
    _sweep(out, earlier, {f.path for f in done.files} | {task.mark for task in tasks})
    out.put(DONE, msgspec.json.format(canonical(done), indent=1) + b"\n")
    return done


def _plan(build: Build, out: Blobs, kind: str, file_bytes: int) -> Iterator[Task]:
    grouped: dict[str, list[Partition]] = {name: [] for name in build.sources}
    for partition in build.partitions():
        grouped[partition.source].append(partition)
    for source, partitions in grouped.items():
        bundles: list[list[Partition]] = [[]]
        held = 0
        for partition in sorted(partitions, key=lambda p: p.key):
            size = _living_bytes(partition)
            if bundles[-1] and held + size > file_bytes:
                bundles.append([])
                held = 0
            bundles[-1].append(partition)
            held += size
        for number, bundle in enumerate(bundles):
            licence = build.sources[source]["licence"]
            yield Task(build.store, out, kind, source, licence, number, tuple(bundle))


def _living_bytes(partition: Partition) -> int:
    """Bytes of the survivors' text, estimated: what was last counted, in proportion to the documents that are left."""
    for record in reversed(partition.records):
        if "text_bytes" in record.sums:
            return record.sums["text_bytes"] * partition.records[-1].living // max(1, record.living)
    return partition.records[0].sums.get("span_bytes", 0)


def write_part(task: Task) -> Part:
    """Write the files of a bundle, unless they are there."""
    identity = task.identity
    if task.out.exists(task.mark):
        part = msgspec.json.decode(task.out.get(task.mark), type=Part)
        if part.identity == identity and all(
            task.out.exists(f.path) and task.out.size(f.path) == f.bytes for f in part.files
        ):
            return part
    task.out.remove(task.mark)
    part = Part(identity, [], {})
    with tempfile.TemporaryDirectory(prefix="corpus-export-") as name:
        folder = Path(name)
        sinks: dict[str, Any] = {}
        for partition in task.partitions:
            for split, table in rows(task.store, partition, task.licence).items():
                if not len(table):
                    continue
                if split not in sinks:
                    sinks[split] = SINKS[task.kind](folder, task.source, split, task.number)
                sinks[split].write(table)
                _count(part.counts.setdefault(split, {}), table)
        for split in SPLITS:
            for made in sinks[split].close() if split in sinks else []:
                data = (folder / made).read_bytes()
                part.files.append(FileInfo(made, len(data), sha256(data)))
                task.out.put_file(made, folder / made)
    task.out.put(task.mark, canonical(part))
    return part


def _count(counts: dict[str, Count], table: pa.Table) -> None:
    language = pc.fill_null(table["language"], "").combine_chunks().dictionary_encode()
    codes = language.indices.to_numpy()
    size = pc.fill_null(pc.binary_length(table["text"]), 0).to_numpy()
    tokens = pc.fill_null(table["tokens"], 0).to_numpy()
    sums = [np.bincount(codes, w, len(language.dictionary)).astype(np.int64).tolist() for w in (None, size, tokens)]
    for name, documents, held, ids in zip(language.dictionary.to_pylist(), *sums, strict=True):
        counts.setdefault(name, Count()).add(Count(documents, held, ids))


def _summed(build: Build, kind: str, tasks: list[Task], parts: list[Part]) -> Exported:
    root = sha256(build.out.get("manifest.json"))
    done = Exported(FORMAT, kind, build.manifest["name"], root, [], {name: {} for name in build.sources}, {})
    for task, part in zip(tasks, parts, strict=True):
        done.files += part.files
        for split, languages in part.counts.items():
            for language, count in languages.items():
                done.counts[task.source].setdefault(split, Count()).add(count)
                done.languages.setdefault(language, Count()).add(count)
    return done


def _check(build: Build, done: Exported) -> None:
    """Each survivor once: as many as the funnel keeps, and as the shards hold, where there are shards."""
    packed: dict[tuple[str, str], list[int]] = {}
    for shard in build.shards:
        own = packed.setdefault((shard.source, shard.split), [0, 0])
        own[0] += shard.documents
        own[1] += shard.tokens - shard.documents
    for source, told in build.sources.items():
        last = told["funnel"][-1]
        living = last["made"] if "parent_bytes" in last["sums"] else last["kept"]
        got = sum(count.documents for count in done.counts[source].values())
        if got != living:
            raise LawError(f"source `{source}`: {living} documents survive `{last['stage']}`, {got} were exported")
        for split in SPLITS if any(s == source for s, _ in packed) else ():
            count = done.counts[source].get(split, Count())
            want = packed.get((source, split), [0, 0])
            if [count.documents, count.tokens] != want:
                raise LawError(
                    f"source `{source}`, {split}: its shards hold {want[0]} documents of {want[1]} tokens, "
                    f"{count.documents} of {count.tokens} were exported"
                )


def _earlier(out: Blobs) -> set[str]:
    """Files that earlier exports to this place say they wrote: nothing else is ever removed."""
    names: set[str] = set()
    if out.exists(DONE):
        names |= {f.path for f in msgspec.json.decode(out.get(DONE), type=Exported).files}
    for mark in list(out.walk(_PARTS)):
        names |= {mark} | {f.path for f in msgspec.json.decode(out.get(mark), type=Part).files}
    return names


def _sweep(out: Blobs, earlier: set[str], keep: set[str]) -> None:
    for name in sorted(earlier - keep):
        inside = name.startswith(
            tuple(f"{folder}/" for folder in ("data", _PARTS, *SPLITS))
        ) and ".." not in name.split("/")
        if inside or name in export_card.NAMES:
            out.remove(name)
