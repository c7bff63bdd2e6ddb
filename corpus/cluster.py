"""The executor on Ray: stateless tasks in a bounded window. The only file that knows Ray.

Core tasks, not datasets: a step needs an identity and a resume of its own, and the object store must never hold the
corpus (tasks carry names and digests; rows travel through the store). Truth is never in an actor or in arrival order.

A worker that dies takes its task with it. Ray tries the task once more; a second death is the record's fault, and the
build ends with the way to find the record. A node that dies is nobody's fault: its tasks, and results that lay in its
memory, are made again elsewhere, up to MOST_LOST times each. Ray says NodeDiedError where it no longer reaches the node
of a task, but WorkerCrashedError where it hears of the worker's end before the node's; so before a record is blamed,
the cluster gets NOTICE_S to notice that a node is gone.
"""

import logging
import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import ray
from ray._private import ray_constants
from ray.exceptions import (
    NodeDiedError,
    ObjectLostError,
    OutOfMemoryError,
    RayError,
    RayTaskError,
    WorkerCrashedError,
)

from corpus.errors import CorpusError, TaskError
from corpus.store import Blobs

MOST_LOST = 5  # times that a task is given to Ray again because its node was lost; each time Ray tries it twice
NOTICE_S = 30.0  # Ray checks nodes every 3 s and gives one up after 5 failures


class _Running(NamedTuple):
    index: int
    item: Any
    gone: frozenset[str]  # nodes that were dead when it was given to Ray
    lost: int = 0


@contextmanager
def _loopback() -> Iterator[None]:
    """Ray started inside listens on 127.0.0.1 alone. On Linux it otherwise listens on every interface, whatever address
    it is given; this constant (RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER, read at import) is what it asks."""
    before = ray_constants.ENABLE_RAY_CLUSTER
    ray_constants.ENABLE_RAY_CLUSTER = False
    try:
        yield
    finally:
        ray_constants.ENABLE_RAY_CLUSTER = before


def _call(function: Callable[[Any], Any], item: Any) -> Any:
    return function(item)


def _check(store: Blobs, name: str) -> bytes:
    return store.get(name)


class Cluster:
    """Ray tasks, one core each. `address` none: an embedded Ray on loopback, no dashboard, of `workers` cores."""

    def __init__(self, workers: int | None = None, address: str | None = None) -> None:
        os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
        if address is None:
            self.workers = workers or os.cpu_count() or 1
            with _loopback():
                ray.init(
                    address="local",
                    num_cpus=self.workers,
                    include_dashboard=False,
                    logging_level=logging.ERROR,
                    log_to_driver=False,
                    object_store_memory=256 << 20,
                )
        else:
            ray.init(address=address, logging_level=logging.ERROR, log_to_driver=False)
            self.workers = workers or int(ray.cluster_resources().get("CPU", 1))
        self._remote = ray.remote(num_cpus=1, max_retries=1, retry_exceptions=False)(_call)

    def map(self, function: Callable[[Any], Any], items: Iterable[Any]) -> Iterator[tuple[int, Any]]:
        """(position, result) for each item, as they finish; at most four tasks a worker are in flight. TaskError where
        a worker died twice of one item, or where it lost its node more than MOST_LOST times."""
        source = enumerate(items)
        running: dict[Any, _Running] = {}
        exhausted = False
        gone = _gone()
        try:
            while True:
                while not exhausted and len(running) < 4 * self.workers:
                    try:
                        index, item = next(source)
                    except StopIteration:
                        exhausted = True
                        break
                    running[self._remote.remote(function, item)] = _Running(index, item, gone)
                if not running:
                    return
                done, _ = ray.wait(list(running), num_returns=1)
                for reference in done:
                    task = running.pop(reference)
                    try:
                        result = self._result(reference, task.item)
                    except (NodeDiedError, ObjectLostError, WorkerCrashedError) as error:
                        task = _again(task, error)
                        running[self._remote.remote(function, task.item)] = task
                    else:
                        yield task.index, result
        finally:
            for reference in running:
                ray.cancel(reference, force=False)

    def _result(self, reference: Any, item: Any) -> Any:
        try:
            return ray.get(reference)
        except RayTaskError as error:
            cause = error.cause
            if isinstance(cause, CorpusError):
                raise cause from None
            raise TaskError(f"a task failed:\n{error}") from error
        except OutOfMemoryError as error:
            raise TaskError(f"{death_notice(item)}\n{type(error).__name__}: {error}") from error
        except (NodeDiedError, ObjectLostError, WorkerCrashedError):
            raise  # perhaps the node's fault: `_again` decides
        except RayError as error:
            raise TaskError(
                f"Ray went away under the build ({type(error).__name__}). What is published is kept: build again."
            ) from error

    def check_visible(self, store: Blobs) -> None:
        """Prove that what the driver writes is seen where tasks run, on every node."""
        store.put("probe", b"corpus")
        check = ray.remote(num_cpus=0)(_check)
        nodes = [node for node in ray.nodes() if node["Alive"]]
        strategy = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy
        seen = [
            check.options(scheduling_strategy=strategy(node["NodeID"], soft=False)).remote(store, "probe")
            for node in nodes
        ]
        for node, reference in zip(nodes, seen, strict=True):
            try:
                ray.get(reference)
            except RayTaskError as error:
                raise TaskError(
                    f"{store.root} is not visible from node {node['NodeManagerAddress']}: {error.cause}. "
                    f"Give a --store that every node reaches."
                ) from error
        store.remove("probe")

    def close(self) -> None:
        ray.shutdown()


