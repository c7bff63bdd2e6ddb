"""Held-out lists of sealed builds, as documents that a new build is compared with: see `heldout.py`.

The list is read from the build directory alone. It enters identity by the digest of the build's manifest, and what is
emitted of a file by that file's.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from corpus import tables
from corpus.assets import place_of, root_digest
from corpus.errors import RecipeError, VerifyError
from corpus.exchange import Exchange, Loader, Part
from corpus.graph import difference
from corpus.identity import partition_key, sha256
from corpus.record import Record, Table
from corpus.removal import Removal
from corpus.sealed import open_manifest
from corpus.store import Blobs


class ListLoader(Loader, frozen=True):
    """Columns of the documents of a list, by the key that its file has as a partition."""

    files: Mapping[int, tuple[Blobs, str]]
    removal: Removal | None

    def read(self, key: int, names: tuple[str, ...]) -> pa.RecordBatch:
        place, path = self.files[key]
        stored = read_list(place.get(path), self.removal, names or ("id",))
        return pa.record_batch([tables.combine(stored[name]) for name in stored.column_names], stored.column_names)


def read_list(data: bytes, removal: Removal | None, names: Sequence[str] | None = None) -> pa.Table:
    """A file of a list, or columns of it, without the documents that a removal list names."""
    if removal is None:
        return tables.read(data, names)
    gone = removal.match(tables.combine(tables.read(data, ["id"])["id"]), None).row
    whole = tables.read(data, names)
    return whole.take(pa.array(np.setdiff1d(np.arange(whole.num_rows), gone))) if len(gone) else whole


class Lists:
    """The lists that a build inherits, as parts of an exchange's scope: `parts` by build, as in `standing.py`."""

    def __init__(
        self, stage: Exchange, near: Path, definitions: Mapping[str, dict[str, Any]], removal: Removal | None = None
    ) -> None:
        self.removal = removal
        self.parts: list[dict[int, Part]] = []
        self.digests: dict[int, list[str]] = {}
        self._files: dict[int, tuple[Blobs, str]] = {}
        for name in stage.stands_on:
            place, root = place_of(name, near), root_digest(place_of(name, near))
            part = sealed_list(stage, name, Blobs(place))
            for column in stage.comparable:
                _check_made(stage, name, part["made"][column], definitions[column])
            self.parts.append({})
            for number, file in enumerate(part["files"]):
                key = partition_key(root, file["path"], number)
                self._files[key] = Blobs(place), file["path"]
                rows = file["documents"]
                self.digests[key] = [file["sha256"]]
                if removal is not None:
                    rows = read_list(Blobs(place).get(file["path"]), removal, ("id",)).num_rows
                    self.digests[key] += [removal.digest] if rows < file["documents"] else []
                self.parts[-1][key] = Part(key, name, 0, rows, standing=True)

    def loader(self, keys: Sequence[int]) -> ListLoader:
        return ListLoader({key: self._files[key] for key in keys}, self.removal)


def sealed_list(stage: Exchange, name: str, place: Blobs) -> dict[str, Any]:
    """What the manifest of a sealed build says of its list; its files are checked against it."""
    try:
        manifest = open_manifest(place)
    except VerifyError as error:
        raise RecipeError(f"`{stage.label}`: inherit: {error}") from None
    part: dict[str, Any] = manifest.get("heldout") or {}
    if not part:
        raise RecipeError(
            f"`{stage.label}`: inherit {name}: that build has no held-out list. It needs a `heldout` stage of its own."
        )
    for file in part["files"]:
        if not place.exists(file["path"]) or sha256(place.get(file["path"])) != file["sha256"]:
            raise RecipeError(
                f"`{stage.label}`: inherit {name}: {file['path']} is missing or is not what was sealed. "
                f"Run `corpus verify {name}`."
            )
    return part


def _check_made(stage: Exchange, name: str, then: dict[str, Any], now: dict[str, Any]) -> None:
    record = Record("", "", "", then, {}, 0, 0, {}, {}, "", Table("", 0, ""))
    differs = difference(now["kind"], now, {}, record)
    if then["kind"] != now["kind"] or differs:
        raise RecipeError(
            f"`{stage.label}`: inherit {name}: its list was made with another `{now['kind']}` "
            f"({'; '.join(differs) or then['kind']}) and cannot be compared with. Give both the same parameters."
        )
