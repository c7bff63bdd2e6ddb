"""Substrings: long passages that occur again, in another document or the same, marked in all but one place.

reads text, content, id
adds  substrings, substrings_of (spans, see `marked.py`; `kind` is `substring`),
      substring_bytes (int64: how many they cover)

Lee et al. 2022 (Deduplicating training data makes language models better, section 4.1) remove every run of 50 tokens
that occurs twice, by a suffix array of the whole corpus. Here a **window** is 50 words or 80 Han characters or a
mixture in proportion (`windows.py`), compared as the key of a document is (`key.py`: case, width and punctuation make
no difference), and the passages marked are the unions of all windows that occur twice or more, none left out.

**What stays.** Of each window the occurrence in the document of the source with the lowest priority number, of these
with the smallest `content`, of these with the smallest id; there the first. So every unit that is marked stands
unmarked in a place before it in that order. Nothing is dropped or cut: a `cut` stage does that with the spans.

**How.** Equal windows have equal anchors, half as long and fewer. Each partition sends its distinct anchors (20 bytes
for every 13 words or 21 characters, about); those that stand in two places come back, and the partition sends all
windows with such an anchor (56 bytes each, distinct within a million); those that occur twice come back, and are found
in the text again. Behind `dedup` the second step is small, and it costs least. Two different windows are taken for one
where 96 bits of hash are equal.

Memory: 70 bytes per unit of the longest document, 120 bytes per repeated window of a partition, and the bounds of
`corpus/rounds.py`. A passage of every document costs no more than any other.
"""

from collections.abc import Iterator
from typing import ClassVar, Literal

import numpy as np
import pyarrow as pa

from corpus.errors import RecipeError
from corpus.exchange import Emit, Exchange, Fields, Group, Join, Part, Round, Settle, records_of
from corpus.id_order import halves
from corpus.stage import Columns
from stages import key
from stages.characters import utf8
from stages.counted import counted, tally
from stages.lookup import lookup
from stages.marked import SPANS, bytes_of, spans_of, text_hashes
from stages.windows import Shape, find_anchors, mark_windows, near_windows, scratch, shape

Blocks = Iterator[np.ndarray]

_AT_A_TIME = 1 << 20  # windows of a partition that are sorted together
_LONGEST = 1000  # units of a window

_ANCHORS: Fields = (("key", "<u8"), ("check", "<u4"), ("count", "<u4"), ("doc", "<u4"))
_FOUND: Fields = (("key", "<u8"), ("window", "<u8"), ("check", "<u4"), ("documents", "<u4"), ("role", "u1"))
_WINDOWS: Fields = (
    ("key", "<u8"), ("check", "<u4"), ("priority", "<u4"), ("content", "<u8"), ("id_hi", "<u8"), ("id_lo", "<u8"),
    ("count", "<u4"), ("documents", "<u4"), ("doc", "<u8"),
)  # fmt: skip
_MARKED, _STAYS, _SHARED = 0, 1, 2  # roles: a repeated window; one whose first place is here; an anchor in two places


