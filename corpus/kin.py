"""Kin: a document that another one names, found by its id in a sealed build, or in those that it stands on.

An id says nothing of where a document is; the index of its build does. Builds named by `against` are looked for where
the manifest of the last run lies, as `runs.jsonl` has it, and count only if they are still what was compared. A file of
the same source and path may be in both, with the same ids: what the exchange wrote tells which one is meant.
"""

from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from corpus import index
from corpus.assets import place_of
from corpus.errors import CorpusError
from corpus.opened import Build, Tables
from corpus.standing import open_build

Values = dict[str, Any]


class Kin(msgspec.Struct, frozen=True):
    """Where a document is. `build`: the earlier build that has it, as the manifest names it; "" for this one. Where no
    build could be asked, the id is all there is."""

    id: str
    source: str | None = None
    path: str | None = None
    url: str | None = None
    build: str = ""


class Found(msgspec.Struct, frozen=True):
    """A document in the tables of its partition: its row in the numbering of `level`. `before`: position in its chain
    of the stage that named it, or the end."""

    id: bytes
    seen: Tables
    level: int
    row: int
    before: int
    build: str = ""

    @property
    def kin(self) -> Kin:
        partition = self.seen.partition
        first = self.seen.values(0, self.seen.ancestor(self.row, self.level), ["url"]) or {}
        return Kin(self.id.hex(), partition.source, partition.path, first.get("url"), self.build)

    @property
    def text(self) -> str:
        """As the stage found it; "" where no table holds it."""
        return self.seen.text(self.row, self.level, self.before) or ""

    @property
    def values(self) -> Values:
        """What the stage wrote about it; nothing where it never saw it."""
        k = self.before
        if k == len(self.seen.records):
            return {}
        place = pc.index(self.seen.column(self.seen.level(k), "id"), pa.scalar(self.id, pa.binary(16))).as_py()
        return (self.seen.values(k, place) if place >= 0 else None) or {}


class Family:
    """A build, and the earlier ones that its documents were compared with."""

    def __init__(self, build: Build) -> None:
        self.build = build

    @cached_property
    def _earlier(self) -> dict[str, Build]:
        """Those that can be opened, and are still what they were."""
        parents = self.build.manifest.get("parents", [])
        if not parents or not self.build.out.exists("runs.jsonl"):
            return {}
        run = msgspec.json.decode(self.build.out.get("runs.jsonl").splitlines()[-1])
        found: dict[str, Build] = {}
        for parent in parents if "manifest" in run else ():
            try:
                build = open_build(place_of(parent["name"], Path(run["manifest"]).parent))
            except CorpusError:  # it was moved or built again: then the id alone is told
                continue
            if build.out.get("manifest.sha256").decode().strip() == parent["root"]:
                found[parent["name"]] = build
        return found

    def find(self, identity: bytes, label: str, fits: Callable[[Values], bool]) -> Found | None:
        """The document of this build with this id of which the stage with this label wrote what `fits`, or else the one
        of an earlier build. None where no build that can be opened has it."""
        kinds = {step["stage"]: step["kind"] for source in self.build.sources.values() for step in source["chain"]}
        for name, build in (("", self.build), *self._earlier.items()):
            for root, level, row in index.find_id(build.out, build.manifest, identity):
                seen = Tables(build.store, build.partition(root))
                if name and not build.store.exists(seen.records[0].table.name):
                    continue  # its store is gone; what it held out is still compared with
                own = [record.kind for record in seen.records] if name else build.labels(seen.partition.source)
                wanted = kinds[label] if name else label
                before = own.index(wanted) if wanted in own else len(seen.records)
                found = Found(identity, seen, level, row, min(before, len(seen.records)), name)
                if name or fits(found.values):
                    return found
        return None
