"""Which rows of which partitions a removal list names, remembered, so that an unchanged list costs nothing.

A partition's read has an identity without removal, its *base*; with tombstones it is another step. Files that were read
before are not read again to learn what a list names in them: the ids and URLs in the table of a read tell. Where that
table is gone, as it held a document that was removed, the table with tombstones tells of the rows that live, and what
is remembered of the others names the entries that they were removed for: if all of these are still in the list, the
rows stay removed. Else the file is read again.

All of it follows from tables and input files, and may be lost at any time; it holds hashes only.

store: removals/named/<source>-<key>.parquet      step, base, row, entry: tombstones, by the step that made them
       removals/checked/<source>-<list>.parquet   base, step (null: nothing of it is named) for one list
"""

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from corpus import tables
from corpus.identity import Definition, step_id
from corpus.inputs import file_step
from corpus.keyed import find_pairs
from corpus.publish import read_table
from corpus.record import FileRecord, Record, Table
from corpus.removal import NOBODY, Named, Removal, file_identity
from corpus.store import Blobs

_BATCH = 64  # tables of a task


class CheckTask(msgspec.Struct, frozen=True):
    store: Blobs
    removal: Removal
    tables: tuple[tuple[Table, bool], ...]  # of reads; whether they have URLs


def check_tables(task: CheckTask) -> list[Named]:
    """What the list names in each of the tables. Tombstones have neither URL nor an id that could be named."""
    found = []
    for table, has_urls in task.tables:
        stored = read_table(task.store, table, ["id", "url"] if has_urls else ["id"])
        urls = tables.combine(stored["url"]) if has_urls else None
        found.append(task.removal.match(tables.combine(stored["id"]), urls))
    return found


