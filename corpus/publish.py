"""Publishing what a step made: a table under a name that holds its digest, then a record whose law was checked."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from corpus import tables
from corpus.errors import LawError, StoreError
from corpus.identity import Definition, sha256
from corpus.record import Record, Table
from corpus.store import Blobs


def make_record(
    definition: Definition,
    identity: str,
    inputs: dict[str, Any],
    source: str,
    partition: int,
    rows: int,
    drop: pa.Array,
    digests: dict[str, str],
    alive: str,
    sums: dict[str, int],
    table: Table,
    made: int = 0,
) -> Record:
    """A record, its conservation law checked."""
    counts = pc.value_counts(drop.drop_null())
    dropped = {
        str(v): int(c) for v, c in sorted(zip(counts.field(0).to_pylist(), counts.field(1).to_pylist(), strict=True))
    }
    record = Record(
        step=identity,
        source=source,
        partition=f"{partition:016x}",
        definition=definition.identity(),
        inputs=inputs,
        rows=rows,
        kept=(drop.null_count if not made else rows),
        dropped=dropped,
        columns=digests,
        alive=alive,
        table=table,
        made=made,
        sums=sums,
    )
    check_law(record)
    return record


def check_law(record: Record) -> None:
    """rows = kept + dropped by reason; for a Regroup: bytes in = bytes in children + bytes cut."""
    where = f"stage `{record.kind}`, partition {record.partition}"
    if record.rows != record.kept + sum(record.dropped.values()):
        raise LawError(
            f"{where}: {record.rows} rows in, {record.kept} kept, dropped {record.dropped}: rows are missing"
        )
    sums = record.sums
    if "parent_bytes" in sums and sums["parent_bytes"] != sums["text_bytes"] + sums["cut_bytes"]:
        raise LawError(f"{where}: bytes of the parents are neither in a child nor cut: {sums}")


def put_table(store: Blobs, kind: str, partition: int, columns: dict[str, pa.Array]) -> Table:
    """Publish a table under a name that holds its digest."""
    data = tables.to_bytes(tables.canonical(columns))
    digest = sha256(data)
    name = f"tables/{kind}/{partition:016x}-{digest[:16]}.parquet"
    if not store.exists(name):
        store.put(name, data)
    return Table(name, len(data), digest)


def read_table(store: Blobs, table: Table, columns: Sequence[str] | None) -> pa.Table:
    try:
        return tables.read(store.get(table.name), columns)
    except (OSError, pa.ArrowException) as error:
        raise StoreError(
            f"{store.url(table.name)}: cannot be read ({error}). Remove the file and its records with "
            f"`corpus verify --repair`, then build again."
        ) from error
