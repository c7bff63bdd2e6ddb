"""What a build says while it runs: bars with rates and time left on a terminal, plain lines elsewhere."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bars

_PLAIN_S = 5.0  # seconds between plain lines


def printable(text: str) -> str:
    """Control characters shown as \\x..: names and texts from pages must not drive a terminal."""
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)


def amount(value: float, unit: str) -> str:
    if unit == "B":
        return f"{value / 1e6:,.1f} MB"
    return f"{value:,.0f} {unit}"


class Bar(Protocol):
    def advance(self, done: float, note: str) -> None: ...


class _Plain:
    """The first piece pays for what is loaded and compiled on the way: the rate is that of those behind it."""

    def __init__(self, console: Console, label: str, total: float, unit: str) -> None:
        self.console, self.label, self.total, self.unit = console, label, total, unit
        self.done = self.first = 0.0
        self.started = self.said = time.monotonic()

    def advance(self, done: float, note: str) -> None:
        now = time.monotonic()
        if not self.first:
            self.first, self.started = done, now
        self.done += done
        if now - self.said >= _PLAIN_S:
            self.said = now
            self.say(now)

    def say(self, now: float) -> None:
        told = f"{self.label}: {amount(self.done, self.unit)} of {amount(self.total, self.unit)}"
        rate = (self.done - self.first) / max(now - self.started, 1e-9)
        if rate:
            told += f", {amount(rate, self.unit)}/s"
            if self.done < self.total:
                told += f", {(self.total - self.done) / rate:.0f} s left"
        self.console.print(told, markup=False, highlight=False, soft_wrap=True)


class _Rich:
    def __init__(self, bars: Bars, task: object, unit: str) -> None:
        self.bars, self.task, self.unit = bars, task, unit
        self.done = 0.0
        self.started = time.monotonic()

    def advance(self, done: float, note: str) -> None:
        self.done += done
        rate = amount(self.done / max(time.monotonic() - self.started, 1e-9), self.unit)
        self.bars.update(self.task, advance=done, rate=f"{rate}/s", note=printable(note)[-40:])  # type: ignore[arg-type]


class Progress:
    """One per command. `quiet` says nothing."""

    def __init__(self, quiet: bool = False) -> None:
        self.quiet = quiet
        self.console = Console(stderr=True, quiet=quiet)

    @contextmanager
    def task(self, label: str, total: float, unit: str) -> Iterator[Bar]:
        """A bar over `total` of `unit` (B for bytes)."""
        if not total or self.quiet or not sys.stderr.isatty():
            plain = _Plain(self.console, label, total, unit)
            yield plain
            if total and plain.done:
                plain.say(time.monotonic())
            return
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f}%"),
            TextColumn("{task.fields[rate]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}", style="dim", markup=False),
        )
        with Bars(*columns, console=self.console, transient=False) as bars:
            yield _Rich(bars, bars.add_task(label, total=total, rate="", note=""), unit)

    def say(self, text: str) -> None:
        lines = "\n".join(map(printable, text.split("\n")))
        self.console.print(lines, markup=False, emoji=False, highlight=False, soft_wrap=True)
