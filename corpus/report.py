"""The report: one HTML page that needs nothing else, no script and no network.

Everything in it follows from the sealed build, except where the time went, which the last line of `runs.jsonl` says.
Text from documents is escaped by the template and its control characters are shown as \\x..
"""

from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import jinja2
import msgspec
import numpy as np

from corpus import mixing, overlaps
from corpus.build import Executor
from corpus.drive import last_run
from corpus.duplicates import exchanges
from corpus.graph import Partition
from corpus.local import Local
from corpus.mixture import MOST_EPOCHS
from corpus.opened import Build
from corpus.progress import Progress
from corpus.seal import Flow
from corpus.sides import clean
from corpus.store import Blobs
from corpus.tally import HALF_OCTAVES, LINEAR, Candidate, Histogram, Sample, Tally, TallyTask, TextTask, tally, texts
from corpus.threshold_charts import charts

NAME = "report.html"
_BATCH_ROWS = 32_768
_LANGUAGES = 5  # shown of each source; the rest is summed up
_SIGNALS = 24
_LEAST_BINS = 8  # of a share, each 1/32 wide
_COLOURS = 6  # of drop reasons, then they repeat


def report(out: Blobs, store: Blobs, executor: Executor | Local | None = None, progress: Progress | None = None) -> str:
    """Write `report.html` into the build directory. -> its place. VerifyError where the build is not sealed."""
    out.put(NAME, render(Build(out, store), executor or Local(), progress or Progress(quiet=True)).encode())
    return out.url(NAME)


def render(build: Build, executor: Any, progress: Progress) -> str:
    """The page."""
    by_source = _tallies(build, executor, progress)
    whole = Tally()
    for one in by_source.values():
        whole.add(one)
    shown = _samples(build, whole, executor)
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"n": _number, "mb": _megabytes, "share": _share, "clean": clean}
    template = environment.from_string(files("corpus").joinpath("report.html.j2").read_text(encoding="utf-8"))
    return template.render(
        name=build.manifest["name"],
        root=_root(build),
        seed=build.seed,
        totals=_totals(build),
        sources=[_funnel(source) for source in build.manifest["sources"]],
        languages=_languages(by_source),
        signals=_signals(whole),
        thresholds=charts({rule: whole.curves[rule] for rule in _in_order(build, whole)}),
        exchanges=[one for one in exchanges(build, whole.alike) if not _tasks(build, one["label"])],
        benchmarks=[(label, tasks) for label in build.manifest["exchanges"] if (tasks := _tasks(build, label))],
        overlaps=tuple(overlaps.COLUMNS),
        shards=_shards(build),
        tokenizer=build.manifest["tokenizer"],
        mixture=mixing.read(build.out, build.manifest),
        most_epochs=MOST_EPOCHS,
        kept=[(s, _shown(whole.samples["", s], shown)) for s in build.sources if whole.samples.get(("", s))],
        dropped=_dropped(build, whole, shown),
        run=_run(build.out),
    )


def _number(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) else f"{value:,.3g}"


def _megabytes(value: int) -> str:
    for unit, size in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if value >= size:
            return f"{value / size:,.1f} {unit}"
    return f"{value} B"


def _share(part: float, whole: float) -> str:
    return f"{100 * part / whole:.1f}%" if whole else "–"


def _root(build: Build) -> str:
    return build.out.get("manifest.sha256").decode().strip()


# -- counting ----------------------------------------------------------------------------------------------------------


def _tallies(build: Build, executor: Any, progress: Progress) -> dict[str, Tally]:
    found = {source: Tally() for source in build.sources}
    sources: dict[int, str] = {}

    def tasks() -> Iterator[TallyTask]:
        held: dict[str, list[Partition]] = {}

        def task(source: str) -> TallyTask:
            sources[len(sources)] = source
            return TallyTask(build.store, tuple(build.labels(source)), tuple(held.pop(source)))

        for partition in build.partitions():
            own = held.setdefault(partition.source, [])
            own.append(partition)
            if sum(p.records[0].rows for p in own) > _BATCH_ROWS:
                yield task(partition.source)
        for source in list(held):
            yield task(source)

    total = sum(f["partitions"] for source in build.sources.values() for f in source["files"])
    with progress.task("count", total, "partitions") as bar:
        for position, one in executor.map(tally, tasks()):
            found[sources[position]].add(one)
            bar.advance(1, sources[position])
    return found


