"""Spot check: random tokens of a build, each traced to its record and made again from the raw bytes.

Tokens are drawn by a hash of (seed, number of the draw), with replacement, uniformly over the build. The documents that
they lie in are grouped by partition, and each partition is replayed once, whatever was drawn of it: its chain runs
again from the input file, every column is compared with its record, and the ids of each drawn document, all of them,
with the shard. One partition is held at a time.
"""

from collections.abc import Iterator

import msgspec
import numpy as np
from rich.console import Group, RenderableType
from rich.text import Text

from corpus import tables
from corpus.errors import InputError, VerifyError
from corpus.findings import Finding
from corpus.graph import Graph
from corpus.id_order import halves, joined, mix
from corpus.opened import Build
from corpus.pack import Shard
from corpus.progress import Progress, printable
from corpus.store import Blobs
from corpus.trace import replayed

_SHOWN = 50
_GOLDEN = 0x9E3779B97F4A7C15


class Checked(msgspec.Struct):
    """What was drawn, what was made again, and what differed.

    tokens     drawn; `same` of them lie in documents whose tokens came out equal
    documents  distinct ones that they lie in, with `document_tokens` tokens
    columns    of stages, by partition, whose digests were computed again and agreed
    """

    seed: int
    tokens: int
    same: int = 0
    documents: int = 0
    document_tokens: int = 0
    partitions: int = 0
    columns: int = 0
    wrong: list[Finding] = []

    @property
    def ok(self) -> bool:
        return not self.wrong and self.same == self.tokens


class _Drawn(msgspec.Struct, frozen=True):
    """A document that was drawn: its shard and range, and how many of the draws are in it."""

    shard: Shard
    start: int
    stop: int
    id: bytes
    row: int
    draws: int


def spot_check(
    out: Blobs, store: Blobs, graph: Graph, count: int, seed: int = 0, progress: Progress | None = None
) -> Checked:
    """Check `count` tokens. What differs is in `wrong`. InputError where the build has no token, or an input file is
    missing or has changed."""
    build = Build(out, store)
    total = sum(shard.tokens for shard in build.shards)
    if not total:
        raise InputError(f"{out.root}: this build has no tokens to draw from.")
    found = Checked(seed, count)
    grouped: dict[int, list[_Drawn]] = {}
    for partition, drawn in _draw(build, draws(count, total, seed)):
        grouped.setdefault(partition, []).append(drawn)
    progress = progress or Progress(quiet=True)
    with progress.task("replay", len(grouped), "partitions") as bar:
        for key in sorted(grouped):
            _check(build, graph, key, grouped[key], found)
            bar.advance(1, "")
    return found


def draws(count: int, total: int, seed: int) -> np.ndarray:
    """int64[count], ascending: positions in [0, total)."""
    start = mix(np.array([seed], np.uint64))
    with np.errstate(over="ignore"):
        values = mix(start + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(_GOLDEN))
    return np.sort((values % np.uint64(total)).astype(np.int64))  # the bias is below total / 2**64


def _draw(build: Build, at: np.ndarray) -> Iterator[tuple[int, _Drawn]]:
    """(partition, document) of every document that a position is in. One side table is held at a time."""
    before = 0
    for shard in build.shards:
        own = at[(at >= before) & (at < before + shard.tokens)] - before
        before += shard.tokens
        if not len(own):
            continue
        docs = tables.read(build.out.get(shard.docs.path))
        starts = docs["start"].to_numpy()
        places, counts = np.unique(np.searchsorted(starts, own, side="right") - 1, return_counts=True)
        for place, many in zip(places.tolist(), counts.tolist(), strict=True):
            start, tokens, identity, partition, row = (
                docs[name][place].as_py() for name in ("start", "tokens", "id", "partition", "row")
            )
            yield partition, _Drawn(shard, start, start + tokens, identity, row, many)


def _check(build: Build, graph: Graph, key: int, drawn: list[_Drawn], found: Checked) -> None:
    partition = build.partition(key)
    found.partitions += 1
    found.documents += len(drawn)
    found.document_tokens += sum(one.stop - one.start for one in drawn)
    try:
        with replayed(build, graph, partition) as (walk, columns):
            found.columns += columns
            end = len(walk.records)
            hi, lo = halves(walk.column("id", end))
            order = np.lexsort((lo, hi))
            ids, rows = joined(hi[order], lo[order]).to_pylist(), walk.origins(end)
            place = dict(zip(ids, order.tolist(), strict=True))
            tokens = walk.column("tokens", end)
            for one in drawn:
                packed = build.tokens(one.shard, one.start, one.stop)
                at = place.get(one.id)
                again = None if at is None else tokens[at].values.to_numpy(zero_copy_only=False)
                if again is None or int(rows[at]) != one.row:
                    problem = f"document {one.id.hex()}: replayed from {partition.path}, it is not in row {one.row}"
                elif not np.array_equal(again, packed[:-1]):
                    problem = (
                        f"document {one.id.hex()}: replayed from {partition.path}, it gives {len(again)} tokens, "
                        f"the shard holds {len(packed) - 1}, or others"
                    )
                else:
                    found.same += one.draws
                    continue
                found.wrong.append(Finding(one.shard.path, problem))
    except VerifyError as error:
        found.wrong.append(Finding(partition.path, str(error)))


def show(found: Checked) -> RenderableType:
    """For a terminal."""
    lines = [
        Text(
            f"{found.same:,} of {found.tokens:,} tokens (seed {found.seed}) came out the same, from the raw bytes of "
            f"{found.partitions:,} partitions: {found.documents:,} documents of {found.document_tokens:,} tokens, "
            f"{found.columns:,} columns",
            style="green" if found.ok else "red",
        )
    ]
    for one in found.wrong[:_SHOWN]:
        lines.append(Text(printable(f"wrong  {one.file}  {one.problem}")))
    if len(found.wrong) > _SHOWN:
        lines.append(Text(f"… and {len(found.wrong) - _SHOWN:,} more; --json lists all", style="dim"))
    return Group(*lines)
