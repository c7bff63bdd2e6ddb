"""Dedup: of documents that say the same, keep one; nothing leaves without evidence.

reads exact, minhash (see `sign.py`), text, content, id, and the column named by `quality`
adds  cluster (id of its best document; null where a document stands alone), cluster_size,
      partner (id of the document that it was compared with), similarity (Jaccard, of all shingles),
      rare_similarity (of those that no template explains), relation (to the partner: exact, near, template, apart)
drops `exact_duplicate`, `near_duplicate`, with "0.9365 of <partner>" in `detail`

**Exact.** Documents of one 128-bit key are copies: the best of them stays, the others are copies of it.

**Near.** Banding only proposes (`bands.py`): documents that share a band of their signatures are compared by whole
signature, and pairs within `margin` of the threshold form families (`families.py`). In a family, evidence is the
Jaccard similarity of the shingle sets themselves, made again from the stored text (`shingle_sets.py`). A document
leaves where it reaches `threshold` against a document that stays, and the two are no pages of one template
(`leaders.py`); `partner` is that document. A page of a template stays, with relation `template`; a document that is
like one that left, but not like one that stays, stays with relation `apart`: similarity does not travel along chains.

**Who stays.** Documents of the builds named by `against` stay, and lead. The others are ranked: lowest priority
number of the source, then highest `quality`, then smallest `content`, then smallest id. So who leaves follows from
the documents alone, not from order of arrival, bundling, number of workers or the cut into partitions. (A hash of 32
bits tells texts apart inside a band: two near copies of equal signatures are taken for one, and not compared, once in
2**32.)

**Scope.** `corpus`, `snapshot` or `source`: documents of different scopes do not meet.

Memory: union-find takes 4 bytes per document of the scope in one task, 2**31 documents at most; everything else is
bounded (`exchange.py`, `leaders.py`).
"""

from collections.abc import Callable, Iterator
from itertools import chain
from typing import ClassVar, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from corpus.errors import LawError, RecipeError
from corpus.exchange import Emit, Exchange, Fields, Group, Join, Part, Round, Settle, Solve, records_of
from corpus.pack import halves, joined, mix
from corpus.stage import Columns
from stages import characters, families, key, shingle_sets
from stages.bands import Meeting, Screen
from stages.groups import firsts, heads
from stages.leaders import ALONE, APART, TEMPLATE, TILE_HASHES, Decided, Leaders, Members
from stages.minhash import bands
from stages.shingle_sets import CHUNK
from stages.shingles import shingle_hashes
from stages.sign import Sign

Blocks = Iterator[np.ndarray]

EXACT = 4  # relation of a copy, beside those of `leaders.py`
_RELATIONS = pa.array(["", "near", "template", "apart", "exact"])
_NEW = 1 << 31  # in a rank: documents of an earlier build stand before all others
_SHIP_ROWS = 2048  # documents whose shingle sets are made at a time

_RANK: Fields = (("rank", "<u4"), ("quality", "<u8"), ("content", "<u8"), ("id_hi", "<u8"), ("id_lo", "<u8"))
_RANKED = ("rank", "quality", "content", "id_hi", "id_lo")
_TEXTS: Fields = (("key", "<u8"), ("low", "<u8"), *_RANK, ("doc", "<u4"))
_PAIRS: Fields = (("key", "<u8"), ("other", "<u8"), ("near", "u1"))
_BANDS: Fields = (("key", "<u8"), ("order", "<u4"), ("check", "<u4"), ("doc", "<u4"))
_TOLD_APART = ("key", "order", "check")
_MEMBERS: Fields = (("key", "<u8"), ("group", "<u8"), ("order", "<u4"))
_FAMILY: Fields = (("key", "<u8"), ("head", "<u8"), ("root", "<u8"), ("near", "u1"))
_SETS: Fields = (
    ("key", "<u8"), *_RANK, ("part", "<u4"), ("count", "<u4"), ("doc", "<u8"), ("limit", "<u8"),
    ("hashes", f"V{8 * CHUNK}"),
)  # fmt: skip
_SHIPPED = ("key", *_RANKED, "part")
_VERDICT: Fields = (
    ("key", "<u8"), ("kind", "u1"), ("doc", "<u8"), ("leader", "<u8"), ("cluster_hi", "<u8"), ("cluster_lo", "<u8"),
    ("id_hi", "<u8"), ("id_lo", "<u8"), ("partner_hi", "<u8"), ("partner_lo", "<u8"), ("similarity", "<f4"),
    ("rare", "<f4"), ("size", "<u4"), ("relation", "u1"), ("dropped", "u1"),
)  # fmt: skip
_BY_KIND = ("key", "kind", "doc")


