"""The executor on Ray: stateless tasks in a bounded window. The only file that knows Ray.

Core tasks, not datasets: a step needs an identity and a resume of its own, and the object store must never hold the
corpus (tasks carry names and digests; rows travel through the store). Truth is never in an actor or in arrival order.
"""

import logging
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import ray
from ray._private import ray_constants
from ray.exceptions import OutOfMemoryError, RayError, RayTaskError, WorkerCrashedError

from corpus.errors import CorpusError, TaskError
from corpus.store import Blobs


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
        # A worker that dies takes its task with it; the task is tried once more, then the build fails.
        self._remote = ray.remote(num_cpus=1, max_retries=1, retry_exceptions=False)(_call)

    def map(self, function: Callable[[Any], Any], items: Iterable[Any]) -> Iterator[tuple[int, Any]]:
        """(position, result) for each item, as they finish; at most four tasks a worker are in flight."""
        source = enumerate(items)
        running: dict[Any, tuple[int, Any]] = {}
        exhausted = False
        try:
            while True:
                while not exhausted and len(running) < 4 * self.workers:
                    try:
                        index, item = next(source)
                    except StopIteration:
                        exhausted = True
                        break
                    running[self._remote.remote(function, item)] = (index, item)
                if not running:
                    return
                done, _ = ray.wait(list(running), num_returns=1)
                for reference in done:
                    index, item = running.pop(reference)
                    yield index, self._result(reference, item)
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
        except (WorkerCrashedError, OutOfMemoryError) as error:
            raise TaskError(f"{death_notice(item)}\n{type(error).__name__}: {error}") from error
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


def death_notice(item: Any) -> str:
    """What to tell about a task whose worker died twice: which file, and how to find and leave out the record."""
    lines = ["a worker died twice on the same task: out of memory, or a crash inside a library."]
    for task in (item if isinstance(item, tuple) else (item,))[:3]:
        place = getattr(task, "origin", task)
        source, path = getattr(place, "source", None), getattr(place, "path", None)
        if source and path:
            lines.append(
                f"It was at work on {path} of source {source}. Find the record with\n"
                f"    corpus probe MANIFEST --source {source} --path {path}\n"
                f"and leave it out by adding to the manifest\n"
                f'    [[quarantine]]\n    source = "{source}"\n    path = "{path}"\n    record = …'
            )
    return "\n".join(lines)
