"""Rounds: emit, combine, group, join, solve, settle, over in-memory partitions; levels; any order of completion. What
rounds may say of the graph (`of`, `into`, `beside`, `together`, `keep`): test_exchange_graph.py."""

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pytest

from corpus import rounds, runs
from corpus.errors import LawError
from corpus.exchange import Emit, Exchange, Group, Join, Loader, Part, Round, Settle, Solve
from corpus.rounds import Bundle, numbered, run_rounds, settled
from corpus.stage import Columns
from corpus.store import Blobs


class Memory(Loader, frozen=True):
    values: dict[int, list[int]]  # partition key -> value of each living row

    def read(self, key: int, names: tuple[str, ...]) -> pa.RecordBatch:
        return pa.record_batch([pa.array(self.values[key], pa.int64())], names=["value"])


class Ranks(Exchange, frozen=True, kw_only=True, tag="ranks"):
    """For each row: how many rows of the whole scope hold its value, and the sum of the numbers of those rows."""

    adds: ClassVar[dict[str, pa.DataType]] = {"count": pa.int64(), "total": pa.int64()}
    rounds: ClassVar[tuple[Round, ...]] = (
        Emit("values", ("value",), (("key", "<u8"), ("doc", "<u8"))),
        Group("tally", (("key", "<u8"), ("value", "<u8"), ("count", "<u8"), ("total", "<u8"))),
        Join("check", ("value",), (("key", "<u8"), ("value", "<u8"), ("count", "<u8"), ("total", "<u8"))),
        Solve("everyone", (("key", "<u8"), ("count", "<u8"), ("total", "<u8"))),
        Settle("write", ("value",)),
    )

    def values(self, batch: pa.RecordBatch, part: Part) -> np.ndarray:
        records = np.zeros(batch.num_rows, np.dtype(list(self.rounds[0].fields)))  # type: ignore[union-attr]
        records["key"], records["doc"] = batch["value"].to_numpy(), np.arange(batch.num_rows)
        return records

    def tally(self, blocks: Iterator[np.ndarray], tell: dict[str, int]) -> Iterator[np.ndarray]:
        held: dict[int, list[int]] = {}
        for block in blocks:  # small data: plain Python says what is meant
            for key, doc in block.tolist():
                held.setdefault(key, []).append(doc)
        for key, docs in sorted(held.items()):
            yield np.array([(docs[0], key, len(docs), sum(docs))], np.dtype(list(self.rounds[1].fields)))  # type: ignore[union-attr]

    def check(self, records: np.ndarray, position: np.ndarray, batch: pa.RecordBatch, part: Part) -> np.ndarray:
        assert np.array_equal(batch["value"].to_numpy()[position].astype(np.uint64), records["value"])
        return records

    def everyone(
        self, blocks: Callable[[], Iterator[np.ndarray]], documents: int, tell: dict[str, int]
    ) -> Iterator[np.ndarray]:
        self_values = {r["value"]: r for b in blocks() for r in b}
        again = sum(len(b) for b in blocks())
        assert again == len(self_values)
        for r in self_values.values():
            yield np.array([(r["key"], r["count"], r["total"])], np.dtype(list(self.rounds[3].fields)))  # type: ignore[union-attr]

    def write(self, records: np.ndarray, position: np.ndarray, batch: pa.RecordBatch, part: Part) -> Columns:
        count = np.zeros(part.rows, np.int64)
        total = np.zeros(part.rows, np.int64)
        count[position], total[position] = records["count"], records["total"]
        return {"count": pa.array(count), "total": pa.array(total)}


class InOrder:
    def map(self, function: Any, items: Any) -> Iterator[tuple[int, Any]]:
        for index, item in enumerate(items):
            yield index, function(item)


class Shuffled:
    """Runs and completes tasks in another order each time."""

    def map(self, function: Any, items: Any) -> Iterator[tuple[int, Any]]:
        order = list(enumerate(items))
        random.Random(len(order)).shuffle(order)
        for index, item in order:
            yield index, function(item)


