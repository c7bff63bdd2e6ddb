"""Which documents windows of tokens are cut from: what a training batch was made of.

A window is a range of the training tokens of a source, its shards laid end to end in the order of the manifest and
closed to a ring. Which windows a batch has is the trainer's law, and none of this module's business.
"""

from collections.abc import Sequence
from typing import Protocol

import msgspec
import numpy as np
import pyarrow as pa
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from corpus import tables
from corpus.errors import InputError
from corpus.explain import origin
from corpus.opened import Build, Tables
from corpus.pack import Shard
from corpus.progress import printable

_SHOWN = 200  # pieces; --json lists all


class Window(Protocol):
    """Tokens [start, start + tokens) of the ring of `source`."""

    @property
    def sample(self) -> int: ...
    @property
    def source(self) -> str: ...
    @property
    def start(self) -> int: ...
    @property
    def tokens(self) -> int: ...


class Piece(msgspec.Struct, frozen=True):
    """Tokens [start, stop) of a shard, all of one document, as they stand in a window from its token `at` on.

    of      tokens of the whole document, its end mark counted
    record  ordinal in the input file
    """

    sample: int
    at: int
    shard: str
    start: int
    stop: int
    of: int
    id: str
    source: str
    path: str
    record: int
    url: str | None


class _Cut(msgspec.Struct, frozen=True):
    sample: int
    at: int
    start: int
    stop: int


def pieces(build: Build, windows: Sequence[Window]) -> list[Piece]:
    """The pieces of every window, in the order of the windows and of their tokens. Each side table and each partition
    that has a part in them is opened once; one of each is held at a time."""
    cuts: dict[str, list[_Cut]] = {}
    shards = {shard.path: shard for shard in build.shards}
    for window in windows:
        ring = build.splits(window.source).get("train", []) if window.source in build.sources else []
        for shard, cut in _cuts(ring, window):
            cuts.setdefault(shard.path, []).append(cut)
    named: dict[int, list[tuple[_Cut, Shard, int, int, int, bytes, int]]] = {}
    for path, own in cuts.items():
        docs = tables.read(build.out.get(shards[path].docs.path))
        starts = docs["start"].to_numpy()
        for cut in own:
            first = int(np.searchsorted(starts, cut.start, side="right")) - 1
            last = int(np.searchsorted(starts, cut.stop, side="left"))
            for start, tokens, identity, key, row in zip(
                *(docs[name][first:last].to_pylist() for name in ("start", "tokens", "id", "partition", "row")),
                strict=True,
            ):
                begin, end = max(start, cut.start), min(start + tokens, cut.stop)
                if begin < end:
                    named.setdefault(key, []).append((cut, shards[path], begin, end, tokens, identity, row))
    found = []
    for key, those in named.items():
        seen = Tables(build.store, build.partition(key))
        urls = _urls(seen, sorted({one[-1] for one in those}))
        for cut, shard, begin, end, of, identity, row in those:
            source, path, record = origin(seen.partition, row)
            at = cut.at + begin - cut.start
            found.append(
                Piece(cut.sample, at, shard.path, begin, end, of, identity.hex(), source, path, record, urls.get(row))
            )
    place = {window.sample: i for i, window in enumerate(windows)}
    return sorted(found, key=lambda piece: (place[piece.sample], piece.at))


def _cuts(ring: list[Shard], window: Window) -> list[tuple[Shard, _Cut]]:
    """The window as ranges of shards."""
    total = sum(shard.tokens for shard in ring)
    if not total:
        raise InputError(f"source `{window.source}` has no training shards in this build.")
    found, done = [], 0
    while done < window.tokens:
        at, before = (window.start + done) % total, 0
        for shard in ring:
            if at < before + shard.tokens:
                taken = min(window.tokens - done, before + shard.tokens - at)
                cut = _Cut(window.sample, done, at - before, at - before + taken)
                found.append((shard, cut))
                done += taken
                break
            before += shard.tokens
    return found


def _urls(seen: Tables, rows: list[int]) -> dict[int, str | None]:
    if "url" not in seen.stored(0):
        return {}
    places = np.searchsorted(seen.rows(0), np.array(rows, np.uint32))
    return dict(zip(rows, seen.column(0, "url").take(pa.array(places)).to_pylist(), strict=True))


def show(found: list[Piece]) -> RenderableType:
    """For a terminal."""
    samples, documents = len({p.sample for p in found}), len({p.id for p in found})
    tokens = sum(p.stop - p.start for p in found)
    lines: list[RenderableType] = [
        Text(f"{samples:,} samples of {tokens:,} tokens, cut from {documents:,} documents", style="bold")
    ]
    table = Table(box=None, pad_edge=False)
    for name in ("sample", "tokens", "document", "of", "source", "record"):
        table.add_column(name)
    for p in found[:_SHOWN]:
        table.add_row(
            f"{p.sample:,}",
            f"{p.at:,} to {p.at + p.stop - p.start:,}",
            p.id,
            f"{p.stop - p.start:,} of {p.of:,}",
            printable(p.source),
            printable(p.url or f"{p.path}, {p.record:,}"),
        )
    lines.append(table)
    if len(found) > _SHOWN:
        lines.append(Text(f"… and {len(found) - _SHOWN:,} more; --json lists all", style="dim"))
    return Group(*lines)
