"""What runs on a worker: read a file, walk partitions. Stateless and idempotent: truth is in the store.

Tasks are plain values and hold everything a worker needs; results are records and counts, never rows. The only thing
kept between tasks of one process are loaded models, by the identity of their stage.
"""

import hashlib
import io
import resource
import time
from collections.abc import Mapping
from typing import Any, BinaryIO

import msgspec

from corpus import assets
from corpus.chain import Walk
from corpus.errors import InputError
from corpus.identity import canonical, partition_key, sha256
from corpus.record import Record
from corpus.removal import Named, Removal
from corpus.stage import Chunk, Ledger, Reader
from corpus.steps import Origin, Step, is_map
from corpus.store import Blobs, open_input

_models: dict[str, Any] = {}


def load_model(store: Blobs, step: Step) -> Any:
    """The loaded model of a stage, once per process."""
    load = getattr(step.stage, "load", None)
    if load is None:
        return None
    key = sha256(canonical(step.definition.identity()))
    if key not in _models:
        files = {name: assets.fetch(store, digest) for name, digest in step.definition.assets.items()}
        _models[key] = load(files)
    return _models[key]


class Hashing(io.RawIOBase):
    """A sequential stream that remembers the sha256 and the length of what went through it."""

    def __init__(self, inner: BinaryIO) -> None:
        self.inner = inner
        self.sha256 = hashlib.sha256()
        self.length = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self.inner.read(len(buffer))
        buffer[: len(data)] = data
        self._took(data)
        return len(data)

    def read(self, size: int = -1) -> bytes:
        data = self.inner.read(size)
        self._took(data)
        return data

    def _took(self, data: bytes) -> None:
        self.sha256.update(data)
        self.length += len(data)

    def finish(self) -> str:
        """Read what is left. -> hex sha256 of the whole file."""
        while self.read(4 << 20):
            pass
        return self.sha256.hexdigest()


class HashTask(msgspec.Struct, frozen=True):
    url: str


def hash_file(task: HashTask) -> str:
    with open_input(task.url) as file:
        return Hashing(file).finish()


class ReadTask(msgspec.Struct, frozen=True):
    """Read one file and take each of its chunks through `steps`. Of several lanes, each takes every n-th chunk: all
    decompress the whole file, the work on what it holds is shared. `named`: see `chain.Walk`."""

    store: Blobs
    source: str
    path: str
    url: str
    steps: tuple[Step, ...]
    known: dict[str, Record]
    quarantined: dict[int, str]  # record ordinal -> reason
    removal: Removal | None = None
    named: dict[str, Named] = {}
    settled: dict[int, tuple[Record, ...]] = {}  # by partition, where a global stage comes before a step that reads
    lane: int = 0
    lanes: int = 1


class WalkTask(msgspec.Struct, frozen=True):
    """Take one partition on from where its records end; its inputs are all in the store."""

    store: Blobs
    origin: Origin
    steps: tuple[Step, ...]
    until: int
    known: dict[str, Record]
    records: tuple[Record, ...]


class Walked(msgspec.Struct, frozen=True):
    """One partition after a walk."""

    key: int  # of its root
    chunk: int
    records: tuple[Record, ...]
    base: str = ""  # of one that was read: the identity of the read without removal
    named: Named | None = None  # its rows that are named in the list, if there is one


class ReadResult(msgspec.Struct, frozen=True):
    walked: tuple[Walked, ...]
    ledger: Ledger
    sha256: str
    spent: "Spent"


class WalkResult(msgspec.Struct, frozen=True):
    walked: tuple[Walked, ...]
    spent: "Spent"


class Spent(msgspec.Struct, frozen=True):
    """What a task cost: seconds by stage (`engine` is the rest), steps made, peak memory of its process."""

    seconds: dict[str, float]
    steps: int
    peak_rss_bytes: int


def _spent(started: float, seconds: Mapping[str, float], steps: int) -> Spent:
    everything = dict(seconds)
    everything["engine"] = max(0.0, time.perf_counter() - started - sum(seconds.values()))
    return Spent(everything, steps, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)


def read_file(task: ReadTask) -> ReadResult:
    started = time.perf_counter()
    seconds: dict[str, float] = {}
    made = 0
    reader = task.steps[0].stage
    assert isinstance(reader, Reader)
    ledger = Ledger()
    walked = []
    with open_input(task.url) as file:
        if reader.seeks:
            digest = Hashing(file).finish()
            file.seek(0)
            stream: Any = file
        else:
            stream = hashing = Hashing(file)
        try:
            for chunk in reader.cut(stream, task.path, ledger):
                if chunk.number % task.lanes == task.lane:
                    one, steps, times = _walk_chunk(task, chunk)
                    walked.append(one)
                    made += steps
                    for label, value in times.items():
                        seconds[label] = seconds.get(label, 0.0) + value
        except OSError as error:
            raise InputError(f"{task.url}: cannot be read: {error}") from error
        if not reader.seeks:
            digest = hashing.finish()
    return ReadResult(tuple(walked), ledger, digest, _spent(started, seconds, made))


def _walk_chunk(task: ReadTask, chunk: Chunk) -> tuple[Walked, int, dict[str, float]]:
    first = chunk.first_record
    key = partition_key(task.source, task.path, chunk.number)
    walk = Walk(
        Origin(task.source, task.path, key),
        task.steps,
        task.store,
        task.known,
        lambda step: load_model(task.store, step),
        chunk=chunk,
        quarantined={
            record - first: reason
            for record, reason in task.quarantined.items()
            if first <= record < first + chunk.records
        },
        removal=task.removal,
        named=task.named,
    )
    one, made, seconds = _run(walk, chunk.number, len(task.steps), task.settled.get(key, ()))
    if task.removal is None:
        return one, made, seconds
    return msgspec.structs.replace(one, base=walk.base, named=walk.named), made, seconds


def _run(walk: Walk, chunk: int, until: int, settled: tuple[Record, ...] = ()) -> tuple[Walked, int, dict[str, float]]:
    made = 0
    for k in range(len(walk.records), until):
        if not is_map(walk.steps[k].stage):
            if walk.records[-1].step != settled[k - 1].step:
                raise InputError(f"{walk.origin.path}: the file changed while it was built from. Build again.")
            walk.records.append(settled[k])
            continue
        made += walk.advance(k)
        walk.release(k + 1, until)
    return Walked(walk.origin.key, chunk, tuple(walk.records)), made, walk.seconds


def walk_partitions(batch: tuple[WalkTask, ...]) -> WalkResult:
    started = time.perf_counter()
    seconds: dict[str, float] = {}
    made = 0
    walked = []
    for task in batch:
        walk = Walk(
            task.origin,
            task.steps,
            task.store,
            task.known,
            lambda step, store=task.store: load_model(store, step),
            records=task.records,
        )
        one, steps, times = _run(walk, 0, task.until)
        walked.append(one)
        made += steps
        for label, value in times.items():
            seconds[label] = seconds.get(label, 0.0) + value
    return WalkResult(tuple(walked), _spent(started, seconds, made))
