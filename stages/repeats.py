"""Repeats: lines and paragraphs that many documents share, marked in each.

reads text; content and id where one occurrence stays; url where the scope is the host
adds  repeats, repeats_of (spans, see `marked.py`; `kind` is `line` or `paragraph`),
      repeated_bytes (int64: how many they cover)

Menus, footers and notices stand on every page of a host; CCNet (Wenzek et al. 2020) removes every paragraph that occurs
twice in a part of a crawl, told apart by a hash of it in lower case, digits as 0, without punctuation. Here a line or a
paragraph is repeated where at least `min_documents` documents of its scope have it, and at least the share `min_share`
of them. Lines are compared by what they say (`line_keys.py`), so that "Page 3 of 12" and "PAGE 4 OF 12." are one.
Nothing is dropped or cut: a `cut` stage does that with the spans, a rule may look at `repeated_bytes`.

With `keep_first` one occurrence stays unmarked: the first in the document of the source with the lowest priority
number, of these the one with the smallest `content`, of these with the smallest id. A paragraph is marked as a whole,
without its lines; in one that stays, a line may be marked whose own first document is another.

It should stand before a stage that cuts documents in parts, and behind `dedup`: copies of a page repeat all its lines.

Each partition sends one record of 20 bytes for each of its distinct lines, with the number of documents that have it.
What is repeated comes back, and the lines are made again from the text. So a line of every document costs one record a
partition. Memory: 100 bytes a line of a partition, 21 bytes a unit of the longest document, the records of the most
frequent line, one a partition, and the bounds of `corpus/rounds.py`.
"""

from collections.abc import Iterator
from typing import ClassVar, Literal, NamedTuple

import numpy as np
import pyarrow as pa
import xxhash
from numba import njit

from corpus.errors import RecipeError
from corpus.exchange import Emit, Exchange, Fields, Group, Join, Part, Round, Settle, records_of
from corpus.id_order import halves
from corpus.stage import Columns
from stages import key, line_keys
from stages.characters import utf8
from stages.counted import counted, tally
from stages.groups import firsts
from stages.lookup import find, lookup
from stages.marked import SPANS, bytes_of, spans_of, text_hashes
from stages.units import digits_as_zero, room
from stages.urls import canonical, hosts

Blocks = Iterator[np.ndarray]

_LINES: Fields = (("key", "<u8"), ("check", "<u4"), ("count", "<u4"), ("doc", "<u4"))
_FOUND: Fields = (("key", "<u8"), ("line", "<u8"), ("check", "<u4"), ("documents", "<u4"), ("role", "u1"))
_FOUND_ORDER = ("key", "role", "line", "check")
_RANKED: Fields = (
    ("key", "<u8"), ("check", "<u4"), ("priority", "<u4"), ("content", "<u8"), ("id_hi", "<u8"), ("id_lo", "<u8"),
    ("count", "<u4"), ("doc", "<u8"),
)  # fmt: skip
_RANKED_ORDER = ("key", "check", "priority", "content", "id_hi", "id_lo")
_MARKED, _STAYS, _SIZE = 0, 1, 2  # roles: a repeated line; one whose first occurrence stays here; the size of a scope
_KINDS = pa.array(["line", "paragraph"])


class _Lines(NamedTuple):
    """Lines and paragraphs of a partition, see `line_keys.find_lines`."""

    key: np.ndarray
    check: np.ndarray
    doc: np.ndarray
    start: np.ndarray
    end: np.ndarray
    kind: np.ndarray


