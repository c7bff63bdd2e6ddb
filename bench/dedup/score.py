"""Scores: what a system's verdicts are worth against the truth.

**Recall.** A duplicate pair is found when both documents are in one cluster, and resolved when one of them at most
survives. By bins of 0.05 in similarity, over the pairs of original and copy, which are independent of each other; by
kind, over all pairs of a family.

**Precision of removals.** A removed document is right when a surviving document of its family has a similarity of 0.8
or more with it; wrong otherwise. Of the wrong ones some have such a twin that was removed, too (`orphaned`), some have
a family but no twin (`below`, which `precision_less_free` leaves out), the others have nothing: a different document
is lost (`lost`).

**Copies left.** Survivors that have a twin (0.8 or more) among the survivors counted before them, in the order of ids.

Intervals are Wilson's, 95% (Wilson 1927).
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from math import sqrt
from typing import Any, NamedTuple

THRESHOLD = 0.8
EDGES = (0.70, 0.75, 0.80, 0.85, 0.90, 0.95, 1.0)
_Z = 1.959964


class Verdict(NamedTuple):
    """What a system says of a document. `cluster` is None where it stands alone."""

    kept: bool
    cluster: str | None


class Share(NamedTuple):
    """`hits` of `total` with the interval; all three None where there was nothing to count."""

    hits: int
    total: int
    value: float | None
    low: float | None
    high: float | None


def wilson(hits: int, total: int) -> Share:
    if total == 0:
        return Share(0, 0, None, None, None)
    part = hits / total
    scale = 1 + _Z**2 / total
    middle = (part + _Z**2 / (2 * total)) / scale
    spread = _Z / scale * sqrt(part * (1 - part) / total + _Z**2 / (4 * total**2))
    return Share(hits, total, part, max(0.0, middle - spread), min(1.0, middle + spread))


def bin_of(similarity: float) -> str | None:
    """The name of the bin, closed below; one for equal sets alone; None below all."""
    if similarity == 1.0:
        return "1.00"
    if similarity < EDGES[0]:
        return None
    low = max(edge for edge in EDGES if edge <= similarity)
    return f"{low:.2f}-{low + 0.05:.2f}"


BINS = [*(f"{low:.2f}-{low + 0.05:.2f}" for low in EDGES[:-1]), "1.00"]
Pairs = Iterable[tuple[str, str, float]]


def score(documents: list[list[str]], pairs: Pairs, verdicts: dict[str, Verdict]) -> dict[str, Any]:
    """`documents` as (id, kind, family, role), `pairs` within families as (id, id, similarity).

    A document without a verdict was not seen by the system's dedup; its pairs are counted apart, as `unseen`."""
    kind = {name: own for name, own, _, _ in documents}
    original = {name for name, _, _, role in documents if role == "original"}
    twins: dict[str, list[str]] = defaultdict(list)
    by_bin: dict[str, Counter[str]] = {name: Counter() for name in BINS}
    by_kind: dict[str, Counter[str]] = {own: Counter() for own in sorted(set(kind.values()))}
    unseen_pairs = 0
    for one, other, similarity in pairs:
        if one not in verdicts or other not in verdicts:
            unseen_pairs += 1
            continue
        tally = _tally(verdicts[one], verdicts[other])
        duplicate = similarity >= THRESHOLD
        by_kind[kind[one]].update({name if duplicate else f"free_{name}": n for name, n in tally.items()})
        name = bin_of(similarity)
        if name and (one in original) != (other in original) and not kind[one].startswith("family"):
            by_bin[name].update(tally)
        if duplicate:
            twins[one].append(other)
            twins[other].append(one)
    families = Counter(family for _, _, family, _ in documents)
    family_of = {name: family for name, _, family, _ in documents}
    removals: dict[str, Counter[str]] = {own: Counter() for own in by_kind}
    for name, own in kind.items():
        removals[own]["documents"] += 1
        if name in verdicts and not verdicts[name].kept:
            kept = any(verdicts[twin].kept for twin in twins[name] if twin in verdicts)
            wrong = "orphaned" if twins[name] else "below" if families[family_of[name]] > 1 else "lost"
            removals[own].update(["removed", "right" if kept else wrong])
    for name in _left(kind, twins, verdicts):
        removals[kind[name]]["left"] += 1
    whole = sum(removals.values(), Counter())
    return {
        "bins": {name: _recall(tally) for name, tally in by_bin.items()},
        "kinds": {own: _recall(tally) | _free(tally) | _losses(removals[own]) for own, tally in by_kind.items()},
        "at_0.80": _recall(by_bin["0.80-0.85"]),
        "from_0.85": _recall(sum((by_bin[name] for name in BINS[3:]), Counter())),
        "removals": _losses(whole) | {"precision": wilson(whole["right"], whole["removed"])._asdict()},
        "precision_any": wilson(whole["right"] + whole["orphaned"], whole["removed"])._asdict(),
        "precision_less_free": wilson(whole["right"], whole["removed"] - whole["below"])._asdict(),
        "pages_removed": sum(_gone(removals[own]) for own in by_kind if own.startswith(("template", "form"))),
        "template_pages_removed": sum(_gone(removals[own]) for own in by_kind if own.startswith("template")),
        "unrelated_removed": sum(_gone(removals[own]) for own in ("alone", "short", "no-words") if own in removals),
        "unseen": len(kind) - len(verdicts.keys() & kind.keys()),
        "unseen_pairs": unseen_pairs,
        "largest_cluster": max(Counter(v.cluster for v in verdicts.values() if v.cluster).values(), default=1),
    }


