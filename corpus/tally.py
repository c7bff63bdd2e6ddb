"""What the report counts: one partition at a time, in a form that adds up.

A document's fate is that of the row at the end of the chain: kept where it, or a part of it, survives. Samples are the
documents whose hash of id is smallest, so they are the same in every report of a build, whoever counts.
"""

from collections.abc import Iterable

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from corpus.alike import Alike, alike, has_likeness
from corpus.graph import Partition
from corpus.id_order import halves, order_of
from corpus.opened import Tables
from corpus.store import Blobs
from corpus.thresholds import Curve, curves

SAMPLES = 3  # of each drop reason, and of the kept of each source
_SEED = 0x5250  # of the hash that chooses samples: another than that of the shards
_PREVIEW = 700  # characters

LINEAR = np.arange(33) / 32  # edges for shares
HALF_OCTAVES = np.array([0.0] + [f * 2.0**e for e in range(-10, 41) for f in (1.0, 1.5)])  # edges for everything else

# Numbers that say where a document is, or what deduplication found, and not what it is like.
_NOT_SIGNALS = {
    "row",
    "span_start",
    "span_bytes",
    "cluster_size",
    "similarity",
    "rare_similarity",
    "rules_broken",
    "file_start",
    "file_bytes",
}


class Histogram(msgspec.Struct):
    """Counts of [kept, dropped] documents by value, in both scales: which one fits is known at the end."""

    low: float
    high: float
    linear: np.ndarray  # int64 (2, 32)
    octaves: np.ndarray  # int64 (2, 102)

    def add(self, other: "Histogram") -> None:
        self.low, self.high = min(self.low, other.low), max(self.high, other.high)
        self.linear, self.octaves = self.linear + other.linear, self.octaves + other.octaves


class Candidate(msgspec.Struct, frozen=True, order=True):
    """A document that may be shown. Candidates sort by hash."""

    hash: int
    id: str
    source: str
    root: int
    step: int  # of its last table
    row: int
    detail: str


class Tally(msgspec.Struct):
    """`languages`: language -> [documents kept, their bytes, documents dropped, their bytes].
    `samples`: (stage, drop code), or ("", source) for the kept -> candidates. `alike`: by stage that deduplicates.
    `curves`: (source, stage, drop code) -> what moves with the threshold of that rule."""

    languages: dict[str, list[int]] = {}
    histograms: dict[str, Histogram] = {}
    samples: dict[tuple[str, str], list[Candidate]] = {}
    alike: dict[str, Alike] = {}
    curves: dict[tuple[str, str, str], Curve] = {}

    def add(self, other: "Tally") -> None:
        for language, counts in other.languages.items():
            own = self.languages.setdefault(language, [0, 0, 0, 0])
            self.languages[language] = [a + b for a, b in zip(own, counts, strict=True)]
        for name, histogram in other.histograms.items():
            if name in self.histograms:
                self.histograms[name].add(histogram)
            else:
                self.histograms[name] = histogram
        for key, candidates in other.samples.items():
            self.samples[key] = sorted([*self.samples.get(key, ()), *candidates])[:SAMPLES]
        for label, one in other.alike.items():
            if label in self.alike:
                self.alike[label].add(one)
            else:
                self.alike[label] = one
        for rule, curve in other.curves.items():
            if rule in self.curves:
                self.curves[rule].add(curve)
            else:
                self.curves[rule] = curve


class TallyTask(msgspec.Struct, frozen=True):
    store: Blobs
    labels: tuple[str, ...]
    partitions: tuple[Partition, ...]  # of one source


def tally(task: TallyTask) -> Tally:
    total = Tally()
    for partition in task.partitions:
        total.add(_partition(task, partition))
    return total


def _partition(task: TallyTask, partition: Partition) -> Tally:
    seen = Tables(task.store, partition)
    found = Tally()
    last = len(seen.records) - 1
    for k in range(len(seen.records)):
        names = seen.stored(k)
        drop = seen.column(k, "drop")
        for code in pc.unique(drop.drop_null()).to_pylist():
            chosen = np.asarray(pc.fill_null(pc.equal(drop, code), False))
            found.samples[task.labels[k], code] = _candidates(seen, k, seen.rows(k)[chosen])
        if "lang" in names:
            _languages(seen, k, found)
        if k:
            _histograms(seen, k, names, found)
        if has_likeness(names):
            found.alike[task.labels[k]] = alike(seen, k)
        if "rules_broken" in names:
            for code, curve in curves(seen, k, _text_bytes(seen, k)).items():
                found.curves[partition.source, task.labels[k], code] = curve
    found.samples["", partition.source] = _candidates(seen, last, seen.living(last))
    return found


