"""Pairs: a document that an exchange dropped, beside the one that it was compared with, before a build is sealed.

No index says yet where an id is, so columns of ids are read over the whole scope, one partition at a time. Rows of a
verdict, and documents, are picked by hashes of ids, so the same ones are shown every time.
"""

from collections.abc import Iterable
from io import StringIO

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from corpus.assets import place_of
from corpus.build import Builder
from corpus.exchange import Exchange
from corpus.graph import Partition, Segment
from corpus.id_order import halves, order_of
from corpus.index import find_id
from corpus.kin import Found
from corpus.opened import Tables
from corpus.progress import printable
from corpus.sides import GAP, OWN, Piece, sides
from corpus.standing import open_build
from corpus.store import Blobs

PAIRS = 3
_SEED = 0x4752  # of the hash that picks
_BATCH = 64  # partitions of one task
_CHARACTERS = 320  # of each side
_WIDTH = 116


class Pair(msgspec.Struct, frozen=True, order=True):
    """A document that was dropped, and the one that stays. The least alike sort first."""

    similarity: float  # of an exchange that measures none: 1
    hash: int
    partition: int
    row: int
    id: bytes
    partner: bytes
    rare: float
    code: str


class Verdicts:
    """What the exchange at step k wrote about a partition, of the rows that it dropped for another document."""

    def __init__(self, store: Blobs, partition: Partition, k: int) -> None:
        seen = Tables(store, partition)
        names = seen.stored(k)
        partner = next((name for name in ("partner", "url_partner") if name in names), None)
        drop = seen.column(k, "drop")
        there = drop.is_valid() if partner is None else pc.and_(drop.is_valid(), seen.column(k, partner).is_valid())
        places = np.flatnonzero(np.asarray(there))
        chosen = pa.array(places)
        self.partition = partition.key
        self.row = seen.rows(k)[places]
        self.code = drop.take(chosen)
        self.ids = seen.column(seen.level(k), "id").take(pa.array(self.row))
        self.partner = self.ids if partner is None else seen.column(k, partner).take(chosen)
        one = np.ones(len(places), np.float32)
        self.similarity, self.rare = (
            seen.column(k, name).take(chosen).to_numpy() if name in names else one
            for name in ("similarity", "rare_similarity")
        )
        self.cluster: pa.Array | None = None
        self.size = np.zeros(len(places), np.int64)
        if "cluster" in names and "cluster_size" in names:
            self.cluster = seen.column(k, "cluster").take(chosen)
            self.size = pc.fill_null(seen.column(k, "cluster_size").take(chosen), 0).to_numpy().astype(np.int64)

    def any(self) -> list[Pair]:
        """Up to PAIRS, of the smallest hashes."""
        hashed = order_of(*halves(self.ids), _SEED)
        return [self._pair(i, int(hashed[i])) for i in np.argsort(hashed, kind="stable")[:PAIRS].tolist()]

    def least_alike(self, among: np.ndarray) -> list[Pair]:
        """Up to PAIRS of some rows; hashes break ties."""
        hashed = order_of(*halves(self.ids.take(pa.array(among))), _SEED)
        order = np.lexsort((hashed, self.similarity[among]))[:PAIRS].tolist()
        return [self._pair(int(among[i]), int(hashed[i])) for i in order]

    def _pair(self, i: int, hashed: int) -> Pair:
        ids = self.ids[i].as_py(), self.partner[i].as_py()
        alike = float(self.similarity[i])
        return Pair(alike, hashed, self.partition, int(self.row[i]), *ids, float(self.rare[i]), self.code[i].as_py())


Members = tuple[tuple[Partition, int], ...]  # partitions, with the position of the exchange in their chains


def batches(builder: Builder, segment: Segment) -> list[Members]:
    """All partitions that the exchange of a segment decides about, as tasks take them."""
    every = [(p, segment.until[s]) for s in segment.sources for p in builder.partitions[s]]
    return [tuple(every[i : i + _BATCH]) for i in range(0, len(every), _BATCH)]


# -- documents by id ---------------------------------------------------------------------------------------------------


