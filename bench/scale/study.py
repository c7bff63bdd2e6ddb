"""One size after another: generate, build until `dedup` on embedded Ray in a process of its own, watch, count."""

import json
import re
import shutil
import threading
import time
from itertools import pairwise
from pathlib import Path
from typing import IO, Any

from bench import corpus_build
from bench.scale import population, texts, truth
from bench.scale.watch import Sample, Watch, folder_bytes

LIMIT_BYTES = 4e9  # of memory, all processes together

_MANIFEST = """name = "scale"
seed = 1

[[source]]
name = "{source}"
format = "parquet"
root = {root}
files = ["*.parquet"]

[[stage]]
kind = "normalise"

[[stage]]
kind = "sign"

[[stage]]
kind = "dedup"
max_cluster = 1_000_000  # one planted cluster is a hundredth of all
{options}
"""
_SAID = re.compile(r"^dedup: (.+): ([\d,]+) records$")
_READING = "read and map: "


def study(
    folder: Path, sizes: list[int], workers: int, options: str, local: bool, keep: Path | None
) -> list[dict[str, Any]]:
    """One row per size. Input and store are removed before the next, unless they are to be kept in `keep`: there an
    input that is written already is used. `options` are lines for the manifest's `dedup` stage."""
    rows = []
    for size in sizes:
        place = (keep or folder) / str(size)
        shutil.rmtree(place / "store", ignore_errors=True)
        shutil.rmtree(place / "out", ignore_errors=True)
        documents = population.population(size)
        made = _input(place, documents, workers)
        rows.append({"documents": size} | made | _built(place, workers, options, local))
        rows[-1] |= truth.score(documents, truth.kept(place / "store", size))
        rows[-1] |= _per_document(rows[-1])
        _say(rows[-1])
        if keep is None:
            shutil.rmtree(place)
    return rows


def _input(place: Path, documents: population.Population, processes: int) -> dict[str, Any]:
    mark = place / "input.json"
    if not mark.exists():
        size, seconds = texts.write(place / "input", documents, processes)
        mark.write_text(json.dumps({"text_bytes": size, "generate_s": round(seconds, 1)}))
    found: dict[str, Any] = json.loads(mark.read_text())
    return found | {"input_bytes": folder_bytes(place / "input")}


def _built(place: Path, workers: int, options: str, local: bool) -> dict[str, Any]:
    manifest = place / "scale.toml"
    root = json.dumps(str(place / "input"))
    manifest.write_text(_MANIFEST.format(source=truth.SOURCE, root=root, options=options), encoding="utf-8")
    store, out = place / "store", place / "out"
    how = ["--local"] if local else ["--workers", str(workers)]
    process = corpus_build.start(manifest, place, "--until", "dedup", *how)
    watch = Watch(process.pid, store / "runs")
    lines: list[tuple[float, str]] = []
    assert process.stdout is not None
    assert process.stderr is not None
    reader = threading.Thread(target=_follow, args=(process.stderr, lines))
    reader.start()
    process.stdout.read()  # a table that is asked for nowhere
    code = process.wait()
    reader.join()
    ended = time.monotonic()
    watch.stop()
    corpus_build.check(code, "\n".join(line for _, line in lines))
    run = json.loads((out / "runs.jsonl").read_text().splitlines()[-1])
    return _figures(run, lines, watch.samples, ended) | {
        "tables_bytes": folder_bytes(store / "tables"),
        "runs_bytes": folder_bytes(store / "runs"),
    }


def _follow(stream: IO[str], lines: list[tuple[float, str]]) -> None:
    for line in stream:
        lines.append((time.monotonic(), line.rstrip()))


