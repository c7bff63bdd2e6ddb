"""The processes of one machine: import torch once, fork, watch.

Started by `launch` as a process of its own, because forking is only safe before threads exist, and nobody can promise
that for the program that calls the trainer. Reads a Job from standard input and writes an Outcome to the file
descriptor named on the command line. The caller keeps standard input open: when it ends, so does everything here.
"""

import multiprocessing
import os
import signal
import sys
import tempfile
import threading
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkProcess
from pathlib import Path

import msgspec

from corpus.errors import CorpusError
from trainer.job import Failure, Job, Outcome, Seat
from trainer.loop import run


def _rank(job: Job, seat: Seat, outbox: Connection) -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    threading.Thread(target=_die_with, args=(parent.sentinel,), daemon=True).start()
    try:
        summary = run(Path(job.directory), job.config, seat)
    except CorpusError as error:
        outbox.send_bytes(msgspec.json.encode(Failure.of(error)))
        sys.exit(error.exit_code)
    if summary is not None:
        outbox.send_bytes(msgspec.json.encode(summary))


def _die_with(sentinel: int) -> None:
    wait([sentinel])
    os._exit(1)


def _received(inbox: Connection) -> Outcome:
    outcome: Outcome = msgspec.json.decode(inbox.recv_bytes(), type=Outcome)
    return outcome


def _supervise(job: Job, ranks: list[ForkProcess], inboxes: list[Connection]) -> Outcome:
    """Wait until all ranks are done, one fails, or the caller goes away."""
    caller = sys.stdin.fileno()
    running = {process.sentinel: rank for rank, process in enumerate(ranks)}
    while running:
        ready = wait([*running, caller])
        if caller in ready:
            return Failure("TaskError", "the calling process ended")
        failed = []
        for sentinel in ready:
            rank = running.pop(sentinel)  # type: ignore[arg-type]
            ranks[rank].join()
            if ranks[rank].exitcode:
                failed.append(rank)
        # One rank's death makes the others fail too; a rank that can say why is worth more than one that cannot.
        for rank in failed:
            if inboxes[rank].poll():
                return _received(inboxes[rank])
        if failed:
            code = ranks[failed[0]].exitcode or 0
            how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"
            return Failure(
                "TaskError",
                f"training process {failed[0]} of {len(ranks)} died ({how}); "
                "the same command goes on from the newest checkpoint",
            )
    return _received(inboxes[0])


def main(job: Job) -> Outcome:
    fork = multiprocessing.get_context("fork")
    with tempfile.TemporaryDirectory(prefix="corpus-train-") as meeting:
        ranks, inboxes = [], []
        for rank in range(job.processes):
            inbox, outbox = fork.Pipe(duplex=False)
            seat = Seat(rank, job.processes, rank, job.processes, store=f"{meeting}/store")
            ranks.append(fork.Process(target=_rank, args=(job, seat, outbox), name=f"rank-{rank}"))
            inboxes.append(inbox)
        try:
            for process in ranks:
                process.start()
            return _supervise(job, ranks, inboxes)
        finally:
            for process in ranks:
                if process.is_alive():
                    process.terminate()
            for process in ranks:
                if process.pid is not None:
                    process.join(10)
                    process.kill()
                    process.join()


if __name__ == "__main__":
    with open(int(sys.argv[1]), "wb") as report:
        outcome = main(msgspec.json.decode(sys.stdin.buffer.readline(), type=Job))
        report.write(msgspec.json.encode(outcome))
