"""Dedup: of documents that say the same, keep one; nothing leaves without evidence.

reads exact, minhash (see `sign.py`), content, id
adds  cluster (id of the survivor; null where a document stands alone), partner (id of the document that it was
      compared with), similarity (share of equal signature positions, 1 for equal keys), cluster_size
drops `exact_duplicate`, `near_duplicate`, with "0.9365 of <partner>" in `detail`

Banding only proposes: documents that share a band of their signatures, or their whole key, become candidate pairs (each
with the first and with the previous of its group: stars and chains, not cliques). A pair counts only when the full
signatures agree in `threshold` of their positions, or the 128-bit keys are equal. Confirmed pairs are joined to clusters
by union-find, and one document of each cluster survives: of the source with the lowest priority number, then of the
smallest `content`, then of the smallest id. Order of arrival, bundling of tasks and number of workers have no part in it.

With b bands of r rows a pair of similarity s becomes a candidate with probability 1 - (1 - s**r)**b (Leskovec,
Rajaraman and Ullman, Mining of Massive Datasets, 3.4.2): 0.986 at 0.8 for 18 bands of 7.

Memory of the one task that joins clusters: 8 bytes per document of the scope (union-find 4, cluster sizes 4).
"""

from collections.abc import Callable, Iterator
from typing import ClassVar

import numba as nb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from corpus.errors import RecipeError
from corpus.exchange import Emit, Exchange, Fields, Group, Join, Part, Round, Settle, Solve
from corpus.pack import halves, joined, mix
from corpus.stage import Columns
from stages.minhash import agreement, bands

Blocks = Iterator[np.ndarray]

_EXACT_TAG = np.uint64(0x45584143)
_KEYS: Fields = (("key", "<u8"), ("doc", "<u8"))
_PAIRS: Fields = (("key", "<u8"), ("other", "<u8"))
# `order` is ascending in evidence: 0 for equal keys, then by falling similarity in steps of 2**-12
_EDGES: Fields = (("key", "<u8"), ("order", "<u4"), ("other", "<u8"))
_CLUSTERED: Fields = (("key", "<u8"), ("root", "<u8"), ("size", "<u4"), ("order", "<u4"), ("partner", "<u8"))
_DESCRIBED: Fields = (
    ("key", "<u8"), ("priority", "<u4"), ("content_hi", "<u8"), ("content_lo", "<u8"), ("id_hi", "<u8"), ("id_lo", "<u8"),
    ("doc", "<u8"), ("size", "<u4"), ("order", "<u4"), ("partner", "<u8"),
)  # fmt: skip
_CHOSEN: Fields = (
    ("key", "<u8"), ("doc", "<u8"), ("survivor_hi", "<u8"), ("survivor_lo", "<u8"), ("size", "<u4"), ("order", "<u4"),
    ("dropped", "u1"),
)  # fmt: skip
_NAMED: Fields = (*_CHOSEN, ("partner_hi", "<u8"), ("partner_lo", "<u8"))


@nb.njit(cache=True, nogil=True)
def _root(parent, i):  # type: ignore[no-untyped-def]
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i


@nb.njit(cache=True, nogil=True)
def _unite(parent, one, other):  # type: ignore[no-untyped-def]
    """Join pairs; the root of a cluster is its smallest number, so labels do not depend on the order of pairs."""
    for i in range(one.size):
        a, b = _root(parent, one[i]), _root(parent, other[i])
        if a < b:
            parent[b] = a
        elif b < a:
            parent[a] = b


@nb.njit(cache=True, nogil=True)
def _roots(parent, numbers, out):  # type: ignore[no-untyped-def]
    for i in range(numbers.size):
        out[i] = _root(parent, numbers[i])


def _firsts(key: np.ndarray, before: int | None) -> np.ndarray:
    """Which elements of a sorted array begin a group, given the last key of the block before."""
    fresh = np.empty(len(key), dtype=bool)
    fresh[0] = before is None or int(key[0]) != before
    fresh[1:] = key[1:] != key[:-1]
    return fresh


