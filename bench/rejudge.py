"""One threshold changed on a million stored documents: seconds, and what was read.

Generated documents (half English words, half Chinese characters, 20 to 60 of them, some with repeated lines) go through
`normalise`, `signals` and `judge` once; then one threshold changes and `corpus build --until judge` is done again, in
this process. The judge asks the rules of the pack `zh` of every document.

`seconds` count from the reading of the manifest to the last record. That no text is read is shown by the bytes that
the process read in that time (`/proc/self/io`) beside the bytes of the tables that hold the text.
"""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

CHANGED = "max_dup_line_share"
FILES = 4
WARM = 2000
MANIFEST = """name = "rejudge"
seed = 1
[[source]]
name = "text"
format = "jsonl"
root = "{root}"
files = ["*.jsonl"]
[[stage]]
kind = "normalise"
[[stage]]
kind = "signals"
[[stage]]
kind = "judge"
packs = ["all"]
[stage.pack.all]
rule = [
{rules}
]
"""


def study(folder: Path, documents: int, thresholds: tuple[float, ...] = (0.4, 0.3, 0.5)) -> list[dict[str, Any]]:
    """One row a threshold; the first is the build. `folder` must be empty."""
    rows = []
    for count, place in ((WARM, folder / "warm"), (documents, folder / "all")):
        size = _write(place / "data", count)
        rows = [_row(place, count, size, threshold) for threshold in thresholds]
    for row in rows:
        print("  " + ", ".join(f"{name} {value}" for name, value in row.items()), flush=True)
    return rows


def _write(folder: Path, documents: int) -> int:
    """-> bytes of text"""
    folder.mkdir(parents=True)
    size = 0
    for number in range(FILES):
        with (folder / f"{number}.jsonl").open("w", encoding="utf-8") as file:
            for text in _texts(number, documents // FILES):
                size += len(text.encode())
                file.write(json.dumps({"text": text}, ensure_ascii=False) + "\n")
    return size


def _texts(seed: int, count: int) -> Iterator[str]:
    random = np.random.default_rng(seed)
    words = np.array([f"{a}{b}{c}" for a in "bdfgklmnprst" for b in "aeiou" for c in ("", "n", "r", "sing", "tion")])
    han = np.array([chr(0x4E00 + 7 * i) for i in range(1500)])
    for i in range(count):
        n = int(random.integers(20, 60))
        text = (
            " ".join(words[random.integers(len(words), size=n)])
            if i % 2
            else "".join(han[random.integers(1500, size=n)])
        )
        yield "\n".join([text[:40]] * int(random.integers(1, 4)) + [text])


def _rules(threshold: float) -> tuple[str, int]:
    from stages.packs import PACKS

    lines = []
    for rule in PACKS["zh"].rules:
        at = threshold if rule.name == CHANGED else rule.threshold
        asked = (
            f', where = {{ signal = "{rule.where.signal}", {rule.where.op} = {rule.where.threshold} }}'
            if rule.where
            else ""
        )
        lines.append(f'{{ signal = "{rule.signal}", {rule.op} = {at}{asked} }},')
    return "\n".join(lines), len(lines)


def _row(folder: Path, documents: int, text_bytes: int, threshold: float) -> dict[str, Any]:
    import stages
    from corpus import recipe
    from corpus.build import Builder
    from corpus.drive import compile_corpus
    from corpus.graph import Graph
    from corpus.local import Local
    from corpus.progress import Progress
    from corpus.store import Blobs

    rules, count = _rules(threshold)
    manifest = folder / "rejudge.toml"
    manifest.write_text(MANIFEST.format(root=folder / "data", rules=rules), encoding="utf-8")
    read, started, used = _read_bytes(), time.perf_counter(), time.process_time()
    plan = recipe.load(manifest, stages.Stage, stages.Reader)
    builder = Builder(Graph(plan, Blobs(str(folder / "store"))), Local(), Progress(quiet=True))
    outcome = compile_corpus(builder, Blobs(str(folder / "out")), until="judge")
    seconds, cpu, read = time.perf_counter() - started, time.process_time() - used, _read_bytes() - read
    (flow,) = [flow for flow in outcome.funnel["text"] if flow.stage == "judge"]
    return {
        "threshold": threshold,
        "documents": documents,
        "text_mb": round(text_bytes / 1e6, 1),
        "rules": count,
        "steps": builder.costs.steps,
        "stages_run": sorted(label for label in builder.costs.seconds if label != "engine"),
        "seconds": round(seconds, 2),
        "processor_s": round(cpu, 2),
        "read_mb": round(read / 1e6, 1),
        "text_tables_mb": round(sum(p.stat().st_size for p in (folder / "store/tables/normalise").iterdir()) / 1e6, 1),
        "kept": flow.kept,
    }


def _read_bytes() -> int:
    """Bytes that this process has read, from files and pipes."""
    return int(dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())["rchar"])