def _samples(build: Build, whole: Tally, executor: Any) -> dict[str, Sample]:
    """Texts of all candidates, by id."""
    chosen = [c for candidates in whole.samples.values() for c in candidates]
    by_root: dict[int, list[Candidate]] = {}
    for candidate in sorted(chosen, key=lambda c: (c.root, c.step, c.row)):
        by_root.setdefault(candidate.root, []).append(candidate)
    tasks = [TextTask(build.store, build.partition(root), tuple(own)) for root, own in by_root.items()]
    return {identity: sample for _, found in executor.map(texts, tasks) for identity, sample in found}


# -- what the page shows ---------------------------------------------------------------------------------------------


def _totals(build: Build) -> dict[str, int]:
    sources = build.manifest["sources"]
    return {
        "read": sum(source["funnel"][0]["rows"] for source in sources),
        "bytes": sum(f["file_bytes"] for source in sources for f in source["files"]),
        "files": sum(len(source["files"]) for source in sources),
        "packed": sum(shard.documents for shard in build.shards),
        "tokens": sum(shard.tokens for shard in build.shards),
        "shards": len(build.shards),
    }


def _funnel(source: dict[str, Any]) -> dict[str, Any]:
    """Stages of a source that decide, with bars; the others by name."""
    flows = msgspec.convert(source["funnel"], list[Flow])
    widest = max([1, *(max(flow.rows, flow.made) for flow in flows)])
    stages, quiet = [], []
    for number, flow in enumerate(flows):
        if number and not flow.dropped and flow.made in (0, flow.rows):  # a measure, or parts that stayed whole
            quiet.append(flow.stage)
            continue
        kept = flow.made or flow.kept
        reasons = sorted(flow.dropped.items(), key=lambda item: (-item[1], item[0]))
        at = 1000 * kept / widest
        bars = [("kept", "kept", kept, 0.0, at)]
        for place, (code, count) in enumerate(reasons):
            bars.append((f"r{place % _COLOURS}", code, count, at, 1000 * count / widest))
            at += 1000 * count / widest
        stages.append(
            {
                "stage": flow.stage,
                "rows": flow.rows,
                "kept": flow.kept,
                "made": flow.made,
                "bars": bars,
                "dropped": [(f"r{i % _COLOURS}", code, count) for i, (code, count) in enumerate(reasons)],
            }
        )
    last = flows[-1]
    return {
        "name": source["name"],
        "format": source["format"],
        "licence": source["licence"] or "not stated",
        "snapshot": source["snapshot"],
        "files": len(source["files"]),
        "bytes": sum(f["file_bytes"] for f in source["files"]),
        "lost": sum(f["lost_bytes"] for f in source["files"]),
        "read": flows[0].rows,
        "left": last.made or last.kept,
        "stages": stages,
        "quiet": quiet,
    }


def _languages(by_source: dict[str, Tally]) -> list[dict[str, Any]]:
    rows = []
    for source, one in by_source.items():
        ordered = sorted(one.languages.items(), key=lambda item: (-item[1][0] - item[1][2], item[0]))
        others = [sum(column) for column in zip(*(counts for _, counts in ordered[_LANGUAGES:]))]
        if others:
            ordered = [*ordered[:_LANGUAGES], (f"{len(ordered) - _LANGUAGES} others", others)]
        for number, (language, counts) in enumerate(ordered):
            rows.append({"source": source if not number else "", "language": language, "counts": counts})
    return rows


def _signals(whole: Tally) -> list[dict[str, Any]]:
    """Histograms, those first in which kept and dropped differ most (half the sum of absolute differences)."""
    found = []
    for name, one in whole.histograms.items():
        shares = one.low >= 0 and one.high <= 1
        counts, edges = (one.linear, LINEAR) if shares else (one.octaves, HALF_OCTAVES)
        there = np.flatnonzero(counts.sum(axis=0))
        if one.low == one.high:
            continue
        end = max(int(there[-1]) + 1, _LEAST_BINS if shares else 0)
        begin = 0 if shares else int(there[0])
        counts, edges = counts[:, begin:end], edges[begin : end + 1]
        if (
            not shares and not begin and len(there) > 1
        ):  # values of 0, then none for some octaves: no need to show these
            counts, edges = np.delete(counts, np.s_[1 : there[1]], axis=1), np.delete(edges, np.s_[1 : there[1]])
        found.append((_apart(one), name, _chart(name, one, counts, edges)))
    return [chart for _, _, chart in sorted(found, key=lambda item: (-item[0], item[1]))[:_SIGNALS]]