class Substrings(Exchange, frozen=True, kw_only=True, tag="substrings"):
    """Parameters: so many `words` or `han` characters make a window; `scope`, within what passages are compared.
    RecipeError where one is out of range."""

    revision: ClassVar[int] = 1
    uses: ClassVar[tuple[str, ...]] = ("xxhash",)
    reads: ClassVar[tuple[str, ...]] = ("text", "content", "id")
    adds: ClassVar[dict[str, pa.DataType]] = {
        "substrings": SPANS,
        "substrings_of": pa.uint64(),
        "substring_bytes": pa.int64(),
    }

    words: int = 50
    han: int = 80
    scope: Literal["corpus", "snapshot", "source"] = "corpus"

    def __post_init__(self) -> None:
        for name in ("words", "han"):
            if not 1 <= getattr(self, name) <= _LONGEST:
                raise RecipeError(f".{name}: got {getattr(self, name)}. Expected 1 to {_LONGEST}.")

    @property
    def rounds(self) -> tuple[Round, ...]:  # type: ignore[override]
        order = ("key", "role", "window", "check", "documents")
        return (
            Emit("anchors", ("text",), _ANCHORS, ("key", "check", "doc")),
            Group("shared", _FOUND, order),
            Join(
                "windows",
                self.reads,
                _WINDOWS,
                ("key", "check", "priority", "content", "id_hi", "id_lo"),
                together=("key",),
            ),
            Group("choose", _FOUND, order),
            Settle("spans", ("text",), of=("shared", "choose")),
        )

    def _shape(self, part: Part) -> Shape:
        return shape(self.words, self.han, part.scope)

    def anchors(self, batch: pa.RecordBatch, part: Part) -> np.ndarray:
        """Distinct anchors of the partition. `doc` is its first document: they come back together."""
        text, bounds = utf8(batch["text"])
        most = (int(bounds[-1]) - int(bounds[0]) + part.rows) // 2 + 1
        found = np.empty(most, np.uint64), np.empty(most, np.uint32)
        count = find_anchors(text, bounds, key.table(), self._shape(part), scratch(bounds), *found)
        distinct = tally(found[0][:count], found[1][:count], np.zeros(count, np.uint32))
        return records_of(_ANCHORS, key=distinct.key, check=distinct.check, count=distinct.count)

    def shared(self, blocks: Blocks, tell: dict[str, int]) -> Blocks:
        """Anchors that stand in two places, for each partition that has them."""
        for found in counted(blocks, 2, tell, "anchors"):
            records = found.records
            yield records_of(
                _FOUND,
                key=records["doc"].astype(np.uint64),
                window=records["key"],
                check=records["check"],
                role=_SHARED,
            )

    def windows(self, records: np.ndarray, position: np.ndarray, batch: pa.RecordBatch, part: Part) -> Blocks:
        """All windows with a shared anchor, with what decides where they stay."""
        text, bounds = utf8(batch["text"])
        room, shape_ = scratch(bounds), self._shape(part)
        shared = _looked_up(records, slice(None))
        content = halves(batch["content"])[0]
        id_hi, id_lo = halves(batch["id"])
        order = np.lexsort((id_lo, id_hi, content))
        place = np.empty(part.rows, np.uint32)
        place[order] = np.arange(part.rows, dtype=np.uint32)
        most = max(_AT_A_TIME, len(room.near))
        found = np.empty(most, np.uint64), np.empty(most, np.uint32), np.empty(most, np.uint32)
        first = 0
        while first < part.rows:
            count, first = near_windows(text, bounds, first, key.table(), shape_, room, *shared, *found)
            distinct = tally(found[0][:count], found[1][:count], place[found[2][:count]])
            best = order[distinct.place]
            yield records_of(
                _WINDOWS,
                key=distinct.key,
                check=distinct.check,
                priority=min(part.priority, (1 << 32) - 1),
                content=content[best],
                id_hi=id_hi[best],
                id_lo=id_lo[best],
                count=distinct.count,
                documents=distinct.places,
                doc=best.astype(np.uint64) + np.uint64(part.first),
            )

    def choose(self, blocks: Blocks, tell: dict[str, int]) -> Blocks:
        """Windows that occur twice; the first document of each keeps it."""
        for found in counted(blocks, 2, tell, "windows"):
            records, begin = found.records, np.flatnonzero(found.first)
            if not len(begin):
                continue
            size = np.diff(np.append(begin, len(records)))
            documents = np.repeat(np.add.reduceat(records["documents"].astype(np.int64), begin), size)
            yield records_of(
                _FOUND,
                key=records["doc"],
                window=records["key"],
                check=records["check"],
                documents=np.minimum(documents, (1 << 32) - 1),
                role=np.where(found.first, _STAYS, _MARKED),
            )

    def spans(self, records: np.ndarray, position: np.ndarray, batch: pa.RecordBatch, part: Part) -> Columns:
        text, bounds = utf8(batch["text"])
        # A window has one record for each million windows: the one that says where it stays must be found first.
        role = records["role"]
        order = np.concatenate([np.flatnonzero(role == _STAYS), np.flatnonzero(role == _MARKED)])
        keeper = np.where(role[order] == _STAYS, position[order], -1)
        most = (int(bounds[-1]) - int(bounds[0]) + part.rows) // 2 + 1
        doc, start, end = np.empty(most, np.int32), np.empty(most, np.int64), np.empty(most, np.int64)
        documents = np.empty(most, np.uint32)
        count = mark_windows(
            text, bounds, key.table(), self._shape(part), scratch(bounds),
            *_looked_up(records, np.flatnonzero(role == _SHARED)), *_looked_up(records, order),
            records["documents"][order], keeper, doc, start, end, documents,
        )  # fmt: skip
        kind = pa.array(["substring"]).take(pa.array(np.zeros(count, np.int8)))
        spans = spans_of(part.rows, doc[:count], start[:count], end[:count], documents[:count], kind)
        nothing = pa.nulls(part.rows, pa.string())
        return {
            "substrings": spans,
            "substrings_of": text_hashes(batch["text"]),
            "substring_bytes": pa.array(bytes_of(spans)),
            "drop": nothing,
            "detail": nothing,
        }

    def summary(self, counts: dict[str, int], dropped: int) -> dict[str, int]:
        """What a build says of the stage: distinct anchors, those in two places, windows that are repeated, and how
        often the most frequent one occurs."""
        return {
            "distinct_anchors": counts.get("distinct_anchors", 0),
            "shared_anchors": counts.get("repeated_anchors", 0),
            "repeated_windows": counts.get("repeated_windows", 0),
            "most_places": counts.get("largest_windows", 0),
        }


def _looked_up(records: np.ndarray, which: np.ndarray | slice) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """`lookup` of the hashes of some records, and these. Of equal ones the first is found."""
    windows = np.ascontiguousarray(records["window"][which])
    return lookup(windows), windows, np.ascontiguousarray(records["check"][which])
