"""Dedup: of documents that say the same, keep one; nothing leaves without evidence.

reads exact, minhash (see `sign.py`), content, id
adds  cluster (id of the survivor; null where a document stands alone), partner (id of the document that it was
      compared with), similarity (share of equal signature positions, 1 for equal keys), cluster_size
drops `exact_duplicate`, `near_duplicate`, with "0.9365 of <partner>" in `detail`

Banding only proposes: documents that share a band of their signatures, or their whole key, become candidate pairs. In
a group of one band, documents of equal signatures meet the first of them; documents of different signatures meet the
first and the previous of the group, in order of a hash of the signature (stars and chains, not cliques: linear in the
group). So a pair of different signatures that shares bands in large groups only may not meet; equal ones always do.
A pair counts only when the full signatures agree in `threshold` of their positions, or the 128-bit keys are equal.
Confirmed pairs are joined to clusters by union-find, and one document of each cluster survives: of the source with the
lowest priority number, then of the smallest `content`, then of the smallest id.

Which signatures meet follows from the signatures alone, so order of arrival, bundling of tasks, number of workers and
the cut into partitions have no part in who is dropped. Which of several documents of one signature is named as
`partner` follows the order of partition keys. (A hash of 32 bits tells signatures apart within a group: two different
ones are taken for equal, and so compared with one document less, once in four billion such pairs.)

With b bands of r rows a pair of similarity s becomes a candidate with probability 1 - (1 - s**r)**b (Leskovec,
Rajaraman and Ullman, Mining of Massive Datasets, 3.4.2): 0.986 at 0.8 for 18 bands of 7.

Memory of the one task that joins clusters: 4 bytes per document of the scope, 2**31 documents at most.
"""

from collections.abc import Callable, Iterator
from typing import ClassVar

import numba as nb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from corpus.errors import LawError, RecipeError
from corpus.exchange import Emit, Exchange, Fields, Group, Join, Part, Round, Settle, Solve
from corpus.pack import halves, joined, mix
from corpus.runs import differs
from corpus.stage import Columns
from stages.minhash import agreement, bands

Blocks = Iterator[np.ndarray]

_EXACT_TAG = np.uint64(0x45584143)
_KEYS: Fields = (("key", "<u8"), ("check", "<u4"), ("doc", "<u4"))
_PAIRS: Fields = (("key", "<u8"), ("other", "<u8"))
# `order` is ascending in evidence: 0 for equal keys, then by falling similarity in steps of 2**-12
_EDGES: Fields = (("key", "<u8"), ("order", "<u4"), ("other", "<u8"))
_CLUSTERED: Fields = (("key", "<u8"), ("root", "<u8"), ("size", "<u4"), ("order", "<u4"), ("partner", "<u8"))
_DESCRIBED: Fields = (
    ("key", "<u8"), ("priority", "<u4"), ("content_hi", "<u8"), ("content_lo", "<u8"), ("id_hi", "<u8"),
    ("id_lo", "<u8"), ("doc", "<u8"), ("size", "<u4"), ("order", "<u4"), ("partner", "<u8"),
)  # fmt: skip
_CHOSEN: Fields = (
    ("key", "<u8"), ("doc", "<u8"), ("survivor_hi", "<u8"), ("survivor_lo", "<u8"), ("size", "<u4"), ("order", "<u4"),
    ("dropped", "u1"),
)  # fmt: skip
_NAMED: Fields = (*_CHOSEN, ("partner_hi", "<u8"), ("partner_lo", "<u8"))
_SHARES = pa.array([f"{step / 4096:.4f}" for step in range(4097)])
_DIGITS = np.frombuffer(b"0123456789abcdef", np.uint8)


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


_ROOT = np.uint32(1 << 31)  # set: a root, and the other bits count the members besides it
_COUNT = np.uint32(_ROOT - np.uint32(1))


@nb.njit(cache=True, nogil=True)
def _count(parent):  # type: ignore[no-untyped-def]
    """Point every document at its root, and turn roots into sizes."""
    for i in range(parent.size):
        parent[i] = parent[parent[i]]  # the root, since parents are smaller and their turn was before
    for i in range(parent.size):
        if parent[i] == i:
            parent[i] = _ROOT
        else:
            parent[parent[i]] += np.uint32(1)


@nb.njit(cache=True, nogil=True)
def _look_up(parent, numbers, root, size):  # type: ignore[no-untyped-def]
    for i in range(numbers.size):
        at = numbers[i]
        if not parent[at] & _ROOT:
            at = np.uint64(parent[at])
        root[i] = at
        size[i] = (parent[at] & _COUNT) + np.uint32(1)


