"""Near documents: a stage that compares documents by their shingle sets, whatever it then does about them.

**Proposals.** Documents of one 128-bit key are copies. Of the others, banding proposes (`bands.py`): documents that
share a band of their signatures are compared by whole signature, and pairs within `margin` of the threshold form
families (`families.py`).

**Evidence.** In a family, it is the Jaccard similarity of the shingle sets themselves, made again from the stored text
(`shingle_sets.py`), and who is compared with whom follows from ranks and from templates (`leaders.py`).

**Ranks.** Documents that *lead* stand, and come first. The others are ranked: lowest priority number of the source,
then highest measure, then smallest `content`, then smallest id. So a verdict follows from the documents alone, not from
order of arrival, bundling, number of workers or the cut into partitions. (A hash of 32 bits tells texts apart inside a
band: two near copies of equal signatures are taken for one, and not compared, once in 2**32.)

Memory: union-find takes 4 bytes per document of the scope in one task, 2**31 documents at most; everything else is
bounded (`corpus/rounds.py`, `leaders.py`).
"""

from collections.abc import Callable, Iterator
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from corpus.errors import LawError, RecipeError
from corpus.exchange import Emit, Exchange, Fields, Group, Join, Part, Round, Solve, records_of
from corpus.id_order import halves, mix
from stages import characters, families, key, shingle_sets
from stages.bands import Meeting, Screen
from stages.groups import firsts, heads
from stages.leaders import APART, TEMPLATE, Leaders
from stages.minhash import bands
from stages.near_records import BY_KIND, NEW, RANK, RANKED, SETS, SHIPPED, VERDICT, members_of, tiles, verdicts
from stages.shingle_sets import CHUNK
from stages.shingles import shingle_hashes
from stages.sign import Sign

Blocks = Iterator[np.ndarray]

EXACT = 4  # relation of a copy, beside those of `leaders.py`
RELATIONS = pa.array(["", "near", "template", "apart", "exact"])
_SHIP_ROWS = 2048  # documents whose shingle sets are made at a time

_TEXTS: Fields = (("key", "<u8"), ("low", "<u8"), *RANK, ("doc", "<u4"))
_PAIRS: Fields = (("key", "<u8"), ("other", "<u8"), ("near", "u1"))
_BANDS: Fields = (("key", "<u8"), ("order", "<u4"), ("check", "<u4"), ("doc", "<u4"))
_TOLD_APART = ("key", "order", "check")
_MEMBERS: Fields = (("key", "<u8"), ("group", "<u8"), ("order", "<u4"))
_FAMILY: Fields = (("key", "<u8"), ("head", "<u8"), ("root", "<u8"), ("near", "u1"))


