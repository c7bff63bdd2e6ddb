"""Shards of generated documents: long ones for speed, tiny ones, ten times as many each time, for memory.

`shards_mb_per_s` counts bytes of tokens, each document's end mark among them, over the writing of shards from runs: the
merge, files with their digests, side tables. `mb_per_s` is over all that Pack does, from stored tables on: reading and
decompressing them, too. Index and seal are beside it. All of it in one process, on one core; `…_cpu_s` is the time of
the processor. A build of `WARM` documents comes first, so that no kernel is compiled while the clock runs.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from bench.corpus_build import check
from bench.launch import ROOT
from bench.scale.watch import folder_bytes

FILES = 8
WARM = 2000
MANIFEST = """name = "shards"
seed = 1
[[source]]
name = "made"
format = "numbers"
root = "data"
files = ["*.txt"]
[[stage]]
kind = "ids"
mean = {mean}
[[stage]]
kind = "pack"
[mixture]
made = 1.0
"""


def study(folder: Path, cases: list[tuple[int, int]]) -> list[dict[str, Any]]:
    """One row for each (documents, mean tokens). `folder` must be empty; what a case wrote is removed after it."""
    _case(folder / "warm", WARM, 20)
    rows = []
    for number, (documents, mean) in enumerate(cases):
        rows.append(_case(folder / str(number), documents, mean))
        print("  " + ", ".join(f"{name} {value}" for name, value in rows[-1].items()), flush=True)
    return rows


def _case(folder: Path, documents: int, mean: int) -> dict[str, Any]:
    (folder / "data").mkdir(parents=True)
    for i in range(FILES):
        own = documents * (i + 1) // FILES - documents * i // FILES
        (folder / "data" / f"{i}.txt").write_text(f"{i} {own}")
    (folder / "vocabulary.txt").write_text("none")
    manifest = folder / "shards.toml"
    manifest.write_text(MANIFEST.format(mean=mean))
    made = _run(manifest, "encode")
    tables_mb = folder_bytes(folder / "store") / 1e6
    done = _run(manifest, "pack")
    disk_mb = folder_bytes(folder) / 1e6
    subprocess.run(["rm", "-r", str(folder)], check=True)
    size = 2 * sum(done["tokens"]) / 1e6  # the vocabulary fits into 16 bits
    pack_s = done["phases"]["pack"]
    return {
        "documents": sum(done["documents"]),
        "tokens": sum(done["tokens"]),
        "token_mb": round(size, 1),
        "shards": len(done["documents"]),
        "pack_s": round(pack_s, 2),
        "mb_per_s": round(size / pack_s, 1),
        "us_per_document": round(1e6 * pack_s / sum(done["documents"]), 2),
        "runs_s": round(done["tasks"]["write_runs"], 2),
        "shards_s": round(done["tasks"]["write_shard"], 2),
        "runs_cpu_s": round(done["cpu_s"]["write_runs"], 2),
        "shards_cpu_s": round(done["cpu_s"]["write_shard"], 2),
        "shards_mb_per_s": round(size / done["tasks"]["write_shard"], 1),
        "index_s": round(done["phases"]["index"], 2),
        "seal_s": round(done["phases"]["seal"], 2),
        "peak_runs_mb": round(done["peaks"]["write_runs"] / 1e6),
        "peak_shards_mb": round(done["peaks"]["write_shard"] / 1e6),
        "peak_mb": round(done["peak_bytes"] / 1e6),
        "tables_s": round(made["seconds"], 1),
        "tables_mb": round(tables_mb),
        "disk_mb": round(disk_mb),
    }


def _run(manifest: Path, half: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "bench.shards.side", str(manifest), half]
    process = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    check(process.returncode, process.stderr)
    found: dict[str, Any] = json.loads(process.stdout.splitlines()[-1])
    return found
