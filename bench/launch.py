"""Runs the sides of a work in turns: ours, each peer, ours, each peer, … Every run is a fresh process on one core."""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from bench.given import Given

ROOT = Path(__file__).parent.parent

# One core means one thread: libraries would otherwise start one for each core that the machine has.
_POOLS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "RAYON_NUM_THREADS")
ONE_THREAD = dict.fromkeys(_POOLS, "1") | {
    "TOKENIZERS_PARALLELISM": "false",
    "HF_HUB_OFFLINE": "1",
    "HF_DATASETS_OFFLINE": "1",
    "PYTHONHASHSEED": "0",
}


@dataclass(frozen=True)
class Side:
    """`module` has `prepare` and `PACKAGES`; `python` is the interpreter that has these packages."""

    name: str
    module: str
    python: str


@dataclass
class Runs:
    """All runs of one side. A side that failed has an error and no figures."""

    name: str
    figures: list[dict[str, float]] = field(default_factory=list)
    counts: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    answers: list[Any] | None = None
    error: str = ""

    @property
    def best(self) -> dict[str, float]:
        return min(self.figures, key=lambda run: run["seconds"])

    def mb_per_s(self) -> list[float]:
        """Of every run, in megabytes (10**6 bytes) of text per second."""
        return [self.counts["bytes"] / 1e6 / run["seconds"] for run in self.figures]

    @property
    def peak_bytes(self) -> int:
        return int(max(run["peak_bytes"] for run in self.figures))


def take_turns(sides: list[Side], given: dict[str, Given], rounds: int, core: int, timeout_s: float) -> list[Runs]:
    """`given` by name of side. A side that fails once is not run again."""
    runs = {side.name: Runs(side.name) for side in sides}
    for turn in range(rounds):
        for side in sides:
            if not runs[side.name].error:
                _run(side, given[side.name], runs[side.name], core, timeout_s)
                say(runs[side.name], turn, rounds)
    return list(runs.values())


def say(runs: Runs, turn: int, rounds: int) -> None:
    if runs.error:
        print(f"  {turn + 1}/{rounds} {runs.name:24} failed: {runs.error}", flush=True)
        return
    last = runs.figures[-1]
    print(
        f"  {turn + 1}/{rounds} {runs.name:24} {runs.mb_per_s()[-1]:9.2f} MB/s  {last['seconds']:8.2f} s "
        f"(processor {last['cpu_s']:.2f} s)  peak {last['peak_bytes'] / 1e6:,.0f} MB",
        flush=True,
    )


def _run(side: Side, given: Given, runs: Runs, core: int, timeout_s: float) -> None:
    given.scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=given.scratch) as scratch:
        order = {"module": side.module, "core": core, "given": replace(given, scratch=Path(scratch)).to_json()}
        try:
            process = subprocess.Popen(
                [side.python, "-m", "bench.side"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                cwd=ROOT,
                env=os.environ | ONE_THREAD,
                start_new_session=True,
            )
        except FileNotFoundError:
            runs.error = "its environment is not there: run bench/peers.sh"
            return
        try:
            said, log = process.communicate(json.dumps(order), timeout_s)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)  # and the processes that it started
            process.communicate()
            runs.error = f"not done after {timeout_s:.0f} s"
            return
    if process.returncode != 0:
        sys.stderr.write(log[-4000:])
        runs.error = without_paths(log.strip().splitlines()[-1] if log.strip() else f"exit {process.returncode}")
        return
    result = json.loads(said)
    runs.figures.append(result["figures"])
    if runs.counts and runs.counts != result["counts"]:
        print(f"  {side.name}: did other work than before: {runs.counts}, now {result['counts']}")
    runs.counts, runs.versions, runs.answers = result["counts"], result["versions"], result["answers"]


def without_paths(text: str) -> str:
    """File names without their folders: results say nothing about where a machine keeps things."""
    return re.sub(r"(?<![\w.])/(?:[^\s/'\":]+/)+", "", text)[:300]
