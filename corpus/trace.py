"""Trace: from a token to the document, the record and the bytes that it came from; and, replayed, back again.

A replay opens the source file, runs every row-local stage of the chain from the raw record with nothing adopted, and
compares: every column with the digest in its record, the tokens with those in the shard. What a stage over the whole
corpus decided (deduplication) is taken from its table, as no single partition can decide it again.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from rich.console import Group, RenderableType
from rich.text import Text

from corpus import tables
from corpus.chain import Walk
from corpus.errors import InputError, StoreError, VerifyError
from corpus.explain import origin
from corpus.graph import Graph, Partition
from corpus.guard import guarded
from corpus.opened import Build, Tables
from corpus.pack import Shard
from corpus.progress import printable
from corpus.ranges import part
from corpus.replay import replay
from corpus.stage import Map, Regroup
from corpus.steps import is_map
from corpus.store import Blobs

_AROUND = 8  # token ids shown on either side
_SHOWN = 2000  # characters of text


class Trace(msgspec.Struct):
    """One token and where it came from. All positions are from 0.

    token     position in the build: over its shards in the order of the manifest
    at        position in the shard; the document holds tokens [start, stop) of it, the last ends the document
    around    token ids from position `around_start` of the shard on
    record    ordinal in the input file; `span` is its (start, bytes) there, as the reader counts
    bytes     of the record's text, where the document is a part of it; None for all
    replayed  column digests that were computed again and agreed; 0 without a replay
    """

    token: int
    shard: str
    at: int
    value: int
    start: int
    stop: int
    around: list[int]
    around_start: int
    id: str
    source: str
    path: str
    record: int
    span: tuple[int, int] | None
    url: str | None
    bytes: tuple[int, int] | None
    partition: str
    row: int
    text: str | None
    replayed: int = 0


def trace(out: Blobs, store: Blobs, token: int, shard: str | None = None, graph: Graph | None = None) -> Trace:
    """Trace token number `token`, of the whole build or of one shard (its path, with or without folder and suffix).

    With `graph`, the dataset manifest with the roots of its sources, the document is replayed. InputError for a token
    or shard that is not there or a source file that is missing or has changed, VerifyError where something differs.
    """
    build = Build(out, store)
    one, at, number = _locate(build, token, shard)
    docs = tables.read(out.get(one.docs.path))
    position = int(np.searchsorted(docs["start"].to_numpy(), at, side="right")) - 1
    root, first = docs["partition"][position].as_py(), docs["row"][position].as_py()
    start, identity = docs["start"][position].as_py(), docs["id"][position].as_py()
    stop = start + docs["tokens"][position].as_py()
    seen = Tables(store, build.partition(root))
    level = seen.level(len(seen.records) - 1)
    row = _row(seen, level, identity)
    source, path, record = origin(seen.partition, first)
    begun = seen.values(0, first, ["span_start", "span_bytes", "url"]) or {}
    around_start = max(start, at - _AROUND)
    around = build.tokens(one, around_start, min(stop, at + _AROUND + 1)).tolist()
    found = Trace(
        token=number,
        shard=one.path,
        at=at,
        value=around[at - around_start],
        start=start,
        stop=stop,
        around=around,
        around_start=around_start,
        id=identity.hex(),
        source=source,
        path=path,
        record=record,
        span=(begun["span_start"], begun["span_bytes"]) if "span_start" in begun else None,
        url=begun.get("url"),
        bytes=part(seen, level, row),
        partition=f"{root:016x}",
        row=row,
        text=seen.text(row, level, len(seen.records)),
    )
    if graph is not None:
        found.replayed = _replay(build, graph, seen.partition, row, identity, build.tokens(one, start, stop).tolist())
    return found


def _row(seen: Tables, level: int, identity: bytes) -> int:
    """The row of an id in the numbering of `level`."""
    found = np.flatnonzero(pc.equal(seen.column(level, "id"), pa.scalar(identity, pa.binary(16))))
    if not len(found):
        raise VerifyError(f"partition {seen.partition.key:016x} has no document {identity.hex()}. Run `corpus verify`.")
    return int(found[0])


def _locate(build: Build, token: int, name: str | None) -> tuple[Shard, int, int]:
    """-> (shard, position in it, position in the build)"""
    before = 0
    if not build.shards:
        raise InputError(f"{build.out.root}: this build has no shards: its manifest has no `pack` stage.")
    for shard in build.shards:
        here = token if name is not None else token - before
        if (name is None or _is(shard, name)) and 0 <= here < shard.tokens:
            return shard, here, before + here
        if name is not None and _is(shard, name):
            raise InputError(f"--token {token}: {shard.path} holds tokens 0 to {shard.tokens - 1:,}.")
        before += shard.tokens
    if name is not None:
        raise InputError(f"--shard {name}: no such shard. Shards: {', '.join(s.path for s in build.shards[:20])}")
    raise InputError(f"--token {token}: the build holds tokens 0 to {before - 1:,}.")


def _is(shard: Shard, name: str) -> bool:
    for suffix in (".bin", ".idx", ".docs.parquet"):
        name = name.removesuffix(suffix)
    return shard.path == name or shard.path.rsplit("/", 1)[-1] == name.rsplit("/", 1)[-1]


# -- replay ------------------------------------------------------------------------------------------------------------


@contextmanager
def replayed(build: Build, graph: Graph, partition: Partition) -> Iterator[tuple[Walk, int]]:
    """-> (the partition made again from its raw records, number of columns compared). VerifyError on the first that
    differs."""
    with replay(build, graph, partition) as walk:
        try:
            compared = _compare(walk)
        except StoreError as error:
            raise VerifyError(str(error)) from None
        yield walk, compared


def _replay(build: Build, graph: Graph, partition: Partition, row: int, identity: bytes, packed: list[int]) -> int:
    """Everything again from the raw record. -> number of columns compared. VerifyError on the first that differs."""
    with replayed(build, graph, partition) as (walk, compared):
        end = len(walk.records)
        place = int(np.searchsorted(walk.rows(end), row))
        if walk.column("id", end)[place].as_py() != identity:
            raise VerifyError(f"partition {partition.key:016x}, row {row}: its id is no longer {identity.hex()}")
        again = [*walk.column("tokens", end)[place].as_py(), packed[-1]]
    if again != packed:
        at = next(
            (i for i, (a, b) in enumerate(zip(again, packed, strict=False)) if a != b), min(len(again), len(packed))
        )
        raise VerifyError(
            f"document {identity.hex()}: replayed from {partition.path}, it gives {len(again)} tokens, the shard "
            f"holds {len(packed)}; they part at token {at} of the document ({again[at : at + 4]} instead of "
            f"{packed[at : at + 4]}). Run `corpus verify`."
        )
    return compared


def _compare(walk: Walk) -> int:
    """Every column, and every verdict, of every row-local stage against its record."""
    compared = 0
    for k, step in enumerate(walk.steps[: len(walk.records)]):
        if not is_map(step.stage):
            continue
        record = walk.records[k]
        where = f"stage `{step.label}`, partition {walk.partition(k):016x}"
        for name in step.adds:
            if isinstance(step.stage, Regroup) and name == "text":  # its digest follows from the spans
                continue
            got = tables.column_digest(walk.values(k, name))
            if got != record.columns[name]:
                raise VerifyError(
                    f"{where}: replayed, `{name}` differs from what was recorded "
                    f"({got[:16]} instead of {record.columns[name][:16]})"
                )
            compared += 1
        rows = np.arange(record.made, dtype=np.uint32) if isinstance(step.stage, Regroup) else walk.rows(k)
        drop = walk.values(k, "drop") if step.adds else _verdicts(walk, k)
        if tables.rows_digest(rows[np.asarray(drop.is_null())]) != record.alive:
            raise VerifyError(f"{where}: replayed, it drops other documents than recorded")
    return compared


def _verdicts(walk: Walk, k: int) -> pa.Array:
    """Drop codes of a stage that writes nothing else."""
    stage, rows = walk.steps[k].stage, len(walk.rows(k))
    assert isinstance(stage, Map)
    batch = pa.record_batch([walk.column(name, k) for name in stage.reads], names=list(stage.reads))
    return tables.combine(guarded(stage, batch, walk.load(walk.steps[k])).get("drop", pa.nulls(rows, pa.string())))


def show(found: Trace) -> RenderableType:
    """For a terminal."""
    ids = Text("tokens    ", style="cyan")
    ids.append("… " if found.around_start > found.start else "", "default")
    for i, value in enumerate(found.around):
        ids.append(str(value), "bold reverse default" if found.around_start + i == found.at else "default").append(" ")
    ids.append("…" if found.around_start + len(found.around) < found.stop else "", "default")
    span = f", {found.span[1]:,} bytes from {found.span[0]:,}" if found.span else ""
    part = f", bytes {found.bytes[0]:,} to {found.bytes[1]:,} of its text" if found.bytes else ""
    lines = [
        Text(f"token {found.token:,} of the build is {found.value}", style="bold"),
        ids,
        _line("shard", f"{found.shard}, token {found.at:,}; its document has tokens {found.start:,} to {found.stop:,}"),
        _line("document", found.id),
        _line("source", f"{found.source}: {found.path}, record {found.record:,}{span}{part}"),
    ]
    if found.url is not None:
        lines.append(_line("url", found.url))
    if found.replayed:
        said = f"from the raw record: {found.replayed} columns of its partition and all its tokens are the same"
        lines.append(_line("replayed", said))
    if found.text is not None:
        text = "\n".join(printable(line) for line in found.text[:_SHOWN].split("\n"))
        lines += [Text(""), Text(text + ("…" if len(found.text) > _SHOWN else ""), style="dim")]
    return Group(*lines)


def _line(name: str, value: str) -> Text:
    return Text(f"{name:<10}", style="cyan").append(printable(value), "default")