def _in_order(build: Build, whole: Tally) -> list[tuple[str, str, str]]:
    """Rules by source and stage as the manifest has them."""
    stages = {source: {label: k for k, label in enumerate(build.labels(source))} for source in build.sources}
    sources = {source: number for number, source in enumerate(build.sources)}
    return sorted(whole.curves, key=lambda rule: (sources[rule[0]], stages[rule[0]][rule[1]], rule[2]))


def _apart(one: Histogram) -> float:
    kept, dropped = one.octaves
    if not kept.sum() or not dropped.sum():
        return 0.0
    return float(np.abs(kept / kept.sum() - dropped / dropped.sum()).sum()) / 2


def _chart(name: str, one: Histogram, counts: np.ndarray, edges: np.ndarray) -> dict[str, Any]:
    """Bars of the kept and a line of the dropped, each to its own height, in a box of 240 by 64."""
    width = 240 / counts.shape[1]
    heights = 60 * counts / np.maximum(1, counts.max(axis=1, keepdims=True))
    bars = [
        (round(i * width, 2), round(64 - h, 2), round(width - 0.6, 2), round(h, 2))
        for i, h in enumerate(heights[0].tolist())
        if h
    ]
    line = " ".join(
        f"{round(i * width, 2)},{round(64 - h, 2)} {round((i + 1) * width, 2)},{round(64 - h, 2)}"
        for i, h in enumerate(heights[1].tolist())
    )
    return {
        "name": name,
        "bars": bars,
        "line": line if counts[1].any() else "",
        "low": _number(float(edges[0])),
        "high": _number(float(edges[-1])),
        "kept": int(counts[0].sum()),
        "dropped": int(counts[1].sum()),
        "apart": _apart(one),
    }


def _shards(build: Build) -> list[dict[str, Any]]:
    rows = []
    total = sum(shard.tokens for shard in build.shards)
    for source, entry in build.sources.items():
        for split, shards in build.splits(source).items():
            tokens = sum(shard.tokens for shard in shards)
            rows.append(
                {
                    "source": source,
                    "split": split,
                    "licence": entry["licence"] or "not stated",
                    "shards": len(shards),
                    "documents": sum(shard.documents for shard in shards),
                    "tokens": tokens,
                    "share": tokens / total if total else 0.0,
                }
            )
    return rows


def _tasks(build: Build, label: str) -> list[overlaps.Task]:
    """What an exchange found of benchmarks, if it looks for them."""
    return overlaps.tasks(build.manifest["exchanges"][label], build.manifest.get("cards", {}).get(label, {}))


def _shown(candidates: list[Candidate], shown: dict[str, Sample]) -> list[Sample]:
    return [shown[c.id] for c in candidates]


def _dropped(build: Build, whole: Tally, shown: dict[str, Sample]) -> list[dict[str, Any]]:
    """Samples by stage and reason, in the order of the chain, frequent reasons first."""
    counts: dict[tuple[str, str], int] = {}
    order: dict[str, int] = {}
    for source in build.manifest["sources"]:
        for flow in source["funnel"]:
            order.setdefault(flow["stage"], len(order))
            for code, count in flow["dropped"].items():
                counts[flow["stage"], code] = counts.get((flow["stage"], code), 0) + count
    found = []
    for (stage, code), count in sorted(counts.items(), key=lambda item: (order[item[0][0]], -item[1], item[0])):
        samples = _shown(whole.samples.get((stage, code), []), shown)
        found.append({"stage": stage, "code": code, "count": count, "samples": samples})
    return found


def _run(out: Blobs) -> dict[str, Any] | None:
    """Wall seconds by phase and worker seconds by stage of the last run, longest first."""
    if not out.exists("runs.jsonl"):
        return None
    line = last_run(out)

    def bars(values: dict[str, float]) -> list[tuple[str, float, float]]:
        longest = max([1e-9, *values.values()])
        return [
            (name, s, 1000 * s / longest)
            for name, s in sorted(values.items(), key=lambda item: (-item[1], item[0]))
            if s
        ]

    told = ("at", "host", "machine", "cores", "workers", "executor", "steps_made", "peak_worker_bytes")
    return {
        "seconds": line.get("seconds", 0.0),
        "phases": bars(line.get("phases", {})),
        "worker": bars(line.get("worker_seconds", {})),
        **{name: line.get(name) for name in told},
    }
