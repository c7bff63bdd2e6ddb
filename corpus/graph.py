"""The graph of a manifest: one chain of steps per source, cut into segments where a global stage stands.

Nothing here runs a stage. It says which steps are fresh (their identity has a record), which are not and why, and what
cannot be known before something else has run.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from corpus import assets
from corpus.assets import place_of, root_digest
from corpus.exchange import Exchange
from corpus.identity import step_id
from corpus.recipe import Recipe
from corpus.record import Record
from corpus.stage import BULK, Regroup, Stage
from corpus.steps import Step, is_map, lay_out, provider, step_inputs
from corpus.store import Blobs


class Partition(msgspec.Struct):
    """Where a partition stands: its origin, and the records of its chain so far."""

    source: str
    path: str
    chunk: int
    key: int
    records: list[Record]


class Segment(msgspec.Struct, frozen=True):
    """A run of row-local stages, ended by a global stage (or by the end of the chain: `stage` is None)."""

    number: int
    stage: Stage | None
    until: dict[str, int]  # source -> index in its chain where the segment ends
    sources: tuple[str, ...]  # that the global stage applies to


class Graph:
    """Chains, segments and the digests of assets of one manifest."""

    def __init__(self, recipe: Recipe, store: Blobs, install: bool = True) -> None:
        self.recipe = recipe
        self.store = store
        self.assets = self._assets(recipe, store, install)
        self.chains: dict[str, tuple[Step, ...]] = {
            source.name: lay_out(recipe.chain(source.name), self.assets) for source in recipe.sources
        }

    @staticmethod
    def _assets(recipe: Recipe, store: Blobs, install: bool) -> dict[str, str]:
        names = sorted({name for source in recipe.sources for s in recipe.chain(source.name) for name in s.assets})
        digests = {}
        stood_on = {name for stage in recipe.stages if isinstance(stage, Exchange) for name in stage.stands_on}
        for name in names:
            if name in stood_on:
                digests[name] = root_digest(place_of(name, recipe.path.parent))
                continue
            path = assets.find(name, recipe.path.parent)
            digests[name] = assets.install(store, path) if install else assets.digest_of(path)
        return digests

    def labels(self) -> list[str]:
        """Labels of all stages in the order of the manifest."""
        return ["read", *(stage.label for stage in self.recipe.stages)]

    def index(self, source: str, label: str) -> int | None:
        for k, step in enumerate(self.chains[source]):
            if step.label == label:
                return k
        return None

    def segments(self) -> list[Segment]:
        found = []
        for stage in self.recipe.stages:
            if is_map(stage):
                continue
            until = {}
            for source in self.chains:
                own = self.index(source, stage.label)
                if own is None:  # the source does not take part: it waits at the last stage that stands before this one
                    before = {s.label for s in self.recipe.stages[: self.recipe.stages.index(stage)]} | {"read"}
                    own = sum(1 for step in self.chains[source] if step.label in before)
                until[source] = own
            takes_part = tuple(s for s in self.chains if self.index(s, stage.label) is not None)
            found.append(Segment(len(found), stage, until, takes_part))
        done = dict.fromkeys(self.chains, 0)
        if found:
            done = {s: k + (s in found[-1].sources) for s, k in found[-1].until.items()}
        last = {source: len(chain) for source, chain in self.chains.items()}
        if done != last:
            found.append(Segment(len(found), None, last, ()))
        return found


def adopt(steps: Sequence[Step], partition: Partition, until: int, known: Mapping[str, Record]) -> None:
    """Extend the partition's records with every step before `until` that is already there."""
    while len(partition.records) < until:
        k = len(partition.records)
        if not is_map(steps[k].stage):
            return
        record = known.get(next_step(steps, partition))
        if record is None:
            return
        partition.records.append(record)


def next_step(steps: Sequence[Step], partition: Partition) -> str:
    """Identity of the first step that has no record yet."""
    k = len(partition.records)
    return step_id(steps[k].definition, step_inputs(steps, partition.records, k, partition.key))


def needs_source(steps: Sequence[Step], start: int, until: int) -> bool:
    """Whether a walk from `start` may read a bulk column that no table stores, so that the input file must be open."""
    for k in range(start, until):
        for name in steps[k].stage.reads:
            if name not in BULK:
                continue
            j = provider(steps, name, k)
            while isinstance(steps[j].stage, Regroup):
                j = provider(steps, name, j)
            if j < start and name not in steps[j].stored:
                return True
    return False


# -- why is a step stale? ------------------------------------------------------------------------------------------


def _flatten(value: Any, path: str = "") -> dict[str, Any]:
    if isinstance(value, Mapping):
        flat: dict[str, Any] = {}
        for name, inner in value.items():
            flat |= _flatten(inner, f"{path}.{name}" if path else str(name))
        return flat
    return {path: value}


def _show(value: Any) -> str:
    if value is None:
        return "default"
    text = str(int(value) if isinstance(value, float) and value.is_integer() else value)
    return f"{text[:12]}…" if len(text) == 64 and all(c in "0123456789abcdef" for c in text) else text


def difference(label: str, now: Mapping[str, Any], inputs: Mapping[str, Any], then: Record) -> list[str]:
    """Field by field, what sets a step apart from a recorded one."""
    found = []
    a, b = _flatten(then.definition["parameters"]), _flatten(now["parameters"])
    for name in sorted(set(a) | set(b)):
        if a.get(name) != b.get(name):
            found.append(f"{label}.{name} {_show(a.get(name))} -> {_show(b.get(name))}")
    if then.definition["revision"] != now["revision"]:
        found.append(f"{label}: revision {then.definition['revision']} -> {now['revision']}")
    for name in sorted(set(then.definition["uses"]) | set(now["uses"])):
        old, new = then.definition["uses"].get(name), now["uses"].get(name)
        if old != new:
            found.append(f"{label}: {name} {old} -> {new}")
    if then.definition["assets"] != now["assets"]:
        old, new = then.definition["assets"], now["assets"]
        found.append(f"{label}: asset {', '.join(map(_show, old))} -> {', '.join(map(_show, new))}")
    for name in sorted(set(then.inputs) | set(inputs)):
        if then.inputs.get(name) != inputs.get(name):
            what = "the rows that reach it" if name == "rows" else f"column `{name}`"
            found.append(f"{label}: {what} changed")
    return found


def why_stale(step: Step, inputs: Mapping[str, Any], candidates: Iterable[Record]) -> list[str] | None:
    """Differences from the nearest record of the same stage and partition; None where there is none (missing)."""
    now = step.definition.identity()
    best = None
    for record in sorted(candidates, key=lambda r: r.step):
        if record.kind == step.definition.kind:
            found = difference(step.label, now, inputs, record)
            if best is None or len(found) < len(best):
                best = found
    return best
