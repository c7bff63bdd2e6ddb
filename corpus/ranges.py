"""Forward: from a URL or an id to every range of tokens that it became.

A page may be cut into parts, which lie apart in the shards, and parts may leave; so the answer is a list of ranges, and
what left on the way by stage and reason. The index says where the record is; then one table per stage and one side
table per shard are read, whatever the size of the build.
"""

from collections import Counter

import msgspec
import numpy as np
import pyarrow as pa
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from corpus import index
from corpus.errors import InputError
from corpus.explain import origin
from corpus.opened import Build, Tables
from corpus.progress import printable
from corpus.removal import sealed_list
from corpus.store import Blobs
from corpus.tables import combine

_SHOWN = 200  # ranges; --json lists all


class Range(msgspec.Struct, frozen=True):
    """Tokens [start, stop) of a shard: a document and the token that ends it.

    token  position of `start` in the build, over its shards in the order of the manifest
    bytes  of the text that the document was last cut from; None where it is all of it
    """

    shard: str
    split: str
    start: int
    stop: int
    token: int
    id: str
    bytes: tuple[int, int] | None


class Found(msgspec.Struct):
    """A record, and what became of it. `left`: parts, or all of it, that are in no shard, by stage and reason."""

    id: str
    source: str
    path: str
    record: int
    url: str | None
    ranges: list[Range] = []
    left: dict[str, int] = {}

    @property
    def tokens(self) -> int:
        return sum(r.stop - r.start for r in self.ranges)


def find(out: Blobs, store: Blobs, url: str | None = None, id: str | None = None) -> list[Found]:
    """Of each record with this URL, or of the document or part with this id (32 hex digits): its ranges, in the order
    of the build. InputError where the build has no shards, or nothing of that name."""
    build = Build(out, store)
    if not build.shards:
        raise InputError(f"{out.root}: this build has no shards: its manifest has no `pack` stage.")
    found = []
    if id is not None:
        for root, level, row in index.find_id(out, build.manifest, index.parse_id(id)):
            found.append(_follow(build, Tables(store, build.partition(root)), level, row))
    else:
        for root, row in index.find_url(out, build.manifest, str(url)):
            seen = Tables(store, build.partition(root))
            if (seen.values(0, row, ["url"]) or {}).get("url") == url:  # not one whose hash is the same
                found.append(_follow(build, seen, 0, row))
    if not found:
        raise InputError(f"{out.root}: {_absent(build, url, id)}")
    return sorted(found, key=lambda one: (one.source, one.path, one.record))


def _absent(build: Build, url: str | None, id: str | None) -> str:
    removal = sealed_list(build.out, build.manifest)
    named = removal is not None and (
        removal.names_url(url) if url is not None else removal.names_id(bytes.fromhex(id or ""))
    )
    what = f"the URL {url}" if url is not None else f"the id {id}"
    if named:
        return f"taken down: the removal list of this build names {what}. No token of it is in the build."
    return f"no record has {what}. It is compared letter by letter. `corpus explain` tells of one that left."


def _follow(build: Build, seen: Tables, level: int, row: int) -> Found:
    first = seen.ancestor(row, level)
    source, path, record = origin(seen.partition, first)
    url = (seen.values(0, first, ["url"]) or {}).get("url")
    found = Found(seen.column(level, "id")[row].as_py().hex(), source, path, record, url)
    rows, left = survivors(seen, level, np.array([row]), build.labels(source))
    found.left = dict(left)
    last = seen.level(len(seen.records) - 1)
    ids = combine(seen.column(last, "id").take(pa.array(rows)))
    places = build.places(source, ids.to_pylist())
    before = dict(zip((s.path for s in build.shards), np.cumsum([0, *(s.tokens for s in build.shards)]).tolist()))
    for identity, own in zip(ids.to_pylist(), rows.tolist(), strict=True):
        place = places[identity]
        found.ranges.append(
            Range(
                place.shard, place.split, place.start, place.stop, before[place.shard] + place.start, identity.hex(),
                part(seen, last, own),
            )
        )  # fmt: skip
    found.ranges.sort(key=lambda r: r.token)
    return found


def survivors(seen: Tables, level: int, rows: np.ndarray, labels: list[str]) -> tuple[np.ndarray, Counter[str]]:
    """Of rows in the numbering of `level`: the rows that they end as, in the numbering of the last stage, and what
    left on the way."""
    left: Counter[str] = Counter()
    for k in range(level + (level > 0), len(seen.records)):
        if k and "parents" in seen.records[k].columns:
            made = np.flatnonzero(np.isin(seen.parents(k)[0], rows))
            whole = np.unique(seen.parents(k)[0][made])
            if len(whole) < len(rows):
                left[f"{labels[k]}: cut whole"] += len(rows) - len(whole)
            rows = made
            continue
        drop = seen.column(k, "drop").take(pa.array(np.searchsorted(seen.rows(k), rows)))
        left.update(f"{labels[k]}: {code}" for code in drop.drop_null().to_pylist())
        rows = rows[np.asarray(drop.is_null())]
    return rows, left


def part(seen: Tables, level: int, row: int) -> tuple[int, int] | None:
    """Bytes of the text that the document was last cut from; None where it was not cut."""
    while level:
        parent, start, end = (int(values[row]) for values in seen.parents(level))
        above = seen.level(level - 1)
        if seen.column(level, "id")[row] != seen.column(above, "id")[parent]:
            return start, end
        row, level = parent, above
    return None


def show(found: list[Found]) -> RenderableType:
    """For a terminal."""
    return Group(*(line for one in found for line in _lines(one)))


def _lines(one: Found) -> list[RenderableType]:
    lines: list[RenderableType] = [
        Text(printable(one.url or one.id), style="bold"),
        Text(
            printable(
                f"{one.source}: {one.path}, record {one.record:,}; {one.tokens:,} tokens in {len(one.ranges):,} places"
            )
        ),
    ]
    if one.ranges:
        table = Table(box=None, pad_edge=False)
        for name in ("shard", "tokens", "first of the build", "document", "bytes of the text"):
            table.add_column(name)
        for r in one.ranges[:_SHOWN]:
            where = "all" if r.bytes is None else f"{r.bytes[0]:,} to {r.bytes[1]:,}"
            table.add_row(printable(r.shard), f"{r.start:,} to {r.stop:,}", f"{r.token:,}", r.id, where)
        lines.append(table)
    if len(one.ranges) > _SHOWN:
        lines.append(Text(f"… and {len(one.ranges) - _SHOWN:,} more; --json lists all", style="dim"))
    lines += [Text(printable(f"not packed: {count:,} by {why}"), style="yellow") for why, count in one.left.items()]
    return lines
