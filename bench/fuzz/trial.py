"""The child: cases one after another, each step noted before it is taken. `python -m bench.fuzz.trial JSON`."""

import json
import resource
import sys
import time
import traceback
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench.fuzz import cases, steps
from bench.fuzz.cases import Archive, Pool
from bench.fuzz.pages import Page
from corpus.stage import Columns, Map

BLOCK = 32  # pages of one batch
SLOWEST = 5  # cases that are told of each step


class Trial:
    """Counts of what became of the cases, and which were slow or failed."""

    def __init__(self, seed: int, given: Pool, chain: list[tuple[Map, Any]], folder: Path, note: np.ndarray) -> None:
        """`note` is written before each step: case, step, processor nanoseconds of this process."""
        self.seed, self.given, self.chain, self.folder, self.note = seed, given, chain, folder, note
        self.fates: Counter[str] = Counter()
        self.bytes = 0
        self.seconds: Counter[str] = Counter()
        self.slowest: list[tuple[float, str, int, int]] = []  # seconds, step, case, bytes
        self.failed: list[dict[str, Any]] = []

    def pages(self, numbers: Sequence[int]) -> None:
        """Pages `numbers` as one batch: `extract` page by page, the others together."""
        pages = [cases.page(self.seed, number, self.given) for number in numbers]
        self.bytes += sum(len(page.body) for page in pages)
        columns, numbers = self._extracted(pages, list(numbers))
        for step, (stage, model) in enumerate(self.chain[1:], 1):
            if not numbers:
                return
            columns, numbers = self._step(step, stage, model, columns, numbers)
        for row in range(len(numbers)):
            self._try(numbers[row], "fate", lambda row=row: self.fates.update([steps.fate(columns, row)]))

    def archive(self, number: int) -> None:
        case = cases.archive(self.seed, number, self.given)
        self.bytes += len(case.stored)
        self._note(number, 0)
        started = time.process_time()
        self._try(number, "warc", lambda: self.fates.update(steps.read(*case)))
        self._took("warc", number, len(case.stored), started)

    def _extracted(self, pages: list[Page], numbers: list[int]) -> tuple[Columns, list[int]]:
        stage, model = self.chain[0]
        for page, number in zip(pages, numbers, strict=True):
            self._note(number, 0)
            started = time.process_time()
            self._try(number, stage.kind, lambda page=page: stage.page(*page))  # type: ignore[attr-defined]
            self._took(stage.kind, number, len(page.body), started)
        return self._step(0, stage, model, steps.columns_of(pages), numbers)

    def _step(
        self, step: int, stage: Map, model: Any, columns: Columns, numbers: list[int]
    ) -> tuple[Columns, list[int]]:
        """The batch with what the stage adds, without rows on which it raises."""
        self._note(numbers[0], step)
        started = time.process_time()
        try:
            added = steps.applied(stage, model, columns)
            if step:  # `extract` was timed page by page
                self._took(stage.kind, numbers[0], columns["text"].nbytes, started)
            row = numbers[0] % len(numbers)
            self._try(numbers[row], stage.kind, lambda: steps.rows_agree(stage, model, columns, added, row))
            return columns | added, numbers
        except Exception:
            kept = []
            for row, number in enumerate(numbers):
                self._note(number, step)
                one = {name: values.slice(row, 1) for name, values in columns.items()}
                if self._try(number, stage.kind, lambda one=one: steps.applied(stage, model, one)):
                    kept.append(row)
            if len(kept) == len(numbers):
                self._fail(numbers[0], stage.kind, "raises on the batch and on none of its rows")
                kept = []
            left = {name: values.take(kept) for name, values in columns.items()}
            return left | (steps.applied(stage, model, left) if kept else {}), [numbers[row] for row in kept]

    def _note(self, number: int, step: int) -> None:
        self.note[:] = number, step, time.process_time_ns()

    def _took(self, step: str, number: int, size: int, started: float) -> None:
        seconds = time.process_time() - started
        self.seconds[step] += seconds
        own = sorted([entry for entry in self.slowest if entry[1] == step] + [(seconds, step, number, size)])[-SLOWEST:]
        self.slowest = [entry for entry in self.slowest if entry[1] != step] + own

    def _try(self, number: int, step: str, action: Any) -> bool:
        try:
            action()
        except Exception as error:
            where = "; ".join(
                f"{Path(f.filename).name}:{f.lineno}" for f in traceback.extract_tb(error.__traceback__)[-3:]
            )
            self._fail(number, step, f"{type(error).__name__}: {error} ({where})"[:400])
            return False
        return True

    def _fail(self, number: int, step: str, why: str) -> None:
        self.fates[f"failed in {step}"] += 1
        make = cases.archive if step == "warc" else cases.page
        path = cases.save(self.folder, self.seed, number, make(self.seed, number, self.given), f"{step}: {why}")
        self.failed.append({"case": number, "step": step, "why": why, "file": path.name})

    def told(self) -> dict[str, Any]:
        return {
            "fates": dict(self.fates),
            "bytes": self.bytes,
            "seconds": dict(self.seconds),
            "slowest": self.slowest,
            "failed": self.failed,
            "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        }


def replay(case: Page | Archive) -> None:
    """A saved case again, step by step; what it raises is raised."""
    if isinstance(case, Archive):
        print(dict(steps.read(*case)))
        return
    columns = steps.columns_of([case])
    for stage, model in steps.chain():
        started = time.process_time()
        columns |= steps.applied(stage, model, columns)
        print(f"{stage.kind:10} {time.process_time() - started:.3f} s")
    print(steps.fate(columns, 0))


def main(argv: list[str]) -> None:
    told = json.loads(argv[0])
    given = cases.pool(Path(told["data"]))
    chain = steps.chain() if told["kind"] == "page" else []
    note = np.memmap(told["note"], np.int64, "r+", shape=(3,))
    warm = Trial(told["seed"], given, chain, Path(told["folder"]) / "warm-up", np.zeros(3, np.int64))
    if chain:
        warm.pages(range(-2 * BLOCK, 0))  # kernels are compiled, models touched
    bound = told["memory_bytes"]
    resource.setrlimit(resource.RLIMIT_AS, (bound, bound))
    for block in cases.numbers(told["cases"], told["block"]):
        trial = Trial(told["seed"], given, chain, Path(told["folder"]), note)
        trial._note(block[0], 0)
        if chain:
            trial.pages(block)
        else:
            trial.archive(block[0])
        sys.stdout.write(json.dumps({"cases": [block.start, block.stop], **trial.told()}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
