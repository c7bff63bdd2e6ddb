"""Sealing the mixture: what each source has for training, and the table that follows from it."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec
import numpy as np

from corpus import tables
from corpus.identity import canonical, sha256
from corpus.mixture import FILE, Held, Mixed, Mixture, rates, settled
from corpus.pack import SPLITS, FileInfo, Shard
from corpus.recipe import Recipe
from corpus.store import Blobs

Map = Callable[[Callable[[Any], Any], Sequence[Any]], Iterator[tuple[int, Any]]]


class _RateTask(msgspec.Struct, frozen=True):
    out: Blobs
    path: str  # of the side table


def _rated(task: _RateTask) -> int:
    """Tokens of a shard, with each document as often as its cluster says."""
    docs = tables.read(task.out.get(task.path), ["tokens", "cluster_size"])
    tokens, sizes = (tables.combine(docs[name]).to_numpy() for name in ("tokens", "cluster_size"))
    return int((tokens.astype(np.int64) * rates(sizes)).sum())


def held(licences: Sequence[tuple[str, str]], shards: Sequence[Shard], rated: dict[str, int]) -> list[Held]:
    """What there is of each source, given as (name, licence), in its shards for training."""
    found = []
    for source, licence in licences:
        own = [s for s in shards if s.source == source and s.split == SPLITS[0]]
        tokens = sum(s.tokens for s in own)
        found.append(Held(source, licence, sum(s.documents for s in own), tokens, rated.get(source, tokens)))
    return found


def write(recipe: Recipe, shards: Sequence[Shard], out: Blobs, map_: Map) -> tuple[dict[str, Any], Mixed | None]:
    """Write the table of a build that has shards. -> what the manifest says of it, and the table."""
    said: dict[str, Any] = msgspec.to_builtins(recipe.mixture)
    if not shards:
        out.remove(FILE)
        return said | {"table": None}, None
    rated: dict[str, int] = {}
    if recipe.mixture.by_cluster:
        train = [s for s in shards if s.split == SPLITS[0]]
        for number, tokens in map_(_rated, [_RateTask(out, s.docs.path) for s in train]):
            rated[train[number].source] = rated.get(train[number].source, 0) + tokens
    mixed = settled(recipe.mixture, held([(s.name, s.licence) for s in recipe.sources], shards, rated))
    data = msgspec.json.format(canonical(mixed), indent=1) + b"\n"
    out.put(FILE, data)
    return said | {"table": msgspec.to_builtins(FileInfo(FILE, len(data), sha256(data)))}, mixed


def read(out: Blobs, manifest: dict[str, Any]) -> Mixed | None:
    """The sealed table of a build; None where it has no shards."""
    table = manifest["mixture"].get("table")
    return msgspec.json.decode(out.get(table["path"]), type=Mixed) if table else None


def problems(out: Blobs, manifest: dict[str, Any], shards: Sequence[Shard]) -> list[str]:
    """How a table whose bytes are right disagrees with the shards, or with what the manifest says of the mixture."""
    mixed = read(out, manifest)
    if mixed is None:
        return []
    there = held([(s["name"], s["licence"]) for s in manifest["sources"]], shards, {})
    found = [
        f"`{row.source}`: {row.documents} documents, {row.tokens} tokens; its shards have {one.documents}, {one.tokens}"
        for row, one in zip(mixed.sources, there, strict=False)
        if (row.source, row.documents, row.tokens) != (one.source, one.documents, one.tokens)
    ]
    if len(there) != len(mixed.sources):
        found.append(f"has {len(mixed.sources)} sources, the build {len(there)}")
    said = msgspec.convert({k: v for k, v in manifest["mixture"].items() if k != "table"}, Mixture)
    if not found and not said.by_cluster and settled(said, there) != mixed:
        found.append("is not what follows from the mixture of the manifest and the shards")
    return found
