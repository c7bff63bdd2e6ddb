"""The study of thresholds: how much a judge would keep if one threshold moved and all else stayed.

A judge names what it applies in its definition, so that no stage is needed to read it: for each pack
`{languages, min_<column> or max_<column>: threshold, where: {rule: {column: {min or max: limit}}}}`, and its table says
of each document which rule dropped it first, and how many rules it breaks (`rules_broken`). So a document returns when
one rule is loosened exactly where that rule alone drops it, and leaves when one is tightened where nothing drops it
yet: of these two kinds the distribution of the rule's signal is counted, in documents and in bytes of text.

It is counted when the report is made, not when the judge runs: the report reads every column of signals anyway, a
record stays small, and what is counted may change without a new revision of the judge. No text is read. Values are
counted in bins that are exact for multiples of 2**-12 below 1 and for whole numbers up to 128, and within 1/64 above;
what is kept at the present threshold is counted from verdicts, so it is exact for all. At most 24,600 bins of 20 bytes
for a rule and a source; most have a few hundred.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from corpus.opened import Tables

_FINE = 4096  # bins below 1
_ONE = 0x3F800000  # bits of 1.0 as float32
_SHIFT = 17  # of these bits, which leaves 64 bins an octave


class Limit(msgspec.Struct, frozen=True):
    """A column and one limit on it."""

    signal: str
    op: str  # min or max
    threshold: float

    def holds(self, values: np.ndarray) -> np.ndarray:
        return values >= self.threshold if self.op == "min" else values <= self.threshold


class Asked(msgspec.Struct, frozen=True):
    """A rule as it was applied: its drop code, its limit, and whom it is asked of."""

    code: str
    limit: Limit
    languages: tuple[str, ...]
    where: Limit | None


class Curve(msgspec.Struct):
    """What moves with one threshold, for one source. Pairs are (documents, bytes of text), int64.

    seen     all that reach the judge
    kept     of these, what it keeps
    alone    what this rule alone drops
    broken   documents that break the rule
    bins     sorted bins (int32) of what is kept or dropped by this rule alone, where the rule is asked
    counts   (len(bins), 2)
    """

    limit: Limit
    seen: np.ndarray
    kept: np.ndarray
    alone: np.ndarray
    broken: int
    bins: np.ndarray
    counts: np.ndarray

    def add(self, other: "Curve") -> None:
        self.seen, self.kept, self.alone = self.seen + other.seen, self.kept + other.kept, self.alone + other.alone
        self.broken += other.broken
        self.bins, place = np.unique(np.concatenate([self.bins, other.bins]), return_inverse=True)
        counts = np.zeros((len(self.bins), 2), np.int64)
        np.add.at(counts, place, np.concatenate([self.counts, other.counts]))
        self.counts = counts

    def at(self, thresholds: np.ndarray) -> np.ndarray:
        """int64 (n, 2): documents and bytes kept with each of the thresholds, exact at the present one."""
        below = np.concatenate([np.zeros((1, 2), np.int64), np.cumsum(self.counts, axis=0)])
        values = values_of(self.bins)
        unmoved = self.kept + self.alone - below[-1]  # kept, and not asked
        if self.limit.op == "max":
            moved = below[np.searchsorted(values, thresholds, side="right")]
            looser, tighter = thresholds > self.limit.threshold, thresholds < self.limit.threshold
        else:
            moved = below[-1] - below[np.searchsorted(values, thresholds, side="left")]
            looser, tighter = thresholds < self.limit.threshold, thresholds > self.limit.threshold
        found = unmoved + moved
        found[looser] = np.maximum(found[looser], self.kept)
        found[tighter] = np.minimum(found[tighter], self.kept)
        found[~looser & ~tighter] = self.kept
        return found


def bins_of(values: np.ndarray) -> np.ndarray:
    """int32 bin of each number, ascending with it."""
    size = np.abs(values)
    small = np.floor(np.minimum(size, 1) * _FINE)
    bits = np.maximum(size, 1).astype(np.float32).view(np.int32)
    large = _FINE + (bits >> _SHIFT) - (_ONE >> _SHIFT)
    return (np.where(size < 1, small, large) * np.sign(values)).astype(np.int32)


def values_of(bins: np.ndarray) -> np.ndarray:
    """float64: of each bin the number in it that is nearest to 0."""
    size = np.abs(bins)
    bits = (np.maximum(size - _FINE, 0) + (_ONE >> _SHIFT)).astype(np.int32) << _SHIFT
    large = bits.view(np.float32).astype(np.float64)
    return np.where(size < _FINE, size / _FINE, large) * np.sign(bins)


def asked(parameters: Mapping[str, Any]) -> list[Asked]:
    """The rules that a stage's definition names, in the order of their names; none where the stage judges by none."""
    found = []
    for pack, rules in parameters.items():
        if not isinstance(rules, dict) or "languages" not in rules:
            continue
        for name, threshold in rules.items():
            op, _, signal = name.partition("_")
            if op not in ("min", "max") or not isinstance(threshold, int | float):
                continue
            where = None
            for column, limit in rules.get("where", {}).get(name, {}).items():
                ((side, at),) = limit.items()
                where = Limit(column, side, at)
            found.append(Asked(f"{pack}.{name}", Limit(signal, op, threshold), tuple(rules["languages"]), where))
    return found


