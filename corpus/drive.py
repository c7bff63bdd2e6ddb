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

from corpus import guard_rails, heldout, index, mixing
from corpus.build import Builder
from corpus.errors import InputError, RecipeError, VerifyError
from corpus.exchange import Exchange
from corpus.graph import Segment
from corpus.heavy_rules import Heavy, heavy_rules
from corpus.mixture import Mixed
from corpus.pack import Pack
from corpus.packing import Packed, pack
from corpus.purge import begin, purge, show
from corpus.removal import seal_list
from corpus.seal import Flow, funnel, seal
from corpus.sealed import open_manifest
from corpus.settle import settle
from corpus.store import Blobs


class Outcome(msgspec.Struct):
    """What a run of the driver did."""

    manifest: dict[str, Any] | None
    funnel: dict[str, list[Flow]]
    phases: dict[str, float]  # seconds of wall time
    exchanges: dict[str, dict[str, int]]
    heavy: list[Heavy] = []
    mixed: Mixed | None = None


def compile_corpus(builder: Builder, out: Blobs, until: str | None = None) -> Outcome:
    """Build what is stale. With `until`, stop behind that stage and leave the build unsealed."""
    graph = builder.graph
    stages = {stage.label: stage for stage in graph.recipe.stages}
    if until is not None and until != "read" and until not in stages:
        raise RecipeError(f"--until {until}: no such stage. Stages: {', '.join(graph.labels())}")
    phases: dict[str, float] = {}
    exchanges: dict[str, dict[str, int]] = {}
    packed = Packed()
    earlier = _earlier(out)
    begin(builder, out)

    def timed(name: str, work: Callable[[], Any]) -> Any:
        started = time.monotonic()
        result = work()
        phases[name] = phases.get(name, 0.0) + time.monotonic() - started
        return result

    unread = timed("discover", builder.discover)
    for segment in builder.segments():
        stops, whole = _stops(builder, segment, until)
        timed("map", lambda stops=stops, unread=unread: builder.walk(stops, unread))
        unread = {}
        builder.check_losses()
        if not whole:
            break
        stage = segment.stage
        if isinstance(stage, Exchange):
            exchanges[stage.label] = timed(stage.label, lambda s=segment: settle(builder, s))
            guard_rails.check(builder, segment, exchanges[stage.label])
        elif isinstance(stage, Pack):
            packed = timed(stage.label, lambda s=segment: pack(builder, s, out, earlier))
        if stage is not None and until == stage.label:
            break
    manifest = mixed = None
    if until is None:
        where = timed("index", lambda: index.write(builder, out, earlier))
        if builder.removal is not None:
            where["removed"] = seal_list(out, builder.removal.removal)
        held = timed("held-out list", lambda: heldout.write(builder, out, earlier))
        said, mixed = mixing.write(graph.recipe, packed.shards, out, builder.executor.map)
        args = (graph, builder.partitions, builder.files, packed, where, exchanges, held, said)
        manifest = timed("seal", lambda: seal(out, *args))
        if builder.removal is not None:
            _remove(builder, out, timed)
    builder.fold()
    flows = {s: funnel(graph.chains[s], own) for s, own in builder.partitions.items()}
    return Outcome(manifest, flows, phases, exchanges, heavy_rules(builder, out), mixed)


def _remove(builder: Builder, out: Blobs, timed: Callable[[str, Callable[[], Any]], Any]) -> None:
    """What a removal list asks for once a build is sealed."""
    unused = builder.unused_lines()
    if unused:
        shown = ", ".join(map(str, unused[:20])) + (", …" if len(unused) > 20 else "")
        builder.progress.say(
            f"{builder.removal.place}: {len(unused):,} entries name no record that was read: lines {shown}"
        )
    done = timed("purge", lambda: purge(builder, out))
    if done is not None:
        builder.progress.say(show(done))


def _earlier(out: Blobs) -> dict[str, Any]:
    """The manifest that is sealed here now, if it is whole: what has not changed since need not be written again."""
    try:
        return open_manifest(out)
    except VerifyError:
        return {}


def _stops(builder: Builder, segment: Segment, until: str | None) -> tuple[dict[str, int], bool]:
    """Where each source's walk stops in this segment, and whether the segment is walked to its end."""
    if until is None:
        return segment.until, True
    labels = builder.graph.labels()
    last = labels.index(until)
    stops = {}
    for source, end in segment.until.items():
        chain = builder.graph.chains[source]
        own = sum(1 for step in chain if labels.index(step.label) <= last)
        stops[source] = min(end, own)
    return stops, segment.stage is not None and labels.index(segment.stage.label) <= last


def log_run(
    out: Blobs, builder: Builder, outcome: Outcome | None, seconds: float, how: dict[str, Any]
) -> dict[str, Any]:
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
