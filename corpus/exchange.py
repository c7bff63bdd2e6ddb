"""Exchange: a global stage in rounds over sorted runs.

A stage declares its rounds; each names a method of the stage and is maths over arrays. Documents are numbered by
(partition key, living row): the *number* of a document is its place in that order over the whole scope.

    Emit    columns of a partition -> records, keyed by a hash; `doc` is the number
    Group   all records in order of key, as a stream of blocks, none of them empty -> records. A group may straddle
            blocks: the method keeps what it must remember between them
    Join    records keyed by a number, with the columns of the partition that holds it -> records
    Solve   all records, in one task, as often as it likes. The one place that may hold something per document
    Settle  records keyed by a number, with the columns of their partition -> the columns of the stage's table

Records flow from round to round through runs: tasks write sorted runs, later rounds merge ranges of keys. A round takes
the records of the round before it, or of those that it names with `of`: rounds are a graph, written down in an order in
which they can run. A round that says `loads` is given what `Exchange.load` made of the stage's assets, as `model`.

Two records that are equal in all fields that a round sorts by must be equal in every field that a later round looks at.

`corpus/rounds.py` runs them.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import msgspec
import numpy as np
import pyarrow as pa
import xxhash

from corpus.stage import Columns, Stage

Fields = tuple[tuple[str, str], ...]


class Emit(msgspec.Struct, frozen=True):
    method: str  # (batch, part) -> records; a field `doc`, if there is one, counts from 0 in the batch
    reads: tuple[str, ...]
    fields: Fields
    sort: tuple[str, ...] = ("key", "doc")
    combine: str = ""  # (sorted records of a partition) -> records like those of the Group `into`, which join its own
    into: str = ""  # default: the round after this one
    keep: tuple[str, ...] = ()  # of records of a bundle that are equal in these fields the first is sent on; where it
    # combines, of those of each partition
    loads: bool = False


class Group(msgspec.Struct, frozen=True):
    method: str  # (blocks, tell: counts to report) -> iterator of records
    fields: Fields
    sort: tuple[str, ...] = ("key",)
    of: tuple[str, ...] = ()  # rounds whose records it takes; default: the one before
    numbered: bool = False  # what it takes is keyed by document numbers, not by hashes
    numbers: tuple[str, ...] = ("key",)  # fields that hold document numbers, where an Emit combines into this Group
    distinct: bool = False  # of records equal in the fields of `sort`, the next round sees one


class Join(msgspec.Struct, frozen=True):
    method: str  # (records, position of each record's document in the batch, batch, part) -> records
    reads: tuple[str, ...]
    fields: Fields
    sort: tuple[str, ...] = ("key",)
    of: tuple[str, ...] = ()
    together: tuple[str, ...] = ()  # of the sort fields of what it takes: records equal in them come in one call
    distinct: bool = False


class Solve(msgspec.Struct, frozen=True):
    method: str  # (blocks(): a fresh iterator at each call, documents, tell: counts to report) -> iterator of records
    fields: Fields
    sort: tuple[str, ...] = ("key",)
    of: tuple[str, ...] = ()
    distinct: bool = False
    loads: bool = False


class Settle(msgspec.Struct, frozen=True):
    method: str  # (records, position of each record's document in the batch, batch, part) -> columns
    reads: tuple[str, ...]
    of: tuple[str, ...] = ()
    loads: bool = False


Round = Emit | Group | Join | Solve | Settle


class Part(msgspec.Struct, frozen=True):
    """A partition in the scope: its key, where it comes from, how many rows live, the number of the first of them."""

    key: int
    source: str
    priority: int
    rows: int
    first: int = 0
    scope: int = 0  # documents of different scopes do not meet: a stage mixes it into its keys
    standing: bool = False  # of an earlier build: nothing is decided about its documents


class Exchange(Stage, frozen=True, kw_only=True):
    """A global stage. Its struct holds parameters, its methods are the rounds. A stage with a field `scope` says within
    what documents meet: `corpus`, `snapshot` (a source without one is its own) or `source`."""

    rounds: ClassVar[tuple[Round, ...]] = ()
    stands_on_lists: ClassVar[bool] = False  # of the builds it stands on, the held-out documents alone
    comparable: ClassVar[tuple[str, ...]] = ()  # columns that a build it stands on must have made in the same way

    @property
    def stands_on(self) -> tuple[str, ...]:
        """Directories of sealed builds whose documents stand: a stage's field `against`."""
        return tuple(getattr(self, "against", ()))

    @property
    def card(self) -> dict[str, Any]:
        """What the sealed manifest says of the stage beside its parameters."""
        return {}

    def load(self, assets: Mapping[str, Path]) -> Any:
        """Called once per worker; `assets` maps each of the stage's asset names to a local file."""
        return None

    def told(self, columns: Columns) -> dict[str, int]:
        """Counts to report of what the last round made of a partition: they are added up."""
        return {}

    def scope_of(self, source: str, snapshot: str) -> int:
        """64 bits for what the documents of a source may meet."""
        scope = getattr(self, "scope", "corpus")
        place = {"snapshot": f"snapshot {snapshot}" if snapshot else f"source {source}", "source": f"source {source}"}
        return xxhash.xxh3_64_intdigest(place[scope].encode()) if scope in place else 0


class Loader(msgspec.Struct, frozen=True):
    """How a worker reads columns of partitions. A plain value; `read` is implemented in `settle.py`."""

    def read(self, key: int, names: tuple[str, ...]) -> pa.RecordBatch:
        raise NotImplementedError


class Opener(msgspec.Struct, frozen=True):
    """How a worker gets what `Exchange.load` makes. A plain value; `open` is implemented in `settle.py`."""

    def open(self) -> Any:
        raise NotImplementedError


def dtype_of(fields: Fields) -> np.dtype:
    return np.dtype(list(fields))


def records_of(fields: Fields, **columns: np.ndarray | int) -> np.ndarray:
    """A structured array of `fields` with these columns; numbers fill a whole column, fields not named are 0."""
    length = max(len(c) for c in columns.values() if isinstance(c, np.ndarray))
    records = np.zeros(length, dtype_of(fields))
    for name, values in columns.items():
        records[name] = values
    return records
