"""A build exported as Parquet and as JSON lines, then read by programs that know nothing of this project.

`same` says that a reader found every document: their number, bytes of text and tokens by source are those of the
export's own counts, which `corpus export` has compared with the sealed manifest. DuckDB, Hugging Face `datasets` and
`mlcroissant` run in the peers' environment, offline (`readers.py`).
"""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from bench.launch import ONE_THREAD, ROOT
from bench.sealed_build import Sealed

READERS = {"parquet": ("duckdb", "datasets", "mlcroissant"), "jsonl": ("lines",)}


def study(build: Sealed, folder: Path, peers_python: str) -> list[dict[str, Any]]:
    """One row per format and reader."""
    rows = []
    for kind, readers in READERS.items():
        out = folder / f"export-{kind}"
        command = [sys.executable, "-m", "corpus", "export", str(build.out), "--store", str(build.store), "--json"]
        command += ["--out", str(out), "--format", kind, "--local"]
        started = time.perf_counter()
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        seconds = time.perf_counter() - started
        if done.returncode != 0:
            raise RuntimeError(f"corpus export: exit status {done.returncode}: {done.stderr.strip()[-2000:]}")
        told = json.loads(done.stdout)
        want = {
            source: [sum(count[name] for count in splits.values()) for name in ("documents", "text_bytes", "tokens")]
            for source, splits in told["counts"].items()
            if splits
        }
        size = sum(text for _, text, _ in want.values())
        for reader in readers:
            answer = subprocess.run(
                [peers_python, "-m", "bench.exports.readers", reader, str(out), str(folder / "cache")],
                cwd=ROOT,
                capture_output=True,
                text=True,
                env=dict(ONE_THREAD) | {"HOME": str(folder), "PATH": "/usr/bin:/bin"},
            )
            if answer.returncode != 0:
                raise RuntimeError(f"{reader}: exit status {answer.returncode}: {answer.stderr.strip()[-2000:]}")
            said = json.loads(answer.stdout.splitlines()[-1])
            rows.append(
                {
                    "format": kind,
                    "documents": sum(documents for documents, _, _ in want.values()),
                    "text_mb": round(size / 1e6, 1),
                    "files": len(told["files"]),
                    "file_mb": round(sum(f["bytes"] for f in told["files"]) / 1e6, 1),
                    "seconds_with_start": round(seconds, 2),
                    "reader": reader,
                    "version": said["version"],
                    "same": said["found"] == want,
                }
            )
            print("  " + ", ".join(f"{name} {value}" for name, value in rows[-1].items()), flush=True)
    return rows
