"""One partition on its way through its chain: rows never move, every stage adds a table about the rows it saw.

`Walk` advances stage by stage. A stage whose step is known is adopted without work; any other pulls the columns that it
reads: from memory, from the table that stored them, or, where nothing stored them, by running the earlier stage again
(its digest must then equal the recorded one). So a changed threshold reads no text, a changed language model reads
text but no HTML, and `trace --replay` is the same walk with nothing adopted.

Rows of a stage's input are uint32 positions in the partition, ascending. A Regroup starts a new numbering: its table
names, for each child row, the spans of its parents, and the text of a child is read through those spans.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from corpus import tables
from corpus.errors import StoreError, TaskError
from corpus.guard import guarded
from corpus.identity import child_id, record_ids, sha256, step_id
from corpus.publish import make_record, put_table, read_table
from corpus.record import Record, publish
from corpus.removal import NOBODY, Named, Removal
from corpus.spans import check_spans, slices
from corpus.stage import BULK, Chunk, Columns, Map, Reader, Regroup
from corpus.steps import PARENTS, Origin, Step, partition_at, provider, step_inputs
from corpus.store import Blobs

Load = Callable[[Step], Any]


class Walk:
    """See the module's docstring. `known` maps step ids to records that need no work. `removal` lists what must not be
    read; `named` says of reads, by their identity without removal, which rows it names. Others are parsed to know."""

    def __init__(
        self,
        origin: Origin,
        steps: Sequence[Step],
        store: Blobs,
        known: Mapping[str, Record],
        load: Load,
        records: Sequence[Record] = (),
        chunk: Chunk | None = None,
        quarantined: Mapping[int, str] | None = None,
        removal: Removal | None = None,
        named: Mapping[str, Named] | None = None,
    ) -> None:
        self.origin = origin
        self.steps = steps
        self.store = store
        self.known = known
        self.load = load
        self.records = list(records)
        self.chunk = chunk
        self.quarantined = dict(quarantined or {})  # row -> reason
        self.removal = removal
        self._named = dict(named or {})
        self._parsed: Columns | None = None  # by the reader, without tombstones
        self.seconds: dict[str, float] = {}
        self._memory: dict[tuple[int, str], pa.Array] = {}
        self._rows: dict[int, np.ndarray] = {}

    # -- identity ------------------------------------------------------------------------------------------------

    def partition(self, k: int) -> int:
        """Key of the partition that step k writes about."""
        return partition_at(self.steps, self.origin.key, k)

    def provider(self, name: str, k: int) -> int:
        """Index of the latest step before k that adds column `name`."""
        return provider(self.steps, name, k)

    def inputs(self, k: int) -> dict[str, Any]:
        """What step k reads, by digest. It may be asked as soon as the records before k are there."""
        removed = self.removal.identity(self.named.rows) if k == 0 and self.removal is not None else ""
        return step_inputs(self.steps, self.records, k, self.origin.key, self.chunk, self.quarantined, removed)

    @property
    def base(self) -> str:
        """Identity of the read without removal."""
        inputs = step_inputs(self.steps, (), 0, self.origin.key, self._open_chunk(), self.quarantined)
        return step_id(self.steps[0].definition, inputs)

    @property
    def named(self) -> Named:
        """Rows of the reader that the list names."""
        if self.removal is None:
            return NOBODY
        if self.base not in self._named:
            self._parsed = self._parse(self.steps[0])
            self._named[self.base] = self.removal.match(self._parsed["id"], self._parsed.get("url"))
        return self._named[self.base]

    # -- rows ----------------------------------------------------------------------------------------------------

    def rows(self, k: int) -> np.ndarray:
        """Rows living at the input of step k."""
        if k not in self._rows:
            previous = k - 1
            if k == 0:
                rows = np.arange(self.records[0].rows if self.records else self._open_chunk().records, dtype=np.uint32)
            elif isinstance(self.steps[previous].stage, Regroup):
                rows = np.arange(self.records[previous].made, dtype=np.uint32)
            elif k < len(self.records) and not isinstance(self.steps[k].stage, Regroup):
                rows = tables.combine(self.table(k, ["row"])["row"]).to_numpy()
            else:
                rows = self._survivors(previous)
            self._rows[k] = rows
        return self._rows[k]

    def origins(self, k: int) -> np.ndarray:
        """For each row living at the input of step k, the reader's row that it comes from."""
        return self._above(self.rows(k), k, 0)

    def _above(self, rows: np.ndarray, k: int, j: int) -> np.ndarray:
        """Rows at the input of step k in the numbering that step j wrote in."""
        for r in range(k - 1, j, -1):
            if isinstance(self.steps[r].stage, Regroup):
                rows = self.values(r, "parents").flatten().field("row").to_numpy()[rows]  # one parent a child
        return rows

    def _survivors(self, j: int) -> np.ndarray:
        record = self.records[j]
        if record.kept == record.rows:
            return self.rows(j)
        if (j, "drop") in self._memory:
            return self.rows(j)[np.asarray(self._memory[j, "drop"].is_null())]
        stored = self.table(j, ["row", "drop"])
        rows = tables.combine(stored["row"]).to_numpy()
        return rows[np.asarray(tables.combine(stored["drop"]).is_null())]

    def _open_chunk(self) -> Chunk:
        if self.chunk is None:
            raise TaskError(f"{self.origin.path}: records must be read again, but the file is not open")
        return self.chunk

    def _positions(self, j: int, k: int) -> np.ndarray | None:
        """For each row at the input of k, its position in the values of step j. None: one to one."""
        first = j + 1 if isinstance(self.steps[j].stage, Regroup) else j
        between = range(first, min(k, len(self.records)))
        if not any(
            isinstance(self.steps[i].stage, Regroup) or self.records[i].kept != self.records[i].rows for i in between
        ):
            return None  # nothing left or was made on the way: no need to ask which rows live
        rows = self._above(self.rows(k), k, j)
        own = np.arange(self.records[j].made) if isinstance(self.steps[j].stage, Regroup) else self.rows(j)
        if len(own) == len(rows) and np.array_equal(own, rows):
            return None
        return np.searchsorted(own, rows)

    # -- columns -------------------------------------------------------------------------------------------------

    def table(self, j: int, columns: Sequence[str]) -> pa.Table:
        return read_table(self.store, self.records[j].table, columns)

    def column(self, name: str, k: int) -> pa.Array:
        """Column `name` as step k sees it: one value for each row at its input."""
        if name == "row":
            return pa.array(self.rows(k))
        j = self.provider(name, k)
        values = self.values(j, name)
        positions = self._positions(j, k)
        return values if positions is None else values.take(pa.array(positions))

    def values(self, j: int, name: str) -> pa.Array:
        """Column `name` of step j, one value for each row in its table."""
        if (j, name) not in self._memory:
            step = self.steps[j]
            if j < len(self.records) and name in step.stored:
                self._read(j, [name])
            elif isinstance(step.stage, Regroup) and name == "text":
                self._memory[j, name] = self._child_text(j)
            else:
                self._remember(j, self._compute(j))
                if j < len(self.records):
                    self._check_replay(j, name)
        return self._memory[j, name]

    def _read(self, j: int, names: list[str]) -> None:
        table, adds = self.table(j, names), self.steps[j].adds
        for name in names:
            array = tables.combine(table[name])
            self._memory[j, name] = array if array.type == adds[name] else array.cast(adds[name])

    def _read_stored(self, k: int) -> None:
        """Read what step k needs of tables, each of them once."""
        needed: dict[int, list[str]] = {}
        for name in self.steps[k].stage.reads:
            j = self.provider(name, k) if name != "row" else k
            if j < min(k, len(self.records)) and name in self.steps[j].stored and (j, name) not in self._memory:
                needed.setdefault(j, []).append(name)
        for j, names in needed.items():
            self._read(j, names)

    def _remember(self, j: int, columns: Columns) -> None:
        for name, array in columns.items():
            self._memory[j, name] = array

    def _check_replay(self, j: int, name: str) -> None:
        got, want = tables.column_digest(self._memory[j, name]), self.records[j].columns[name]
        if got != want:
            raise StoreError(
                f"stage `{self.steps[j].label}`, partition {self.partition(j):016x}: `{name}` computed again differs "
                f"from what was recorded ({got[:16]} instead of {want[:16]}): the stage is not deterministic here."
            )

    def _child_text(self, j: int) -> pa.Array:
        parents = self.values(j, "parents").flatten()
        text = self.column("text", j)
        position = np.searchsorted(self.rows(j), parents.field("row").to_numpy())
        return slices(text, position, parents.field("start").to_numpy(), parents.field("end").to_numpy())

    def release(self, k: int, until: int) -> None:
        """Forget what no step in k..until-1 reads."""
        needed = {
            (self.provider(name, i), name)
            for i in range(k, until)
            for name in self.steps[i].stage.reads
            if name != "row"
        }
        needed |= {
            (self.provider("text", r), "text")
            for r in range(k)
            if isinstance(self.steps[r].stage, Regroup) and (r, "text") in needed
        }
        for j, name in list(self._memory):
            if name in BULK and (j, name) not in needed:
                del self._memory[j, name]

    # -- work ----------------------------------------------------------------------------------------------------

    def advance(self, k: int) -> bool:
        """Make or adopt the record of step k (the next one). -> whether work was done."""
        assert k == len(self.records)
        step, inputs = self.steps[k], self.inputs(k)
        identity = step_id(step.definition, inputs)
        if identity in self.known:
            self.records.append(self.known[identity])
            return False
        started = time.perf_counter()
        columns = self._compute(k)
        self._remember(k, columns)
        record = self._publish(k, identity, inputs, columns)
        self.seconds[step.label] = self.seconds.get(step.label, 0.0) + time.perf_counter() - started
        self.records.append(record)
        return True

    def _compute(self, k: int) -> Columns:
        step = self.steps[k]
        if isinstance(step.stage, Reader):
            rows = self.named.rows
            columns, self._parsed = self._parsed or self._parse(step), None
            return columns if self.removal is None else self.removal.entombed(columns, rows)
        model = self.load(step)
        if isinstance(step.stage, Regroup):
            return self._regroup(k, step.stage, model)
        assert isinstance(step.stage, Map)
        self._read_stored(k)
        batch = pa.record_batch([self.column(name, k) for name in step.stage.reads], names=list(step.stage.reads))
        return self._complete(step, guarded(step.stage, batch, model), batch.num_rows)

    def _parse(self, step: Step) -> Columns:
        assert isinstance(step.stage, Reader)
        chunk = self._open_chunk()
        columns = step.stage.parse(chunk)
        columns["id"] = record_ids(self.origin.source, self.origin.path, chunk.first_record, chunk.records)
        columns = self._complete(step, columns, chunk.records)
        if self.quarantined:
            drop, detail = columns["drop"].to_pylist(), columns["detail"].to_pylist()
            for row, reason in self.quarantined.items():
                drop[row], detail[row] = "quarantined", reason
            columns["drop"], columns["detail"] = pa.array(drop, pa.string()), pa.array(detail, pa.string())
        return columns

    def _complete(self, step: Step, columns: Columns, rows: int) -> Columns:
        """Check names, types and lengths; add `drop` and `detail`."""
        expected = step.adds
        for name in ("drop", "detail"):
            columns.setdefault(name, pa.nulls(rows, pa.string()))
        if set(columns) != set(expected) | {"drop", "detail"}:
            raise TaskError(f"stage `{step.label}` made columns {sorted(columns)}, declared {sorted(expected)}")
        for name, array in columns.items():
            array = tables.combine(array)
            kind = expected.get(name, pa.string())
            if len(array) != rows or array.type != kind:
                raise TaskError(
                    f"stage `{step.label}`, column `{name}`: got {len(array)} values of {array.type}, "
                    f"expected {rows} of {kind}"
                )
            columns[name] = array
        return columns

    def _regroup(self, k: int, stage: Regroup, model: Any) -> Columns:
        batch = pa.record_batch([self.column(name, k) for name in stage.reads], names=list(stage.reads))
        position, start, end = stage.regroup(batch, model)
        rows, ids = self.rows(k), self.column("id", k)
        whole = pc.binary_length(batch["text"]).to_numpy(zero_copy_only=False)
        check_spans(self.steps[k].label, position, start, end, whole)
        children = ids.take(pa.array(position)).to_pylist()
        parts = (start != 0) | (end != whole[position])
        for i in np.flatnonzero(parts):  # a part has an id of its own, a whole document keeps its id
            children[i] = child_id(children[i], int(start[i]), int(end[i]))
        key = self.partition(k - 1)
        struct = pa.StructArray.from_arrays(
            [
                pa.array(np.full(len(position), key, dtype=np.uint64)),
                pa.array(rows[position]),
                pa.array(start.astype(np.int64)),
                pa.array(end.astype(np.int64)),
            ],
            fields=list(PARENTS.value_type),
        )
        offsets = pa.array(np.arange(len(position) + 1, dtype=np.int32))
        parents = pa.ListArray.from_arrays(offsets, struct).cast(PARENTS)
        nothing = pa.nulls(len(position), pa.string())
        return {"id": pa.array(children, pa.binary(16)), "parents": parents, "drop": nothing, "detail": nothing}

    def _publish(self, k: int, identity: str, inputs: dict[str, Any], columns: Columns) -> Record:
        step = self.steps[k]
        regroups = isinstance(step.stage, Regroup)
        rows = np.arange(len(columns["id"]), dtype=np.uint32) if regroups else self.rows(k)
        digests = {name: tables.column_digest(columns[name]) for name in step.adds if name in columns}
        sums = {}
        if regroups:
            spans = columns["parents"].flatten()
            text = self.column("text", k)
            whole = int(pc.sum(pc.binary_length(text)).as_py() or 0)
            made = int((spans.field("end").to_numpy() - spans.field("start").to_numpy()).sum())
            sums = {"text_bytes": made, "cut_bytes": whole - made, "parent_bytes": whole}
            digests["text"] = sha256(f"{digests['parents']}{inputs['text']}{inputs['rows']}".encode())
        table = {"row": pa.array(rows), "drop": columns["drop"], "detail": columns["detail"]}
        table |= {name: columns[name] for name in step.stored if name in columns}
        alive = np.asarray(columns["drop"].is_null())
        if "text" in columns:
            sums["text_bytes"] = _living_sum(pc.binary_length(columns["text"]), alive)
        for name in step.stage.totals:
            everything = np.ones_like(alive) if isinstance(step.stage, Reader) else alive
            sums[name] = _living_sum(columns[name], everything)
        seen = len(self.rows(k)) if regroups else len(rows)
        record = make_record(
            step.definition,
            identity,
            inputs,
            self.origin.source,
            self.partition(k),
            seen,
            columns["drop"],
            digests,
            tables.rows_digest(rows[alive]),
            sums,
            made=len(rows) if regroups else 0,
            table=put_table(self.store, step.stage.kind, self.partition(k), table),
        )
        publish(self.store, record, self.origin.source, step.stage.kind)
        return record


def _living_sum(values: pa.Array, alive: np.ndarray) -> int:
    numbers = pc.fill_null(values, 0).to_numpy(zero_copy_only=False)
    return int(numbers[alive].sum(dtype=np.int64)) if len(numbers) else 0
