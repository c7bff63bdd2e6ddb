"""Which tokens a process was given at a step: from the log of a run, the seal of the build and the order law.

Needs no torch. The log says what the order was drawn with (sequence length, seed, number of processes) and where the
step stood; the law says where its samples begin. So it holds for a run that was resumed with another batch, too.
"""

from pathlib import Path

import msgspec
import numpy as np

from corpus.errors import InputError, VerifyError
from trainer.config import Config, share
from trainer.data import Corpus
from trainer.manifest import open_build


class Window(msgspec.Struct, frozen=True):
    """Tokens [start, start + tokens) of the training shards of a source, laid end to end and closed to a ring. The
    first `tokens - 1` are inputs, the last as many targets."""

    sample: int
    source: str
    start: int
    tokens: int


class _Start(msgspec.Struct, frozen=True, tag_field="event", tag="start"):
    manifest: str
    config: Config
    processes: int


class _Step(msgspec.Struct, frozen=True, tag_field="event", tag="step"):
    step: int
    consumed_samples: int


def find_run(directory: Path) -> Path:
    """The one run of a build beside it. InputError where there is none, or several."""
    place = directory.with_name(f"{directory.resolve().name}.train")
    runs = sorted(log.parent for log in place.glob("*/log.jsonl"))
    if len(runs) != 1:
        names = ", ".join(run.name for run in runs) or "none"
        raise InputError(f"{place}: runs that were logged there: {names}. Give the one that is meant with --run.")
    return runs[0]


def batch(directory: Path, run: Path, step: int, rank: int) -> list[Window]:
    """The samples of process `rank` at `step`, counted from 1, of the run logged in `run`.

    InputError where the log has no such step or process, VerifyError where the run was of another build."""
    start, consumed = _logged(run / "log.jsonl", step)
    if not 0 <= rank < start.processes:
        raise InputError(f"--rank {rank}: the run had processes 0 to {start.processes - 1} at step {step:,}.")
    build = open_build(directory)
    if build.digest != start.manifest:
        raise VerifyError(
            f"{run}: this run was of the build {start.manifest}, {directory} is {build.digest}: built again since."
        )
    config = start.config
    corpus = Corpus(build, config.sequence, build.manifest.seed if config.seed is None else config.seed)
    mine = share(config, start.processes)
    samples = consumed - config.batch + rank * mine + np.arange(mine)
    place = corpus.order.locate(samples)
    return [
        Window(sample, corpus.order.sources[source], first, config.sequence + 1)
        for sample, source, first in zip(samples.tolist(), place.source.tolist(), place.start.tolist(), strict=True)
    ]


def _logged(log: Path, step: int) -> tuple[_Start, int]:
    """-> (the start that the step followed, samples consumed behind it). Of two lines for a step the later counts."""
    try:
        lines = log.read_bytes().splitlines()
    except OSError as error:
        raise InputError(f"{log}: cannot be read ({error.strerror}). Give the folder of a run with --run.") from error
    found: tuple[_Start, int] | None = None
    start: _Start | None = None
    last = 0
    for number, line in enumerate(lines, 1):
        try:
            event = msgspec.json.decode(line)["event"]
            if event == "start":
                start = msgspec.json.decode(line, type=_Start)
            elif event == "step" and start is not None:
                seen = msgspec.json.decode(line, type=_Step)
                last = seen.step
                if seen.step == step:
                    found = start, seen.consumed_samples
        except (msgspec.DecodeError, KeyError, TypeError) as error:
            if number < len(lines):  # the last line of a run that was killed may be cut off
                raise VerifyError(f"{log}: line {number} is not what a run writes ({error}).") from error
    if found is None:
        raise InputError(f"--step {step}: {log} has steps up to {last:,}, counted from 1.")
    return found