def _make(fields: Fields, **columns: np.ndarray | int) -> np.ndarray:
    length = max(len(c) for c in columns.values() if isinstance(c, np.ndarray))
    records = np.zeros(length, np.dtype(list(fields)))
    for name, values in columns.items():
        records[name] = values
    return records


class Dedup(Exchange, frozen=True, kw_only=True, tag="dedup"):
    """Parameters: `bands` and `rows` of the signature (their product is how many of its positions are used), and the
    `threshold` on the share of equal positions. RecipeError where one is out of range."""

    revision: ClassVar[int] = 1
    reads: ClassVar[tuple[str, ...]] = ("exact", "minhash", "content", "id")
    adds: ClassVar[dict[str, pa.DataType]] = {
        "cluster": pa.binary(16),
        "partner": pa.binary(16),
        "similarity": pa.float32(),
        "cluster_size": pa.uint32(),
    }
    may_drop: ClassVar[bool] = True

    bands: int = 18
    rows: int = 7
    threshold: float = 0.8

    def __post_init__(self) -> None:
        for name in ("bands", "rows"):
            value = getattr(self, name)
            if not 1 <= value <= 1024:
                raise RecipeError(f".{name}: got {value}. Expected 1 to 1024.")
        if not 0 < self.threshold <= 1:
            raise RecipeError(f".threshold: got {self.threshold}. Expected more than 0, and at most 1.")

    @property
    def positions(self) -> int:
        """Signature positions compared."""
        return self.bands * self.rows

    @property
    def rounds(self) -> tuple[Round, ...]:  # type: ignore[override]
        attached: Fields = (
            ("key", "<u8"), ("doc", "<u8"), ("exact_hi", "<u8"), ("exact_lo", "<u8"), ("minhash", f"V{4 * self.positions}"),
        )  # fmt: skip
        described = ("key", "priority", "content_hi", "content_lo", "id_hi", "id_lo")
        return (
            Emit("keys", ("exact", "minhash"), _KEYS, combine=True),
            Group("pairs", _PAIRS, ("key", "other"), numbers=("key", "other")),
            Join("attach", ("exact", "minhash"), attached, ("key", "doc")),
            Join("confirm", ("exact", "minhash"), _EDGES, ("key", "order", "other")),
            Solve("clusters", _CLUSTERED),
            Join("describe", ("content", "id"), _DESCRIBED, described),
            Group("choose", _CHOSEN, ("key", "doc")),
            Join("name_partner", ("id",), _NAMED),
            Settle("verdict", ()),
        )

    def _signatures(self, column: pa.Array) -> np.ndarray:
        """uint32 (documents, positions)"""
        width = column.type.byte_width // 4
        if width < self.positions:
            raise RecipeError(
                f"`{self.label}`: {self.bands} bands of {self.rows} rows need {self.positions} permutations, "
                f"the signatures have {width}. Lower `bands` or `rows`, or raise `permutations` of the `sign` stage."
            )
        flat = np.frombuffer(column.buffers()[1], dtype="<u4")
        return flat[column.offset * width : (column.offset + len(column)) * width].reshape(-1, width)[:, : self.positions]

    # -- rounds ----------------------------------------------------------------------------------------------------

    def keys(self, batch: pa.RecordBatch, part: Part) -> np.ndarray:
        """One record for each band of each signature, and one for the whole key."""
        there = np.flatnonzero(np.asarray(batch["exact"].is_valid()))
        signatures = np.ascontiguousarray(self._signatures(batch["minhash"])[there])
        hi, lo = halves(batch["exact"])
        exact = mix(mix(hi[there] ^ _EXACT_TAG) + lo[there])
        keys = np.concatenate([bands(signatures, self.bands, self.rows), exact[:, None]], axis=1)
        return _make(_KEYS, key=keys.ravel(), doc=np.repeat(there, keys.shape[1]).astype(np.uint64))

    def pairs(self, blocks: Blocks) -> Blocks:
        """In each group of one key: every document with the first and with the one before it."""
        before, first, previous = None, 0, 0
        for block in blocks:
            key, doc = block["key"], block["doc"]
            fresh = _firsts(key, before)
            begin = np.maximum.accumulate(np.where(fresh, np.arange(len(key)), -1))
            head = np.where(begin >= 0, doc[begin], np.uint64(first))
            earlier = np.concatenate([np.array([previous], np.uint64), doc[:-1]])
            star = ~fresh & (doc != head)
            chain = star & (earlier != head) & (earlier != doc)
            yield _make(
                _PAIRS,
                key=np.concatenate([doc[star], doc[chain]]),
                other=np.concatenate([head[star], earlier[chain]]),
            )
            before, first, previous = int(key[-1]), int(head[-1]), int(doc[-1])

    def attach(self, records: np.ndarray, position: np.ndarray, batch: pa.RecordBatch, part: Part) -> np.ndarray:
        """Candidate pairs, once each, with the key and signature of the later document."""
        again = np.zeros(len(records), dtype=bool)
        again[1:] = (records["key"][1:] == records["key"][:-1]) & (records["other"][1:] == records["other"][:-1])
        records, position = records[~again], position[~again]
        hi, lo = halves(batch["exact"])
        signatures = np.ascontiguousarray(self._signatures(batch["minhash"])[position])
        return _make(
            self.rounds[2].fields,  # type: ignore[union-attr]
            key=records["other"],
            doc=records["key"],
            exact_hi=hi[position],
            exact_lo=lo[position],
            minhash=signatures.view(f"V{4 * self.positions}").ravel(),
        )

    def confirm(self, records: np.ndarray, position: np.ndarray, batch: pa.RecordBatch, part: Part) -> np.ndarray:
        """Pairs whose full signatures agree, or whose keys are equal; in both directions."""
        hi, lo = halves(batch["exact"])
        own = np.ascontiguousarray(self._signatures(batch["minhash"])[position])
        theirs = np.ascontiguousarray(records["minhash"]).view("<u4").reshape(-1, self.positions)
        share = agreement(own, theirs)
        exact = (hi[position] == records["exact_hi"]) & (lo[position] == records["exact_lo"])
        order = np.where(exact, 0, 4097 - np.rint(share * 4096).astype(np.int64)).astype(np.uint32)
        found = exact | (share >= self.threshold)
        one, other, order = records["key"][found], records["doc"][found], order[found]
        return _make(
            _EDGES,
            key=np.concatenate([one, other]),
            order=np.concatenate([order, order]),
            other=np.concatenate([other, one]),
        )

    def clusters(self, blocks: Callable[[], Blocks], documents: int) -> Blocks:
        """Union-find over all confirmed pairs; every document of a cluster with its root and its best pair."""
        parent = np.arange(documents, dtype=np.uint32)
        for block in blocks():
            _unite(parent, block["key"].astype(np.uint32), block["other"].astype(np.uint32))
        sizes = np.zeros(documents, dtype=np.uint32)
        for members in self._members(blocks()):
            np.add.at(sizes, self._root_of(parent, members), 1)
        for members in self._members(blocks()):
            root = self._root_of(parent, members)
            yield _make(
                _CLUSTERED, key=members["key"], root=root, size=sizes[root], order=members["order"], partner=members["other"]
            )

    @staticmethod
    def _members(blocks: Blocks) -> Blocks:
        """The first, so the best, pair of each document."""
        before = None
        for block in blocks:
            yield block[_firsts(block["key"], before)]
            before = int(block["key"][-1])

    @staticmethod
    def _root_of(parent: np.ndarray, members: np.ndarray) -> np.ndarray:
        root = np.empty(len(members), dtype=np.uint64)
        _roots(parent, members["key"].astype(np.uint32), root)
        return root

    def describe(self, records: np.ndarray, position: np.ndarray, batch: pa.RecordBatch, part: Part) -> np.ndarray:
        """What decides who survives, keyed by cluster."""
        content_hi, content_lo = halves(batch["content"])
        id_hi, id_lo = halves(batch["id"])
        return _make(
            _DESCRIBED,
            key=records["root"],
            priority=part.priority,
            content_hi=content_hi[position],
            content_lo=content_lo[position],
            id_hi=id_hi[position],
            id_lo=id_lo[position],
            doc=records["key"],
            **{name: records[name] for name in ("size", "order", "partner")},
        )

    def choose(self, blocks: Blocks) -> Blocks:
        """The first of each cluster survives: records are sorted by what decides."""
        before, hi, lo = None, 0, 0
        for block in blocks:
            fresh = _firsts(block["key"], before)
            begin = np.maximum.accumulate(np.where(fresh, np.arange(len(block)), -1))
            survivor_hi = np.where(begin >= 0, block["id_hi"][begin], np.uint64(hi))
            survivor_lo = np.where(begin >= 0, block["id_lo"][begin], np.uint64(lo))
            yield _make(
                _CHOSEN,
                key=block["partner"],
                survivor_hi=survivor_hi,
                survivor_lo=survivor_lo,
                dropped=~fresh,
                **{name: block[name] for name in ("doc", "size", "order")},
            )
            before, hi, lo = int(block["key"][-1]), int(survivor_hi[-1]), int(survivor_lo[-1])

    def name_partner(self, records: np.ndarray, position: np.ndarray, batch: pa.RecordBatch, part: Part) -> np.ndarray:
        """The partner's id; keyed by the document again."""
        hi, lo = halves(batch["id"])
        named = _make(_NAMED, partner_hi=hi[position], partner_lo=lo[position])
        for name, _ in _CHOSEN:
            named[name] = records[name]
        named["key"] = records["doc"]
        return named

    def verdict(self, records: np.ndarray, position: np.ndarray, batch: pa.RecordBatch, part: Part) -> Columns:
        rows = part.rows
        clustered = np.zeros(rows, dtype=bool)
        clustered[position] = True
        similarity = np.zeros(rows, dtype=np.float32)
        size = np.zeros(rows, dtype=np.uint32)
        drop: list[str | None] = [None] * rows
        detail: list[str | None] = [None] * rows
        cluster, partner = (np.zeros((rows, 2), dtype=np.uint64) for _ in range(2))
        if len(position):
            order = records["order"]
            similarity[position] = np.where(order == 0, 1.0, (4097.0 - order) / 4096.0)
            size[position] = records["size"]
            cluster[position] = np.stack([records["survivor_hi"], records["survivor_lo"]], axis=1)
            partner[position] = np.stack([records["partner_hi"], records["partner_lo"]], axis=1)
            for i in np.flatnonzero(records["dropped"]):
                at = int(position[i])
                drop[at] = "near_duplicate" if order[i] else "exact_duplicate"
                detail[at] = f"{similarity[at]:.4f} of {partner[at, 0]:016x}{partner[at, 1]:016x}"
        return {
            "cluster": _where(clustered, joined(cluster[:, 0], cluster[:, 1])),
            "partner": _where(clustered, joined(partner[:, 0], partner[:, 1])),
            "similarity": pa.array(similarity, mask=~clustered),
            "cluster_size": pa.array(size, mask=~clustered),
            "drop": pa.array(drop, pa.string()),
            "detail": pa.array(detail, pa.string()),
        }

    def summary(self, counts: dict[str, int], dropped: int) -> dict[str, int]:
        """What a build says of the stage: records by round, and documents dropped by it."""
        return {
            "candidate_pairs": counts["attach"],
            "confirmed_pairs": counts["confirm"] // 2,
            "clustered_documents": counts["clusters"],
            "clusters": counts["clusters"] - dropped,
            "dropped": dropped,
        }


def _where(there: np.ndarray, ids: pa.Array) -> pa.Array:
    return pc.if_else(pa.array(there), ids, pa.scalar(None, ids.type))
