"""From a manifest to a sealed build: segments in order, then shards, index and seal.

What varies between runs (seconds, host, memory, versions, where the store lies) goes to `runs.jsonl` in the build
directory, and nowhere else.
"""

import os
import platform
import resource
import socket
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import msgspec

from corpus import index
from corpus.build import Builder
from corpus.chain import Origin
from corpus.errors import InputError, LawError, RecipeError
from corpus.exchange import Exchange
from corpus.graph import Segment
from corpus.identity import canonical, sha256
from corpus.pack import (
    BUNDLE_TOKENS,
    SPLITS,
    Pack,
    RunTask,
    Shard,
    ShardTask,
    Vocabulary,
    bundles,
    power_of_two,
    write_runs,
    write_shard,
)
from corpus.seal import Flow, funnel, seal
from corpus.settle import settle
from corpus.store import Blobs
from corpus.work import load_model


class Outcome(msgspec.Struct):
    """What a run of the driver did."""

    manifest: dict[str, Any] | None
    funnel: dict[str, list[Flow]]
    phases: dict[str, float]  # seconds of wall time
    exchanges: dict[str, dict[str, int]]


def compile_corpus(builder: Builder, out: Blobs, until: str | None = None) -> Outcome:
    """Build what is stale. With `until`, stop behind that stage and leave the build unsealed."""
    graph = builder.graph
    stages = {stage.label: stage for stage in graph.recipe.stages}
    if until is not None and until != "read" and until not in stages:
        raise RecipeError(f"--until {until}: no such stage. Stages: {', '.join(graph.labels())}")
    phases: dict[str, float] = {}
    exchanges: dict[str, dict[str, int]] = {}
    shards: list[Shard] = []
    vocabulary = None

    def timed(name: str, work: Callable[[], Any]) -> Any:
        started = time.monotonic()
        result = work()
        phases[name] = phases.get(name, 0.0) + time.monotonic() - started
        return result

    unread = timed("discover", builder.discover)
    finished = True
    for segment in builder.segments():
        stops, finished = _stops(builder, segment, until)
        timed("map", lambda stops=stops, unread=unread: builder.walk(stops, unread))
        unread = {}
        builder.check_losses()
        if not finished:
            break
        stage = segment.stage
        if isinstance(stage, Exchange):
            exchanges[stage.label] = timed(stage.label, lambda s=segment: settle(builder, s))
        elif isinstance(stage, Pack):
            vocabulary = _vocabulary(builder, segment)
            shards = timed(stage.label, lambda s=segment, v=vocabulary: pack(builder, s, out, v))
        if stage is not None and until == stage.label:
            finished = segment is builder.segments()[-1]
            break
    manifest = None
    if finished and until is None:
        where = timed("index", lambda: index.write(builder, out))
        args = (graph, builder.partitions, builder.files, shards, vocabulary, where, exchanges)
        manifest = timed("seal", lambda: seal(out, *args))
    builder.fold()
    flows = {s: funnel(graph.chains[s], own) for s, own in builder.partitions.items()}
    return Outcome(manifest, flows, phases, exchanges)


def _stops(builder: Builder, segment: Segment, until: str | None) -> tuple[dict[str, int], bool]:
    """Where each source's walk stops in this segment, and whether the segment is walked to its end."""
    if until is None:
        return segment.until, True
    labels = builder.graph.labels()
    last = labels.index(until)
    stops, whole = {}, True
    for source, end in segment.until.items():
        chain = builder.graph.chains[source]
        own = sum(1 for step in chain if labels.index(step.label) <= last)
        stops[source] = min(end, own)
    ends = segment.stage.label if segment.stage is not None else None
    if ends is None or labels.index(ends) > last:
        whole = False
    return stops, whole


def _vocabulary(builder: Builder, segment: Segment) -> Vocabulary:
    """The one tokenizer of the build, as its stage describes it."""
    found: dict[str, Vocabulary] = {}
    for source in segment.sources:
        steps = builder.graph.chains[source]
        step = next(s for s in reversed(steps[: segment.until[source]]) if "tokens" in s.adds)
        size, eod = step.stage.vocabulary(load_model(builder.store, step))  # type: ignore[attr-defined]
        ((name, digest),) = step.definition.assets.items()
        found[source] = Vocabulary(name, digest, size, eod)
    if len(set(found.values())) != 1:
        raise RecipeError(
            f"{builder.recipe.path}: sources are encoded with different tokenizers "
            f"({', '.join(sorted({v.name for v in found.values()}))}); one build has one."
        )
    return next(iter(found.values()))


