"""`corpus build` as a user runs it: a process of its own, a manifest made for the occasion, an empty store."""

import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.corpus_build import corpus_build
from bench.launch import ONE_THREAD

STAGES = """
[[stage]]
kind = "normalise"

[[stage]]
kind = "split"

[[stage]]
kind = "lid"
model = {lid}

[[stage]]
kind = "signals"

[[stage]]
kind = "sign"

[[stage]]
kind = "judge"
keep_languages = ["en", "zh"]
packs = ["en", "zh"]

[[stage]]
kind = "dedup"
threshold = 0.8

[[stage]]
kind = "encode"
tokenizer = {tokenizer}

[[stage]]
kind = "pack"
"""

SOURCE = """name = "bench"
seed = 1

[[source]]
name = "text"
format = "pile"
root = {root}
files = [{files}]
"""


@dataclass(frozen=True)
class Built:
    """`wall_s` from start to end of the process, `run` the line of the run log, `kept` and `tokens` as sealed."""

    wall_s: float
    run: dict[str, Any]
    kept: int
    tokens: int

    @property
    def start_s(self) -> float:
        """Interpreter, imports, exit: no other side's time includes them."""
        return self.wall_s - float(self.run["seconds"])

    @property
    def work_s(self) -> float:
        """From the moment at which the executor was up."""
        return float(self.run["seconds"]) - float(self.run["engine_start_s"])


def write_manifest(path: Path, root: Path, files: str, lid_model: Path, tokenizer: Path) -> None:
    """A chain of every stage over the Pile-style `files` below `root`."""
    quoted = {name: json.dumps(str(value)) for name, value in {"root": root, "files": files}.items()}
    models = {"lid": json.dumps(lid_model.name), "tokenizer": json.dumps(str(tokenizer))}
    path.write_text(SOURCE.format(**quoted) + STAGES.format(**models), encoding="utf-8")


def build(manifest: Path, folder: Path, lid_model: Path, arguments: list[str], core: int | None = None) -> Built:
    """Build into `folder`/out with the store `folder`/store. With `core`, on that core alone. RuntimeError, with what
    the build said last, where it fails."""
    places = os.pathsep.join([str(lid_model.parent), os.environ.get("CORPUS_ASSETS", "")]).rstrip(os.pathsep)
    everywhere = os.sched_getaffinity(0)
    if core is not None:
        os.sched_setaffinity(0, {core})  # inherited
    started = time.perf_counter()
    try:
        said = corpus_build(manifest, folder, *arguments, environment=ONE_THREAD | {"CORPUS_ASSETS": places})
    finally:
        os.sched_setaffinity(0, everywhere)
    wall = time.perf_counter() - started
    shards = said["manifest"]["shards"]
    kept, tokens = (sum(shard[name] for shard in shards) for name in ("documents", "tokens"))
    return Built(wall, said["run"], kept, tokens)