def run(folder: Path, values: dict[int, list[int]], bundles: int, executor: Any) -> dict[int, Columns]:
    blobs = Blobs(str(folder))
    loader = Memory(values)
    parts = numbered({key: Part(key, "s", 1, len(rows)) for key, rows in values.items()})
    size = -(-len(parts) // bundles)
    work = [
        Bundle(i, f"b{i}", tuple(parts[i * size : (i + 1) * size]), loader) for i in range(bundles) if parts[i * size :]
    ]
    flow, _ = run_rounds(Ranks(), blobs, work, "scratch", "cache", executor.map, lambda name, count: None)
    return {part.key: columns for b in work for part, columns in settled(Ranks(), blobs, flow, b)}


def brute_force(values: dict[int, list[int]]) -> dict[int, tuple[list[int], list[int]]]:
    everyone = [v for key in sorted(values) for v in values[key]]
    result, number = {}, 0
    for key in sorted(values):
        count, total = [], []
        for value in values[key]:
            holders = [i for i, v in enumerate(everyone) if v == value]
            first = holders[0] == number
            count.append(len(holders) if first else 0)
            total.append(sum(holders) if first else 0)
            number += 1
        result[key] = (count, total)
    return result


VALUES = {
    key * 2**58 + 11: [random.Random(f"{key}-{row}").randrange(12) for row in range(key % 5 * 7)] for key in range(20)
}


@pytest.mark.parametrize("executor", [InOrder(), Shuffled()], ids=["in order", "shuffled"])
@pytest.mark.parametrize("bundles", [1, 3, 20])
def test_rounds_give_what_brute_force_gives(
    tmp_path: Path, bundles: int, executor: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rounds, "RANGE_BYTES", 500)  # several ranges
    monkeypatch.setattr(runs, "FLUSH_BYTES", 200)  # many runs
    monkeypatch.setattr(runs, "FAN_IN", 4)  # levels of merging
    got = run(tmp_path, VALUES, bundles, executor)
    want = brute_force(VALUES)
    assert {k: (c["count"].to_pylist(), c["total"].to_pylist()) for k, c in got.items()} == want


def test_emitted_runs_are_kept_and_used(tmp_path: Path) -> None:
    run(tmp_path, VALUES, 3, InOrder())
    calls = []

    class Watching(Memory, frozen=True):
        def read(self, key: int, names: tuple[str, ...]) -> pa.RecordBatch:
            calls.append(key)
            return Memory.read(self, key, names)

    blobs = Blobs(str(tmp_path))
    parts = numbered({key: Part(key, "s", 1, len(rows)) for key, rows in VALUES.items()})
    work = [Bundle(i, f"b{i}", tuple(parts[i * 7 : i * 7 + 7]), Watching(VALUES)) for i in range(3)]
    emit = rounds._Task(blobs, Ranks(), 0, f"cache/{rounds._EMITTED}-b1-values", bundle=work[1])
    rounds._emit(emit)
    assert calls == []


def test_rows_that_went_missing_are_noticed(tmp_path: Path) -> None:
    blobs = Blobs(str(tmp_path))
    bundle = Bundle(0, "b", (Part(1, "s", 1, 3),), Memory({1: [1, 2]}))
    with pytest.raises(LawError, match="2 rows, 3 were alive"):
        list(settled(Ranks(), blobs, rounds.Flow(), bundle))
    with pytest.raises(LawError, match="2 rows, 3 were alive"):
        run_rounds(Ranks(), blobs, [bundle], "scratch", "cache", InOrder().map, lambda name, count: None)


def test_more_documents_than_numbers_are_refused(tmp_path: Path) -> None:
    bundle = Bundle(0, "b", (Part(1, "s", 1, rounds.MOST_DOCUMENTS + 1),), Memory({}))
    with pytest.raises(LawError, match=r"4,294,967,297 documents in one scope.*Split"):
        run_rounds(Ranks(), Blobs(str(tmp_path)), [bundle], "s", "c", InOrder().map, lambda name, count: None)


def test_three_hundred_runs_merge_in_two_levels(tmp_path: Path) -> None:
    blobs = Blobs(str(tmp_path))
    dtype = np.dtype([("key", "<u8"), ("doc", "<u8")])
    refs = []
    for number in range(300):
        part = np.array([(key, number) for key in range(number % 3, 30, 3)], dtype)
        runs.write(blobs, f"r/{number}", part, ("key", "doc"))
        refs.append(runs.Ref(f"r/{number}"))
    flow = rounds._levels(blobs, rounds.Flow(tuple(refs), 3000, 48_000), "level", Shuffled().map)
    assert len(flow.refs) == 2
    assert (flow.records, flow.bytes) == (3000, 48_000)
    got = [tuple(map(int, r)) for block in runs.merge(blobs, flow.refs) for r in block]
    assert got == sorted((key, number) for number in range(300) for key in range(number % 3, 30, 3))
