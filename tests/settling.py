"""A small corpus in two languages, brought up to dedup, and settled by any executor, in tasks as small as one likes."""

import hashlib
import random
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import zstandard

import sampledata
import stages
from corpus import recipe, rounds, runs, settle, tables
from corpus.build import Builder
from corpus.chain import Walk
from corpus.graph import Graph
from corpus.progress import Progress
from corpus.steps import Origin
from corpus.store import Blobs
from stages.dedup import Dedup

ROUNDS = [one.method for one in Dedup().rounds]
_BEGIN = 'name = "settling"\n'
_SOURCE = """
[[source]]
name = "{name}"
format = "pile"
root = "{root}"
files = ["{name}/*.jsonl.zst"]
priority = {priority}
read = {{ partition_rows = 40 }}
"""
_STAGES = '[[stage]]\nkind = "normalise"\n[[stage]]\nkind = "sign"\n'
_DEDUP = '[[stage]]\nkind = "dedup"\n'
_FILES = {"one": ["pile/wikipedia-en", "pile/pubmed-abstracts"], "two": ["pile/stackexchange", "zh/*"]}


def make(folder: Path) -> None:
    """Two sources; duplicates inside each, and between them."""
    spare = folder / "made"
    sampledata.generate(spare, 1, 0.03)
    for name, patterns in _FILES.items():
        (folder / name).mkdir()
        for path in sorted(path for pattern in patterns for path in spare.glob(f"{pattern}.jsonl.zst")):
            path.rename(folder / name / path.name)


def shuffled(folder: Path, into: Path, seed: int) -> None:
    """The same documents of each source, in another order, in files of other names and lengths."""
    rng = random.Random(seed)
    for name in _FILES:
        lines = [line for path in sorted((folder / name).iterdir()) for line in _lines(path)]
        rng.shuffle(lines)
        (into / name).mkdir(parents=True)
        begin = 0
        while begin < len(lines):
            part = lines[begin : begin + rng.randrange(20, 200)]
            path = into / name / f"{rng.getrandbits(32):08x}.jsonl.zst"
            path.write_bytes(zstandard.compress(b"".join(part)))
            begin += len(part)


def _lines(path: Path) -> list[bytes]:
    with open(path, "rb") as file:
        whole = zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True).read()
    return [line + b"\n" for line in whole.split(b"\n") if line]


def build(folder: Path, store: Path, executor: Any, signed: bool = False) -> tuple[Builder, dict[str, int]]:
    """`signed`: stop where dedup would begin. -> the builder, what dedup counted"""
    path = folder / f"{'signed' if signed else 'settled'}.toml"
    sources = [_SOURCE.format(name=name, root=folder, priority=n) for n, name in enumerate(_FILES)]
    path.write_text("".join([_BEGIN, *sources, _STAGES, "" if signed else _DEDUP]))
    plan = recipe.load(path, stages.Stage, stages.Reader)
    builder = Builder(Graph(plan, Blobs(str(store))), executor, Progress(quiet=True))
    unread = builder.discover()
    counts: dict[str, int] = {}
    for segment in builder.segments():
        builder.walk(segment.until, unread)
        if isinstance(segment.stage, Dedup):
            counts = settle.settle(builder, segment)
    return builder, counts


def small(patch: pytest.MonkeyPatch) -> int:
    """Several tasks in each round, levels of merging, several runs a task. -> FLUSH_BYTES, for workers"""
    patch.setattr(settle, "BUNDLE_ROWS", 120)
    patch.setattr(rounds, "RANGE_BYTES", 8000)
    patch.setattr(runs, "FAN_IN", 8)
    patch.setattr(runs, "FLUSH_BYTES", 4000)
    return 4000


def round_of(item: Any) -> str:
    """The round that a task belongs to; `merge` for one that merges runs before a round; "" for none."""
    if isinstance(item, rounds._Task):
        return item.stage.rounds[item.round].method
    return {settle._SettleTask: ROUNDS[-1], rounds._Merge: "merge"}.get(type(item), "")


def tree(store: Path, *folders: str) -> dict[str, str]:
    """Digest of every file, but for what killed writers left."""
    return {
        path.relative_to(store).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for folder in folders
        for path in (store / folder).rglob("*")
        if path.is_file() and not path.name.startswith(".tmp-")
    }


class Verdict(msgspec.Struct, frozen=True):
    """What dedup says of a document, in texts: ids say where a document lies."""

    source: str
    text: str
    drop: str | None
    cluster: str | None
    size: int | None
    partner: str | None
    similarity: float | None
    rare: float | None
    relation: str | None


def verdicts(builder: Builder) -> Counter[Verdict]:
    texts: dict[bytes, str] = {}
    found: list[tuple[str, bytes, dict[str, Any]]] = []
    for source, partitions in builder.partitions.items():
        steps = builder.graph.chains[source]
        for p in partitions:
            k = len(p.records) - 1
            walk = Walk(Origin(source, p.path, p.key), steps, builder.store, {}, lambda step: None, p.records[:k])
            ids = walk.column("id", k).to_pylist()
            texts.update(zip(ids, walk.column("text", k).to_pylist(), strict=True))
            table = tables.read(builder.store.get(p.records[k].table.name))
            found.extend(zip([source] * len(ids), ids, table.to_pylist(), strict=True))

    def said(source: str, one: bytes, row: dict[str, Any]) -> Verdict:
        cluster, partner = (texts[row[name]] if row[name] else None for name in ("cluster", "partner"))
        measured = (row["similarity"], row["rare_similarity"], row["relation"])
        return Verdict(source, texts[one], row["drop"], cluster, row["cluster_size"], partner, *measured)

    return Counter(said(*one) for one in found)


class Small:
    """An executor whose workers write a run each `flush_bytes`."""

    def __init__(self, executor: Any, flush_bytes: int) -> None:
        self.executor, self.flush_bytes, self.workers = executor, flush_bytes, executor.workers

    def map(self, function: Any, items: Iterable[Any]) -> Iterator[tuple[int, Any]]:
        return self.executor.map(Flushing(function, self.flush_bytes), items)


class Flushing(msgspec.Struct, frozen=True):
    function: Any
    flush_bytes: int

    def __call__(self, item: Any) -> Any:
        runs.FLUSH_BYTES = self.flush_bytes
        return self.function(item)
