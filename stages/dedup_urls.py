"""Dedup by URL: of records with one canonical URL, keep one.

reads url, id, span_start, and with `keep = "newest"` date
adds  url_partner (id of the record that is kept for this one; null where this one stays)
drops `same_url`, with the id of the kept one in `detail`

Two URLs are one where all 128 bits of the hashes of their canonical forms (`urls.py`) are equal. A record without a
URL has nothing in common with another. Of several, one of a build named by `against` stays, else the one of the source
with the lowest priority number; of these with `keep = "newest"` the one with the latest date (`date` as in WARC: ISO
8601, UTC; no date is the oldest); of these the one with the smallest id. So who stays follows from the records alone.

It needs no text, so it may stand behind the reader and save the stages behind it their work. Behind a stage that cuts
documents in parts, the parts of one record stay or leave together: they share the record's partition and `span_start`,
and the first living one speaks for them. `keep = "newest"` needs a `date` from every source that it applies to.

One record of 49 bytes for each distinct URL of a partition: a URL on every page costs no more than any other. Memory is
bounded by the partition (some hundred bytes a row) and by `corpus/rounds.py`.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import ClassVar, Literal

import numpy as np
import pyarrow as pa
import xxhash
from numba import njit

from corpus.exchange import Emit, Exchange, Fields, Group, Part, Round, Settle, records_of
from corpus.id_order import halves, joined
from corpus.stage import Columns
from stages.characters import utf8
from stages.groups import firsts, heads
from stages.urls import canonical

Blocks = Iterator[np.ndarray]

_DATE_DIGITS = 19  # year to second are 14; the rest are fractions. As many as a uint64 holds
_BEST: Fields = (
    ("key", "<u8"), ("low", "<u8"), ("new", "u1"), ("priority", "<u4"), ("age", "<u8"), ("id_hi", "<u8"),
    ("id_lo", "<u8"), ("doc", "<u4"),
)  # fmt: skip
_ORDER = ("key", "low", "new", "priority", "age", "id_hi", "id_lo")
_KEPT: Fields = (("key", "<u8"), ("id_hi", "<u8"), ("id_lo", "<u8"))


class DedupUrls(Exchange, frozen=True, kw_only=True, tag="dedup-urls"):
    """Parameters: `keep`, of the records of one URL and one priority the `first` by id or the `newest`; `scope`, within
    what records meet; `against`, directories of sealed builds whose URLs are taken."""

    revision: ClassVar[int] = 1
    adds: ClassVar[dict[str, pa.DataType]] = {"url_partner": pa.binary(16)}
    may_drop: ClassVar[bool] = True

    keep: Literal["first", "newest"] = "first"
    scope: Literal["corpus", "snapshot", "source"] = "corpus"
    against: tuple[str, ...] = ()

    @property
    def assets(self) -> tuple[str, ...]:
        return self.against

    @property
    def reads(self) -> tuple[str, ...]:  # type: ignore[override]
        return ("url", "id", "span_start", *(["date"] if self.keep == "newest" else []))

    @property
    def rounds(self) -> tuple[Round, ...]:  # type: ignore[override]
        return (
            Emit("addresses", self.reads, _BEST, _ORDER),
            Group("choose", _KEPT),
            Settle("verdict", self.reads),
        )

    def addresses(self, batch: pa.RecordBatch, part: Part) -> np.ndarray:
        """The best record of each URL of the partition."""
        ordered, fresh = self._ordered(batch, part)
        return ordered[fresh]

    def _ordered(self, batch: pa.RecordBatch, part: Part) -> tuple[np.ndarray, np.ndarray]:
        """Records that have a URL, the best of each URL before the others, and which of them is a best one."""
        hi, low, there = address_hashes(batch["url"])
        first = np.flatnonzero(there & _begins(batch["span_start"]))
        age = np.full(batch.num_rows, np.uint64(0))
        if self.keep == "newest":
            age = ~times(batch["date"])
        id_hi, id_lo = halves(batch["id"])
        key = hi[first] ^ np.uint64(part.scope)
        order = np.lexsort((id_lo[first], id_hi[first], age[first], low[first], key))
        rows = first[order]
        records = records_of(
            _BEST,
            key=key[order],
            low=low[rows],
            new=not part.standing,
            priority=min(part.priority, (1 << 32) - 1),
            age=age[rows],
            id_hi=id_hi[rows],
            id_lo=id_lo[rows],
            doc=rows.astype(np.uint32),
        )
        return records, firsts((records["key"], records["low"]), None) if len(rows) else np.zeros(0, np.bool_)

    def choose(self, blocks: Blocks, tell: dict[str, int]) -> Blocks:
        """For the best of each partition but the best of all: which record is kept."""
        before, hi, lo = None, 0, 0
        tell["urls"] = 0
        for block in blocks:
            fresh = firsts((block["key"], block["low"]), before)
            tell["urls"] += int(fresh.sum())
            kept_hi, kept_lo = heads(block["id_hi"], fresh, hi), heads(block["id_lo"], fresh, lo)
            yield records_of(
                _KEPT, key=block["doc"][~fresh].astype(np.uint64), id_hi=kept_hi[~fresh], id_lo=kept_lo[~fresh]
            )
            before, hi, lo = (int(block["key"][-1]), int(block["low"][-1])), int(kept_hi[-1]), int(kept_lo[-1])

    def verdict(self, records: np.ndarray, position: np.ndarray, batch: pa.RecordBatch, part: Part) -> Columns:
        ordered, fresh = self._ordered(batch, part)
        id_hi, id_lo = halves(batch["id"])
        kept_hi, kept_lo = id_hi.copy(), id_lo.copy()  # of each row the id of the record that is kept for it
        kept_hi[position], kept_lo[position] = records["id_hi"], records["id_lo"]
        best = heads(ordered["doc"].astype(np.int64), fresh, 0)  # the best of its partition has the last word
        kept_hi[ordered["doc"]], kept_lo[ordered["doc"]] = kept_hi[best], kept_lo[best]
        begins = _begins(batch["span_start"])
        first = np.maximum.accumulate(np.where(begins, np.arange(batch.num_rows), 0))  # the part that speaks for a row
        kept_hi, kept_lo = kept_hi[first], kept_lo[first]
        dropped = (kept_hi != id_hi[first]) | (kept_lo != id_lo[first])
        where = pa.array(np.cumsum(dropped) - 1, mask=~dropped)
        partner = joined(kept_hi[dropped], kept_lo[dropped])
        code = pa.array(np.zeros(batch.num_rows, np.int8), mask=~dropped)
        return {
            "url_partner": partner.take(where),
            "drop": pa.array(["same_url"]).take(code),
            "detail": pa.array([value.hex() for value in partner.to_pylist()], pa.string()).take(where),
        }

    def summary(self, counts: dict[str, int], dropped: int) -> dict[str, int]:
        """What a build says of the stage. `urls` are distinct in canonical form."""
        return {"urls": counts.get("urls", 0), "in_other_partitions": counts["choose"], "dropped": dropped}


def address_hashes(column: pa.Array) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """xxh3_128 of the canonical form of each of n URLs: two (n,) uint64, and where there is a URL, (n,) bool."""
    data, offsets = utf8(canonical(column))
    view = memoryview(data)
    hashed = b"".join(map(xxhash.xxh3_128_digest, (view[a:b] for a, b in pairwise(offsets.tolist()))))
    pairs = np.frombuffer(hashed, ">u8").reshape(-1, 2).astype(np.uint64)
    return pairs[:, 0], pairs[:, 1], offsets[1:] > offsets[:-1]


def _begins(span_start: pa.Array) -> np.ndarray:
    """Which rows are not parts of the record of the row before."""
    start = span_start.to_numpy(zero_copy_only=False)
    begins = np.ones(len(start), np.bool_)
    begins[1:] = start[1:] != start[:-1]
    return begins


def times(dates: pa.Array) -> np.ndarray:
    """`2021-01-02T03:04:05.678Z` as 2021010203040567800: (n,) uint64 that sort by time, 0 for a null and for what does
    not begin with a digit."""
    data, bounds = utf8(dates)
    found = np.zeros(len(dates), np.uint64)
    _read_digits(data, bounds, found)
    return found


@njit(cache=True, nogil=True)
def _read_digits(data, bounds, found):  # type: ignore[no-untyped-def]
    for row in range(bounds.size - 1):
        value = np.uint64(0)
        digits = 0
        at = bounds[row]
        if at == bounds[row + 1] or not 48 <= data[at] < 58:
            continue
        while at < bounds[row + 1] and digits < _DATE_DIGITS:
            byte = data[at]
            if 48 <= byte < 58:
                value = value * np.uint64(10) + np.uint64(byte - 48)
                digits += 1
            elif byte != 45 and byte != 58 and byte != 46 and byte | 32 != 116:  # - : . T
                break
            at += 1
        for _ in range(digits, _DATE_DIGITS):
            value *= np.uint64(10)
        found[row] = value
