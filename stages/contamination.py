"""Contamination: where the items of benchmarks stand in the corpus, and what has to be cut for them.

reads text
adds  contamination          passages that items and the text have in common: list of struct<start, end (bytes of the
                             text), benchmark, item, grams, documents (that have the most frequent of the grams), gram
                             (the first, as the text has it)>
      contamination_cuts     what `decontaminate` leaves out: list of struct<start, end, chars, kind, benchmark>, in
                             order, none overlapping; `kind` is `match` or `short piece`
      contamination_cuts_of  hash of the text that the cuts belong to (uint64), null where there are none
      contaminated_chars     characters in the cuts (int64)
drop: contaminated (no piece is left), cut_too_often (more than `most_cuts` cuts)

The procedure is that of GPT-3 (Brown et al. 2020, appendix C) and MT-NLG (Smith et al. 2022, section 3.2): a run of 13
units that an item and a document share is cut with 200 characters on each side; pieces under 200 characters go, and
documents that would be cut more than 10 times; a run that more than 10 documents of the corpus have is ignored: it is a
common phrase, a licence, a verse. Both name words; here a unit is a word, or one Han or kana character, as in the key
of a document, so case, width, punctuation, line breaks and the Chinese script make no difference.

**Short items.** A text of an item with fewer than 13 units is found only where it stands alone, from the beginning of a
line to the end of a line; with fewer than 8 it is never looked for, since Yes and 是的 are no evidence.
What counts as one place of many holds for these too: an answer that more than 10 documents have as a line is ignored.

**How.** The table of grams is made of the benchmark files, once per worker. A first walk counts, for each partition, in
how many documents each gram occurs: one record of 20 bytes for each gram that does. Totals come back, and a second walk
over partitions that hold grams to be cut finds their places. Nothing else is sent, so a gram of every document costs no
more than one of two. `documents` counts documents, not occurrences: a document that repeats an item is no evidence that
the item is a common phrase.

Memory: the table, 45 bytes for each unit of the benchmarks and 12 more for each gram; 4 MB of text at a time, or one
document, 80 bytes for each of its bytes at most; and the bounds of `corpus/rounds.py`.
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import msgspec
import numpy as np
import pyarrow as pa

from corpus.errors import RecipeError
from corpus.exchange import Emit, Exchange, Fields, Group, Part, Round, Settle, Solve, records_of
from corpus.stage import Columns
from stages import key
from stages.benchmarks import Benchmark, items
from stages.characters import utf8
from stages.contamination_columns import CUTS, PASSAGES, Made, counts_of, made, nothing
from stages.contamination_cuts import Rules, cuts, find_cuts, passages
from stages.counted import counted
from stages.grams import Grams, bitmap, count_documents, grams_of, hits

Blocks = Iterator[np.ndarray]

_GROUP_BYTES = 4 << 20  # of text that is searched at a time
_LONGEST = 255  # units of a gram

_COUNTS: Fields = (("key", "<u8"), ("check", "<u4"), ("count", "<u4"), ("doc", "<u4"))
_TOTALS: Fields = (("key", "<u8"), ("gram", "<u4"), ("documents", "<u4"))


class Known(NamedTuple):
    """What a worker keeps: the table, and whose the grams are.

    item       (g,) int32: the first item that has each gram
    text_item  (t,) int32: the item of each text
    benchmark  (items,) int32: place of its benchmark among `names`
    number     (items,) uint32: of each item in its benchmark
    """

    grams: Grams
    item: np.ndarray
    text_item: np.ndarray
    benchmark: np.ndarray
    number: np.ndarray
    names: tuple[str, ...]


class Contamination(Exchange, frozen=True, kw_only=True, tag="contamination"):
    """Parameters: the `benchmark`s; `units` of a gram, and `least_units` of a text that is looked for as a whole;
    `most_documents` that may have a gram before it is ignored; `margin_chars` that are cut on each side,
    `least_chars` of a piece, `most_cuts` of a document. RecipeError where one is out of range, or two benchmarks have
    one name."""

    revision: ClassVar[int] = 1
    reads: ClassVar[tuple[str, ...]] = ("text",)
    adds: ClassVar[dict[str, pa.DataType]] = {
        "contamination": PASSAGES,
        "contamination_cuts": CUTS,
        "contamination_cuts_of": pa.uint64(),
        "contaminated_chars": pa.int64(),
    }
    uses: ClassVar[tuple[str, ...]] = ("xxhash",)
    may_drop: ClassVar[bool] = True
    spelled: ClassVar[tuple[str, ...]] = ("benchmark",)

    benchmark: tuple[Benchmark, ...]
    units: int = 13
    least_units: int = 8
    most_documents: int = 10
    margin_chars: int = 200
    least_chars: int = 200
    most_cuts: int = 10

    def __post_init__(self) -> None:
        limits = {
            "units": (1, _LONGEST),
            "least_units": (1, self.units),
            "most_documents": (1, (1 << 32) - 1),
            "margin_chars": (0, 1 << 30),
            "least_chars": (1, 1 << 30),
            "most_cuts": (1, 1 << 30),
        }
        for field, (least, most) in limits.items():
            if not least <= getattr(self, field) <= most:
                raise RecipeError(f".{field}: got {getattr(self, field)}. Expected {least} to {most}.")
        names = [one.name for one in self.benchmark]
        if not names:
            raise RecipeError(".benchmark: got none. Add a [[stage.benchmark]] with `name` and `files`.")
        for name in names:
            if names.count(name) > 1:
                raise RecipeError(f".benchmark.name: {name!r} names two benchmarks. Rename one.")

    @property
    def assets(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(file for one in self.benchmark for file in one.files))

    @property
    def resolved(self) -> dict[str, Any]:
        """Benchmarks without what changes no row."""
        return {"benchmark": [msgspec.structs.replace(one, licence="", origin="") for one in self.benchmark]}

    @property
    def card(self) -> dict[str, Any]:
        return {one.name: {"licence": one.licence, "origin": one.origin} for one in self.benchmark}

    @property
    def rounds(self) -> tuple[Round, ...]:  # type: ignore[override]
        return (
            Emit("documents", ("text",), _COUNTS, ("key", "check", "doc"), loads=True),
            Group("totals", _TOTALS, ("key", "gram")),
            Solve("overlaps", _TOTALS, loads=True),
            Settle("spans", ("text",), of=("totals",), loads=True),
        )

    def load(self, assets: Mapping[str, Path]) -> Known:
        texts: list[str] = []
        text_item, benchmark, number = [], [], []
        for place, one in enumerate(self.benchmark):
            for count, own in enumerate(items(one, assets)):
                texts += own
                text_item += [len(number)] * len(own)
                benchmark.append(place)
                number.append(count)
        grams = grams_of(pa.array(texts, pa.string()), self.units, self.least_units)
        owner = np.array(text_item, np.int32)
        first = np.searchsorted(grams.bounds, grams.at, side="right") - 1
        names = tuple(one.name for one in self.benchmark)
        return Known(grams, owner[first], owner, np.array(benchmark, np.int32), np.array(number, np.uint32), names)

    def documents(self, batch: pa.RecordBatch, part: Part, model: Known) -> np.ndarray:
        """How many documents of the partition have each gram. `doc` is its first document: they come back together."""
        documents = np.zeros(len(model.grams.keys), np.uint32)
        for text, bounds, _ in _groups(batch["text"]):
            seen = np.full(len(documents), -1, np.int32)
            count_documents(text, bounds, key.table(), model.grams, hits(bounds), seen, documents)
        there = np.flatnonzero(documents)
        return records_of(_COUNTS, key=model.grams.keys[there], check=there, count=documents[there])

    def totals(self, blocks: Blocks, tell: dict[str, int]) -> Blocks:
        """In how many documents each gram occurs, for each partition that has it."""
        for found in counted(blocks, 1, tell, "grams"):
            records, documents = found.records, np.minimum(found.totals, (1 << 32) - 1)
            yield records_of(_TOTALS, key=records["doc"].astype(np.uint64), gram=records["check"], documents=documents)

    def overlaps(self, blocks: Callable[[], Blocks], documents: int, tell: dict[str, int], model: Known) -> Blocks:
        """Overlaps of each benchmark with the whole corpus. It holds 4 bytes for each gram."""
        total = np.zeros(len(model.grams.keys), np.uint32)
        for records in blocks():
            total[records["gram"]] = records["documents"]
        tell.update(self._overlaps(total, model))
        yield from ()

    def _overlaps(self, total: np.ndarray, model: Known) -> dict[str, int]:
        grams = model.grams
        units = np.diff(grams.bounds)
        longest = np.zeros(len(model.number), np.int64)
        np.maximum.at(longest, model.text_item, units)
        place = np.flatnonzero(grams.which >= 0)
        gram = grams.which[place]
        item = model.text_item[np.searchsorted(grams.bounds, place, side="right") - 1]
        found: dict[str, int] = {}
        for number, name in enumerate(model.names):
            own = model.benchmark == number
            mine = own[item]
            distinct = np.unique(gram[mine])
            used = total[distinct]
            cut = mine & (total[gram] > 0) & (total[gram] <= self.most_documents)
            found |= {
                f"{name}.items": int(own.sum()),
                f"{name}.short": int((own & (longest < self.units) & (longest >= self.least_units)).sum()),
                f"{name}.too_short": int((own & (longest < self.least_units)).sum()),
                f"{name}.grams": len(distinct),
                f"{name}.grams_found": int((used > 0).sum()),
                f"{name}.grams_ignored": int((used > self.most_documents).sum()),
                f"{name}.items_found": len(np.unique(item[cut])),
            }
        return found

    def spans(
        self, records: np.ndarray, position: np.ndarray, batch: pa.RecordBatch, part: Part, model: Known
    ) -> Columns:
        documents = np.zeros(len(model.grams.keys), np.uint32)
        cut = records["documents"] <= self.most_documents
        documents[records["gram"][cut]] = records["documents"][cut]
        if not documents.any():
            return nothing(part.rows)
        bits, shift = bitmap(model.grams.keys[documents > 0])
        grams, rules = model.grams._replace(bits=bits, shift=shift), Rules(self.margin_chars, self.least_chars)
        found = []
        for text, bounds, first in _groups(batch["text"]):
            most = 2 * (int(bounds[-1]) - int(bounds[0])) // 3 + 2 * len(bounds)
            passage, span, pieces = passages(most), cuts(most), np.empty(len(bounds) - 1, np.int32)
            passed, spans = find_cuts(
                text, bounds, key.table(), grams, model.item, documents, rules, hits(bounds), passage, span, pieces
            )
            found.append(Made(first, passage, passed, span, spans, pieces))
        whose = model.benchmark[model.item], model.number[model.item], model.names
        return made(batch["text"], found, *whose, self.most_cuts)

    def told(self, columns: Columns) -> dict[str, int]:
        return counts_of(columns)

    def summary(self, counts: dict[str, int], dropped: int) -> dict[str, int]:
        """What a build says of the stage: documents that are cut, characters of these that go; and of each benchmark
        its items, those that are short or too short, distinct grams, those that occur, those that are ignored, items
        that have one that is not, documents that are cut or dropped for it, characters cut."""
        whole = {name: counts.get(name, 0) for name in ("documents_cut", "chars_cut")}
        own = {f"{one.name}.{name}": counts.get(f"{one.name}.{name}", 0) for one in self.benchmark for name in OVERLAPS}
        return {"dropped": dropped} | whole | own


# What is counted of each benchmark, in the order in which it is told.
OVERLAPS = (
    "items", "short", "too_short", "grams", "grams_found", "grams_ignored", "items_found", "documents_cut",
    "documents_dropped", "chars_cut",
)  # fmt: skip


def _groups(texts: pa.Array) -> Iterator[tuple[np.ndarray, np.ndarray, int]]:
    """Runs of documents of up to `_GROUP_BYTES`, or of one: text, bounds, number of the first."""
    text, bounds = utf8(texts)
    first, count = 0, len(bounds) - 1
    while first < count:
        last = int(np.searchsorted(bounds, int(bounds[first]) + _GROUP_BYTES, side="right")) - 1
        last = max(last, first + 1)
        yield text, bounds[first : last + 1], first
        first = last