def _candidates(seen: Tables, k: int, rows: np.ndarray) -> list[Candidate]:
    """Of some rows of table k, those with the smallest hashes."""
    if not len(rows):
        return []
    ids = seen.column(seen.level(k), "id").take(pa.array(rows))
    order = order_of(*halves(ids), _SEED)
    found = []
    for i in np.argsort(order, kind="stable")[:SAMPLES]:
        row = int(rows[i])
        values = seen.values(k, row, ["detail"]) or {}
        found.append(
            Candidate(
                int(order[i]),
                ids[int(i)].as_py().hex(),
                seen.partition.source,
                seen.partition.key,
                k,
                row,
                values.get("detail") or "",
            )
        )
    return found


def _languages(seen: Tables, k: int, found: Tally) -> None:
    languages = pc.fill_null(seen.column(k, "lang"), "unknown").dictionary_encode()
    code, names = languages.indices.to_numpy(), languages.dictionary.to_pylist()
    fate, size = seen.fate(k), _text_bytes(seen, k)
    for number, name in enumerate(names):
        kept, dropped = (code == number) & fate, (code == number) & ~fate
        found.languages[name] = [int(kept.sum()), int(size[kept].sum()), int(dropped.sum()), int(size[dropped].sum())]


def _text_bytes(seen: Tables, k: int) -> np.ndarray:
    """int64[rows of table k]: bytes of text, from whatever table has them; 0 where none does."""
    level = seen.level(k)
    out = np.zeros(len(seen.rows(k)), dtype=np.int64)
    for j in range(level, len(seen.records)):
        if seen.level(j) != level:
            break
        if "bytes" in seen.stored(j):
            sizes = seen.column(j, "bytes")
        elif j == level and level:
            _, start, end = seen.parents(j)
            sizes = pa.array(end - start)
        elif "text" in seen.stored(j) and j <= k:
            sizes = pc.binary_length(seen.column(j, "text"))
        else:
            continue
        own = np.searchsorted(seen.rows(j), seen.rows(k))
        own = np.minimum(own, max(0, len(sizes) - 1))
        there = seen.rows(j)[own] == seen.rows(k) if len(sizes) else np.zeros(len(out), bool)
        values = pc.fill_null(sizes, 0).to_numpy(zero_copy_only=False)
        out[there] = values[own[there]]
    return out


def _histograms(seen: Tables, k: int, names: Iterable[str], found: Tally) -> None:
    schema = seen.file(k).schema_arrow
    chosen = [
        name
        for name in names
        if name not in _NOT_SIGNALS
        and (pa.types.is_floating(schema.field(name).type) or pa.types.is_integer(schema.field(name).type))
    ]
    fate = seen.fate(k) if chosen else np.empty(0, bool)
    for name in chosen:
        column = seen.column(k, name)
        there = np.asarray(column.is_valid())
        values = column.drop_null().to_numpy(zero_copy_only=False).astype(np.float64)
        finite = np.isfinite(values)
        values, kept = values[finite], fate[there][finite]
        if not len(values):
            continue
        linear, octaves = (
            np.stack([_counts(edges, values[kept]), _counts(edges, values[~kept])]) for edges in (LINEAR, HALF_OCTAVES)
        )
        histogram = Histogram(float(values.min()), float(values.max()), linear, octaves)
        if name in found.histograms:
            found.histograms[name].add(histogram)
        else:
            found.histograms[name] = histogram


def _counts(edges: np.ndarray, values: np.ndarray) -> np.ndarray:
    """How many values lie between neighbouring edges; what lies outside counts in the first or last."""
    place = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, len(edges) - 2)
    return np.bincount(place, minlength=len(edges) - 1).astype(np.int64)


# -- texts of the chosen ---------------------------------------------------------------------------------------------


class TextTask(msgspec.Struct, frozen=True):
    store: Blobs
    partition: Partition
    chosen: tuple[Candidate, ...]


class Sample(msgspec.Struct, frozen=True):
    """A document as it is shown."""

    id: str
    source: str
    path: str
    url: str
    detail: str
    text: str
    cut: bool


def texts(task: TextTask) -> list[tuple[str, Sample]]:
    """-> (id, sample) for each candidate of a partition"""
    seen = Tables(task.store, task.partition)
    found = []
    for one in task.chosen:
        level = seen.level(one.step)
        origin = seen.values(0, seen.ancestor(one.row, level), ["url"]) or {}
        text = seen.text(one.row, level, one.step + 1) or ""
        found.append(
            (
                one.id,
                Sample(
                    one.id,
                    one.source,
                    task.partition.path,
                    origin.get("url") or "",
                    one.detail,
                    text[:_PREVIEW],
                    len(text) > _PREVIEW,
                ),
            )
        )
    return found