@nb.njit(cache=True, nogil=True)
def _largest(parent):  # type: ignore[no-untyped-def]
    most = np.uint32(0)
    for i in range(parent.size):
        if parent[i] & _ROOT:
            most = max(most, parent[i] & _COUNT)
    return np.int64(most) + 1


def _firsts(key: np.ndarray, before: int | None) -> np.ndarray:
    """Which elements of a sorted array begin a group, given the last key of the block before."""
    fresh = np.empty(len(key), dtype=bool)
    fresh[0] = before is None or int(key[0]) != before
    fresh[1:] = key[1:] != key[:-1]
    return fresh


def _heads(values: np.ndarray, fresh: np.ndarray, before: int) -> np.ndarray:
    """The value at the head of each element's group; `before` is that of the group which the block continues."""
    begin = np.maximum.accumulate(np.where(fresh, np.arange(len(values)), -1))
    return np.where(begin >= 0, values[begin], values.dtype.type(before))


def _meeting(*pairs: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """Candidate pairs, the later document first; none with itself."""
    one, other = (np.concatenate(side) for side in zip(*pairs, strict=True))
    apart = one != other
    one, other = one[apart], other[apart]
    return _make(_PAIRS, key=np.maximum(one, other), other=np.minimum(one, other))


def _make(fields: Fields, **columns: np.ndarray | int) -> np.ndarray:
    length = max(len(c) for c in columns.values() if isinstance(c, np.ndarray))
    records = np.zeros(length, np.dtype(list(fields)))
    for name, values in columns.items():
        records[name] = values
    return records


class Dedup(Exchange, frozen=True, kw_only=True, tag="dedup"):
    """Parameters: `bands` and `rows` of the signature (their product is how many of its positions are used), and the
    `threshold` on the share of equal positions. RecipeError where one is out of range."""

    revision: ClassVar[int] = 2
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
            ("key", "<u8"), ("doc", "<u8"), ("exact_hi", "<u8"), ("exact_lo", "<u8"),
            ("minhash", f"V{4 * self.positions}"),
        )  # fmt: skip
        described = ("key", "priority", "content_hi", "content_lo", "id_hi", "id_lo")
        return (
            Emit("keys", ("exact", "minhash"), _KEYS, ("key", "check", "doc"), combine="same", keep=("key", "check")),
            Group("pairs", _PAIRS, ("key", "other"), numbers=("key", "other"), distinct=True),
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
        return flat[column.offset * width : (column.offset + len(column)) * width].reshape(-1, width)[
            :, : self.positions
        ]

    # -- rounds ----------------------------------------------------------------------------------------------------

    def keys(self, batch: pa.RecordBatch, part: Part) -> np.ndarray:
        """One record for each band of each signature, and one for the whole key. `check` tells signatures apart."""
        signed = np.flatnonzero(np.asarray(batch["minhash"].is_valid()))
        signatures = np.ascontiguousarray(self._signatures(batch["minhash"])[signed])
        whole = bands(signatures, 1, self.positions)
        named = np.flatnonzero(np.asarray(batch["exact"].is_valid()))
        hi, lo = (half[named] for half in halves(batch["exact"]))
        return _make(
            _KEYS,
            key=np.concatenate([bands(signatures, self.bands, self.rows).ravel(), mix(mix(hi ^ _EXACT_TAG) + lo)]),
            check=np.concatenate([np.repeat(whole, self.bands), lo]).astype(np.uint32),
            doc=np.concatenate([np.repeat(signed, self.bands), named]).astype(np.uint32),
        )

    def same(self, records: np.ndarray) -> np.ndarray:
        """Within a partition: documents of one key and one signature, each with the first of them."""
        fresh = differs(records, ("key", "check"))
        return _meeting((records["doc"], _heads(records["doc"], fresh, 0)))

    def pairs(self, blocks: Blocks) -> Blocks:
        """In each group of one key: documents of one signature with the first of them, and that one with the first of
        the group and with the first of the signature before."""
        key, check, head, first = None, None, 0, 0
        for block in blocks:
            doc = block["doc"]
            group = _firsts(block["key"], key)
            fresh = group | _firsts(block["check"], check)
            heads, firsts = _heads(doc, group, head), _heads(doc, fresh, first)
            previous = np.concatenate([np.array([first], doc.dtype), firsts[:-1]])
            star = fresh & ~group
            chain = star & (previous != heads)
            yield _meeting((doc[~fresh], firsts[~fresh]), (doc[star], heads[star]), (doc[chain], previous[chain]))
            key, check, head, first = (int(values[-1]) for values in (block["key"], block["check"], heads, firsts))

    def attach(self, records: np.ndarray, position: np.ndarray, batch: pa.RecordBatch, part: Part) -> np.ndarray:
        """Candidate pairs with the key and signature of the later document."""
        hi, lo = _exact(batch)
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
        hi, lo = _exact(batch)
        own = np.ascontiguousarray(self._signatures(batch["minhash"])[position])
        theirs = np.ascontiguousarray(records["minhash"]).view("<u4").reshape(-1, self.positions)
        share = agreement(own, theirs)
        exact = (hi[position] == records["exact_hi"]) & (lo[position] == records["exact_lo"])
        exact &= (hi[position] | lo[position]) != 0
        order = np.where(exact, 0, 4097 - np.rint(share * 4096).astype(np.int64)).astype(np.uint32)
        found = exact | (share >= self.threshold)
        one, other, order = records["key"][found], records["doc"][found], order[found]
        return _make(
            _EDGES,
            key=np.concatenate([one, other]),
            order=np.concatenate([order, order]),
            other=np.concatenate([other, one]),
        )

    def clusters(self, blocks: Callable[[], Blocks], documents: int, tell: dict[str, int]) -> Blocks:
        """Union-find over all confirmed pairs; every document of a cluster with its root and its best pair."""
        if documents > int(_ROOT):
            raise LawError(
                f"`{self.label}`: {documents:,} documents in one scope, {int(_ROOT):,} at most. Split the scope."
            )
        parent = np.arange(documents, dtype=np.uint32)
        for block in blocks():
            _unite(parent, block["key"].astype(np.uint32), block["other"].astype(np.uint32))
        _count(parent)
        tell["largest_cluster"] = int(_largest(parent))
        before = None
        for block in blocks():
            best = block[_firsts(block["key"], before)]
            before = int(block["key"][-1])
            root, size = np.empty(len(best), np.uint64), np.empty(len(best), np.uint32)
            _look_up(parent, np.ascontiguousarray(best["key"]), root, size)
            yield _make(_CLUSTERED, key=best["key"], root=root, size=size, order=best["order"], partner=best["other"])

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
            survivor_hi, survivor_lo = _heads(block["id_hi"], fresh, hi), _heads(block["id_lo"], fresh, lo)
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
        at = np.full(part.rows, -1)  # of each row, the place of its record
        at[position] = np.arange(len(position))
        where = pa.array(at, mask=at < 0)
        steps = pa.array(np.where(records["order"] == 0, 4096, 4097 - records["order"].astype(np.int64)))
        partner = joined(records["partner_hi"], records["partner_lo"])
        dropped = pa.array(records["dropped"] != 0)
        code = pc.if_else(pa.array(records["order"] == 0), "exact_duplicate", "near_duplicate")
        detail = pc.binary_join_element_wise(_SHARES.take(steps), _hexadecimal(partner), " of ")
        nothing = pa.scalar(None, pa.string())
        return {
            "cluster": joined(records["survivor_hi"], records["survivor_lo"]).take(where),
            "partner": partner.take(where),
            "similarity": pc.divide(steps.cast(pa.float32()), pa.scalar(4096, pa.float32())).take(where),
            "cluster_size": pa.array(records["size"]).take(where),
            "drop": pc.if_else(dropped, code, nothing).take(where),
            "detail": pc.if_else(dropped, detail, nothing).take(where),
        }

    def summary(self, counts: dict[str, int], dropped: int) -> dict[str, int]:
        """What a build says of the stage: records by round, and documents dropped by it."""
        return {
            "candidate_pairs": counts["attach"],
            "confirmed_pairs": counts["confirm"] // 2,
            "clustered_documents": counts["clusters"],
            "clusters": counts["clusters"] - dropped,
            "largest_cluster": counts["largest_cluster"] if counts["clusters"] else 0,
            "dropped": dropped,
        }


def _hexadecimal(ids: pa.Array) -> pa.Array:
    """Strings of 32 digits. `ids` has no nulls and no offset."""
    octets = np.frombuffer(ids.buffers()[1], np.uint8, 16 * len(ids))
    digits = _DIGITS[np.stack([octets >> 4, octets & 15], axis=1)]
    bounds = np.arange(0, 32 * len(ids) + 1, 32, dtype=np.int32)
    return pa.StringArray.from_buffers(len(ids), pa.py_buffer(bounds.tobytes()), pa.py_buffer(digits.tobytes()))


def _exact(batch: pa.RecordBatch) -> tuple[np.ndarray, np.ndarray]:
    """Halves of the 128-bit keys; twice 0 where there is none, whatever bytes lie under the null."""
    there = np.asarray(batch["exact"].is_valid())
    hi, lo = halves(batch["exact"])
    return np.where(there, hi, np.uint64(0)), np.where(there, lo, np.uint64(0))
