"""The parent: parts of the cases to child processes, two at most, killed when a step takes too long.

A child that dies is replaced. Was it at a batch, the batch is taken apart; was it at a single case, that case is what
killed it: it is saved, counted, and passed over.
"""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import Empty, Queue
from typing import Any, NamedTuple

import numpy as np

from bench.launch import ONE_THREAD, ROOT

POLL_S = 0.25
_TICKS = os.sysconf("SC_CLK_TCK")


class Part(NamedTuple):
    """Cases begin to end of a kind (page, archive), in batches of `block`."""

    kind: str
    begin: int
    end: int
    block: int


class Bounds(NamedTuple):
    """Of a child: its address space, and processor seconds of a step."""

    memory_bytes: int
    step_s: float


class Death(NamedTuple):
    """A child that did not end by itself: at which case and step, and how (`hang`, or its exit status)."""

    case: int
    step: int
    how: str


def after(part: Part, done: int, death: Death) -> tuple[list[Part], int | None]:
    """-> (what is left of a part of which the cases before `done` are told, the case that is to blame if that is
    known)."""
    if part.block == 1:
        return _parts(part, (done, death.case, 1), (death.case + 1, part.end, 1)), death.case
    stop = min(done + part.block, part.end)
    return _parts(part, (done, stop, 1), (stop, part.end, part.block)), None


def _parts(part: Part, *cases: tuple[int, int, int]) -> list[Part]:
    return [Part(part.kind, begin, end, block) for begin, end, block in cases if begin < end]


def run(
    parts: list[Part],
    told: dict[str, Any],
    bounds: Bounds,
    scratch: Path,
    workers: int,
    environment: dict[str, str],
    say: Callable[[str], None],
) -> tuple[list[tuple[str, dict[str, Any]]], list[tuple[str, Death]]]:
    """-> ((kind, what a child told of a batch), (kind, cases that killed their child)). `told`: seed, data, folder."""
    queue: Queue[Part] = Queue()
    for part in parts:
        queue.put(part)
    results: list[tuple[str, dict[str, Any]]] = []
    deaths: list[tuple[str, Death]] = []
    errors: list[BaseException] = []
    started, total = time.monotonic(), sum(part.end - part.begin for part in parts)

    def work(number: int) -> None:
        while True:
            try:
                part = queue.get_nowait()
            except Empty:
                return
            done = part.begin
            with Child(part, told, bounds, scratch / f"note-{number}-{time.monotonic_ns()}", environment) as child:
                for line in child.lines():
                    results.append((part.kind, line))
                    done = line["cases"][1]
                death = child.death()
            if death is not None:
                say(f"{part.kind} {death.case}: {death.how}, at step {death.step}, in a batch of {part.block}")
                left, blamed = after(part, done, death)
                if blamed is not None:
                    deaths.append((part.kind, death))
                for one in left:
                    queue.put(one)
            ran = sum(line["cases"][1] - line["cases"][0] for _, line in results)
            say(f"{ran:,} of {total:,} cases, {time.monotonic() - started:.0f} s")

    def guarded(number: int) -> None:
        try:
            work(number)
        except BaseException as error:  # raised again below, in the thread that waits
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(number,)) for number in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return results, deaths


class Child:
    def __init__(
        self, part: Part, told: dict[str, Any], bounds: Bounds, note: Path, environment: dict[str, str]
    ) -> None:
        note.write_bytes(np.array([-1, 0, 0], np.int64).tobytes())
        self._note = np.memmap(note, np.int64, "r", shape=(3,))
        self._bounds = bounds
        self._hang = False
        own = {"kind": part.kind, "cases": [part.begin, part.end], "block": part.block, "note": str(note)}
        own["memory_bytes"] = bounds.memory_bytes
        self._errors = note.with_suffix(".stderr").open("w+b")
        self._process = subprocess.Popen(
            [sys.executable, "-X", "faulthandler", "-m", "bench.fuzz.trial", json.dumps(told | own)],
            stdout=subprocess.PIPE,
            stderr=self._errors,
            cwd=ROOT,
            env=os.environ | ONE_THREAD | environment,
        )

    def __enter__(self) -> "Child":
        self._watch = threading.Thread(target=self._watched)
        self._watch.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        self._watch.join()
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._errors.close()

    def lines(self) -> Iterator[dict[str, Any]]:
        """What the child tells, a batch at a time, until it ends or is killed."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.endswith(b"\n"):
                yield json.loads(line)

    def death(self) -> Death | None:
        status = self._process.wait()
        if status == 0:
            return None
        case, step, _ = self._note.tolist()
        self._errors.seek(0)
        said = self._errors.read().decode("utf-8", "replace").strip().splitlines()
        if case < 0:  # not hostile input: it did not come so far
            raise RuntimeError("the child ended before its first case:\n" + "\n".join(said[-20:]))
        how = "hang" if self._hang else f"exit status {status}: {said[-1] if said else ''}"
        return Death(case, step, how[:300])

    def _watched(self) -> None:
        while self._process.poll() is None:
            case, step, began_ns = self._note.tolist()
            late = case >= 0 and self._spent_s() - began_ns / 1e9 > self._bounds.step_s
            if late and self._note.tolist() == [case, step, began_ns]:  # still the same step
                self._hang = True
                self._process.kill()
                return
            time.sleep(POLL_S)

    def _spent_s(self) -> float:
        """Processor seconds of the child."""
        try:
            text = Path(f"/proc/{self._process.pid}/stat").read_text()
        except (FileNotFoundError, ProcessLookupError):
            return 0.0
        user, system = text.rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / _TICKS
