"""Sealing: what a finished build says of itself, complete enough to check everything from one digest.

manifest.json            sources, stages, funnel, tokenizer, mixture, shards, index; written last
mixture.json             how often a training run reads what (see `mixture.py`)
manifest.sha256          its digest: the root of the chain
steps/<nnnnn>.parquet    every step of every partition with its record, by ranges of partition keys
index/…                  where each id and URL is (see `index.py`)
heldout/…                what is held out (see `heldout.py`)
tokens/…                 shards and their side tables (see `pack.py`)
packed/…                 which step wrote each shard, and the indices; what was purged. Not digested
runs.jsonl               one line per run of the build: seconds, memory, host, versions, store. Never digested.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import pyarrow as pa

from corpus import heldout, tables
from corpus.assets import place_of, root_digest
from corpus.bundling import power_of_two
from corpus.errors import LawError
from corpus.exchange import Exchange
from corpus.graph import Graph, Partition
from corpus.identity import canonical, in_full, sha256
from corpus.index import MARK
from corpus.pack import FileInfo, Shard, mark
from corpus.packing import Packed
from corpus.recipe import Recipe
from corpus.record import FileRecord
from corpus.removal import PURGED
from corpus.steps import Step
from corpus.store import Blobs

FORMAT = 1
_PARTITIONS_PER_FILE = 1000


class Flow(msgspec.Struct):
    """What one stage did to one source."""

    stage: str
    kind: str
    rows: int = 0
    made: int = 0
    kept: int = 0
    dropped: dict[str, int] = {}
    sums: dict[str, int] = {}


def funnel(steps: Sequence[Step], partitions: Iterable[Partition]) -> list[Flow]:
    """Rows in, kept and dropped by reason, stage by stage. The law is checked between stages: what one stage keeps
    (or a Regroup makes) is what the next one sees. LawError otherwise."""
    flows = [Flow(step.label, step.stage.kind) for step in steps]
    for partition in partitions:
        living = None
        for flow, record in zip(flows, partition.records, strict=False):
            if living is not None and record.rows != living:
                raise LawError(
                    f"{partition.source}: partition {record.partition}: stage `{flow.stage}` saw {record.rows} rows, "
                    f"but {living} were alive before it"
                )
            living = record.living
            flow.rows += record.rows
            flow.made += record.made
            flow.kept += record.kept
            for code, count in record.dropped.items():
                flow.dropped[code] = flow.dropped.get(code, 0) + count
            for name, value in record.sums.items():
                flow.sums[name] = flow.sums.get(name, 0) + value
    return flows


def step_files(partitions: Sequence[Partition]) -> int:
    return power_of_two(max(1, len(partitions)) / _PARTITIONS_PER_FILE)


def write_steps(out: Blobs, graph: Graph, partitions: Sequence[Partition]) -> list[FileInfo]:
    """The records of every partition, in files by range of root key."""
    count = step_files(partitions)
    grouped: list[list[Partition]] = [[] for _ in range(count)]
    for partition in partitions:
        grouped[partition.key * count >> 64].append(partition)
    written = []
    for number, group in enumerate(grouped):
        group.sort(key=lambda p: p.key)
        lines: list[dict[str, Any]] = []
        for partition in group:
            for k, record in enumerate(partition.records):
                lines.append(
                    {
                        "root": partition.key,
                        "source": partition.source,
                        "path": partition.path,
                        "chunk": partition.chunk,
                        "position": k,
                        "stage": graph.chains[partition.source][k].label,
                        "step": record.step,
                        "record": canonical(record),
                    }
                )
        schema = {
            "root": pa.uint64(),
            "source": pa.string(),
            "path": pa.string(),
            "chunk": pa.int32(),
            "position": pa.int32(),
            "stage": pa.string(),
            "step": pa.string(),
            "record": pa.binary(),
        }
        columns = {name: pa.array([line[name] for line in lines], kind) for name, kind in schema.items()}
        data = tables.to_bytes(tables.canonical(columns))
        name = f"steps/{number:05d}.parquet"
        out.put(name, data)
        written.append(FileInfo(name, len(data), sha256(data)))
    return written


def seal(
    out: Blobs,
    graph: Graph,
    partitions: dict[str, list[Partition]],
    files: dict[str, dict[str, FileRecord]],
    packed: Packed,
    index: dict[str, Any],
    exchanges: dict[str, dict[str, int]],
    held: dict[str, Any],
    mixture: dict[str, Any],
) -> dict[str, Any]:
    """Write `steps/`, `manifest.json` and its digest, removing what an earlier build left. -> the manifest."""
    recipe = graph.recipe
    steps = write_steps(out, graph, [p for own in partitions.values() for p in own])
    sources = []
    for source in recipe.sources:
        flows = funnel(graph.chains[source.name], partitions[source.name])
        _check_packed(source.name, flows, packed.shards)
        sources.append(
            {
                "name": source.name,
                "format": source.format,
                "licence": source.licence,
                "snapshot": source.snapshot,
                "subset": source.subset,
                "priority": source.priority,
                "files": [
                    {"path": f.path, "sha256": f.sha256, "step": f.step, "partitions": len(f.partitions), **f.ledger}
                    for f in sorted(files[source.name].values(), key=lambda f: f.path)
                ],
                "funnel": [flow for flow in flows if flow.kind != "pack"],
                "chain": [{"stage": step.label, **step.definition.identity()} for step in graph.chains[source.name]],
            }
        )
    manifest: dict[str, Any] = {
        "format": FORMAT,
        "name": recipe.name,
        "seed": recipe.seed,
        "sources": sources,
        "exchanges": exchanges,
        "parameters": {s.label: in_full(s) for s in recipe.stages if isinstance(s, Exchange)},
        "cards": {s.label: s.card for s in recipe.stages if isinstance(s, Exchange) and s.card},
        "tokenizer": packed.vocabulary,
        "mixture": mixture,
        "packed": packed.identity,
        "shards": sorted(packed.shards, key=lambda s: s.path),
        "steps": steps,
        "heldout": held,
        "index": index,
        "parents": stood_on(recipe),
    }
    data = msgspec.json.format(canonical(manifest), indent=1) + b"\n"
    keep = {f.path for s in packed.shards for f in (s.bin, s.idx, s.docs)} | {f.path for f in steps}
    keep |= {f["path"] for kind in index.values() for f in kind["files"]}
    keep |= {MARK, PURGED, *(mark(s.path) for s in packed.shards)}
    keep |= heldout.paths(held)
    for folder in ("tokens", "packed", "steps", "index", "heldout"):
        for name in list(out.walk(folder)):
            if name not in keep:
                out.remove(name)
    out.put("manifest.json", data)
    out.put("manifest.sha256", (sha256(data) + "\n").encode())
    return msgspec.json.decode(data)


def stood_on(recipe: Recipe) -> list[dict[str, str]]:
    """The earlier builds that documents of this one were compared with, by the digests of their manifests."""
    names = {name for stage in recipe.stages if isinstance(stage, Exchange) for name in stage.stands_on}
    return [{"name": name, "root": root_digest(place_of(name, recipe.path.parent))} for name in sorted(names)]


def _check_packed(source: str, flows: Sequence[Flow], shards: Sequence[Shard]) -> None:
    """Each survivor once: documents in the shards equal the survivors of the last stage."""
    if not any(flow.kind == "pack" for flow in flows):
        return
    last = [flow for flow in flows if flow.kind != "pack"][-1]
    living = last.made if "parent_bytes" in last.sums else last.kept
    packed = sum(s.documents for s in shards if s.source == source)
    if packed != living:
        raise LawError(f"source `{source}`: {living} documents survive `{last.stage}`, but {packed} are in its shards")
