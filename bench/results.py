"""Results: one dated JSON file per run with everything that is known, and one line per comparison in `results.md`."""

import json
import time
from pathlib import Path
from typing import Any

from bench.launch import Runs

LINES = "results.md"
_HEAD = (
    "| date | work | input | MB of text | ours MB/s | ours peak MB | peer | peer MB/s | peer peak MB | ratio | "
    "machine | commit |\n|---|---|---|---|---|---|---|---|---|---|---|---|\n"
)


def comparison(work: str, runs: list[Runs], about: dict[str, Any]) -> dict[str, Any]:
    """The record of one run of `python -m bench`. Ours is the first of `runs`."""
    ours = runs[0]
    return about | {
        "work": work,
        "sides": [_side(run, ours) for run in runs],
    }


def _side(run: Runs, ours: Runs) -> dict[str, Any]:
    if run.error:
        return {"name": run.name, "error": run.error}
    side = {
        "name": run.name,
        "mb_per_s": round(max(run.mb_per_s()), 3),
        "mb_per_s_all": [round(value, 3) for value in run.mb_per_s()],
        "peak_bytes": run.peak_bytes,
        "runs": run.figures,
        "counts": run.counts,
        "versions": run.versions,
    }
    if run is not ours and not ours.error:
        side["ratio"] = round(max(ours.mb_per_s()) / max(run.mb_per_s()), 2)
        side["same_answers"] = agreement(ours.answers, run.answers)
    return side


def agreement(ours: list[Any] | None, theirs: list[Any] | None) -> float | None:
    """Share of documents on which two sides say the same; None where they cannot be compared."""
    if not ours or not theirs or len(ours) != len(theirs):
        return None
    return round(sum(a == b for a, b in zip(ours, theirs, strict=True)) / len(ours), 4)


def show(record: dict[str, Any]) -> None:
    for side in record["sides"]:
        if "error" in side:
            print(f"{side['name']:24} failed: {side['error']}")
            continue
        every = ", ".join(f"{value:.2f}" for value in side["mb_per_s_all"])
        peak = f"peak {side['peak_bytes'] / 1e6:,.0f} MB"
        print(f"{side['name']:24} {side['mb_per_s']:9.2f} MB/s per core (runs: {every})  {peak}")
        print(f"{'':24} {', '.join(f'{name} {value:,}' for name, value in side['counts'].items())}")
        if "ratio" in side:
            same = side["same_answers"]
            answers = "" if same is None else f"; same answer for {same:.2%} of the documents"
            print(f"{'':24} ours is {side['ratio']:.2f} times as fast{answers}")


def write(record: dict[str, Any], folder: Path) -> Path:
    """The dated JSON file, and lines for `results.md`. -> the JSON file."""
    folder.mkdir(parents=True, exist_ok=True)
    path = _dated(record, folder)
    table = folder / LINES
    earlier = table.read_text(encoding="utf-8") if table.exists() else _HEAD
    table.write_text(earlier + "".join(_lines(record)), encoding="utf-8")
    return path


def _lines(record: dict[str, Any]) -> list[str]:
    ours, *peers = record["sides"]
    if "error" in ours:
        return []
    machine = f"{record['machine']['cpu']}, {record['machine']['cores']} cores"
    names = ", ".join(item["name"] for item in record["inputs"])
    return [
        f"| {record['at'][:10]} | {record['work']} | {names} | {_megabytes(ours, peer)} | {ours['mb_per_s']:.2f} | "
        f"{ours['peak_bytes'] / 1e6:,.0f} | {_peer(peer)} | {machine} | {record['commit']} |\n"
        for peer in peers
    ]


def _megabytes(ours: dict[str, Any], peer: dict[str, Any]) -> str:
    own = f"{ours['counts']['bytes'] / 1e6:.1f}"
    if "error" in peer or peer["counts"]["bytes"] == ours["counts"]["bytes"]:
        return own
    return f"{own}, peer {peer['counts']['bytes'] / 1e6:.1f}"


def _peer(peer: dict[str, Any]) -> str:
    if "error" in peer:
        return f"{peer['name']} | failed | | "
    return f"{peer['name']} | {peer['mb_per_s']:.2f} | {peer['peak_bytes'] / 1e6:,.0f} | {peer.get('ratio', '')}"


def now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def write_rows(record: dict[str, Any], folder: Path) -> Path:
    """A study without peers: its JSON file, and its rows in a table of its own. -> the JSON file."""
    folder.mkdir(parents=True, exist_ok=True)
    path = _dated(record, folder)
    columns = [name for name, value in record["rows"][0].items() if not isinstance(value, dict)]
    table = folder / f"{record['work']}.md"
    text = table.read_text(encoding="utf-8") if table.exists() else ""
    head = f"| date | {' | '.join(columns)} | machine | commit |\n|{'---|' * (len(columns) + 3)}\n"
    text = text or head
    machine = f"{record['machine']['cpu']}, {record['machine']['cores']} cores"
    for row in record["rows"]:
        values = " | ".join(str(row[name]) for name in columns)
        text += f"| {record['at'][:10]} | {values} | {machine} | {record['commit']} |\n"
    table.write_text(text, encoding="utf-8")
    return path


def write_record(record: dict[str, Any], folder: Path) -> Path:
    """A record that brings a page of its own: the JSON file alone."""
    folder.mkdir(parents=True, exist_ok=True)
    return _dated(record, folder)


def _dated(record: dict[str, Any], folder: Path) -> Path:
    path = folder / f"{record['at'].replace(':', '').replace('-', '')}-{record['work']}.json"
    path.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return path
