"""Records: what says that a table is done, and what it took to make it.

A record is written last, created only if absent. An equal record is success; an unequal one for the same identity
means that a stage is not deterministic, and fails the build. Nothing in it varies between runs.

Records of one (source, kind) lie as `<step>.json`; a thousand of them fold into one Parquet file, named by its digest,
so that a status or a restart reads few objects.
"""

import os
from collections.abc import Collection
from typing import Any, TypeVar

import msgspec
import pyarrow as pa

from corpus import tables
from corpus.errors import StoreError
from corpus.identity import canonical, sha256
from corpus.store import Blobs, is_local, local_path

FOLD_RECORDS = 1000

T = TypeVar("T")


class Table(msgspec.Struct, frozen=True):
    """Where the rows lie: name in the store, size and sha256 of the file."""

    name: str
    bytes: int
    sha256: str


class Record(msgspec.Struct, frozen=True, omit_defaults=True):
    """One stage over one partition.

    inputs   what was read -> digest (with the definition: the identity)
    rows     rows seen; `rows == kept + sum(dropped)`, the conservation law
    columns  column -> digest of its values, also of those that are not stored
    alive    digest of the rows that survive
    sums     totals that laws and reports need (bytes of text, tokens, spans)
    """

    step: str
    source: str
    partition: str
    definition: dict[str, Any]
    inputs: dict[str, Any]
    rows: int
    kept: int
    dropped: dict[str, int]
    columns: dict[str, str]
    alive: str
    table: Table
    made: int = 0  # Regroup: child rows made from the living
    sums: dict[str, int] = {}

    @property
    def kind(self) -> str:
        return str(self.definition["kind"])

    @property
    def living(self) -> int:
        """Rows that the next stage sees: the survivors, or the children that a Regroup made of them."""
        return self.made if "parent_bytes" in self.sums else self.kept

    def digest(self) -> str:
        return sha256(canonical(self))


class FileRecord(msgspec.Struct, frozen=True):
    """One input file, read to its end: which partitions it gave, and the reader's law (see `stage.Ledger`)."""

    step: str
    source: str
    path: str
    sha256: str
    definition: dict[str, Any]
    partitions: tuple[tuple[str, str], ...]  # (partition key, step of its read), by chunk number
    ledger: dict[str, int]


class ScopeRecord(msgspec.Struct, frozen=True):
    """One run of an Exchange over its scope: which settled step each partition got."""

    step: str
    definition: dict[str, Any]
    inputs: str  # digest over (partition, digests read) of the whole scope
    settled: Table
    counts: dict[str, int]


def folder(source: str, kind: str) -> str:
    return f"records/{source}/{kind}"


def publish(store: Blobs, record: Any, source: str, kind: str) -> None:
    """Create the record of a step; StoreError where another result stands under the same identity."""
    name = f"{folder(source, kind)}/{record.step}.json"
    data = canonical(record)
    if not store.create(name, data):
        found = store.get(name)
        if found != data:
            raise StoreError(
                f"{store.url(name)}: this step was built before with another result. The stage `{kind}` is not "
                f"deterministic, or changed without a new revision.\n  there: {found.decode(errors='replace')[:600]}\n"
                f"  now:   {data.decode()[:600]}\nRemove that file to accept the new result, and report the difference."
            )


def load(store: Blobs, source: str, kind: str, shape: type[T]) -> dict[str, T]:
    """All records of one (source, kind): step -> record."""
    place = folder(source, kind)
    decoder = msgspec.json.Decoder(shape)
    records: dict[str, T] = {}
    for name in store.list(place):
        path = f"{place}/{name}"
        if name.endswith(".json"):
            try:
                data = store.get(path)
            except FileNotFoundError:  # folded by another build since the listing
                return load(store, source, kind, shape)
            records[name.removesuffix(".json")] = _decode(decoder, data, store.url(path))
        elif name.endswith(".parquet"):
            fold = tables.read(store.get(path))
            for data in fold["record"].to_pylist():
                record = _decode(decoder, data, store.url(path))
                records[record.step] = record  # type: ignore[attr-defined]
    return records


def _decode(decoder: msgspec.json.Decoder[T], data: bytes, where: str) -> T:
    try:
        return decoder.decode(data)
    except msgspec.DecodeError as error:
        raise StoreError(f"{where}: not a record ({error}). Remove that file; the step is then built again.") from error


def forget(store: Blobs, source: str, kind: str, steps: Collection[str]) -> int:
    """Remove the records of these steps, loose or folded. -> how many"""
    place, gone = folder(source, kind), 0
    for name in store.list(place):
        path = f"{place}/{name}"
        if name.endswith(".json") and name.removesuffix(".json") in steps:
            store.remove(path)
            gone += 1
        elif name.endswith(".parquet"):
            rows = tables.read(store.get(path))["record"].to_pylist()
            kept = [data for data in rows if msgspec.json.decode(data, type=_Step).step not in steps]
            if len(kept) < len(rows):
                if kept:
                    _put_fold(store, place, kept)
                store.remove(path)
                gone += len(rows) - len(kept)
    return gone


class _Step(msgspec.Struct, frozen=True):
    step: str


def _put_fold(store: Blobs, place: str, rows: list[bytes]) -> str:
    data = tables.to_bytes(tables.canonical({"record": pa.array(rows, pa.binary())}))
    path = f"{place}/fold-{sha256(data)}.parquet"
    store.put(path, data)
    return path


def fold(store: Blobs, source: str, kind: str, at_least: int = FOLD_RECORDS) -> int:
    """Fold loose records into one file, synced to disk before they are removed. -> how many."""
    place = folder(source, kind)
    loose = [name for name in store.list(place) if name.endswith(".json")]
    if len(loose) < at_least:
        return 0
    for begin in range(0, len(loose), FOLD_RECORDS):
        names = loose[begin : begin + FOLD_RECORDS]
        if len(names) < FOLD_RECORDS and begin:
            break
        rows = [store.get(f"{place}/{name}") for name in names]
        path = _put_fold(store, place, rows)
        if is_local(store.root):
            handle = os.open(local_path(store.url(path)), os.O_RDONLY)
            os.fsync(handle)
            os.close(handle)
        for name in names:
            store.remove(f"{place}/{name}")
    return len(loose)
