"""Several processes: the launcher, torchrun, and what happens when one is killed. All runs are in fp64, where layouts
differ by rounding alone (about 1e-14) and any real difference is many orders larger."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from corpus.errors import TaskError, VerifyError
from trainer.config import Config, preset
from trainer.job import Seat, Summary
from trainer.launch import train
from trainer.loop import run

STEPS = 30
ROOT = Path(__file__).parents[2]


def config(out: Path, dp: int | None, steps: int = STEPS) -> Config:
    return preset(
        "tiny", steps=steps, sequence=16, batch=4, micro_batch=1, precision="fp64", dp=dp, device="cpu", save_every=6,
        warmup_tokens=128, decay_tokens=STEPS * 64, out=str(out),
    )  # fmt: skip


def options(out: Path) -> list[str]:
    """The same on the command line, without --dp."""
    return (
        f"--steps {STEPS} --sequence 16 --batch 4 --micro-batch 1 --precision fp64 --device cpu --save-every 6 "
        f"--warmup-tokens 128 --decay-tokens {STEPS * 64} --out {out}"
    ).split()


def losses(out: Path) -> dict[int, tuple[float, float]]:
    events = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    return {e["step"]: (e["loss"], e["grad_norm"]) for e in events if e["event"] == "step"}


@pytest.fixture(scope="module")
def two(build: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Output of an uninterrupted run of two processes."""
    out = tmp_path_factory.mktemp("two")
    summary = train(build, config(out, dp=2))
    assert isinstance(summary, Summary)
    assert summary.step == STEPS
    return out


def same(one: dict[int, tuple[float, float]], other: dict[int, tuple[float, float]]) -> None:
    assert sorted(one) == sorted(other)
    for step, values in one.items():
        assert values == pytest.approx(other[step], rel=1e-9)


def test_two_processes_compute_what_one_does(build: Path, two: Path, tmp_path: Path) -> None:
    run(build, config(tmp_path, dp=1), Seat())
    same(losses(tmp_path), losses(two))


def test_a_killed_run_goes_on_exactly(build: Path, two: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "trainer", str(build), "--dp", "2", *options(tmp_path)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdout=pipe, stderr=pipe, text=True) as killed:
        assert killed.stdout is not None
        next(line for line in killed.stdout if line.startswith("step  8/"))
        (supervisor,) = children(killed.pid)
        os.kill(children(supervisor)[1], signal.SIGKILL)
        _, errors = killed.communicate()
    assert killed.returncode == TaskError.exit_code
    assert "error: training process 1 of 2 died (signal SIGKILL); the same command goes on" in errors
    reached = max(losses(tmp_path))
    assert 8 <= reached < STEPS
    found = sorted((tmp_path / "checkpoints").glob("step-????????"))[-1]
    # The rest in one process: data and state do not depend on how many there were.
    other = tmp_path / "other"
    shutil.copytree(found, other / "checkpoints" / found.name)
    run(build, config(other, dp=1), Seat())
    resumed_at = int(found.name[-8:])
    assert min(losses(other)) == resumed_at + 1
    same(losses(other), {step: values for step, values in losses(two).items() if step > resumed_at})
    # The rest in two processes, by the same command: the same bits as without the kill.
    assert train(build, config(tmp_path, dp=2)) is not None
    assert losses(tmp_path) == losses(two)


def test_torchrun(build: Path, two: Path, tmp_path: Path) -> None:
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    done = subprocess.run(
        [*launcher, "-m", "trainer", str(build), *options(tmp_path)],
        cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert losses(tmp_path) == losses(two)
    assert done.stdout.count("done ") == 1


def test_an_error_in_the_processes_comes_back_as_itself(build: Path, two: Path) -> None:
    with pytest.raises(VerifyError, match="expected sequence 8, got a checkpoint with sequence 16"):
        train(build, preset("tiny", sequence=8, dp=2, device="cpu", precision="fp64", out=str(two)))


def children(pid: int) -> list[int]:
    """Direct child processes, in the order in which they were started."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
