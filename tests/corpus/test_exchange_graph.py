"""Rounds as a graph: `of`, `into` and `combine`, `keep`, `together`, what rounds tell, what is removed."""

import random
import tempfile
from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus import rounds, runs
from corpus.exchange import Emit, Exchange, Group, Join, Loader, Part, Round, Settle, Solve, records_of
from corpus.rounds import Bundle, numbered, run_rounds, settled
from corpus.stage import Columns
from corpus.store import Blobs

Blocks = Iterator[np.ndarray]
KEYED = (("key", "<u8"), ("doc", "<u8"))
FOUND = (("key", "<u8"), ("value", "<u8"), ("where", "u1"))
SORT = ("key", "value", "where")
WITHIN, ACROSS = 1, 2


class Memory(Loader, frozen=True):
    values: dict[int, list[int]]

    def read(self, key: int, names: tuple[str, ...]) -> pa.RecordBatch:
        return pa.record_batch({"value": pa.array(self.values[key], pa.int64())})


class Repeats(Exchange, frozen=True, kw_only=True, tag="repeats"):
    """For each row, whether its value stood before it: in its own partition, else in one before. What repeats within a
    partition is settled there, and joins what the round `across` finds; another round stands between."""

    adds: ClassVar[dict[str, pa.DataType]] = {"where": pa.uint8(), "even": pa.bool_()}
    rounds: ClassVar[tuple[Round, ...]] = (
        Emit("rows", ("value",), KEYED, combine="inside", into="across", keep=("key",)),
        Emit("evens", ("value",), KEYED, keep=("key", "doc")),
        Group("even_values", (("key", "<u8"),), of=("evens",), distinct=True),
        Group("across", FOUND, SORT, of=("rows",)),
        Join("looked_up", ("value",), FOUND, SORT, of=("across",), together=("key", "value")),
        Solve("everything", FOUND, SORT, of=("across", "looked_up"), distinct=True),
        Settle("write", ("value",), of=("everything",)),
    )

    def rows(self, batch: pa.RecordBatch, part: Part) -> np.ndarray:
        value = batch["value"].to_numpy().astype(np.uint64)
        return records_of(KEYED, key=value, doc=np.arange(len(value)))

    def evens(self, batch: pa.RecordBatch, part: Part) -> np.ndarray:
        records = self.rows(batch, part)
        return records[records["key"] % 2 == 0]

    def inside(self, records: np.ndarray) -> np.ndarray:
        again = records[~runs.differs(records, ("key",))]
        return records_of(FOUND, key=again["doc"], value=again["key"], where=np.full(len(again), WITHIN))

    def even_values(self, blocks: Blocks, tell: dict[str, int]) -> Blocks:
        tell |= {"evens_seen": 0, "largest_even": 0}
        for block in blocks:
            tell["evens_seen"] += len(block)
            tell["largest_even"] = max(tell["largest_even"], int(block["key"].max()))
            yield records_of((("key", "<u8"),), key=block["key"])

    def across(self, blocks: Blocks, tell: dict[str, int]) -> Blocks:
        before = -1
        for block in blocks:
            assert len(block)
            for key, doc in block.tolist():
                if key == before:
                    yield records_of(FOUND, key=np.array([doc]), value=np.array([key]), where=np.array([ACROSS]))
                before = key

    def looked_up(self, records: np.ndarray, position: np.ndarray, batch: pa.RecordBatch, part: Part) -> Any:
        value = batch["value"].to_numpy().astype(np.uint64)[position]
        assert np.array_equal(value, records["value"])

        def pieces() -> Blocks:  # a Join may answer in several arrays
            for at in range(len(records)):
                yield records[at : at + 1]

        return pieces() if part.key % 2 else records

    def everything(self, blocks: Callable[[], Blocks], documents: int, tell: dict[str, int]) -> Blocks:
        both = [tuple(r) for block in blocks() for r in block.tolist()]
        assert both == sorted(both)
        assert {both.count(r) for r in both} <= {2}  # from `across` and from `looked_up`
        tell["documents"] = documents
        yield from blocks()

    def write(self, records: np.ndarray, position: np.ndarray, batch: pa.RecordBatch, part: Part) -> Columns:
        where = np.zeros(part.rows, np.uint8)
        assert len(set(position.tolist())) == len(position)
        where[position] = records["where"]
        return {"where": pa.array(where), "even": pa.array(batch["value"].to_numpy() % 2 == 0)}


