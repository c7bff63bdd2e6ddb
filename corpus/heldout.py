"""The held-out list: what is kept for evaluation, sealed with a build and inherited by later ones.

heldout/<nnnnn>.parquet    content, id, source, exact, minhash, text: one row a document, in the build directory

`manifest.json` has the digest of each file, and how `exact` and `minhash` were made. The list holds texts and not only
their hashes, so that a later build can compare its own documents with them word for word when the store that they came
from is gone. It holds what the build held out, and what it inherited: so a list names all that was ever held out along
its line, whether or not the documents are still there. Of an inherited document that this build holds out itself the
row of this build is kept. What a removal list names is left out.

Files are those of bundles of partitions, then those of inherited files: a task holds the held-out documents of 1M rows,
or of one file; the driver 16 bytes for each document held out.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from corpus import tables
from corpus.assets import place_of
from corpus.build import Builder
from corpus.bundling import bundles
from corpus.errors import RecipeError
from corpus.exchange import Exchange, Loader
from corpus.graph import Segment
from corpus.id_order import halves
from corpus.identity import canonical, sha256
from corpus.keyed import sorted_pairs
from corpus.listed import read_list, sealed_list
from corpus.pack import SPLITS
from corpus.removal import Removal
from corpus.settle import Member, StoreLoader
from corpus.steps import Origin, partition_at, provider
from corpus.store import Blobs

COLUMN = "split"
_FOLDER = "heldout"
_MARK = "packed/heldout.step"  # in the build directory: what the list there was made from
_BUNDLE_ROWS = 1 << 20
_MADE = ("exact", "minhash")  # columns that builds must have made in the same way
_COLUMNS = ("content", "id", *_MADE, "text")


class OwnTask(msgspec.Struct, frozen=True):
    """A bundle of partitions whose held-out documents make a file."""

    loader: Loader
    keys: tuple[tuple[int, str], ...]  # partition, source
    out: Blobs
    path: str


class InheritedTask(msgspec.Struct, frozen=True):
    place: Blobs
    file: str
    known: bytes  # contents that other files have: pairs of u64, sorted
    removal: Removal | None
    out: Blobs
    path: str


class Written(msgspec.Struct, frozen=True):
    """A file of the list. `contents`: of its documents, pairs of u64."""

    path: str
    bytes: int
    sha256: str
    documents: int
    by_source: dict[str, int]
    contents: bytes


def _write(out: Blobs, path: str, table: pa.Table) -> Written:
    data = tables.to_bytes(tables.canonical({name: tables.combine(table[name]) for name in table.column_names}))
    out.put(path, data)
    counted = pc.value_counts(tables.combine(table["source"]))
    by_source = {one["values"]: one["counts"] for one in counted.to_pylist()}
    contents = np.stack(halves(tables.combine(table["content"])), axis=1).astype("<u8").tobytes()
    return Written(path, len(data), sha256(data), table.num_rows, by_source, contents)


def _write_own(task: OwnTask) -> Written | None:
    found = []
    for key, source in task.keys:
        split = task.loader.read(key, (COLUMN,))[COLUMN]
        held = pa.array(np.flatnonzero(np.asarray(pc.equal(split, SPLITS[1]))))
        if len(held):
            batch = task.loader.read(key, _COLUMNS).take(held)
            found.append(pa.table(batch).add_column(2, "source", pa.array([source] * len(held), pa.string())))
    return _write(task.out, task.path, pa.concat_tables(found)) if found else None


def _write_inherited(task: InheritedTask) -> Written | None:
    table = read_list(task.place.get(task.file), task.removal)
    known = np.frombuffer(task.known, "<u8").reshape(-1, 2)
    hi, lo = halves(tables.combine(table["content"]))
    gone = _are_in(hi, lo, known[:, 0].copy(), known[:, 1].copy())
    table = table.filter(pa.array(~gone))
    return _write(task.out, task.path, table) if table.num_rows else None


def _are_in(hi: np.ndarray, lo: np.ndarray, among_hi: np.ndarray, among_lo: np.ndarray) -> np.ndarray:
    """(n,) bool: which pairs are among sorted ones, where halves are uniform: few share the higher one."""
    found = np.zeros(len(hi), bool)
    at, end = np.searchsorted(among_hi, hi, "left"), np.searchsorted(among_hi, hi, "right")
    for step in range(int((end - at).max()) if len(hi) else 0):
        there = at + step < end
        found[there] |= among_lo[at[there] + step] == lo[there]
    return found


class _Plan(msgspec.Struct):
    """Files to write, and the identity of all that they are made from."""

    own: list[OwnTask]
    inherited: list[tuple[Blobs, str]]
    removal: Removal | None
    made: dict[str, Any]
    identity: str


def _holding(builder: Builder) -> Segment | None:
    """The segment whose stage holds out. RecipeError where there are several."""
    found = [s for s in builder.segments() if isinstance(s.stage, Exchange) and COLUMN in s.stage.adds]
    if len(found) > 1:
        labels = ", ".join(f"`{one.stage.label}`" for one in found if one.stage is not None)
        raise RecipeError(f"{builder.recipe.path}: {labels}: a build has one held-out list. Leave one of them.")
    return found[0] if found else None


def _plan(builder: Builder, segment: Segment, out: Blobs) -> _Plan:
    stage, near = segment.stage, builder.recipe.path.parent
    assert isinstance(stage, Exchange)
    members: dict[int, Member] = {}
    for source in segment.sources:
        steps, k = builder.graph.chains[source], segment.until[source]
        for p in builder.partitions[source]:
            origin = Origin(source, p.path, p.key)
            members[p.key] = Member(origin, partition_at(steps, p.key, k), steps, tuple(p.records[: k + 1]))
    own = []
    for n, keys in enumerate(bundles({key: m.records[-1].rows for key, m in members.items()}, _BUNDLE_ROWS)):
        loader = StoreLoader(builder.store, {key: members[key] for key in keys})
        own.append(OwnTask(loader, tuple((key, members[key].origin.source) for key in keys), out, _path(n)))
    inherited = []
    digests = []
    for name in stage.stands_on:
        place = Blobs(place_of(name, near))
        for file in sealed_list(stage, name, place)["files"]:
            inherited.append((place, file["path"]))
            digests.append(file["sha256"])
    removal = builder.removal.removal if builder.removal else None
    steps, k = builder.graph.chains[segment.sources[0]], segment.until[segment.sources[0]]
    made = {name: steps[provider(steps, name, k)].definition.identity() for name in _MADE}
    from_ = [[[f"{key:016x}", members[key].records[-1].step] for key in sorted(members)], digests]
    return _Plan(own, inherited, removal, made, sha256(canonical([*from_, removal.digest if removal else ""])))


def _path(number: int) -> str:
    return f"{_FOLDER}/{number:05d}.parquet"


def write(builder: Builder, out: Blobs, earlier: dict[str, Any]) -> dict[str, Any]:
    """Write the list of a build, unless that of the `earlier` manifest is the same. -> what the manifest says of it;
    nothing where no stage holds out."""
    segment = _holding(builder)
    if segment is None:
        return {}
    plan = _plan(builder, segment, out)
    before: dict[str, Any] = earlier.get("heldout") or {}
    written = out.get(_MARK).decode() if out.exists(_MARK) else ""
    if before.get("made_from") == plan.identity == written and all(
        out.exists(file["path"]) and out.size(file["path"]) == file["bytes"] for file in before["files"]
    ):
        return before
    out.remove(_MARK)
    found = _written(builder, plan, out)
    out.put(_MARK, plan.identity.encode())
    files = [msgspec.to_builtins(one) for one in found]
    for file in files:
        del file["contents"]
    documents = sum(one.documents for one in found)
    return {"made_from": plan.identity, "made": plan.made, "documents": documents, "files": files}


def _written(builder: Builder, plan: _Plan, out: Blobs) -> list[Written]:
    """The files: those of this build, then what the inherited ones have besides."""
    found: list[Written] = []
    with builder.progress.task("held-out list", len(plan.own) + len(plan.inherited), "files") as bar:
        for _, one in sorted(builder.executor.map(_write_own, plan.own), key=lambda pair: pair[0]):
            found += [one] if one is not None else []
            bar.advance(1, "")
        for n, (place, file) in enumerate(plan.inherited):  # one by one: each leaves out what those before it have
            pairs = np.frombuffer(b"".join(one.contents for one in found), "<u8").reshape(-1, 2)
            known = np.stack(sorted_pairs(pairs[:, 0], pairs[:, 1]), axis=1).astype("<u8").tobytes()
            task = InheritedTask(place, file, known, plan.removal, out, _path(len(plan.own) + n))
            found += [one for _, one in builder.executor.map(_write_inherited, [task]) if one is not None]
            bar.advance(1, "")
    return found


def paths(part: Mapping[str, Any]) -> set[str]:
    """The files of a list, and its mark."""
    return {file["path"] for file in part["files"]} | {_MARK} if part else set()
