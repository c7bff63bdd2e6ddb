"""Start a training run: in processes of its own on this machine, or as one of those that torchrun started.

    corpus train DIR --preset tiny --dp 2
    torchrun --nproc-per-node 2 -m trainer DIR --preset tiny

Neither this module nor what it imports at the top needs torch. To train in the calling process, under a debugger say,
call `trainer.loop.run(directory, config, Seat())`.
"""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import msgspec

from corpus.errors import InputError, TaskError
from trainer.config import Config, checked
from trainer.job import Job, Outcome, Summary, from_torchrun
from trainer.manifest import open_build


def train(directory: Path, config: Config) -> Summary | None:
    """Train on the build in `directory` until `config.steps`, going on from the newest checkpoint if there is one.

    Returns how it ended; None in torchrun's processes of rank 1 and up. RecipeError: the configuration cannot be used.
    InputError, VerifyError: the build or a checkpoint is missing or differs from what was sealed. TaskError: a process
    died, or losses stopped being finite.
    """
    config = checked(config)
    if importlib.util.find_spec("torch") is None:
        raise InputError("training needs torch; install it with: pip install 'corpus-compiler[train]'")
    seat = from_torchrun(config)
    open_build(directory)  # what is wrong with the directory should be said at once, not after torch has loaded
    if seat is None:
        return _forked(Job(str(directory), config, config.dp or 1))
    from trainer.loop import run  # torch takes seconds to load; no other command should wait for it

    return run(directory, config, seat)


def _forked(job: Job) -> Summary:
    """Run the job under `trainer.forks`, whose output goes where ours goes."""
    here, there = os.pipe()
    # Found in the folder that this module was found in, whatever the caller's working directory is.
    path = os.pathsep.join(filter(None, (str(Path(__file__).resolve().parents[1]), os.environ.get("PYTHONPATH"))))
    sys.stdout.flush()
    with subprocess.Popen(
        [sys.executable, "-m", "trainer.forks", str(there)],
        stdin=subprocess.PIPE,
        pass_fds=(there,),
        # Threads that spin while they wait take a busy machine's cores from each other: 2 threads on 2 busy cores were
        # 4 times slower than with passive waiting, and no faster when the cores were free.
        env={"OMP_WAIT_POLICY": "PASSIVE"} | os.environ | {"PYTHONPATH": path},
        start_new_session=True,  # a Ctrl-C comes to us alone; the others see their input end
    ) as supervisor:
        os.close(there)
        assert supervisor.stdin is not None
        with open(here, "rb") as report, supervisor.stdin as job_file:
            job_file.write(msgspec.json.encode(job) + b"\n")
            job_file.flush()
            outcome = report.read()  # ends with the supervisor; its standard input stays open until then
    if not outcome:
        raise TaskError(f"the supervisor of the training processes ended with exit status {supervisor.returncode}")
    result = msgspec.json.decode(outcome, type=Outcome)
    if not isinstance(result, Summary):
        raise result.error()
    return result