VALUES = {
    key * 2**58 + key % 2: [random.Random(key * 31 + n).randrange(9) for n in range(key % 4 * 5)] for key in range(18)
}


def wanted() -> dict[int, list[int]]:
    seen: set[int] = set()
    found = {}
    for key in sorted(VALUES):
        own: set[int] = set()
        found[key] = []
        for value in VALUES[key]:
            found[key].append(WITHIN if value in own else ACROSS if value in seen else 0)
            own.add(value)
        seen |= own
    return found


def bundled(values: dict[int, list[int]], count: int) -> list[Bundle]:
    parts = numbered({key: Part(key, "s", 1, len(rows)) for key, rows in values.items()})
    size = -(-len(parts) // count)
    return [
        Bundle(n, f"b{n}", tuple(parts[at : at + size]), Memory(values))
        for n, at in enumerate(range(0, len(parts), size))
    ]


def shuffled(function: Any, items: Any) -> Iterator[tuple[int, Any]]:
    order = list(enumerate(items))
    random.Random(len(order)).shuffle(order)
    for index, item in order:
        yield index, function(item)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many ranges, runs, blocks, levels and pieces."""
    for module, name, value in (
        (rounds, "RANGE_BYTES", 300), (rounds, "_PIECE", 2), (runs, "FLUSH_BYTES", 90), (runs, "FAN_IN", 3),
        (runs, "BLOCK_BYTES", 50), (runs, "MERGE_BYTES", 200),
    ):  # fmt: skip
        monkeypatch.setattr(module, name, value)


@pytest.mark.parametrize("bundles", [1, 4, 18])
def test_a_graph_of_rounds(tmp_path: Path, bundles: int, small: None) -> None:
    blobs, work, stage = Blobs(str(tmp_path)), bundled(VALUES, bundles), Repeats()
    alive: dict[str, set[str]] = {}

    def say(one: str, records: int) -> None:
        alive[one] = {name.split("/")[1].split("-")[1] for name in blobs.walk("scratch") if "level" not in name}

    flow, counts = run_rounds(stage, blobs, work, "scratch", "cache", shuffled, say)
    found = {part.key: columns for b in work for part, columns in settled(stage, blobs, flow, b)}
    want = wanted()
    assert {key: columns["where"].to_pylist() for key, columns in found.items()} == want
    everyone = [(key, value) for key, values in VALUES.items() for value in values]
    within = sum(own.count(WITHIN) for own in want.values())
    across = sum(own.count(ACROSS) for own in want.values())
    assert counts["rows"] == len(set(everyone))  # one record of each value in a partition
    assert counts["evens_seen"] == counts["evens"] == sum(value % 2 == 0 for _, value in everyone)
    assert counts["largest_even"] == 8
    assert counts["across"] == counts["looked_up"] == within + across
    assert counts["documents"] == len(everyone)
    # Runs lie there as long as a later round takes them.
    assert "even_values" in alive["even_values"]
    assert "even_values" not in alive["across"]
    assert "across" in alive["across"]
    assert alive["everything"] >= {"across", "looked_up", "everything"}
    kept = {name for name in blobs.walk("scratch") if name.endswith(".run") and "level" not in name}
    assert {name.split("/")[1] for name in kept} <= {"5-everything"}
    assert all(blobs.exists(ref.name) for ref in flow.refs)


def test_what_was_emitted_outlives_the_rounds(tmp_path: Path) -> None:
    blobs, work = Blobs(str(tmp_path)), bundled(VALUES, 3)
    run_rounds(Repeats(), blobs, work, "scratch", "cache", shuffled, lambda name, count: None)
    emitted = {name: blobs.get(name) for name in blobs.walk("cache")}
    assert len([name for name in emitted if name.endswith(".run")]) == 3 * 3  # two rounds, and what one combined
    silent = [Bundle(b.number, b.identity, b.parts, Memory({})) for b in work]
    rows = [
        rounds._Task(blobs, Repeats(), n, f"cache/{rounds._EMITTED}-{b.identity}-{name}", bundle=b)
        for n, name in enumerate(("rows", "evens"))
        for b in silent
    ]
    assert all(rounds._emit(task).flow.records for task in rows)  # adopted: nothing is read
    assert {name: blobs.get(name) for name in blobs.walk("cache")} == emitted


SETS = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(0, 3)), max_size=40)


@settings(deadline=None, max_examples=40)
@given(SETS, st.lists(st.integers(1, 7), max_size=20), st.integers(1, 6))
def test_sets_stay_together_over_blocks_and_pieces(
    rows: list[tuple[int, int, int]], sizes: list[int], piece: int
) -> None:
    dtype = np.dtype([("key", "<u8"), ("other", "<u8"), ("rest", "<u8")])
    records = np.array(sorted(rows), dtype)
    edges = [min(len(rows), at) for at in np.cumsum([0, *sizes, len(rows)]).tolist()]
    blocks = [records[a:b] for a, b in zip(edges, edges[1:], strict=False) if b > a]  # noqa: RUF007
    for together in ((), ("key",), ("key", "other")):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(rounds, "_PIECE", piece)
            found = [own for own in rounds._pieces(iter(blocks), together) if len(own)]
        assert [tuple(r) for own in found for r in own.tolist()] == sorted(rows)
        if together:
            begins = [own[list(together)][0].tolist() for own in found]
            ends = [own[list(together)][-1].tolist() for own in found]
            assert all(end != begin for end, begin in zip(ends, begins[1:], strict=False))
            sets = [len(list(own)) for _, own in groupby(sorted(rows), key=lambda row: row[: len(together)])]
            assert max(map(len, found), default=0) <= max(sets, default=0) + piece
        else:
            assert all(len(own) <= piece for own in found)


class Told(Exchange, frozen=True, kw_only=True, tag="told"):
    """`seen` and `largest_task` are told by several rounds of several tasks each."""

    adds: ClassVar[dict[str, pa.DataType]] = {"value": pa.int64()}
    rounds: ClassVar[tuple[Round, ...]] = (
        Emit("rows", ("value",), KEYED),
        Group("first", KEYED, ("key", "doc")),
        Group("second", KEYED, ("key", "doc"), numbered=True),
        Settle("write", ("value",)),
    )

    def rows(self, batch: pa.RecordBatch, part: Part) -> np.ndarray:
        value = batch["value"].to_numpy().astype(np.uint64) << np.uint64(60)
        return records_of(KEYED, key=value, doc=np.arange(len(value)))

    def first(self, blocks: Blocks, tell: dict[str, int]) -> Blocks:
        for block in blocks:
            tell["seen"] = tell.get("seen", 0) + len(block)
            tell["largest_task"] = tell["seen"]
            yield records_of(KEYED, key=block["doc"], doc=block["doc"])

    second = first

    def write(self, records: np.ndarray, position: np.ndarray, batch: pa.RecordBatch, part: Part) -> Columns:
        assert position.tolist() == list(range(part.rows))
        return {"value": batch["value"]}


def test_what_is_told_is_added_up_and_the_largest_is_the_largest(small: None) -> None:
    values = {1: [0] * 10 + [5] * 40, 2: [5] * 30 + [9] * 20}
    with tempfile.TemporaryDirectory() as folder:
        blobs, work = Blobs(folder), bundled(values, 2)
        flow, counts = run_rounds(Told(), blobs, work, "s", "c", shuffled, lambda name, count: None)
        found = [columns["value"].to_pylist() for b in work for _, columns in settled(Told(), blobs, flow, b)]
    assert found == [values[1], values[2]]
    assert counts == {"rows": 100, "first": 100, "second": 100, "seen": 200, "largest_task": 70}
