"""Survivors of a build, chosen by a hash of their ids: what a tokenizer learns from, and what it is reported on.

A build is looked at twice: ids and lengths of all survivors, 20 bytes of each; then the texts of those that were
chosen. Which these are depends on the seed, their ids and their lengths, and not on files, partitions or workers.

Memory: 20 bytes for each survivor, and the texts that were chosen.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from corpus.build import Builder
from corpus.chain import Walk
from corpus.drive import compile_corpus
from corpus.errors import InputError, RecipeError
from corpus.id_order import halves, order_of
from corpus.pack import SPLITS
from corpus.recipe import Mixture, Recipe
from corpus.record import Record
from corpus.steps import Origin, Step
from corpus.store import Blobs
from corpus.work import load_model

_SEED = 0x544F4B  # of the hash that chooses: another than those of shards, held-out documents and samples shown


class Chosen(msgspec.Struct, frozen=True):
    """A document, or a window of it. `order` sorts those of a source."""

    order: int
    source: str
    language: str
    text: str


class Available(msgspec.Struct, frozen=True):
    """Survivors of a source: how many, their bytes, and these with long ones counted as a window."""

    documents: int
    text_bytes: int
    window_bytes: int


class Sample(msgspec.Struct, frozen=True):
    """What there was, what was asked for and what was taken, by source."""

    available: dict[str, Available]
    asked_bytes: dict[str, int]
    chosen: list[Chosen]  # by source in the order of the manifest, then by hash


def before_tokens(recipe: Recipe) -> Recipe:
    """The manifest up to the stage that makes tokens: what there is before there is a tokenizer."""
    stages = []
    for stage in recipe.stages:
        if "tokens" in stage.adds:
            break
        stages.append(stage)
    return msgspec.structs.replace(recipe, stages=tuple(stages))


def bring_up_to_date(builder: Builder, out: Blobs) -> None:
    """Build what is stale of a manifest that `before_tokens` cut."""
    compile_corpus(builder, out, until=builder.graph.labels()[-1])


def sample(builder: Builder, mixture: Mixture, seed: int, sample_bytes: int, document_bytes: int) -> Sample:
    """Of a build that is up to date, about `sample_bytes` in the proportions of the mixture, of long documents windows
    of `document_bytes`; none that is held out. InputError where nothing survived, RecipeError where the mixture gives
    a source no weight."""
    found: dict[str, list[np.ndarray]] = {source: [] for source in builder.partitions}
    tasks = [task for source in builder.partitions for task in _tasks(builder, source, seed, document_bytes)]
    with builder.progress.task("sample: look", len(tasks), "partitions") as bar:
        for number, part in builder.executor.map(_look, tasks):
            found[tasks[number].origin.source].append(part)
            bar.advance(1, tasks[number].origin.source)
    available = {}
    for source, parts in found.items():
        own = np.concatenate(parts) if parts else np.zeros(0, _SEEN)
        found[source] = [np.sort(own, order=["order", "bytes"])]
        available[source] = Available(len(own), int(own["bytes"].sum()), int(_windows(own, document_bytes).sum()))
    if not any(one.window_bytes for one in available.values()):
        raise InputError(f"{builder.recipe.path}: no document survives, so there is no text to take.")
    asked = proportions(mixture, available, sample_bytes)
    limits = {}
    for source, (own,) in found.items():
        sums = np.cumsum(_windows(own, document_bytes))
        taken = int(np.searchsorted(sums, asked[source], side="left")) + 1 if asked[source] else 0
        limits[source] = int(own["order"][min(taken, len(own)) - 1]) if taken and len(own) else -1
    again = [msgspec.structs.replace(task, limit=limits[task.origin.source]) for task in tasks]
    again = [task for task in again if task.limit >= 0]
    chosen: list[Chosen] = []
    with builder.progress.task("sample: read", len(again), "partitions") as bar:
        for number, some in builder.executor.map(_take, again):
            chosen += some
            bar.advance(1, again[number].origin.source)
    place = {source: number for number, source in enumerate(builder.partitions)}
    chosen.sort(key=lambda one: (place[one.source], one.order, one.text))
    return Sample(available, asked, chosen)


def proportions(mixture: Mixture, available: Mapping[str, Available], sample_bytes: int) -> dict[str, int]:
    """Bytes to take of each source: in proportion to what the mixture makes of it, all of it where that is less, and
    then more of the others. RecipeError where weights are given and a source has none."""
    sizes = {source: one.window_bytes for source, one in available.items()}
    if mixture.unit == "epochs":
        weights = {source: mixture.values.get(source, 1.0) * one.text_bytes for source, one in available.items()}
    else:
        missing = [source for source in sizes if source not in mixture.values]
        if missing:
            raise RecipeError(f"mixture: no weight for {', '.join(missing)}; give every source one, 0 to leave it out")
        weights = {source: mixture.values[source] for source in sizes}
    asked = dict.fromkeys(sizes, 0)
    open_ones = [source for source in sizes if weights[source] > 0 and sizes[source]]
    if not open_ones:
        raise RecipeError("mixture: no source that has text has a weight above 0")
    left = sample_bytes
    while open_ones:
        total = sum(weights[source] for source in open_ones)
        full = [source for source in open_ones if left * weights[source] / total >= sizes[source]]
        for source in full or open_ones:
            asked[source] = sizes[source] if full else round(left * weights[source] / total)
        left -= sum(sizes[source] for source in full)
        open_ones = [source for source in open_ones if source not in full] if full else []
    return asked


# -- one partition -----------------------------------------------------------------------------------------------------

_SEEN = np.dtype([("order", "<u8"), ("bytes", "<i8")])


class _Task(msgspec.Struct, frozen=True):
    """`limit`: highest order that is taken."""

    store: Blobs
    steps: tuple[Step, ...]
    origin: Origin
    records: tuple[Record, ...]
    seed: int
    document_bytes: int
    limit: int = -1

    def walk(self) -> Walk:
        load = lambda step: load_model(self.store, step)  # noqa: E731
        return Walk(self.origin, self.steps, self.store, {}, load, records=self.records)


def _tasks(builder: Builder, source: str, seed: int, document_bytes: int) -> Iterator[_Task]:
    steps = builder.graph.chains[source]
    for one in builder.partitions[source]:
        origin = Origin(source, one.path, one.key)
        yield _Task(builder.store, steps, origin, tuple(one.records), seed, document_bytes)


def _rows(task: _Task, walk: Walk) -> tuple[np.ndarray, np.ndarray]:
    """Survivors of a partition that are not held out: their positions, and their orders."""
    k = len(task.records)
    orders = order_of(*halves(walk.column("id", k)), task.seed ^ _SEED)
    rows = np.arange(len(orders))
    if any("split" in step.adds for step in task.steps):
        rows = rows[np.asarray(pc.equal(walk.column("split", k), SPLITS[0]))]
    return rows, orders[rows]


def _look(task: _Task) -> np.ndarray:
    """Order and bytes of each."""
    walk = task.walk()
    rows, orders = _rows(task, walk)
    size = pc.fill_null(pc.binary_length(walk.column("text", len(task.records))), 0)
    out = np.zeros(len(rows), _SEEN)
    out["order"], out["bytes"] = orders, size.to_numpy(zero_copy_only=False)[rows]
    return out


def _take(task: _Task) -> list[Chosen]:
    """Those up to the limit."""
    walk, k = task.walk(), len(task.records)
    rows, orders = _rows(task, walk)
    among = orders <= np.uint64(task.limit)
    rows, orders = rows[among], orders[among]
    texts = walk.column("text", k).take(pa.array(rows)).to_pylist()
    spoken: list[Any] = [None] * len(rows)
    if any("lang" in step.adds for step in task.steps):
        spoken = walk.column("lang", k).take(pa.array(rows)).to_pylist()
    return [
        Chosen(order, task.origin.source, language or "unknown", window(text or "", order, task.document_bytes))
        for order, language, text in zip(orders.tolist(), spoken, texts, strict=True)
    ]


def _windows(seen: np.ndarray, document_bytes: int) -> np.ndarray:
    return np.minimum(seen["bytes"], document_bytes)


def window(text: str, order: int, document_bytes: int) -> str:
    """Of a text longer than `document_bytes` a piece of that size, from a place that `order` decides."""
    data = text.encode()
    if len(data) <= document_bytes:
        return text
    start = order % (len(data) - document_bytes + 1)
    return data[start : start + document_bytes].decode(errors="ignore")
