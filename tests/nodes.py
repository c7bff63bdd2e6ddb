"""A Ray cluster of several nodes on loopback, and tasks that take the node they run on with them."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import ray

from corpus import runs
from corpus.cluster import Cluster
from corpus.store import Blobs

ROOT = Path(__file__).parent.parent
_OPTIONS = [f"--object-store-memory={80 << 20}", "--include-log-monitor=false"]
_SETTINGS = {
    "RAY_AUTH_MODE": "disabled",  # the process of the tests has read its own settings already
    "RAY_health_check_initial_delay_ms": "500",
    "RAY_health_check_period_ms": "300",  # a dead node is given up after a second, not after 15
    "RAY_health_check_failure_threshold": "3",
}


def _parents() -> dict[int, int]:
    """Process -> its parent, for all that run."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                found[int(entry.name)] = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
            except (FileNotFoundError, ProcessLookupError):
                continue  # it ended meanwhile
    return found


def _below(process: int) -> list[int]:
    """A process and all below it."""
    parents, found = _parents(), [process]
    for one in found:
        found.extend(child for child, parent in parents.items() if parent == one)
    return found


class Nodes:
    """One head without a core, and nodes of `cores` cores each, at 127.0.0.3, .4, …"""

    def __init__(self, nodes: int, cores: int, modules: Path) -> None:
        self.cores = cores
        paths = (ROOT, ROOT / "tests", modules)  # workers import by name
        self.environment = os.environ | _SETTINGS | {"PYTHONPATH": os.pathsep.join(map(str, paths))}
        self.folder = tempfile.mkdtemp(prefix="ray-")  # short: names of sockets have 107 bytes
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = f"127.0.0.2:{free.getsockname()[1]}"  # Ray takes 127.0.0.1 for the machine's own address
        head = ["--head", f"--port={self.address.partition(':')[2]}", "--include-dashboard=false", "--num-cpus=0"]
        self.head = self._start(2, *head, "--disable-usage-stats")
        self.last = 2
        self.nodes: list[subprocess.Popen[bytes]] = []
        self.size = nodes
        self._wait(self._answers)
        for _ in range(nodes):
            self.add()

    def _start(self, number: int, *options: str) -> subprocess.Popen[bytes]:
        place = Path(self.folder) / str(number)
        place.mkdir()
        command = [str(Path(sys.executable).parent / "ray"), "start", "--block", f"--temp-dir={place}", *_OPTIONS]
        own = f"--node-ip-address=127.0.0.{number}"
        with open(place / "log", "wb") as log:
            return subprocess.Popen([*command, own, *options], stdout=log, stderr=log, env=self.environment)

    def _answers(self) -> bool:
        host, _, port = self.address.partition(":")
        with socket.socket() as probe:
            return probe.connect_ex((host, int(port))) == 0

    def _wait(self, done: Callable[[], bool]) -> None:
        end = time.monotonic() + 60
        while not done():
            if time.monotonic() > end:
                raise TimeoutError(f"the cluster did not come up within 60 s; see {self.folder}")
            time.sleep(0.1)

    def add(self) -> None:
        """Start one more node. Its address is its own: a node that died is not reborn."""
        self.last += 1
        self.nodes.append(self._start(self.last, f"--address={self.address}", f"--num-cpus={self.cores}"))

    def complete(self) -> None:
        """Wait until all nodes have joined, and those that died are known to be dead. Asks the Ray of this process."""
        self._wait(lambda: sum(node["Alive"] for node in ray.nodes()) == self.size + 1)

    def kill(self, worker: int) -> None:
        """End the node that has this process, with all that runs on it, as a machine that loses its power; start
        another."""
        (node,) = [node for node in self.nodes if worker in _below(node.pid)]
        self.nodes.remove(node)
        _end(node)
        self.add()

    def close(self) -> None:
        for node in (*self.nodes, self.head):
            _end(node)
        shutil.rmtree(self.folder, ignore_errors=True)


def _end(node: subprocess.Popen[bytes]) -> None:
    stopped: list[int] = []
    while more := [process for process in _below(node.pid) if process not in stopped]:
        for process in more:  # stopped first, so that none sees another one die, or starts one
            os.kill(process, signal.SIGSTOP)
        stopped += more
    for process in stopped:
        os.kill(process, signal.SIGKILL)
    node.wait()


class Doomed(msgspec.Struct, frozen=True):
    """A function for one round. Its first task, the hostage, stops at a point and waits for its node to die; so do the
    next `times` - 1 attempts at the same item.

    begin   before it does anything     torn   in the middle of publishing its first blob
    half    after its first blob        end    when all is done and nothing is said
    """

    function: Callable[[Any], Any]
    folder: str  # what hostages write there: their process
    name: str
    point: str = "begin"
    times: int = 1
    flush_bytes: int = runs.FLUSH_BYTES

    def __call__(self, item: Any) -> Any:
        runs.FLUSH_BYTES = self.flush_bytes
        if not self._chosen(item):
            return self.function(item)
        if self.point == "begin":
            self._hold()
        elif self.point == "torn":
            os.replace = lambda *names: self._hold()  # type: ignore[assignment]
        elif self.point == "half":
            put = Blobs.put
            Blobs.put = lambda *given: (put(*given), self._hold())  # type: ignore[method-assign, assignment]
        self.function(item)
        return self._hold()

    def _chosen(self, item: Any) -> bool:
        """Whether this attempt dies."""
        mark = repr(item).encode()
        for number in range(self.times):
            place = Path(self.folder) / f"{self.name}-{number}"
            try:
                with open(place, "xb") as file:
                    file.write(mark)
                return True
            except FileExistsError:
                if place.read_bytes() != mark:
                    return False
        return False

    def _hold(self) -> None:
        (Path(self.folder) / f"held-{self.name}-{os.getpid()}").touch()
        time.sleep(600)


class Striking:
    """An executor on a cluster: a node dies under each map that `doom` has a point for."""

    def __init__(self, cluster: Cluster, nodes: Nodes, folder: Path, flush_bytes: int = runs.FLUSH_BYTES) -> None:
        self.cluster, self.nodes, self.folder, self.flush_bytes = cluster, nodes, folder, flush_bytes
        self.workers = cluster.workers
        self.killed: list[str] = []
        self.doom: Callable[[list[Any]], tuple[str, str, int] | None] = lambda items: None  # (name, point, times)

    def map(self, function: Callable[[Any], Any], items: Sequence[Any]) -> Iterator[tuple[int, Any]]:
        items = list(items)
        doom = self.doom(items) if items else None
        if doom is None:
            yield from self.cluster.map(function, items)
            return
        name, point, times = doom
        self.nodes.complete()
        over = threading.Event()
        reaper = threading.Thread(target=self._reap, args=(name, over))
        reaper.start()
        try:
            yield from self.cluster.map(Doomed(function, str(self.folder), name, point, times, self.flush_bytes), items)
        finally:
            over.set()
            reaper.join()

    def _reap(self, name: str, over: threading.Event) -> None:
        while not over.wait(0.05):
            for place in self.folder.glob(f"held-{name}-*"):
                place.unlink()
                self.killed.append(name)
                self.nodes.kill(int(place.name.rpartition("-")[2]))