def _left(names: Iterable[str], twins: dict[str, list[str]], verdicts: dict[str, Verdict]) -> list[str]:
    stayed: set[str] = set()
    left = []
    for name in sorted(name for name in names if name in verdicts and verdicts[name].kept):
        if stayed.isdisjoint(twins[name]):
            stayed.add(name)
        else:
            left.append(name)
    return left


def _tally(one: Verdict, other: Verdict) -> dict[str, int]:
    found = one.cluster is not None and one.cluster == other.cluster
    return {"pairs": 1, "found": int(found), "resolved": int(not (one.kept and other.kept))}


def _recall(tally: Counter[str]) -> dict[str, Any]:
    return {name: wilson(tally[name], tally["pairs"])._asdict() for name in ("found", "resolved")}


def _free(tally: Counter[str]) -> dict[str, int]:
    return {"free_pairs": tally["free_pairs"], "free_found": tally["free_found"]}


def _losses(tally: Counter[str]) -> dict[str, int]:
    return {name: tally[name] for name in ("documents", "removed", "right", "orphaned", "below", "lost", "left")}


def misses(documents: list[list[str]], pairs: Pairs, verdicts: dict[str, Verdict]) -> list[dict[str, Any]]:
    """Duplicate pairs not found, and removals that are not right, for a look at them."""
    kind = {name: own for name, own, _, _ in documents}
    found: list[dict[str, Any]] = []
    twins: dict[str, list[tuple[float, str]]] = defaultdict(list)
    for one, other, similarity in pairs:
        for name, twin in ((one, other), (other, one)):
            twins[name].append((similarity, twin))
        seen = one in verdicts and other in verdicts
        if seen and similarity >= THRESHOLD and not _tally(verdicts[one], verdicts[other])["found"]:
            what = {"what": "missed", "kind": kind[one], "one": one, "other": other}
            found.append(what | {"similarity": round(similarity, 4)})
    for name, own in kind.items():
        if name not in verdicts or verdicts[name].kept:
            continue
        if any(
            similarity >= THRESHOLD and twin in verdicts and verdicts[twin].kept for similarity, twin in twins[name]
        ):
            continue
        similarity, twin = max(twins[name], default=(0.0, None))
        what = {"what": "wrong", "kind": own, "one": name, "other": twin, "similarity": round(similarity, 4)}
        found.append(what | {"cluster": verdicts[name].cluster})
    return found


def _gone(tally: Counter[str]) -> int:
    """Different documents lost: removed without a surviving twin."""
    return tally["removed"] - tally["right"]