class _Find(msgspec.Struct, frozen=True):
    store: Blobs
    members: Members
    ids: frozenset[bytes]


def _find(task: _Find) -> list[tuple[bytes, int, int]]:
    """(id, partition, row) of the documents of these ids that stay."""
    wanted = pa.array(sorted(task.ids), pa.binary(16))
    found = []
    for partition, k in task.members:
        seen = Tables(task.store, partition)
        rows = seen.living(k)
        ids = seen.column(seen.level(k), "id").take(pa.array(rows))
        for i in np.flatnonzero(np.asarray(pc.is_in(ids, wanted))).tolist():
            found.append((ids[i].as_py(), partition.key, int(rows[i])))
    return found


def _partners(builder: Builder, segment: Segment, stage: Exchange, ids: frozenset[bytes]) -> dict[bytes, Found]:
    """Documents that stay, of this build or of those that it stands on."""
    here = {p.key: (p, k) for members in batches(builder, segment) for p, k in members}
    found: dict[bytes, Found] = {}
    for name in stage.stands_on:
        build = open_build(place_of(name, builder.recipe.path.parent))
        for one in sorted(ids):
            for root, level, row in find_id(build.out, build.manifest, one):
                seen = Tables(build.store, build.partition(root))
                found[one] = Found(one, seen, level, row, len(seen.records), name)
    tasks = [_Find(builder.store, members, ids) for members in batches(builder, segment)]
    for _, places in builder.executor.map(_find, tasks):
        for one, key, row in places:
            partition, k = here[key]
            seen = Tables(builder.store, partition)
            found[one] = Found(one, seen, seen.level(k), row, k)
    return found


# -- side by side ------------------------------------------------------------------------------------------------------


def show(builder: Builder, segment: Segment, stage: Exchange, pairs: Iterable[Pair]) -> list[str]:
    """Each pair in two columns, for a terminal of 120: dropped, and stays; words that differ stand in [[ ]]."""
    pairs = list(pairs)
    partners = _partners(builder, segment, stage, frozenset(pair.partner for pair in pairs))
    here = {p.key: (p, k) for members in batches(builder, segment) for p, k in members}
    shown = []
    for pair in pairs:
        partition, k = here[pair.partition]
        seen = Tables(builder.store, partition)
        own = Found(pair.id, seen, seen.level(k), pair.row, k)
        shown.append(_side_by_side(pair, own, partners.get(pair.partner), "similarity" in stage.adds))
    return shown


def _side_by_side(pair: Pair, own: Found, other: Found | None, measured: bool) -> str:
    grid = Grid(box=None, width=_WIDTH, pad_edge=False, padding=(0, 3, 0, 0), show_header=False)
    for _ in range(2):
        grid.add_column(ratio=1, overflow="fold")
    place = _place(other) if other is not None else pair.partner.hex()
    grid.add_row(Text(f"dropped: {_place(own)}"), Text(f"stays: {place}"))
    one, two = (" ".join(found.text.split()) if found is not None else "" for found in (own, other))
    grid.add_row(*(Text(_marked(side)) for side in sides(one, two, _CHARACTERS)))
    to = StringIO()
    Console(file=to, width=_WIDTH, color_system=None).print(grid)
    head = pair.code.replace("_", " ")
    if measured and (pair.similarity, pair.rare) != (1, 1):
        head += f": similarity {pair.similarity:.3f} on all shingles, {pair.rare:.3f} on rare ones"
    return "\n".join([head, *(f"  {line.rstrip()}" for line in to.getvalue().splitlines())])


def _place(one: Found) -> str:
    kin = one.kin
    return printable(", ".join(part for part in (kin.build, kin.source, kin.url or kin.path) if part))


def _marked(side: list[Piece]) -> str:
    shown = ""
    for piece in side:
        text = printable(piece.text)
        if piece.kind == GAP:
            text = f" … {piece.left_out:,} characters …" if piece.left_out else " …"
        shown += f"[[{text}]]" if piece.kind == OWN else text
    return shown or "(no text is stored)"