def pack(builder: Builder, segment: Segment, out: Blobs, vocabulary: Vocabulary) -> list[Shard]:
    """Shards of every source. Runs and shards whose identity is known are adopted."""
    stage = segment.stage
    assert isinstance(stage, Pack)
    tasks: list[RunTask] = []
    of: list[str] = []
    for source in segment.sources:
        k = segment.until[source]
        steps = builder.graph.chains[source]
        encoded = next(j for j in reversed(range(k)) if "tokens" in steps[j].adds)
        members = {p.key: p for p in builder.partitions[source]}
        weights = {key: p.records[encoded].sums.get("n_tokens", 0) + p.records[encoded].rows for key, p in members.items()}
        for keys in bundles(weights, BUNDLE_TOKENS):
            parts = tuple(
                (Origin(source, members[key].path, key), tuple(members[key].records[:k])) for key in keys
            )
            identity = sha256(
                canonical([steps[k].definition.identity(), builder.recipe.seed, vocabulary.sha256, source,
                           [[f"{o.key:016x}", *_read_digests(steps, records, k)] for o, records in parts]])
            )
            names = tuple(f"runs/pack/{identity}-{split}.run" for split in SPLITS)
            tasks.append(
                RunTask(builder.store, steps, parts, stage, builder.recipe.seed, vocabulary, names)
            )
            of.append(source)
    counts: dict[str, list[tuple[int, int]]] = {}
    with builder.progress.task("pack: runs", len(tasks), "bundles") as bar:
        for number, found in builder.executor.map(write_runs, tasks):
            for split, (documents, tokens) in enumerate(found):
                counts.setdefault(f"{of[number]} {SPLITS[split]}", []).append((documents, tokens))
            bar.advance(1, of[number])
    jobs: list[ShardTask] = []
    for source in segment.sources:
        definition = builder.graph.chains[source][segment.until[source]].definition.identity()
        for split, split_name in enumerate(SPLITS):
            found = counts.get(f"{source} {split_name}", [])
            if not sum(d for d, _ in found):
                continue
            number = min(power_of_two(sum(t for _, t in found) / stage.shard_tokens), 4096)
            runs = tuple(t.names[split] for t, s in zip(tasks, of, strict=True) if s == source)
            for i in range(number):
                jobs.append(
                    ShardTask(builder.store, out, source, split_name, i, number, runs, definition,
                              builder.recipe.seed, vocabulary)
                )
    shards = []
    with builder.progress.task("pack: shards", len(jobs), "shards") as bar:
        for _, shard in builder.executor.map(write_shard, jobs):
            shards.append(shard)
            bar.advance(1, shard.path)
    for source in segment.sources:
        alive = sum(p.records[segment.until[source] - 1].kept for p in builder.partitions[source])
        packed = sum(s.documents for s in shards if s.source == source)
        if alive != packed:
            raise LawError(f"source `{source}`: {alive} documents to pack, {packed} in its shards")
    return shards


def _read_digests(steps: Any, records: Any, k: int) -> list[str]:
    digests = []
    for name in steps[k].stage.reads:
        j = next(j for j in range(k - 1, -1, -1) if name in steps[j].adds)
        digests.append(records[j].columns[name])
    return [*digests, records[k - 1].alive]


def log_run(out: Blobs, builder: Builder, outcome: Outcome | None, seconds: float, how: dict[str, Any]) -> dict[str, Any]:
    """Append one line about this run to the build directory."""
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    line = {
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "host": socket.gethostname(),
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "python": sys.version.split()[0],
        "versions": {name: version(name) for name in ("ray", "pyarrow", "numpy", "numba", "corpus-compiler")},
        "store": builder.store.root,
        "sealed": bool(outcome and outcome.manifest),
        "seconds": round(seconds, 3),
        "phases": {k: round(v, 3) for k, v in (outcome.phases if outcome else {}).items()},
        "worker_seconds": {k: round(v, 3) for k, v in builder.costs.seconds.items()},
        "steps_made": builder.costs.steps,
        "peak_worker_bytes": builder.costs.peak_rss_bytes,
        "peak_driver_bytes": own,
        **how,
    }
    earlier = out.get("runs.jsonl") if out.exists("runs.jsonl") else b""
    out.put("runs.jsonl", earlier + msgspec.json.encode(line) + b"\n")
    return line


def last_run(out: Blobs) -> dict[str, Any]:
    """The last line of the run log; InputError where there is none."""
    if not out.exists("runs.jsonl"):
        raise InputError(f"{out.root}: no runs.jsonl here. Is this a build directory? Give the store with --store.")
    return dict(msgspec.json.decode(out.get("runs.jsonl").splitlines()[-1]))


