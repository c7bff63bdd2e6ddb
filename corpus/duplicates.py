"""The part of the report on duplicates: what exchanges counted, how likely likes are to meet, and pairs to look at."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import numpy as np

from corpus.alike import RELATIONS, SMALLEST, STEPS, Alike, Likeness
from corpus.kin import Family, Found, Kin, Values
from corpus.opened import Build, Tables
from corpus.sides import MOST_CHARACTERS, Piece, clean, sides

_SHOWN = 900  # characters of each side of a pair
_UNLIKELY = 0.01  # chance of meeting below which the curve is not drawn

# What is counted, as a sentence that goes on from the number.
_WORDS = {
    "exact_duplicate": "left as exact copies of one that stays",
    "near_duplicate": "left as near duplicates of one that stays, or as copies of such",
    "templates": "stay as pages of templates: alike by the frame, not by the content",
    "apart": "stay though like one that left: they are not like the one that stays",
    "copies": "copies in all, those of documents that left themselves with them",
    "compared": "documents were compared by their whole text, since signatures proposed it",
    "clusters": "clusters of two or more",
    "clustered_documents": "documents in clusters",
    "largest_cluster": "documents in the largest cluster",
    "crowded": "places in groups too large to propose every two of them",
    "evicted": "kept documents not compared with every later one of their family",
}
_RELATION = {"exact": "exact copy", "near": "near duplicate", "template": "page of a template", "apart": "apart"}


class Shown(msgspec.Struct, frozen=True):
    """A pair as it is drawn: the partner left, the document itself right."""

    title: str
    measured: str
    kin: Kin | None
    own: Kin
    left: list[Piece]
    right: list[Piece]


def exchanges(build: Build, found: Mapping[str, Alike]) -> list[dict[str, Any]]:
    """One entry for each exchange of the build, in the order of its labels; `found` where it deduplicates texts."""
    entries = []
    for label, counts in build.manifest["exchanges"].items():
        entry: dict[str, Any] = {"label": label, "counts": counts, "alike": None}
        if label in found:
            own = found[label]
            parameters = build.manifest.get("parameters", {}).get(label, {})
            family = Family(build)
            entry["alike"] = {
                "numbers": [*_numbers(build, label, counts)],
                "chart": _chart(parameters, own),
                "parameters": parameters,
                "sizes": [*_sizes(own)],
                "clusters": [_pair(build, family, label, c.least, f"{-c.negative_size:,} alike") for c in own.clusters],
                "stayed": [
                    (name, [_pair(build, family, label, one, _RELATION[name]) for one in own.stayed.get(name, ())])
                    for name in RELATIONS[1:]
                ],
            }
        entries.append(entry)
    return entries


def _numbers(build: Build, label: str, counts: Mapping[str, int]) -> Iterator[tuple[int, str]]:
    dropped: dict[str, int] = {}
    for source in build.manifest["sources"]:
        for flow in source["funnel"]:
            for code, count in flow["dropped"].items() if flow["stage"] == label else ():
                dropped[code] = dropped.get(code, 0) + count
    for name, words in _WORDS.items():
        if name in counts or name in dropped:
            yield counts.get(name, dropped.get(name, 0)), words
    for name, count in counts.items():
        if name not in _WORDS and name != "dropped":
            yield count, name.replace("_", " ")


def _sizes(own: Alike) -> Iterator[tuple[str, int, int, float]]:
    """Of the sizes counted together: what they are, clusters, documents, and these for a bar of 1000."""
    most = max(1, int(own.sizes[1].max()))
    for n, (clusters, documents) in enumerate(own.sizes.T.tolist()):
        if clusters:
            low, high = int(SMALLEST[n]), int(SMALLEST[n + 1]) - 1 if n + 1 < len(SMALLEST) else 0
            yield (f"{low:,}" if low == high else f"{low:,} to {high:,}"), clusters, documents, 1000 * documents / most


# -- the chart -------------------------------------------------------------------------------------------------------

_WIDTH, _CURVE, _BARS = 640, 150, 70  # of the drawing areas


def meeting(similarity: float, bands: int, rows: int) -> float:
    """Chance that two documents share a band (Leskovec, Rajaraman, Ullman, "Mining of Massive Datasets", 3.4.2)."""
    return 1 - (1 - similarity**rows) ** bands


def _chart(parameters: Mapping[str, Any], own: Alike) -> dict[str, Any] | None:
    """The curve, the threshold, and under them documents by similarity to their partner. Coordinates are in a box of
    _WIDTH, the curve from 0 to _CURVE, bars below it. None where the build does not say its parameters."""
    if not {"bands", "rows", "threshold"} <= set(parameters):
        return None
    bands, rows, threshold = (parameters[name] for name in ("bands", "rows", "threshold"))
    steps = np.arange(STEPS + 1) / STEPS
    low = next(n for n in range(10) if meeting((n + 1) / 10, bands, rows) > _UNLIKELY) / 10
    seen = np.flatnonzero(own.similarities.sum(axis=0))
    low = min(low, int(10 * steps[seen[0]]) / 10) if len(seen) else low

    def x(similarity: float) -> float:
        return round(_WIDTH * (similarity - low) / (1 - low), 2)

    line = " ".join(f"{x(s)},{_CURVE * (1 - meeting(s, bands, rows)):.2f}" for s in steps.tolist() if s >= low)
    highest = max(1, int(own.similarities.sum(axis=0).max()))
    bars = []
    for n in seen.tolist():
        base = 0.0
        for name, count in zip(RELATIONS, own.similarities[:, n].tolist(), strict=True):
            height = _BARS * count / highest
            if count:
                told = f"{count:,} {_RELATION[name]}, {steps[n]:.2f} to {steps[n + 1]:.2f}"
                width = x(steps[n + 1]) - x(steps[n]) - 0.8
                bars.append(
                    (name, told, x(steps[n]), round(_BARS - base - height, 2), round(width, 2), round(height, 2))
                )
            base += height
    return {
        "line": line,
        "threshold": threshold,
        "at": x(threshold),
        "meet": meeting(threshold, bands, rows),
        "bars": bars,
        "highest": highest,
        "ticks": [(x(n / 10), f"{n / 10:.1f}") for n in range(round(10 * low), 11)],
        "kinds": [(n, _RELATION[n]) for n, own in zip(RELATIONS, own.similarities, strict=True) if own.sum()],
    }


# -- pairs -----------------------------------------------------------------------------------------------------------


def _pair(build: Build, family: Family, label: str, one: Likeness, title: str) -> Shown:
    seen = Tables(build.store, build.partition(one.root))
    own = Found(bytes.fromhex(one.id), seen, seen.level(one.step), one.row, one.step)

    def stays(values: Values) -> bool:
        return (values.get("drop") is not None) == (one.relation == "apart")

    other = family.find(bytes.fromhex(one.partner), label, stays)
    texts = [clean(found.text[:MOST_CHARACTERS]) if found is not None else "" for found in (other, own)]
    left, right = sides(texts[0], texts[1], _SHOWN)
    measured = (
        "the same text"
        if one.relation == "exact"
        else f"{one.similarity:.3f} on all shingles, {one.rare:.3f} on rare ones"
    )
    kin = other.kin if other is not None else None
    return Shown(
        f"{title}; {_RELATION[one.relation]}" if title != _RELATION[one.relation] else title,
        measured,
        kin,
        own.kin,
        left,
        right,
    )