def _gone() -> frozenset[str]:
    """Nodes that the cluster knows to be dead."""
    return frozenset(node["NodeID"] for node in ray.nodes() if not node["Alive"])


def _again(task: _Running, error: RayError) -> _Running:
    """A task that died, to be given to Ray once more. TaskError where no node is to blame, or too often."""
    gone = _gone()
    if isinstance(error, WorkerCrashedError):
        late = time.monotonic() + (NOTICE_S if len(ray.nodes()) > 1 else 0)
        while gone <= task.gone and time.monotonic() < late:
            time.sleep(0.5)
            gone = _gone()
        if gone <= task.gone:
            raise TaskError(f"{death_notice(task.item)}\n{type(error).__name__}: {error}") from error
    if task.lost == MOST_LOST:
        raise TaskError(
            f"a task lost its node after each of {MOST_LOST + 1} starts: {_work(task.item)}. "
            f"Look at the nodes (`ray status`, the kernel's log), then build again: what is published is kept.\n"
            f"{type(error).__name__}: {error}"
        ) from error
    return task._replace(gone=gone, lost=task.lost + 1)


def _origins(item: Any) -> Iterator[tuple[str, str]]:
    """(source, path) of what a task was at work on, where it was a partition or a file."""
    for task in (item if isinstance(item, tuple) else (item,))[:3]:
        place = getattr(task, "origin", task)
        source, path = getattr(place, "source", None), getattr(place, "path", None)
        if source and path:
            yield source, path


def _work(item: Any) -> str:
    return ", ".join(f"{path} of source {source}" for source, path in _origins(item)) or "a step over many files"


def death_notice(item: Any) -> str:
    """What to tell about a task whose worker died twice: which file, and how to find and leave out the record."""
    lines = ["a worker died twice on the same task: out of memory, or a crash inside a library."]
    for source, path in _origins(item):
        lines.append(
            f"It was at work on {path} of source {source}. Find the record with\n"
            f"    corpus probe MANIFEST --source {source} --path {path}\n"
            f"and leave it out by adding to the manifest\n"
            f'    [[quarantine]]\n    source = "{source}"\n    path = "{path}"\n    record = …'
        )
    return "\n".join(lines)
