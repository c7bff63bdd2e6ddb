"""Sealed builds that a new one is deduplicated against: their documents stand, and are never touched.

The documents that stand are those alive at the end of the earlier build, with the columns that its exchange read: keys
and signatures are adopted, no text is signed again. What is emitted of them is kept like that of any bundle, so a third
build finds it made. An earlier build is named by its directory, and enters identity by the digest of its manifest.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from corpus.assets import place_of, root_digest
from corpus.errors import RecipeError, VerifyError
from corpus.exchange import Exchange, Loader, Part
from corpus.graph import Partition, difference
from corpus.identity import child_partition_key
from corpus.opened import Build, Tables, level_of
from corpus.record import Record
from corpus.store import Blobs


def open_build(place: str) -> Build:
    """The build in a directory, with the store of its last run, or the one beside it."""
    out = Blobs(place)
    store = f"{place.rstrip('/').rpartition('/')[0]}/store"
    if out.exists("runs.jsonl"):
        store = msgspec.json.decode(out.get("runs.jsonl").splitlines()[-1])["store"]
    return Build(out, Blobs(store))


class Standing(msgspec.Struct, frozen=True):
    """A partition of an earlier build: its records, the position of the exchange in its chain, and its store."""

    store: Blobs
    partition: Partition
    until: int

    @property
    def tables(self) -> Tables:
        return Tables(self.store, self.partition)


class StandingLoader(Loader, frozen=True):
    """Columns of documents that stand, by the key that their partition has in the new build."""

    members: Mapping[int, Standing]

    def read(self, key: int, names: tuple[str, ...]) -> pa.RecordBatch:
        one = self.members[key]
        opened = one.tables
        rows = living(opened, one.until)
        level = level_of(opened.records, one.until - 1)
        columns = [opened.at(name, rows, level, one.until) for name in names]
        return pa.record_batch([*columns, pa.array(rows)], names=[*names, "row"])


def living(opened: Tables, until: int) -> np.ndarray:
    """Rows before step `until`, in its numbering, that are alive at the end of the chain, or of which a part is."""
    last = len(opened.records) - 1
    rows = opened.up(opened.living(last), opened.level(last), level_of(opened.records, until - 1))
    return np.unique(rows)


class Index:
    """All partitions of the builds that stand, as parts of an exchange's scope: `parts` by build, so that what is
    emitted of one does not depend on the others."""

    def __init__(self, stage: Exchange, near: Path, definitions: Mapping[str, dict[str, Any]]) -> None:
        """`definitions`: of the stage that makes each column in the new build, as identity has it."""
        self.members: dict[int, Standing] = {}
        self.digests: dict[int, list[str]] = {}
        self.parts: list[dict[int, Part]] = []
        for name in stage.stands_on:
            place = place_of(name, near)
            root = root_digest(place)
            try:
                build = open_build(place)
            except VerifyError as error:
                raise RecipeError(f"`{stage.label}`: against: {error}") from None
            self.parts.append({})
            for partition in build.partitions():
                self._add(stage, name, root, build, partition, definitions)

    def _add(
        self,
        stage: Exchange,
        name: str,
        root: str,
        build: Build,
        partition: Partition,
        definitions: Mapping[str, dict[str, Any]],
    ) -> None:
        source = build.sources[partition.source]
        kinds = [step["kind"] for step in source["chain"]]
        until = kinds.index(stage.kind) if stage.kind in kinds else len(partition.records)
        providers = {}
        for column in stage.reads:
            found = [record for record in partition.records[:until] if column in record.columns]
            if not found:
                raise RecipeError(
                    f"`{stage.label}`: against {name}: source `{partition.source}` there has no column `{column}`. "
                    f"Build it with the stages that this manifest has."
                )
            providers[column] = found[-1]
        for column in stage.comparable:
            self._check(stage, name, partition, providers[column], definitions[column])
        key = child_partition_key(partition.key, root)
        one = Standing(build.store, partition, until)
        whole = not any("parents" in record.columns for record in partition.records[until:])
        rows = partition.records[-1].kept if whole else len(living(one.tables, until))
        scope = stage.scope_of(partition.source, source["snapshot"])
        self.members[key] = one
        self.parts[-1][key] = Part(key, partition.source, source["priority"], rows, scope=scope, standing=True)
        self.digests[key] = [
            *(providers[column].columns[column] for column in stage.reads),
            *(record.alive for record in partition.records[until - 1 :]),
        ]

    @staticmethod
    def _check(stage: Exchange, name: str, partition: Partition, then: Record, now: dict[str, Any]) -> None:
        differs = difference(now["kind"], now, then.inputs, then)
        if then.definition["kind"] != now["kind"] or differs:
            raise RecipeError(
                f"`{stage.label}`: against {name}: source `{partition.source}` there was made with another "
                f"`{now['kind']}` ({'; '.join(differs) or then.definition['kind']}): what it wrote cannot be compared. "
                f"Give both the same parameters, or build {name} again."
            )

    def loader(self, keys: Sequence[int]) -> StandingLoader:
        return StandingLoader({key: self.members[key] for key in keys})
