"""Repair: take what is damaged out of the way, so that the next build makes it again, and only that.

A damaged table goes, and with it the records that name it, or the table would be taken as done. A damaged record is
put back from the build's own copy where its table is whole; so is a record that went with a damaged fold. Damaged
shards and assets go. The manifest, `steps/` and `index/` are written anew by every build.
"""

from collections.abc import Iterator

import msgspec
import pyarrow as pa

from corpus import tables
from corpus.errors import StoreError
from corpus.identity import canonical, sha256
from corpus.opened import Build
from corpus.record import Record, folder
from corpus.store import Blobs


class _Named(msgspec.Struct, frozen=True):
    name: str


class _Made(msgspec.Struct, frozen=True):
    """A record of any shape, of which only its table counts."""

    table: _Named | None = None


class Repair:
    """What the checks found, and what to do about it."""

    def __init__(self, out: Blobs, store: Blobs | None) -> None:
        self.out = out
        self.store = store
        self.tokens: list[str] = []  # damaged files of shards
        self.tables: list[Record] = []  # records of damaged tables
        self.folds: list[str] = []
        self.records: list[tuple[str, str]] = []  # (file, step) of records that differ or are missing
        self.away: list[str] = []  # damaged assets, and runs of global stages with their tables
        self.known: dict[str, bytes] = {}  # records that follow from the manifest, by name
        self.done: list[str] = []

    def run(self, build: Build | None) -> list[str]:
        """`build` gives the sealed copies of records; None where these are damaged too. -> what was done, in words."""
        for name in self.tokens:
            self._remove(self.out, name)
        if self.store is None:
            return self.done
        self._restore(build)
        for name in sorted(set(self.folds)):
            self._remove(self.store, name)
        self._take_tables()
        for name in self.away:
            self._remove(self.store, name)
        return self.done

    def _remove(self, blobs: Blobs, name: str) -> None:
        if blobs.exists(name):
            blobs.remove(name)
            self.done.append(f"removed {blobs.url(name)}")

    def _restore(self, build: Build | None) -> None:
        """Put records back, except those whose table is damaged: they are taken away."""
        assert self.store is not None
        wanted = {step: name for name, step in self.records}
        gone = {record.step for record in self.tables}
        sealed = dict(self.known)
        for partition in build.partitions() if build is not None and wanted else ():
            for record in partition.records:
                if record.step in wanted and record.step not in gone:
                    sealed[f"{folder(record.source, record.kind)}/{record.step}.json"] = canonical(record)
        for step, name in sorted(wanted.items()):
            loose = f"{name.rsplit('/', 1)[0]}/{step}.json"
            if loose in sealed:
                self.store.put(loose, sealed[loose])
                self.done.append(f"put back {self.store.url(loose)}")
            elif name == loose:
                self._remove(self.store, loose)
            if name != loose:  # the fold is whole but holds another record under this step
                self._drop_from_fold(name, {step})

    def _take_tables(self) -> None:
        """Remove damaged tables and every record that names one, also those of other builds in this store."""
        assert self.store is not None
        by_folder: dict[str, set[str]] = {}
        for record in self.tables:
            by_folder.setdefault(folder(record.source, record.kind), set()).add(record.table.name)
        for place, names in sorted(by_folder.items()):
            for last in self.store.list(place):
                name = f"{place}/{last}"
                if last.endswith(".json"):
                    if _table_of(self.store.get(name)) in names:
                        self._remove(self.store, name)
                elif last.endswith(".parquet"):
                    stale = {step for step, table in self._folded(name) if table in names}
                    if stale:
                        self._drop_from_fold(name, stale)
            for name in sorted(names):
                self._remove(self.store, name)

    def _folded(self, name: str) -> Iterator[tuple[str, str | None]]:
        assert self.store is not None
        for data in tables.read(self.store.get(name))["record"].to_pylist():
            yield _step_of(data), _table_of(data)

    def _drop_from_fold(self, name: str, steps: set[str]) -> None:
        """Write a fold again without some of its records."""
        assert self.store is not None
        rows = tables.read(self.store.get(name))["record"].to_pylist()
        kept = [data for data in rows if _step_of(data) not in steps]
        if kept:
            data = tables.to_bytes(tables.canonical({"record": pa.array(kept, pa.binary())}))
            self.store.put(f"{name.rsplit('/', 1)[0]}/fold-{sha256(data)}.parquet", data)
        self.store.remove(name)
        self.done.append(f"removed {len(rows) - len(kept)} of {len(rows)} records from {self.store.url(name)}")


def _step_of(data: bytes) -> str:
    return str(msgspec.json.decode(data)["step"])


def _table_of(data: bytes) -> str | None:
    """Name of the table of a record; None where it has none, or is damaged (the checks have named it)."""
    try:
        made = msgspec.json.decode(data, type=_Made)
    except (msgspec.DecodeError, StoreError):
        return None
    return made.table.name if made.table is not None else None
