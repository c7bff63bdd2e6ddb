"""What a stage is: a frozen struct of parameters, and maths.

A stage knows no Ray, no path, no logger. Its struct fields are its parameters and, with `revision`, the versions of
what it `uses` and the digests of the columns it `reads`, its identity. There are five shapes:

Reader    bytes of one input file -> chunks -> rows
Map       batch in, columns out, row for row
Regroup   batch in, child rows out, each naming the spans of its parents
Exchange  keyed records through rounds of sorted runs, then one table per partition
Pack      survivors into token shards

`Columns` are Arrow arrays of the length of the batch. Two names are special: `drop` (string: null for a survivor,
else a short reason code) and `detail` (string: the value that decided). Readers, judges, dedup and decontamination
are the only stages that may set them.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, ClassVar

import msgspec
import numpy as np
import pyarrow as pa

Columns = dict[str, pa.Array]

# Drop codes that mean loss, not choice: a source that has too many of them stops the build.
UNREADABLE = frozenset(
    {"bad_json", "bad_charset", "bad_http", "no_text", "truncated", "damaged", "too_long", "too_large", "failed"}
)

# Columns that hold documents themselves. They are kept only where `corpus/chain.py` decides that they must be.
BULK = ("text", "body")


class Stage(
    msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", forbid_unknown_fields=True, omit_defaults=True
):
    """Common to all shapes. `name` labels the stage in reports, `only` names the sources it applies to (none = all);
    neither is part of identity, nor are the parameters named by `guards`."""

    revision: ClassVar[int] = 1  # bump when the same parameters would write different rows
    uses: ClassVar[tuple[str, ...]] = ()  # distributions whose version changes the values
    reads: ClassVar[tuple[str, ...]] = ()  # columns taken from earlier stages
    may_read: ClassVar[tuple[str, ...]] = ()  # of a Pack: columns taken where an earlier stage adds them
    adds: ClassVar[dict[str, pa.DataType]] = {}  # columns written, `row`, `drop` and `detail` apart
    totals: ClassVar[tuple[str, ...]] = ()  # integer columns whose sum over the living goes into the record
    may_drop: ClassVar[bool] = False
    guards: ClassVar[tuple[str, ...]] = ()  # parameters that stop a build or warn, and change no row
    spelled: ClassVar[tuple[str, ...]] = ()  # parameters that `resolved` says in full, for identity

    name: str = ""
    only: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        return str(self.__struct_config__.tag)

    @property
    def label(self) -> str:
        return self.name or self.kind

    @property
    def assets(self) -> tuple[str, ...]:
        """Names of the files (models, word lists) that the stage loads; their digests are part of its identity."""
        return ()

    @property
    def resolved(self) -> dict[str, Any]:
        """What the parameters in `spelled` come to, name -> plain value: it enters identity in their place."""
        return {}

    @property
    def compares(self) -> tuple[str, ...]:
        """Those of `reads` that must be columns of numbers."""
        return ()

    def for_source(self, name: str) -> "Stage":
        """The stage as it stands in the chain of one source: what it says of others must not enter identity."""
        return self


class Map(Stage, frozen=True, kw_only=True):
    """Row-local: the values of a row depend on that row alone, so any batching gives the same table."""

    def load(self, assets: Mapping[str, Path]) -> Any:
        """Called once per worker; `assets` maps each of the stage's asset names to a local file."""
        return None

    def apply(self, batch: pa.RecordBatch, model: Any) -> Columns:
        """`batch` holds the columns of `reads`, one row per living document. An exception on one row quarantines
        that row (the engine bisects the batch), so let a bad value raise."""
        raise NotImplementedError

    def account(self, row: Mapping[str, Any], model: Any) -> list["Account"]:
        """What the stage did with one document and why, for `corpus explain --replay`; `row` has a value for each of
        `reads`. Slow and wordy where `apply` is fast: nothing of it is stored."""
        return []


class Account(msgspec.Struct, frozen=True):
    """A table for a reader: a title, and rows of the same fields."""

    title: str
    rows: list[dict[str, str]]


class Chunk(msgspec.Struct, frozen=True):
    """A bounded run of records cut from one input file, not yet parsed.

    number        position among the chunks of the file, from 0
    first_record  ordinal, in the file, of its first record
    records       how many records it holds (each becomes one row, readable or not)
    digest        hex digest of everything that `parse` depends on
    payload       what `parse` needs, private to the reader
    """

    number: int
    first_record: int
    records: int
    digest: str
    payload: Any


class Ledger(msgspec.Struct):
    """What the reader's law is checked against once a file has been read to its end. All in bytes.

    file_bytes     bytes of the input file as stored
    framed_bytes   of these, bytes of compressed members or frames that decoded (all, where nothing is compressed)
    lost_bytes     of these, bytes that no decoder could use; each loss is also a row with a drop code
    decoded_bytes  bytes after decompression; equals the sum of `span_bytes` over all rows plus `skipped_bytes`
    skipped_bytes  decoded bytes that belong to no record (separators, warcinfo padding)
    """

    file_bytes: int = 0
    framed_bytes: int = 0
    lost_bytes: int = 0
    decoded_bytes: int = 0
    skipped_bytes: int = 0


class Reader(Stage, frozen=True, kw_only=True):
    """Turns one input file into chunks, and a chunk into rows.

    `cut` is cheap (decompress and find boundaries), `parse` costs (JSON, HTTP); a chunk whose tables are all fresh is
    never parsed. Boundaries depend on the bytes and the parameters alone. Every record is a row; an unreadable one
    has `drop` set: bad_json, bad_charset, no_text, truncated, damaged, too_long, too_large.

    Every reader adds: `span_start`, `span_bytes` (int64, in the decoded stream unless the reader says otherwise),
    `url` (string, may be null) and either `text` (string) or `body` (binary) with what is needed to decode it.
    Rows that are dropped have null or empty bulk columns.
    """

    may_drop: ClassVar[bool] = True
    totals: ClassVar[tuple[str, ...]] = ("span_bytes",)
    seeks: ClassVar[bool] = False  # needs random access (Parquet); other readers see a sequential stream

    partition_rows: int = 65_536
    partition_bytes: int = 64 << 20  # decoded bytes per chunk
    max_record_bytes: int = 64 << 20

    def cut(self, stream: BinaryIO, path: str, ledger: Ledger) -> Iterator[Chunk]:
        """Cut `stream` (the file as stored) into chunks. `path` is relative to the source's root: only its suffix may
        matter (compression). `ledger` is complete when the iterator ends."""
        raise NotImplementedError

    def parse(self, chunk: Chunk) -> Columns:
        """Rows of one chunk, `chunk.records` of them, in order."""
        raise NotImplementedError


class Regroup(Stage, frozen=True, kw_only=True):
    """New rows from old. A child is a concatenation of spans of its parents' text; spans never overlap."""

    reads: ClassVar[tuple[str, ...]] = ("text",)

    def load(self, assets: Mapping[str, Path]) -> Any:
        return None

    def regroup(self, batch: pa.RecordBatch, model: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """-> (parent position in the batch, start byte, end byte), one entry per child, ordered by parent and start.
        Bytes of a parent covered by no child are cut, and counted."""
        raise NotImplementedError