def curves(seen: Tables, k: int, text_bytes: np.ndarray) -> dict[str, Curve]:
    """By drop code, what moves with each rule of the judge at step k of a partition; `text_bytes` of each row."""
    rules = asked(seen.records[k].definition["parameters"])
    if not rules or "rules_broken" not in seen.stored(k):
        return {}
    drop = seen.column(k, "drop")
    broken = pc.fill_null(seen.column(k, "rules_broken"), 2).to_numpy(zero_copy_only=False)
    kept = np.asarray(drop.is_null())
    columns: dict[str, np.ndarray] = {}

    def values(name: str) -> np.ndarray:
        if name not in columns:
            columns[name] = _values(seen, k, name)
        return columns[name]

    found = {}
    spoken: dict[tuple[str, ...], np.ndarray] = {}
    for rule in rules:
        if rule.languages not in spoken:
            spoken[rule.languages] = _in_languages(seen, k, rule.languages)
        own, value = spoken[rule.languages], values(rule.limit.signal)
        if rule.where is not None:
            own = own & rule.where.holds(values(rule.where.signal))
        own = own & np.isfinite(value)
        alone = np.asarray(pc.fill_null(pc.equal(drop, rule.code), False)) & (broken == 1)
        chosen = (kept & own) | alone
        bins, counts = _counted(bins_of(value[chosen]), text_bytes[chosen])
        found[rule.code] = Curve(
            rule.limit,
            _sum(np.ones_like(kept), text_bytes),
            _sum(kept, text_bytes),
            _sum(alone, text_bytes),
            int((own & ~rule.limit.holds(value)).sum()),
            bins,
            counts,
        )
    return found


def _sum(chosen: np.ndarray, text_bytes: np.ndarray) -> np.ndarray:
    return np.array([chosen.sum(), text_bytes[chosen].sum()], np.int64)


def _counted(bins: np.ndarray, text_bytes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """-> distinct bins, (documents, bytes) in each"""
    if not len(bins):
        return np.empty(0, np.int32), np.empty((0, 2), np.int64)
    first = int(bins.min())
    documents = np.bincount(bins - first)
    size = np.zeros(len(documents), np.int64)
    np.add.at(size, bins - first, text_bytes)  # not as weights: those are doubles
    there = np.flatnonzero(documents)
    return (there + first).astype(np.int32), np.stack([documents[there], size[there]], axis=1)


def _values(seen: Tables, k: int, name: str) -> np.ndarray:
    """float64[rows of table k]: the column as step k read it; NaN where it has none."""
    for j in range(k - 1, -1, -1):
        if name in seen.records[j].columns:
            break
    else:
        return np.full(len(seen.rows(k)), np.nan)
    column = seen.column(j, name)
    value = pc.fill_null(column, 0).to_numpy(zero_copy_only=False).astype(np.float64)
    value[~np.asarray(column.is_valid())] = np.nan
    rows = seen.up(seen.rows(k), seen.level(k), seen.level(j))
    return value[np.searchsorted(seen.rows(j), rows)]


def _in_languages(seen: Tables, k: int, languages: tuple[str, ...]) -> np.ndarray:
    rows = seen.rows(k)
    if not languages:
        return np.ones(len(rows), bool)
    j = next(j for j in range(k - 1, -1, -1) if "lang" in seen.records[j].columns)
    spoken = pc.is_in(seen.column(j, "lang"), value_set=pa.array(languages, pa.string()), skip_nulls=True)
    rows = seen.up(rows, seen.level(k), seen.level(j))
    return np.asarray(spoken)[np.searchsorted(seen.rows(j), rows)]