class Dedup(Exchange, frozen=True, kw_only=True, tag="dedup"):
    """Parameters, apart from `threshold`, the Jaccard similarity of shingle sets from which two documents are one:

    bands, rows   of the signature; their product is how many of its positions are used
    margin        pairs whose signatures reach `threshold` less this are compared by their shingle sets
    words, han    the shingle, as in the `sign` stage
    quality       a numeric column; of two duplicates the one with more of it stays ("" for none)
    scope         within what documents meet
    templates     keep pages of one template that differ in content
    against       directories of sealed builds: their documents stand, and those of this build leave that are like them
    max_dropped_share, max_cluster, accept    when the build stops and asks: see `corpus/guard_rails.py`

    RecipeError where one is out of range."""

    revision: ClassVar[int] = 4
    adds: ClassVar[dict[str, pa.DataType]] = {
        "cluster": pa.binary(16),
        "cluster_size": pa.uint32(),
        "partner": pa.binary(16),
        "similarity": pa.float32(),
        "rare_similarity": pa.float32(),
        "relation": pa.string(),
    }
    may_drop: ClassVar[bool] = True
    comparable: ClassVar[tuple[str, ...]] = ("exact", "minhash")
    guards: ClassVar[tuple[str, ...]] = ("max_dropped_share", "max_cluster", "accept")

    bands: int = 18
    rows: int = 7
    threshold: float = 0.8
    margin: float = 0.1
    words: int = 5
    han: int = 8
    quality: str = ""
    scope: Literal["corpus", "snapshot", "source"] = "corpus"
    templates: bool = True
    against: tuple[str, ...] = ()
    max_dropped_share: float = 0.5  # a crawl of which more leaves has more copies than pages
    max_cluster: int = 10_000  # a page that stands so often is worth a look, if only at its boilerplate
    accept: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("bands", "rows"):
            value = getattr(self, name)
            if not 1 <= value <= 1024:
                raise RecipeError(f".{name}: got {value}. Expected 1 to 1024.")
        if not 0 < self.threshold <= 1:
            raise RecipeError(f".threshold: got {self.threshold}. Expected more than 0, and at most 1.")
        if not 0 <= self.margin < self.threshold:
            raise RecipeError(f".margin: got {self.margin}. Expected 0 or more, and less than `threshold`.")
        if not 0 <= self.max_dropped_share <= 1:
            raise RecipeError(f".max_dropped_share: got {self.max_dropped_share}. Expected 0 to 1.")
        if self.max_cluster < 1:
            raise RecipeError(f".max_cluster: got {self.max_cluster}. Expected 1 or more documents.")
        Sign(words=self.words, han=self.han)

    @property
    def assets(self) -> tuple[str, ...]:
        return self.against

    @property
    def reads(self) -> tuple[str, ...]:  # type: ignore[override]
        return ("exact", "minhash", "text", *self._ranking)

    @property
    def _ranking(self) -> tuple[str, ...]:
        return ("content", "id", *([self.quality] if self.quality else []))

    @property
    def positions(self) -> int:
        """Signature positions compared."""
        return self.bands * self.rows

    @property
    def rounds(self) -> tuple[Round, ...]:  # type: ignore[override]
        signed: Fields = (
            ("key", "<u8"), ("order", "<u4"), ("text", "<u8"), ("doc", "<u8"), ("minhash", f"V{4 * self.positions}"),
        )  # fmt: skip
        sort = ("key", "other", "near")
        return (
            Emit("texts", ("exact", *self._ranking), _TEXTS, ("key", "low", *_RANKED)),
            Group("equal", _PAIRS, sort),
            Emit("bands_of", ("exact", "minhash"), _BANDS, (*_TOLD_APART, "doc"), keep=_TOLD_APART),
            Group("meet", _MEMBERS, ("key", "group"), distinct=True),
            Join("attach", ("exact", "minhash"), signed, ("key", "order", "text", "doc")),
            Group("screen", _PAIRS, sort, distinct=True),
            Solve("members", _FAMILY, ("key", "head"), of=("equal", "screen"), distinct=True),
            Join("ship", ("text", *self._ranking), _SETS, _SHIPPED, of=("members",), together=("key",)),
            Join("follow", (), _VERDICT, _BY_KIND, of=("members",), together=("key",)),
            Group("decide", _VERDICT, _BY_KIND, of=("ship",), numbered=True),
            Group("inherit", _VERDICT, _BY_KIND, of=("decide", "follow"), numbered=True),
            Group("size", _VERDICT, _BY_KIND, of=("inherit",), numbered=True),
            Group("tell_size", _VERDICT, _BY_KIND, of=("size", "inherit"), numbered=True),
            Settle("verdict", ()),
        )  # fmt: skip

    # -- proposals -----------------------------------------------------------------------------------------------------

    def texts(self, batch: pa.RecordBatch, part: Part) -> np.ndarray:
        """The key of each document, and its rank."""
        named = np.flatnonzero(np.asarray(batch["exact"].is_valid()))
        hi, low = halves(batch["exact"])
        ranks = {name: values[named] for name, values in self._ranks(batch, part).items()}
        return records_of(
            _TEXTS, key=mix(hi[named] ^ np.uint64(part.scope)), low=low[named], doc=named.astype(np.uint32), **ranks
        )

    def _ranks(self, batch: pa.RecordBatch, part: Part) -> dict[str, np.ndarray]:
        """What orders documents, the best first."""
        priority = min(part.priority, _NEW - 1)
        hi, lo = halves(batch["id"])
        return {
            "rank": np.full(batch.num_rows, priority if part.standing else _NEW | priority, np.uint32),
            "quality": _falling(batch[self.quality]) if self.quality else np.zeros(batch.num_rows, np.uint64),
            "content": halves(batch["content"])[0],
            "id_hi": hi,
            "id_lo": lo,
        }

    def equal(self, blocks: Blocks, tell: dict[str, int]) -> Blocks:
        """Every copy with the best document of its key."""
        before, head = None, 0
        for block in blocks:
            doc = block["doc"].astype(np.uint64)
            fresh = firsts((block["key"], block["low"]), before)
            found = heads(doc, fresh, head)
            yield records_of(_PAIRS, key=doc[~fresh], other=found[~fresh])
            before, head = (int(block["key"][-1]), int(block["low"][-1])), int(found[-1])

    def bands_of(self, batch: pa.RecordBatch, part: Part) -> np.ndarray:
        """One record for each band of each signature."""
        signed = np.flatnonzero(np.asarray(batch["minhash"].is_valid()))
        found = bands(self._signatures(batch["minhash"])[signed], self.bands, self.rows)
        check = halves(batch["exact"])[1][signed].astype(np.uint32)
        return records_of(
            _BANDS,
            key=mix(found ^ np.uint64(part.scope)).ravel(),
            order=np.roll(found, -1, axis=1).ravel().astype(np.uint32),
            check=np.repeat(check, self.bands),
            doc=np.repeat(signed, self.bands).astype(np.uint32),
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
        whole = flat[column.offset * width : (column.offset + len(column)) * width].reshape(-1, width)
        return whole[:, : self.positions]

    def meet(self, blocks: Blocks, tell: dict[str, int]) -> Blocks:
        """Members of groups of documents that share a band."""
        meeting = Meeting()
        for block in blocks:
            yield self._met(meeting.take(block))
        yield self._met(meeting.end())
        tell["crowded"] = meeting.crowded

    @staticmethod
    def _met(found: np.ndarray) -> np.ndarray:
        return records_of(_MEMBERS, key=found[0], group=found[1], order=found[2])

    def attach(self, records: np.ndarray, position: np.ndarray, batch: pa.RecordBatch, part: Part) -> np.ndarray:
        """Members with their signatures, keyed by group."""
        signatures = np.ascontiguousarray(self._signatures(batch["minhash"])[position])
        return records_of(
            self.rounds[4].fields,  # type: ignore[union-attr]
            key=records["group"],
            order=records["order"],
            text=halves(batch["exact"])[0][position],
            doc=records["key"],
            minhash=signatures.view(f"V{4 * self.positions}").ravel(),
        )

    def screen(self, blocks: Blocks, tell: dict[str, int]) -> Blocks:
        """Pairs of a group whose signatures agree within the margin."""
        screen = Screen(self.positions, int(np.ceil((self.threshold - self.margin) * self.positions)))
        for block in blocks:
            signatures = np.ascontiguousarray(block["minhash"]).view("<u4").reshape(-1, self.positions)
            doc = np.ascontiguousarray(block["doc"])
            one, other = screen.take(np.ascontiguousarray(block["key"]), doc, signatures)
            yield records_of(_PAIRS, key=np.maximum(one, other), other=np.minimum(one, other), near=1)

    def members(self, blocks: Callable[[], Blocks], documents: int, tell: dict[str, int]) -> Blocks:
        """Families of documents that pairs connect."""
        if documents > families.MOST_DOCUMENTS:
            raise LawError(
                f"`{self.label}`: {documents:,} documents in one scope, {families.MOST_DOCUMENTS:,} at most. "
                f"Narrow `scope`, or split the manifest."
            )
        for doc, root, head, near in families.members(blocks, documents):
            yield records_of(_FAMILY, key=doc, head=head, root=root, near=near)

    # -- evidence ------------------------------------------------------------------------------------------------------

    def ship(self, records: np.ndarray, position: np.ndarray, batch: pa.RecordBatch, part: Part) -> Blocks:
        """The shingle set of each document of a family, in chunks; none where the family has no near pair."""
        begin = np.flatnonzero(firsts((records["key"],), None)) if len(records) else np.empty(0, np.int64)
        begin = begin[~np.logical_or.reduceat(_copies(records), begin)] if len(begin) else begin
        records, position = records[begin], position[begin]
        for begin in range(0, len(records), _SHIP_ROWS):
            own = slice(begin, begin + _SHIP_ROWS)
            yield self._shipped(records[own], batch.take(pa.array(position[own])), part)

    def _shipped(self, records: np.ndarray, batch: pa.RecordBatch, part: Part) -> np.ndarray:
        blank = pa.scalar("", batch["text"].type)
        text, bounds = characters.utf8(pc.if_else(pa.array(records["near"] != 0), batch["text"], blank))
        hashes, offsets = shingle_hashes(text, bounds, key.table(), self.words, self.han)
        sets, ends, limits = shingle_sets.distinct(hashes, offsets)
        owner, number, count, chunks = shingle_sets.pack(sets, ends)
        ranks = {name: values[owner] for name, values in self._ranks(batch, part).items()}
        return records_of(
            _SETS,
            key=records["root"][owner],
            part=number,
            count=count,
            doc=records["key"][owner],
            limit=limits[owner],
            hashes=chunks.view(f"V{8 * CHUNK}").ravel(),
            **ranks,
        )

    def follow(self, records: np.ndarray, position: np.ndarray, batch: pa.RecordBatch, part: Part) -> np.ndarray:
        """Copies, keyed by the document that they are copies of."""
        copies = records[_copies(records)]
        return records_of(_VERDICT, key=copies["head"], kind=1, doc=copies["key"])

    # -- verdicts ------------------------------------------------------------------------------------------------------

    def decide(self, blocks: Blocks, tell: dict[str, int]) -> Blocks:
        """Who stays of each family. A family is decided whole, or in tiles where it is larger."""
        leaders = Leaders(self.threshold, self.templates)
        tell |= dict.fromkeys(("compared", "templates", "apart", "evicted"), 0)
        for records, more in _tiles(blocks):
            decided = leaders.decide(_members(records), more)
            tell["compared"] += int((np.diff(decided.members.bounds) > 0).sum())
            tell["templates"] += int((decided.relation == TEMPLATE).sum())
            tell["apart"] += int((decided.relation == APART).sum())
            yield _verdicts(decided)
        tell["evicted"] = leaders.evicted

    def inherit(self, blocks: Blocks, tell: dict[str, int]) -> Blocks:
        """Copies get what was decided of the document that they are copies of. Keyed by leader from here."""
        carried = np.empty(0, np.dtype(list(_VERDICT)))
        for block in blocks:
            whole = np.concatenate([carried, block])
            at = np.maximum.accumulate(np.where(whole["kind"] == 0, np.arange(len(whole)), -1))
            if at[0] < 0 or not np.array_equal(whole["key"][at], whole["key"]):
                raise LawError(f"`{self.label}`: a copy of a document that was not decided")
            made = whole[at]
            copies = whole["kind"] != 0
            made["doc"] = whole["doc"]
            standing = copies & (made["dropped"] == 0)
            for name, value in (("similarity", 1), ("rare", 1), ("relation", EXACT)):
                made[name][standing] = value
            for half in ("hi", "lo"):
                made[f"partner_{half}"][standing] = made[f"id_{half}"][standing]
            made["dropped"][copies] = 1
            made["key"], made["kind"] = made["leader"], 1
            carried = whole[at[-1:]]
            yield made[len(whole) - len(block) :]

    def size(self, blocks: Blocks, tell: dict[str, int]) -> Blocks:
        """How many documents each cluster has."""
        tell |= dict.fromkeys(("clusters", "clustered_documents", "largest_cluster"), 0)
        key, count = 0, 0

        def put(keys: np.ndarray, sizes: np.ndarray) -> np.ndarray:
            many = sizes[sizes > 1]
            tell["clusters"] += len(many)
            tell["clustered_documents"] += int(many.sum())
            tell["largest_cluster"] = max([tell["largest_cluster"], *many.tolist()])
            return records_of(_VERDICT, key=keys, kind=0, size=sizes)

        for block in blocks:
            keys, counts = np.unique(block["key"], return_counts=True)
            if count and int(keys[0]) == key:
                counts[0] += count
            elif count:
                yield put(np.array([key], np.uint64), np.array([count]))
            key, count = int(keys[-1]), int(counts[-1])
            yield put(keys[:-1], counts[:-1])
        if count:
            yield put(np.array([key], np.uint64), np.array([count]))

    def tell_size(self, blocks: Blocks, tell: dict[str, int]) -> Blocks:
        """The size of its cluster to each document. Keyed by document from here."""
        size = 0
        for block in blocks:
            sizes = heads(block["size"], block["kind"] == 0, size)
            size = int(sizes[-1])
            members = block["kind"] != 0
            made = block[members]
            made["size"], made["key"] = sizes[members], made["doc"]
            yield made

    def verdict(self, records: np.ndarray, position: np.ndarray, batch: pa.RecordBatch, part: Part) -> Columns:
        at = np.full(part.rows, -1)  # of each row, the place of its record
        at[position] = np.arange(len(position))
        where = pa.array(at, mask=at < 0)
        alone, single = records["relation"] == ALONE, records["size"] < 2
        partner = joined(records["partner_hi"], records["partner_lo"])
        code = pc.if_else(pa.array(records["relation"] == EXACT), "exact_duplicate", "near_duplicate")
        left = records["dropped"] != 0
        shares = pa.array([f"{value:.4f}" for value in records["similarity"][left].tolist()], pa.string())
        share = shares.take(pa.array(np.cumsum(left) - 1, mask=~left))
        detail = pc.binary_join_element_wise(share, _hexadecimal(partner), " of ")

        def unless(null: np.ndarray, values: pa.Array) -> pa.Array:
            return pc.if_else(pa.array(null), pa.scalar(None, values.type), values).take(where)

        return {
            "cluster": unless(single, joined(records["cluster_hi"], records["cluster_lo"])),
            "cluster_size": unless(single, pa.array(records["size"])),
            "partner": unless(alone, partner),
            "similarity": unless(alone, pa.array(records["similarity"])),
            "rare_similarity": unless(alone, pa.array(records["rare"])),
            "relation": unless(alone, _RELATIONS.take(pa.array(records["relation"]))),
            "drop": unless(~left, code),
            "detail": unless(~left, detail),
        }

    def summary(self, counts: dict[str, int], dropped: int) -> dict[str, int]:
        """What a build says of the stage."""
        names = (
            "compared",
            "clustered_documents",
            "clusters",
            "largest_cluster",
            "templates",
            "apart",
            "crowded",
            "evicted",
        )
        return {
            "copies": counts["equal"],
            **{name: counts.get(name, 0) for name in names},
            "dropped": dropped,
        }


def _falling(column: pa.Array) -> np.ndarray:
    """(n,) uint64 that rise as the numbers of a column fall, as float64; null and NaN last."""
    numbers = pc.fill_null(column.cast(pa.float64(), safe=False), float("nan"))
    values = np.ascontiguousarray(numbers.to_numpy(zero_copy_only=False) + 0.0)  # one zero
    raw = values.view(np.uint64)
    rising = np.where(raw >> np.uint64(63), ~raw, raw | np.uint64(1 << 63))
    return np.where(np.isnan(values), np.uint64(0xFFFFFFFFFFFFFFFF), ~rising)


def _copies(records: np.ndarray) -> np.ndarray:
    """Records that name a document as a copy of another, of which it has one at most. It may have one that names it
    alone besides, and has its verdict from the other."""
    return records["head"] != records["key"]


def _tiles(blocks: Blocks) -> Iterator[tuple[np.ndarray, bool]]:
    """Chunks of whole families, and of larger ones in tiles: (records, whether the last family goes on). Where a family
    is cut follows from its own records, not from where blocks end."""
    most = TILE_HASHES // CHUNK
    held = np.empty(0, np.dtype(list(_SETS)))

    def cut(begin: int, end: int) -> int:
        """Where the last set ends that fits into a tile; the end of the first, where that alone does not."""
        starts = np.append(np.flatnonzero(held["part"][begin + 1 : end] == 0) + 1, end - begin)
        return begin + int(starts[max(0, int(np.searchsorted(starts, most, "right")) - 1)])

    for block in chain(blocks, [None]):
        if block is not None:
            held = np.concatenate([held, block])
        if not len(held):
            continue
        ends = np.flatnonzero(held["key"][1:] != held["key"][:-1]) + 1
        if block is None:
            ends = np.append(ends, len(held))
        sizes = np.diff(ends, prepend=0)
        begin = 0
        for end, size in zip(ends[sizes > most].tolist(), sizes[sizes > most].tolist(), strict=True):
            if end - size > begin:
                yield held[begin : end - size], False
            begin = end - size
            while (at := cut(begin, end)) < end:
                yield held[begin:at], True
                begin = at
            yield held[begin:end], False
            begin = end
        whole = int(ends[-1]) if len(ends) else 0
        if whole > begin:
            yield held[begin:whole], False
        begin = whole
        while len(held) - begin > most and (at := cut(begin, len(held))) < len(held):
            yield held[begin:at], True
            begin = at
        held = held[begin:]


def _members(records: np.ndarray) -> Members:
    """Chunks of whole sets, in order."""
    chunks = np.ascontiguousarray(records["hashes"]).view("<u8").reshape(-1, CHUNK)
    hashes, bounds = shingle_sets.unpack(records["part"], records["count"], chunks)
    begin = records[records["part"] == 0]
    nothing = np.zeros(len(begin), np.uint64)
    columns = (begin[name].copy() for name in ("key", "doc", "id_hi", "id_lo", "limit"))
    standing = (begin["rank"] < _NEW).astype(np.uint8)
    return Members(*columns, standing, nothing, nothing, nothing, hashes, bounds)


def _verdicts(decided: Decided) -> np.ndarray:
    members = decided.members
    return records_of(
        _VERDICT,
        key=members.doc,
        kind=0,
        doc=members.doc,
        leader=members.leader,
        cluster_hi=members.leader_hi,
        cluster_lo=members.leader_lo,
        id_hi=members.hi,
        id_lo=members.lo,
        partner_hi=decided.partner_hi,
        partner_lo=decided.partner_lo,
        similarity=decided.similarity,
        rare=decided.rare,
        relation=decided.relation,
        dropped=decided.kept == 0,
    )


def _hexadecimal(ids: pa.Array) -> pa.Array:
    """Strings of 32 digits. `ids` has no nulls and no offset."""
    octets = np.frombuffer(ids.buffers()[1], np.uint8, 16 * len(ids))
    digits = np.frombuffer(b"0123456789abcdef", np.uint8)[np.stack([octets >> 4, octets & 15], axis=1)]
    bounds = np.arange(0, 32 * len(ids) + 1, 32, dtype=np.int32)
    return pa.StringArray.from_buffers(len(ids), pa.py_buffer(bounds.tobytes()), pa.py_buffer(digits.tobytes()))