def _figures(
    run: dict[str, Any], lines: list[tuple[float, str]], samples: list[Sample], ended: float
) -> dict[str, Any]:
    """Seconds, memory and processor time of the phases and of the rounds. A round ends with the line that says so, the
    first begins with the end of reading; `settle` is what is left of the phase."""
    told = [(at, match[1], int(match[2].replace(",", ""))) for at, line in lines if (match := _SAID.match(line))]
    begin = max(at for at, line in lines if line.startswith(_READING) and at < told[0][0])
    end = min(ended, begin + float(run["phases"]["dedup"]))
    edges = [begin, *(at for at, _, _ in told), max(end, told[-1][0])]
    names = [*(name for _, name, _ in told), "settle"]
    records = {name: count for _, name, count in told}
    rounds = {
        name: {
            "seconds": round(to - at, 2),
            "cpu_s": round(_cpu(samples, to) - _cpu(samples, at), 1),
            "peak_bytes": _peak(samples, at, to),  # 0: it was over before anybody looked
            "records": records.get(name, 0),
        }
        for name, (at, to) in zip(names, pairwise(edges), strict=True)
    }
    return {
        "workers": run["workers"],
        "executor": run["executor"],
        "phases_s": run["phases"],
        "worker_seconds": run["worker_seconds"],
        "rounds": rounds,
        "engine_start_s": run["engine_start_s"],
        "build_s": round(run["seconds"] - run["engine_start_s"], 1),
        "map_s": run["phases"]["map"],
        "dedup_s": run["phases"]["dedup"],
        "map_cpu_s": round(_cpu(samples, begin) - _cpu(samples, begin - float(run["phases"]["map"])), 1),
        "dedup_cpu_s": round(_cpu(samples, end) - _cpu(samples, begin), 1),
        "peak_bytes": _peak(samples, 0, ended),
        "peak_map_bytes": _peak(samples, 0, begin),
        "peak_dedup_bytes": _peak(samples, begin, ended),
        "peak_worker_bytes": run["peak_worker_bytes"],
        "peak_driver_bytes": run["peak_driver_bytes"],
        "peak_runs_bytes": max(sample.disk_bytes for sample in samples),
    }


def _cpu(samples: list[Sample], at: float) -> float:
    """Processor time used until then, interpolated."""
    before = max((s for s in samples if s.at <= at), key=lambda s: s.at, default=None)
    after = min((s for s in samples if s.at > at), key=lambda s: s.at, default=None)
    if before is None or after is None:
        return (before or samples[0]).cpu_s if before or at < samples[0].at else samples[-1].cpu_s
    return before.cpu_s + (after.cpu_s - before.cpu_s) * (at - before.at) / (after.at - before.at)


def _peak(samples: list[Sample], begin: float, end: float) -> int:
    return max((s.memory_bytes for s in samples if begin <= s.at <= end), default=0)


def _per_document(row: dict[str, Any]) -> dict[str, Any]:
    def micro(name: str) -> float:
        return round(1e6 * float(row[name]) / float(row["documents"]), 2)

    return {
        "dedup_us": micro("dedup_s"),
        "dedup_cpu_us": micro("dedup_cpu_s"),
        "map_us": micro("map_s"),
        "map_cpu_us": micro("map_cpu_s"),
        "within_limit": row["peak_bytes"] < LIMIT_BYTES,
    }


def _say(row: dict[str, Any]) -> None:
    print(
        f"  {row['documents']:>11,} documents, {row['text_bytes'] / 1e6:,.0f} MB: made in {row['generate_s']:.0f} s, "
        f"read and signed in {row['map_s']:.1f} s, dedup {row['dedup_s']:.1f} s: {row['dedup_us']:.1f} us a document, "
        f"{row['dedup_cpu_us']:.1f} us of processor; peak {row['peak_bytes'] / 1e6:,.0f} MB; found {row['found']:,} of "
        f"{row['planted']:,} copies, lost {row['lost']:,}",
        flush=True,
    )
    for name, one in row["rounds"].items():
        print(
            f"      {name:12} {one['seconds']:8.2f} s  processor {one['cpu_s']:8.1f} s  "
            f"peak {one['peak_bytes'] / 1e6:7,.0f} MB  {one['records']:>14,} records",
            flush=True,
        )
