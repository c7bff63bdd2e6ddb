"""A sealed build, opened for reading: its manifest, its partitions, and what their tables say, without any stage.

The records alone tell how rows hang together. The table of a Regroup starts a new numbering and names the parent of
each row; every other table keeps the numbering of the last Regroup before it, or of the reader. A *level* is the
position of the step whose table has the ids of a numbering: 0, or that of a Regroup.
"""

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from corpus import tables
from corpus.errors import InputError, StoreError, VerifyError
from corpus.graph import Partition
from corpus.id_order import halves, order_of
from corpus.pack import Shard
from corpus.record import Record
from corpus.sealed import open_manifest, read_steps
from corpus.spans import slices
from corpus.store import Blobs


def plain(kind: pa.DataType) -> pa.DataType:
    """A type as stages declare it: Parquet gives the items of lists another name."""
    if pa.types.is_list(kind):
        return pa.list_(plain(kind.value_type))
    if pa.types.is_struct(kind):
        return pa.struct([pa.field(field.name, plain(field.type)) for field in kind])
    return kind


def declared(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    """A column read from a table, in one piece and in the type that its stage declared."""
    array = tables.combine(column)
    return (
        array.cast(plain(array.type)) if pa.types.is_nested(array.type) else array
    )  # names of items do not enter `==`


def level_of(records: Sequence[Record], k: int) -> int:
    """The step whose numbering the table of step k uses."""
    return next((j for j in range(k, 0, -1) if "parents" in records[j].columns), 0)


class Build:
    """A build directory and the store that holds its tables. VerifyError where the manifest is damaged or missing."""

    def __init__(self, out: Blobs, store: Blobs) -> None:
        self.out = out
        self.store = store
        self.manifest = open_manifest(out)
        self.seed: int = self.manifest["seed"]
        self.sources: dict[str, dict[str, Any]] = {s["name"]: s for s in self.manifest["sources"]}
        self.shards: list[Shard] = msgspec.convert(self.manifest["shards"], list[Shard])
        self._steps: tuple[int, dict[int, Partition]] = (-1, {})

    def labels(self, source: str) -> list[str]:
        """Labels of the stages of a source, by position in its chain."""
        return [step["stage"] for step in self.sources[source]["chain"]]

    def partitions(self) -> Iterator[Partition]:
        """Every partition, one file of records at a time."""
        for file in self.manifest["steps"]:
            yield from read_steps(self.out, file)

    def partition(self, root: int) -> Partition:
        """The partition with this key. VerifyError where the build has none."""
        files = self.manifest["steps"]
        number = root * len(files) >> 64
        if self._steps[0] != number:
            self._steps = (number, {p.key: p for p in read_steps(self.out, files[number])})
        if root not in self._steps[1]:
            raise VerifyError(
                f"{self.out.url(files[number]['path'])}: partition {root:016x} is not in it. Run `corpus verify`."
            )
        return self._steps[1][root]

    def tokens(self, shard: Shard, start: int, stop: int) -> np.ndarray:
        """Tokens [start, stop) of a shard. VerifyError where it ends before."""
        kind = np.dtype(shard.dtype).newbyteorder("<")
        data = self.out.get(shard.bin.path, start * kind.itemsize, stop * kind.itemsize)
        if len(data) != (stop - start) * kind.itemsize:
            raise VerifyError(f"{self.out.url(shard.bin.path)}: ends before token {stop}. Run `corpus verify`.")
        return np.frombuffer(data, kind)

    def splits(self, source: str) -> dict[str, list[Shard]]:
        """Shards of a source by split, in the order of their numbers."""
        found: dict[str, list[Shard]] = {}
        for shard in sorted(self.shards, key=lambda s: s.path):
            if shard.source == source:
                found.setdefault(shard.split, []).append(shard)
        return found

    def place(self, source: str, identity: bytes) -> "Place | None":
        """Where a document lies in the shards; None where it was not packed. One side table is read per split."""
        return self.places(source, [identity]).get(identity)

    def places(self, source: str, ids: Sequence[bytes]) -> dict[bytes, "Place"]:
        """Where documents of a source lie in its shards, of those that were packed. Each side table is read once."""
        asked = pa.array(ids, pa.binary(16))
        order = order_of(*halves(asked), self.seed)
        found: dict[bytes, Place] = {}
        for split, shards in self.splits(source).items():
            number = (order >> np.uint64(52)) * np.uint64(len(shards)) >> np.uint64(12)
            for one in np.unique(number).tolist():
                shard = shards[one]
                docs = tables.read(self.out.get(shard.docs.path), ["id", "start", "tokens"])
                hit = docs.filter(pc.is_in(docs["id"], asked.filter(pa.array(number == one))))
                for identity, start, tokens in zip(*(hit[name].to_pylist() for name in hit.schema.names), strict=True):
                    found[identity] = Place(shard.path, split, start, start + tokens)
        return found


class Place(msgspec.Struct, frozen=True):
    """Tokens [start, stop) of a shard: a document and its end-of-document token."""

    shard: str
    split: str
    start: int
    stop: int


class Span(msgspec.Struct, frozen=True):
    """A piece of the text of `row` in the numbering of `level`: bytes [start, end), or all of it where end is None."""

    level: int
    row: int
    start: int
    end: int | None


class Tables:
    """Tables of one partition, each opened when it is first asked for. StoreError where one cannot be read."""

    def __init__(self, store: Blobs, partition: Partition) -> None:
        self.store = store
        self.partition = partition
        self.records = partition.records
        self._files: dict[int, pq.ParquetFile] = {}
        self._columns: dict[tuple[int, str], pa.Array] = {}

    def hold(self, k: int, data: bytes) -> None:
        """Use `data` as the table of step k."""
        self._files[k] = pq.ParquetFile(pa.BufferReader(data), pre_buffer=False)

    def file(self, k: int) -> pq.ParquetFile:
        if k not in self._files:
            name = self.records[k].table.name
            try:
                self.hold(k, self.store.get(name))
            except FileNotFoundError:
                raise InputError(
                    f"{self.store.url(name)}: there is no such table. Is this the right --store?"
                ) from None
            except (OSError, pa.ArrowException) as error:
                raise StoreError(
                    f"{self.store.url(name)}: cannot be read ({error}). Run `corpus verify --repair`."
                ) from error
        return self._files[k]

    def stored(self, k: int) -> list[str]:
        return list(self.file(k).schema_arrow.names)

    def column(self, k: int, name: str) -> pa.Array:
        """One column of the table of step k."""
        if name in ("row", "drop", "id", "parents"):  # small, and asked for again
            if (k, name) not in self._columns:
                self._columns[k, name] = self._read(k, name)
            return self._columns[k, name]
        return self._read(k, name)

    def _read(self, k: int, name: str) -> pa.Array:
        file = self.file(k)
        try:
            return declared(file.read([name], use_threads=False)[name])
        except (OSError, pa.ArrowException) as error:
            name = self.store.url(self.records[k].table.name)
            raise StoreError(f"{name}: cannot be read ({error}). Run `corpus verify --repair`.") from error

    def rows(self, k: int) -> np.ndarray:
        """uint32[rows of table k], ascending."""
        return self.column(k, "row").to_numpy()

    def living(self, k: int) -> np.ndarray:
        """Rows that leave step k alive, in the numbering of its table."""
        return self.rows(k)[np.asarray(self.column(k, "drop").is_null())]

    def level(self, k: int) -> int:
        return level_of(self.records, k)

    def parents(self, level: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Of each row of a Regroup: row in the numbering before it, and the bytes of that row's text."""
        spans = self.column(level, "parents").flatten()
        row, start, end = (spans.field(name).to_numpy() for name in ("row", "start", "end"))
        return row, start, end

    def up(self, rows: np.ndarray, level: int, to: int) -> np.ndarray:
        """Rows of `level` as rows of the earlier numbering `to`: their ancestors."""
        while level > to:
            rows = self.parents(level)[0][rows]
            level = self.level(level - 1)
        return rows

    def ancestor(self, row: int, level: int) -> int:
        """The reader's row that a row of `level` comes from."""
        return int(self.up(np.array([row]), level, 0)[0])

    def fate(self, k: int) -> np.ndarray:
        """bool[rows of table k]: whether the row, or a part of it, is alive at the end of the chain."""
        last = len(self.records) - 1
        ends = self.up(self.living(last), self.level(last), self.level(k))
        return np.isin(self.rows(k), ends)

    def position(self, k: int, row: int) -> int | None:
        """Place of a row in table k; None where step k did not see it."""
        rows = self.rows(k)
        place = int(np.searchsorted(rows, row))
        return place if place < len(rows) and rows[place] == row else None

    def values(self, k: int, row: int, columns: Sequence[str] | None = None) -> dict[str, Any] | None:
        """Values of one row of table k, read from its row group alone; None where step k did not see it."""
        place = self.position(k, row)
        if place is None:
            return None
        file = self.file(k)
        sizes = [file.metadata.row_group(g).num_rows for g in range(file.metadata.num_row_groups)]
        starts = [0, *itertools.accumulate(sizes)]
        group = next(g for g in range(len(sizes)) if place < starts[g + 1])
        names = None if columns is None else [name for name in columns if name in file.schema_arrow.names]
        return file.read_row_group(group, names, use_threads=False).slice(place - starts[group], 1).to_pylist()[0]

    def has(self, name: str) -> bool:
        """Whether a stage of the chain adds this column."""
        return any(name in record.columns for record in self.records)

    def at(self, name: str, rows: np.ndarray, level: int, before: int) -> pa.Array:
        """Values of a column as step `before` finds it, for rows in the numbering of `level`."""
        j = next(j for j in range(before - 1, -1, -1) if name in self.records[j].columns)
        if name == "text" and "parents" in self.records[j].columns:
            row, start, end = (values[self.up(rows, level, j)] for values in self.parents(j))
            parents, position = np.unique(row, return_inverse=True)
            return slices(self.at(name, parents, level_of(self.records, j - 1), j), position, start, end)
        place = np.searchsorted(self.rows(j), self.up(rows, level, level_of(self.records, j)))
        return self.column(j, name).take(pa.array(place))

    def text(self, row: int, level: int, before: int) -> str | None:
        """Text of a row of `level` as step `before` finds it; None where no table holds it."""
        span = Span(level, row, 0, None)
        for k in range(before - 1, -1, -1):
            record = self.records[k]
            if "parents" in record.columns:
                if k == span.level:
                    parent, start, end = (int(v[span.row]) for v in self.parents(k))
                    stop = end if span.end is None else start + span.end
                    span = Span(self.level(k - 1), parent, start + span.start, stop)
            elif "text" in record.columns:
                found = self.values(k, span.row, ["text"]) if "text" in self.stored(k) else None
                text = found["text"] if found else None
                return None if text is None else text.encode()[span.start : span.end].decode(errors="replace")
        return None
