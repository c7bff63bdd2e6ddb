"""Memory, processor time and disk of a program and all that it started, looked at once a second.

Memory is the sum of PSS (`smaps_rollup`): a page that several processes share counts once. Processes are found by their
parents, and remembered when those go. Processor time is that of each process when it was last seen, so the last second
of one that ended is missing.
"""

import os
import threading
import time
from pathlib import Path
from typing import NamedTuple

_TICKS = os.sysconf("SC_CLK_TCK")
_PARENT, _USER, _SYSTEM, _START = 1, 11, 12, 19  # fields of /proc/*/stat behind the name


class Sample(NamedTuple):
    at: float  # time.monotonic()
    memory_bytes: int
    cpu_s: float
    disk_bytes: int


def folder_bytes(folder: Path) -> int:
    """Sizes of all files below; files that vanish meanwhile count nothing."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.stat(os.path.join(place, name)).st_size
            except FileNotFoundError:
                continue
    return total


class Watch:
    """Samples from the start until `stop`, taken in a thread."""

    def __init__(self, root: int, folder: Path, every_s: float = 1.0) -> None:
        self.samples: list[Sample] = []
        self._root, self._folder, self._every = root, folder, every_s
        self._known: dict[tuple[int, int], float] = {}  # (process, when it started) -> processor time
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.is_set():
            self._look()
            self._ended.wait(self._every)

    def _look(self) -> None:
        stats = _processes()
        own = {pid for pid, (_, start, _) in stats.items() if (pid, start) in self._known} | {self._root}
        while more := {pid for pid, (parent, _, _) in stats.items() if parent in own and pid not in own}:
            own |= more
        for pid in own & stats.keys():
            _, start, spent = stats[pid]
            self._known[pid, start] = spent
        memory = sum(_pss(pid) for pid in own)
        disk = folder_bytes(self._folder)
        self.samples.append(Sample(time.monotonic(), memory, sum(self._known.values()), disk))


def _processes() -> dict[int, tuple[int, int, float]]:
    """By process: its parent, when it started, processor seconds."""
    found = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                stat = Path(f"/proc/{name}/stat").read_text(encoding="utf-8", errors="replace")
            except (FileNotFoundError, ProcessLookupError):
                continue
            fields = stat.rpartition(")")[2].split()
            spent = (int(fields[_USER]) + int(fields[_SYSTEM])) / _TICKS
            found[int(name)] = int(fields[_PARENT]), int(fields[_START]), spent
    return found


def _pss(pid: int) -> int:
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except (FileNotFoundError, ProcessLookupError):
        pass  # it ended meanwhile
    return 0
