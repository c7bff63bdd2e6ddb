"""The columns of `contamination` from what its kernels found, and what is counted of them."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from corpus.stage import Columns
from stages.contamination_cuts import SHORT, Cuts, Passages
from stages.marked import text_hashes

PASSAGES = pa.list_(
    pa.struct(
        [
            ("start", pa.int64()),
            ("end", pa.int64()),
            ("benchmark", pa.string()),
            ("item", pa.uint32()),
            ("grams", pa.uint32()),
            ("documents", pa.uint32()),
            ("gram", pa.string()),
        ]
    )
)
CUTS = pa.list_(
    pa.struct(
        [
            ("start", pa.int64()),
            ("end", pa.int64()),
            ("chars", pa.int64()),
            ("kind", pa.string()),
            ("benchmark", pa.string()),
        ]
    )
)
KINDS = ("match", "short piece")
_SHOWN = 120  # characters of a gram that are kept: words may be of any length


class Made(NamedTuple):
    """What was found in documents from number `first` on: as many passages and cuts as the numbers behind them say."""

    first: int
    passage: Passages
    passages: int
    cut: Cuts
    cuts: int
    pieces: np.ndarray


def nothing(rows: int) -> Columns:
    """The columns of documents of which none is contaminated."""
    empty = pa.array(np.zeros(rows + 1, np.int32))
    return {
        "contamination": pa.ListArray.from_arrays(empty, pa.array([], PASSAGES.value_type), type=PASSAGES),
        "contamination_cuts": pa.ListArray.from_arrays(empty, pa.array([], CUTS.value_type), type=CUTS),
        "contamination_cuts_of": pa.nulls(rows, pa.uint64()),
        "contaminated_chars": pa.array(np.zeros(rows, np.int64)),
        "drop": pa.nulls(rows, pa.string()),
        "detail": pa.nulls(rows, pa.string()),
    }


def made(
    text: pa.Array,
    found: Sequence[Made],
    benchmark: np.ndarray,
    number: np.ndarray,
    names: tuple[str, ...],
    most_cuts: int,
) -> Columns:
    """The columns of documents with `text`; `benchmark` (place in `names`) and `number` say whose each gram is."""
    rows = len(text)
    passage = Passages(*(_together(found, [one.passage[i][: one.passages] for one in found], i) for i in range(7)))
    cut = Cuts(*(_together(found, [one.cut[i][: one.cuts] for one in found], i) for i in range(6)))
    pieces = np.concatenate([one.pieces for one in found])
    called = pa.array(names, pa.string())
    passages = {
        "start": pa.array(passage.start),
        "end": pa.array(passage.end),
        "benchmark": called.take(pa.array(benchmark[passage.gram])),
        "item": pa.array(number[passage.gram]),
        "grams": pa.array(passage.grams),
        "documents": pa.array(passage.documents),
        "gram": _grams(text, passage),
    }
    cuts = {
        "start": pa.array(cut.start),
        "end": pa.array(cut.end),
        "chars": pa.array(cut.chars),
        "kind": pa.array(KINDS, pa.string()).take(pa.array(cut.kind)),
        "benchmark": called.take(pa.array(benchmark[cut.gram])),
    }
    chars = np.zeros(rows, np.int64)
    np.add.at(chars, cut.doc, cut.chars)
    there = np.unique(cut.doc)
    hashes = np.zeros(rows, np.uint64)
    hashes[there] = np.asarray(text_hashes(text.take(pa.array(there))))
    drop, detail = _dropped(passage, cut, pieces, benchmark, number, names, most_cuts)
    return {
        "contamination": _lists(rows, passage.doc, passages, PASSAGES),
        "contamination_cuts": _lists(rows, cut.doc, cuts, CUTS),
        "contamination_cuts_of": pa.array(hashes, mask=~np.isin(np.arange(rows), there)),
        "contaminated_chars": pa.array(chars),
        "drop": pa.array(drop, pa.string()),
        "detail": pa.array(detail, pa.string()),
    }


def _together(found: Sequence[Made], arrays: list[np.ndarray], field: int) -> np.ndarray:
    """One array of several; of documents, which is field 0, the number in the batch."""
    if field == 0:
        arrays = [one + own.first for one, own in zip(arrays, found, strict=True)]
    return np.concatenate(arrays)


def _grams(text: pa.Array, passage: Passages) -> pa.Array:
    """The first gram of each passage, as the text has it."""
    shown: dict[int, bytes] = {}
    grams = []
    for doc, start, end in zip(passage.doc.tolist(), passage.start.tolist(), passage.first_end.tolist(), strict=True):
        if doc not in shown:
            shown = {doc: text[doc].as_buffer().to_pybytes()}
        grams.append(shown[doc][start:end].decode(errors="replace")[:_SHOWN])
    return pa.array(grams, pa.string())


def _dropped(
    passage: Passages,
    cut: Cuts,
    pieces: np.ndarray,
    benchmark: np.ndarray,
    number: np.ndarray,
    names: tuple[str, ...],
    most_cuts: int,
) -> tuple[list[str | None], list[str | None]]:
    drop: list[str | None] = [None] * len(pieces)
    detail: list[str | None] = [None] * len(pieces)
    times = np.bincount(cut.doc[cut.kind != SHORT], minlength=len(pieces))
    for doc in np.flatnonzero(times > most_cuts).tolist():
        drop[doc], detail[doc] = "cut_too_often", f"{times[doc]} cuts"
    left = np.flatnonzero((pieces == 0) & (times <= most_cuts))
    for doc, at in zip(left.tolist(), np.searchsorted(passage.doc, left).tolist(), strict=True):
        gram = passage.gram[at]
        drop[doc], detail[doc] = "contaminated", f"{names[benchmark[gram]]} item {number[gram]}"
    return drop, detail


def _lists(rows: int, doc: np.ndarray, columns: dict[str, pa.Array], kind: pa.DataType) -> pa.Array:
    offsets = np.zeros(rows + 1, np.int32)
    np.cumsum(np.bincount(doc, minlength=rows), out=offsets[1:])
    flat = pa.StructArray.from_arrays(list(columns.values()), fields=list(kind.value_type))
    return pa.ListArray.from_arrays(pa.array(offsets), flat, type=kind)


def counts_of(columns: Columns) -> dict[str, int]:
    """Documents that are cut and the characters of these that go, and both by benchmark, with documents dropped."""
    alive = np.asarray(columns["drop"].is_null())
    counts: Counter[str] = Counter()
    doc, benchmark = _flat(columns["contamination"])
    for name in benchmark.unique().to_pylist():
        own = np.unique(doc[np.asarray(pc.equal(benchmark, name))])
        counts[f"{name}.documents_cut"] += int(alive[own].sum())
        counts[f"{name}.documents_dropped"] += int((~alive[own]).sum())
    counts["documents_cut"] += int(alive[np.unique(doc)].sum())
    doc, benchmark = _flat(columns["contamination_cuts"])
    chars = columns["contamination_cuts"].flatten().field("chars").to_numpy() * alive[doc]
    for name in benchmark.unique().to_pylist():
        counts[f"{name}.chars_cut"] += int(chars[np.asarray(pc.equal(benchmark, name))].sum())
    counts["chars_cut"] += int(chars.sum())
    return dict(counts)


def _flat(column: pa.Array) -> tuple[np.ndarray, pa.Array]:
    """Of each item of a column of lists: its document, and its benchmark."""
    sizes = np.diff(column.offsets.to_numpy())
    return np.repeat(np.arange(len(column)), sizes), column.flatten().field("benchmark")
