"""Random tokens of a build traced to their records and made again from the raw bytes: how many come out the same."""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from bench.launch import ROOT
from bench.sealed_build import Sealed


def study(build: Sealed, tokens: int, seed: int) -> list[dict[str, Any]]:
    """One row. RuntimeError where `corpus trace` fails in another way than by a difference."""
    command = [sys.executable, "-m", "corpus", "trace", str(build.out), "--store", str(build.store)]
    command += ["--manifest", str(build.manifest), "--root", str(build.root)]
    command += ["--sample", str(tokens), "--seed", str(seed), "--json"]
    started = time.perf_counter()
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    seconds = time.perf_counter() - started
    if done.returncode not in (0, 1) or not done.stdout.strip():
        raise RuntimeError(f"corpus trace: exit status {done.returncode}: {done.stderr.strip()[-2000:]}")
    found = json.loads(done.stdout)
    row = {name: found[name] for name in ("tokens", "same", "documents", "document_tokens", "partitions", "columns")}
    row = {"build": _name(build.out)} | row | {"wrong": len(found["wrong"]), "seconds": round(seconds, 1)}
    print("  " + ", ".join(f"{name} {value}" for name, value in row.items()), flush=True)
    for one in found["wrong"][:20]:
        print(f"  wrong: {one['file']}: {one['problem']}")
    return [row]


def _name(out: Path) -> str:
    return str(json.loads((out / "manifest.json").read_text(encoding="utf-8"))["name"])