class Repeats(Exchange, frozen=True, kw_only=True, tag="repeats"):
    """Parameters:

    scope          within what documents are counted together; without a host those of a source
    min_documents  that have a line
    min_share      of the documents of the scope that have it
    min_chars      of a line or paragraph: letters, digits not counted, a Han or kana character counted as three
    fold_digits    take all digits for 0: finds lines with a clock or a count in them, but takes dates for one another
    keep_first     one occurrence stays unmarked

    RecipeError where one is out of range."""

    revision: ClassVar[int] = 1
    uses: ClassVar[tuple[str, ...]] = ("xxhash",)
    adds: ClassVar[dict[str, pa.DataType]] = {
        "repeats": SPANS,
        "repeats_of": pa.uint64(),
        "repeated_bytes": pa.int64(),
    }

    scope: Literal["host", "source", "snapshot", "corpus"] = "host"
    min_documents: int = 5
    min_share: float = 0.0
    min_chars: int = 20
    fold_digits: bool = True
    keep_first: bool = True

    def __post_init__(self) -> None:
        if self.min_documents < 2:
            raise RecipeError(f".min_documents: got {self.min_documents}. Expected 2 or more.")
        if self.min_chars < 1:
            raise RecipeError(f".min_chars: got {self.min_chars}. Expected 1 or more.")
        if not 0 <= self.min_share <= 1:
            raise RecipeError(f".min_share: got {self.min_share}. Expected 0 to 1.")

    @property
    def reads(self) -> tuple[str, ...]:  # type: ignore[override]
        return ("text", *self._where, *(["content", "id"] if self.keep_first else []))

    @property
    def _where(self) -> tuple[str, ...]:
        return ("url",) if self.scope == "host" else ()

    @property
    def rounds(self) -> tuple[Round, ...]:  # type: ignore[override]
        ranked = (
            Join("describe", ("content", "id"), _RANKED, _RANKED_ORDER),
            Group("choose", _FOUND, _FOUND_ORDER),
        )
        sized = (
            Emit("members", self._where, _LINES, ("key", "check", "doc")),
            Group("sizes", _FOUND, _FOUND_ORDER),
        )
        return (
            Emit("lines", self.reads, _LINES, ("key", "check", "doc")),
            Group("repeated", _FOUND, _FOUND_ORDER),
            *(ranked if self.keep_first else ()),
            *(sized if self.min_share else ()),
            Settle(
                "spans",
                ("text", *self._where),
                of=("choose" if self.keep_first else "repeated", *(["sizes"] if self.min_share else [])),
            ),
        )

    def _salts(self, batch: pa.RecordBatch, part: Part) -> np.ndarray:
        """What each document is counted with: (n,) uint64."""
        if self.scope != "host":
            return np.full(part.rows, part.scope, np.uint64)
        found = hosts(canonical(batch["url"]))
        return np.where(found == 0, np.uint64(xxhash.xxh3_64_intdigest(part.source.encode())), found)

    def _lines(self, batch: pa.RecordBatch, salts: np.ndarray) -> _Lines:
        text, bounds = utf8(batch["text"])
        most = line_keys.most_lines(text[int(bounds[0]) : int(bounds[-1])], len(salts))
        types = (np.uint64, np.uint32, np.int32, np.int64, np.int64, np.uint8)
        out = [np.empty(most, kind) for kind in types]
        table = digits_as_zero() if self.fold_digits else key.table()
        found = line_keys.find_lines(text, bounds, table, self.min_chars, salts, room(bounds), *out)
        return _Lines(*(values[:found] for values in out))

    # -- rounds --------------------------------------------------------------------------------------------------------

    def lines(self, batch: pa.RecordBatch, part: Part) -> np.ndarray:
        """Distinct lines of the partition: how many documents have each, and the first of these to keep it."""
        found = self._lines(batch, self._salts(batch, part))
        order = np.arange(part.rows)
        if self.keep_first:
            hi, lo = halves(batch["id"])
            order = np.lexsort((lo, hi, halves(batch["content"])[0]))
        place = np.empty(part.rows, np.uint32)
        place[order] = np.arange(part.rows, dtype=np.uint32)
        distinct = tally(found.key, found.check, place[found.doc])
        return records_of(
            _LINES,
            key=distinct.key,
            check=distinct.check,
            count=distinct.places,
            doc=order[distinct.place].astype(np.uint32),
        )

    def repeated(self, blocks: Blocks, tell: dict[str, int]) -> Blocks:
        """Lines that enough documents have, for each partition that has them."""
        for found in counted(blocks, self.min_documents, tell, "lines"):
            yield self._found(found.records, found.totals, _MARKED)

    @staticmethod
    def _found(records: np.ndarray, documents: np.ndarray, role: int | np.ndarray) -> np.ndarray:
        return records_of(
            _FOUND,
            key=records["doc"].astype(np.uint64),
            line=records["key"],
            check=records["check"],
            documents=np.minimum(documents, (1 << 32) - 1),
            role=role,
        )

    def describe(self, records: np.ndarray, position: np.ndarray, batch: pa.RecordBatch, part: Part) -> np.ndarray:
        """What decides where a line stays, keyed by the line."""
        id_hi, id_lo = halves(batch["id"])
        return records_of(
            _RANKED,
            key=records["line"],
            check=records["check"],
            priority=min(part.priority, (1 << 32) - 1),
            content=halves(batch["content"])[0][position],
            id_hi=id_hi[position],
            id_lo=id_lo[position],
            count=records["documents"],
            doc=records["key"],
        )

    def choose(self, blocks: Blocks, tell: dict[str, int]) -> Blocks:
        """The first document of each line keeps it."""
        before = None
        for block in blocks:
            fresh = firsts((block["key"], block["check"]), before)
            before = int(block["key"][-1]), int(block["check"][-1])
            yield self._found(block, block["count"], np.where(fresh, _STAYS, _MARKED))

    def members(self, batch: pa.RecordBatch, part: Part) -> np.ndarray:
        """How many documents of the partition are counted together."""
        salts, first, count = np.unique(self._salts(batch, part), return_index=True, return_counts=True)
        return records_of(_LINES, key=salts, count=count.astype(np.uint32), doc=first.astype(np.uint32))

    def sizes(self, blocks: Blocks, tell: dict[str, int]) -> Blocks:
        """How many in all, for each partition that has some."""
        for found in counted(blocks, 1, tell, "scopes"):
            yield self._found(found.records, found.totals, _SIZE)

    def spans(self, records: np.ndarray, position: np.ndarray, batch: pa.RecordBatch, part: Part) -> Columns:
        salts = self._salts(batch, part)
        found = self._lines(batch, salts)
        least = np.zeros(part.rows, np.float64)
        size = records[records["role"] == _SIZE]
        if self.min_share:
            order = np.argsort(size["line"])
            at = order[np.searchsorted(size["line"], salts, sorter=order)]
            least = np.ceil(self.min_share * size["documents"][at] - 1e-9)
        repeated = records["role"] != _SIZE
        keeper = np.where(records["role"] == _STAYS, position, -1)[repeated]
        wanted = records[repeated]
        lines, checks = np.ascontiguousarray(wanted["line"]), np.ascontiguousarray(wanted["check"])
        documents = np.zeros(len(found.key), np.uint32)
        counts = np.ascontiguousarray(wanted["documents"])
        _mark(found.key, found.check, found.doc, lookup(lines), lines, checks, counts, keeper, least, documents)
        # A paragraph comes after its lines: in order of (document, start, longest first), what lies inside goes.
        marked = np.flatnonzero(documents)
        marked = marked[np.lexsort((-found.end[marked], found.start[marked], found.doc[marked]))]
        marked = marked[_outermost(found.doc[marked], found.end[marked])]
        spans = spans_of(
            part.rows,
            found.doc[marked],
            found.start[marked],
            found.end[marked],
            documents[marked],
            _KINDS.take(pa.array(found.kind[marked])),
        )
        nothing = pa.nulls(part.rows, pa.string())
        return {
            "repeats": spans,
            "repeats_of": text_hashes(batch["text"]),
            "repeated_bytes": pa.array(bytes_of(spans)),
            "drop": nothing,
            "detail": nothing,
        }

    def summary(self, counts: dict[str, int], dropped: int) -> dict[str, int]:
        """What a build says of the stage: distinct lines and paragraphs, how many are repeated, and the number of
        documents that have the most frequent one."""
        return {name: counts.get(name, 0) for name in ("distinct_lines", "repeated_lines", "largest_lines")}


@njit(cache=True, nogil=True)
def _mark(key, check, doc, slots, lines, checks, counts, keeper, least, documents):  # type: ignore[no-untyped-def]
    """documents[i] = how many have line i, where it is to be marked.

    key, check, doc                of the lines here
    slots, lines, checks, counts   `lookup` of the repeated lines, these, and how many documents have each
    keeper                         the document here in which the first occurrence of each stays, or -1. Used up
    least                          by document: fewer do not count
    """
    for i in range(key.size):
        at = find(slots, lines, checks, key[i], check[i])
        if at < 0 or counts[at] < least[doc[i]]:
            continue
        if keeper[at] == doc[i]:
            keeper[at] = -1
            continue
        documents[i] = counts[at]


@njit(cache=True, nogil=True)
def _outermost(doc, end):  # type: ignore[no-untyped-def]
    """Of spans in order of document, start and falling end: which lie in none before them."""
    stays = np.ones(doc.size, np.bool_)
    last = 0
    for i in range(1, doc.size):
        if doc[i] == doc[last] and end[i] <= end[last]:
            stays[i] = False
        else:
            last = i
    return stays