class NamedRows:
    """What is known of one source."""

    def __init__(self, store: Blobs, source: str, removal: Removal) -> None:
        self.store, self.source, self.removal = store, source, removal
        self._named_at = f"removals/named/{source}-{removal.key.hex[:16]}.parquet"
        self._checked_at = f"removals/checked/{source}-{removal.digest[:16]}.parquet"
        self.tombstones: dict[str, Named] = {}  # by step
        self.steps: dict[str, list[str]] = {}  # base -> steps with tombstones, of any list
        self.checked: dict[str, str] = {}  # base -> step for this list
        self.changed = False
        self._load()

    def _load(self) -> None:
        if self.store.exists(self._named_at):
            table = tables.read(self.store.get(self._named_at))
            step, base = (table[name].to_pylist() for name in ("step", "base"))
            named = Named(*(table[name].to_numpy() for name in ("row", "hi", "lo")))
            edges = [i for i in range(len(step)) if not i or step[i] != step[i - 1]] + [len(step)]
            for begin, end in itertools.pairwise(edges):
                self._note(base[begin].hex(), step[begin].hex(), named.of(np.s_[begin:end]))
        if self.store.exists(self._checked_at):
            table = tables.read(self.store.get(self._checked_at))
            for base, step in zip(table["base"].to_pylist(), table["step"].to_pylist(), strict=True):
                self.checked[base.hex()] = (base if step is None else step).hex()

    def _note(self, base: str, step: str, named: Named) -> None:
        if step == base:
            return
        if step in self.tombstones:
            named = self.tombstones[step].join(named).once()
        else:
            self.steps.setdefault(base, []).append(step)
        self.tombstones[step] = named

    def remember(self, base: str, step: str, named: Named) -> None:
        """The list names these rows of the partition with this base, which makes it that step."""
        self._note(base, step, named)
        self.changed |= self.checked.get(base) != step
        self.checked[base] = step

    def known(self, bases: Sequence[str]) -> dict[str, Named]:
        """What the list names, of those partitions that were checked against it."""
        return {b: self.tombstones.get(self.checked[b], NOBODY) for b in bases if b in self.checked}

    def save(self) -> None:
        if not self.changed:
            return
        bases = {step: base for base, own in self.steps.items() for step in own}
        steps = sorted(bases)
        every = [self.tombstones[step] for step in steps]
        place = pa.array(np.repeat(np.arange(len(steps)), [len(named.row) for named in every]), pa.int64())
        columns = {
            "step": pa.array([bytes.fromhex(step) for step in steps], pa.binary(32)).take(place),
            "base": pa.array([bytes.fromhex(bases[step]) for step in steps], pa.binary(32)).take(place),
        }
        for name in ("row", "hi", "lo"):
            columns[name] = pa.array(np.concatenate([getattr(named, name) for named in (NOBODY, *every)]))
        self.store.put(self._named_at, tables.to_bytes(tables.canonical(columns)))
        own = sorted(self.checked)
        columns = {
            "base": pa.array([bytes.fromhex(base) for base in own], pa.binary(32)),
            "step": pa.array(
                [None if self.checked[b] == b else bytes.fromhex(self.checked[b]) for b in own], pa.binary(32)
            ),
        }
        self.store.put(self._checked_at, tables.to_bytes(tables.canonical(columns)))
        self.changed = False

    # -- files that were read before -----------------------------------------------------------------------------------

    def check(
        self,
        files: Sequence[FileRecord],
        known: Mapping[str, Record],
        definition: Definition,
        map_: Callable[[Callable[[Any], Any], Sequence[Any]], Iterator[tuple[int, Any]]],
    ) -> None:
        """Check every partition of these files that can be checked without its file. `known` are records by step."""
        waiting: list[tuple[str, Record, Named]] = []
        for file in files:
            for _, base in file.partitions:
                if base not in self.checked and (found := self._evidence(base, known)):
                    waiting.append((base, *found))
        batches = [waiting[i : i + _BATCH] for i in range(0, len(waiting), _BATCH)]
        tasks = [
            CheckTask(self.store, self.removal, tuple((r.table, "url" in r.columns) for _, r, _ in batch))
            for batch in batches
        ]
        for number, results in map_(check_tables, tasks):
            for (base, record, kept), found in zip(batches[number], results, strict=True):
                named = kept.join(found)
                inputs = {name: value for name, value in record.inputs.items() if name != "removed"}
                removed = self.removal.identity(named.rows)
                step = step_id(definition, inputs | ({"removed": removed} if removed else {}))
                self.remember(base, step, named)

    def _evidence(self, base: str, known: Mapping[str, Record]) -> tuple[Record, Named] | None:
        """A table of the partition that holds what is not removed, and what is known of the rest; None: neither."""
        if base in known:
            return known[base], NOBODY
        for step in self.steps.get(base, ()):
            if step in known:
                named = self.tombstones[step]
                still = named.of(self.removal.lists(named))
                if len(still.rows) == len(named.rows):
                    return known[step], still
        return None

    def file(self, base: FileRecord, definition: Definition, quarantined: dict[int, str]) -> FileRecord | None:
        """The record of a file under this list, from its record without; None where its file must tell."""
        if any(step not in self.checked for _, step in base.partitions):
            return None
        partitions = tuple((key, self.checked[step]) for key, step in base.partitions)
        buried = [(key, self.tombstones[step]) for key, step in partitions if step in self.tombstones]
        removed = {key: self.removal.identity(named.rows) for key, named in buried}
        digest = file_identity(self.removal.key, removed)
        step = file_step(definition, base.source, base.path, base.sha256, quarantined, digest)
        return msgspec.structs.replace(base, step=step, partitions=partitions)

    def unused(self, steps: Sequence[str], hi: np.ndarray, lo: np.ndarray) -> np.ndarray:
        """bool: which of the sorted entries (hi, lo) name no row in any of these steps."""
        used = np.zeros(len(hi), dtype=bool)
        for step in steps:
            if step in self.tombstones:
                named = self.tombstones[step]
                places = find_pairs((named.hi, named.lo), hi, lo)
                used[places[places >= 0]] = True
        return ~used