class Near(Exchange, frozen=True, kw_only=True):
    """Parameters, apart from `threshold`, the Jaccard similarity of shingle sets from which two documents are one:

    bands, rows   of the signature; their product is how many of its positions are used
    margin        pairs whose signatures reach `threshold` less this are compared by their shingle sets
    words, han    the shingle, as in the `sign` stage
    templates     pages of one template that differ in content are not one

    RecipeError where one is out of range."""

    may_drop: ClassVar[bool] = True
    comparable: ClassVar[tuple[str, ...]] = ("exact", "minhash")
    followers: ClassVar[bool] = False  # of those that do not lead, none is compared with another

    bands: int = 18
    rows: int = 7
    threshold: float = 0.8
    margin: float = 0.1
    words: int = 5
    han: int = 8
    templates: bool = True

    def __post_init__(self) -> None:
        for name in ("bands", "rows"):
            value = getattr(self, name)
            if not 1 <= value <= 1024:
                raise RecipeError(f".{name}: got {value}. Expected 1 to 1024.")
        if not 0 < self.threshold <= 1:
            raise RecipeError(f".threshold: got {self.threshold}. Expected more than 0, and at most 1.")
        if not 0 <= self.margin < self.threshold:
            raise RecipeError(f".margin: got {self.margin}. Expected 0 or more, and less than `threshold`.")
        Sign(words=self.words, han=self.han)

    @property
    def reads(self) -> tuple[str, ...]:  # type: ignore[override]
        return ("exact", "minhash", "text", *self._ranking)

    @property
    def measure(self) -> str:
        """A numeric column; of two documents the one with more of it ranks first ("" for none)."""
        return ""

    def leads(self, batch: pa.RecordBatch, part: Part) -> np.ndarray:
        """Which documents stand whatever they are like: (n,) bool. `batch` has `content`."""
        return np.full(batch.num_rows, part.standing)

    @property
    def _ranking(self) -> tuple[str, ...]:
        return ("content", "id", *([self.measure] if self.measure else []))

    @property
    def positions(self) -> int:
        """Signature positions compared."""
        return self.bands * self.rows

    @property
    def comparison(self) -> tuple[Round, ...]:
        """The rounds up to what is decided of each document that is no copy, and the copies of each: records of
        VERDICT of `decide` and `follow`, keyed by the former."""
        signed: Fields = (
            ("key", "<u8"), ("order", "<u4"), ("text", "<u8"), ("doc", "<u8"), ("minhash", f"V{4 * self.positions}"),
        )  # fmt: skip
        sort = ("key", "other", "near")
        return (
            Emit("texts", ("exact", *self._ranking), _TEXTS, ("key", "low", *RANKED)),
            Group("equal", _PAIRS, sort),
            Emit("bands_of", ("exact", "minhash"), _BANDS, (*_TOLD_APART, "doc"), keep=_TOLD_APART),
            Group("meet", _MEMBERS, ("key", "group"), distinct=True),
            Join("attach", ("exact", "minhash"), signed, ("key", "order", "text", "doc")),
            Group("screen", _PAIRS, sort, distinct=True),
            Solve("members", _FAMILY, ("key", "head"), of=("equal", "screen"), distinct=True),
            Join("ship", ("text", *self._ranking), SETS, SHIPPED, of=("members",), together=("key",)),
            Join("follow", (), VERDICT, BY_KIND, of=("members",), together=("key",)),
            Group("decide", VERDICT, BY_KIND, of=("ship",), numbered=True),
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
        priority = np.uint32(min(part.priority, NEW - 1))
        hi, lo = halves(batch["id"])
        return {
            "rank": np.where(self.leads(batch, part), priority, np.uint32(NEW) | priority),
            "quality": _falling(batch[self.measure]) if self.measure else np.zeros(batch.num_rows, np.uint64),
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
            SETS,
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
        return records_of(VERDICT, key=copies["head"], kind=1, doc=copies["key"])

    # -- verdicts ------------------------------------------------------------------------------------------------------

    def decide(self, blocks: Blocks, tell: dict[str, int]) -> Blocks:
        """Who stays of each family. A family is decided whole, or in tiles where it is larger."""
        leaders = Leaders(self.threshold, self.templates, self.followers)
        tell |= dict.fromkeys(("compared", "templates", "apart", "evicted"), 0)
        for records, more in tiles(blocks):
            decided = leaders.decide(members_of(records), more)
            tell["compared"] += int((np.diff(decided.members.bounds) > 0).sum())
            tell["templates"] += int((decided.relation == TEMPLATE).sum())
            tell["apart"] += int((decided.relation == APART).sum())
            yield verdicts(decided, records)
        tell["evicted"] = leaders.evicted

    def with_copies(self, blocks: Blocks) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """What was decided, of each document and each copy of it: -> (records of VERDICT, which are of copies)"""
        carried = np.empty(0, np.dtype(list(VERDICT)))
        for block in blocks:
            whole = np.concatenate([carried, block])
            at = np.maximum.accumulate(np.where(whole["kind"] == 0, np.arange(len(whole)), -1))
            if at[0] < 0 or not np.array_equal(whole["key"][at], whole["key"]):
                raise LawError(f"`{self.label}`: a copy of a document that was not decided")
            made, own = whole[at], slice(len(carried), None)
            made["doc"] = whole["doc"]
            carried = whole[at[-1:]]
            yield made[own], whole["kind"][own] != 0


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


def hexadecimal(ids: pa.Array) -> pa.Array:
    """Strings of 32 digits. `ids` has no nulls and no offset."""
    octets = np.frombuffer(ids.buffers()[1], np.uint8, 16 * len(ids))
    digits = np.frombuffer(b"0123456789abcdef", np.uint8)[np.stack([octets >> 4, octets & 15], axis=1)]
    bounds = np.arange(0, 32 * len(ids) + 1, 32, dtype=np.int32)
    return pa.StringArray.from_buffers(len(ids), pa.py_buffer(bounds.tobytes()), pa.py_buffer(digits.tobytes()))
