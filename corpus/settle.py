"""Running an Exchange of a manifest, and adopting one that ran before.

The scope's identity covers the digests of all that is read, over all partitions. Where it has a record, the verdict of
each partition is adopted. Otherwise the rounds run, and a partition's verdict becomes a table under an identity of its
own: the stage, the partition, and the digest of the verdict itself. So a verdict that did not change leaves everything
behind it fresh.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from corpus import record as records
from corpus import tables
from corpus.build import Builder
from corpus.bundling import bundles
from corpus.chain import Walk
from corpus.errors import StoreError
from corpus.exchange import Exchange, Loader, Opener, Part
from corpus.graph import Partition, Segment, difference
from corpus.identity import Definition, canonical, sha256, step_id
from corpus.listed import Lists
from corpus.publish import make_record, put_table
from corpus.record import Record, ScopeRecord
from corpus.rounds import BUNDLE_PARTS, BUNDLE_ROWS, Bundle, Flow, numbered, run_rounds, settled
from corpus.standing import Index
from corpus.steps import Origin, Step, columns_read, partition_at, provider
from corpus.store import Blobs
from corpus.work import load_model

SCOPE = "_scope"  # stands where records have a source; no source can be called so


class Member(msgspec.Struct, frozen=True):
    """A partition as a worker needs it to read its columns."""

    origin: Origin
    own: int  # key of the partition at this point of the chain
    steps: tuple[Step, ...]
    records: tuple[Record, ...]


class StoreLoader(Loader, frozen=True):
    store: Blobs
    members: dict[int, Member]

    def read(self, key: int, names: tuple[str, ...]) -> pa.RecordBatch:
        member = self.members[key]
        k = len(member.records)
        walk = Walk(member.origin, member.steps, self.store, {}, _nothing_to_load, records=member.records)
        if not names:
            return pa.record_batch([pa.array(walk.rows(k))], names=["row"])
        return pa.record_batch([walk.column(name, k) for name in names], names=list(names))


def _nothing_to_load(step: Step) -> Any:
    raise StoreError(f"`{step.label}` would have to run again to read its columns")


class StoreOpener(Opener, frozen=True):
    store: Blobs
    step: Step

    def open(self) -> Any:
        return load_model(self.store, self.step)


class _SettleTask(msgspec.Struct, frozen=True):
    blobs: Blobs
    stage: Exchange
    flow: Flow
    bundle: Bundle
    loader: StoreLoader
    opener: Opener


def _settle(task: _SettleTask) -> tuple[list[tuple[int, Record]], Counter[str]]:
    done = []
    told: Counter[str] = Counter()
    for part, columns in settled(task.stage, task.blobs, task.flow, task.bundle, task.opener):
        told.update(task.stage.told(columns))
        member = task.loader.members[part.key]
        step = member.steps[len(member.records)]
        last = member.records[-1]
        digests = {name: tables.column_digest(columns[name]) for name in (*step.adds, "drop", "detail")}
        verdict = sha256(canonical(digests))
        inputs = {"partition": f"{member.own:016x}", "rows": last.alive, "verdict": verdict}
        rows = task.loader.read(part.key, ())["row"].to_numpy()
        alive = np.asarray(columns["drop"].is_null())
        record = make_record(
            step.definition,
            step_id(step.definition, inputs),
            inputs,
            part.source,
            member.own,
            len(rows),
            columns["drop"],
            {name: digests[name] for name in step.adds},
            tables.rows_digest(rows[alive]),
            {},
            table=put_table(task.blobs, task.stage.kind, member.own, {"row": pa.array(rows), **columns}),
        )
        records.publish(task.blobs, record, part.source, task.stage.kind)
        done.append((part.key, record))
    return done, told


def digests_read(steps: Sequence[Step], done: Sequence[Record], k: int) -> list[str]:
    """Digests of what the stage at k reads of a partition with these records, in a fixed order."""
    return [*(done[provider(steps, name, k)].columns[name] for name in columns_read(steps, k)), done[k - 1].alive]


def _scope(builder: Builder, segment: Segment) -> tuple[str, str, dict[int, Partition], dict[int, list[str]]]:
    """-> (identity, digest of all inputs, partitions by key, their digests)"""
    members: dict[int, Partition] = {}
    digests: dict[int, list[str]] = {}
    for source in segment.sources:
        k = segment.until[source]
        for partition in builder.partitions[source]:
            members[partition.key] = partition
            digests[partition.key] = digests_read(builder.graph.chains[source], partition.records, k)
    assert isinstance(segment.stage, Exchange)
    scope_of = segment.stage.scope_of
    priorities = sorted(
        (s.name, s.priority, scope_of(s.name, s.snapshot)) for s in builder.recipe.sources if s.name in segment.sources
    )
    everything = sha256(canonical([priorities, [[f"{key:016x}", *digests[key]] for key in sorted(members)]]))
    return step_id(_definition(builder, segment), {"scope": everything}), everything, members, digests


def _definition(builder: Builder, segment: Segment) -> Any:
    source = segment.sources[0]
    return builder.graph.chains[source][segment.until[source]].definition


def adopt_settled(builder: Builder, segment: Segment) -> dict[str, int] | None:
    """Give every partition the verdict of an earlier run over the same scope. -> its counts; None: it never ran."""
    stage = segment.stage
    assert isinstance(stage, Exchange)
    waiting = [p for s in segment.sources for p in builder.partitions[s] if len(p.records) != segment.until[s]]
    if waiting or not segment.sources:
        return None
    identity, _, members, _ = _scope(builder, segment)
    name = f"{records.folder(SCOPE, stage.kind)}/{identity}.json"
    if not builder.store.exists(name):
        return None
    found = msgspec.json.decode(builder.store.get(name), type=ScopeRecord)
    listed = tables.read(builder.store.get(found.settled.name))
    steps = dict(zip(listed["partition"].to_pylist(), listed["step"].to_pylist(), strict=True))
    chosen = {key: builder.known[p.source].get(steps.get(key, "")) for key, p in members.items()}
    if any(record is None for record in chosen.values()):
        return None
    for key, partition in members.items():
        partition.records.append(chosen[key])  # type: ignore[arg-type]
    return found.counts


def _standing(builder: Builder, segment: Segment) -> Index | Lists:
    """The documents of earlier builds that those of this one are compared with."""
    stage = segment.stage
    assert isinstance(stage, Exchange)
    source = segment.sources[0]
    steps, k = builder.graph.chains[source], segment.until[source]
    definitions = {name: steps[provider(steps, name, k)].definition.identity() for name in stage.comparable}
    near = builder.recipe.path.parent
    if stage.stands_on_lists:
        return Lists(stage, near, definitions, builder.removal.removal if builder.removal else None)
    return Index(stage, near, definitions)


def _bundles(
    parts: Mapping[int, Part],
    definition: Definition,
    stands_on: Collection[str],
    digests: Mapping[int, list[str]],
    loader: Any,
) -> Any:
    """Bundles of numbered parts, each with the identity of what is emitted of it. What stands beside has no part in
    it, assets that are loaded have."""
    emits = {name: value for name, value in definition.identity().items() if name != "assets"}
    loaded = [digest for name, digest in definition.assets.items() if name not in stands_on]
    emits |= {"assets": loaded} if loaded else {}
    weights = {key: part.rows + BUNDLE_ROWS // BUNDLE_PARTS for key, part in parts.items()}
    for keys in bundles(weights, BUNDLE_ROWS) if parts else []:
        own = [parts[key] for key in keys]
        read = [[f"{p.key:016x}", p.priority, f"{p.scope:016x}", p.standing, *digests[p.key]] for p in own]
        yield sha256(canonical([emits, read])), tuple(own), loader(keys)


def settle(builder: Builder, segment: Segment) -> dict[str, int]:
    """Bring the Exchange that ends a segment up to date. -> counts for the report."""
    stage = segment.stage
    assert isinstance(stage, Exchange)
    if builder.again != stage.label:
        counts = adopt_settled(builder, segment)
        if counts is not None:
            return counts
    identity, everything, members, digests = _scope(builder, segment)
    sources = {s.name: s for s in builder.recipe.sources}
    parts = {
        key: Part(
            key,
            p.source,
            sources[p.source].priority,
            p.records[-1].living,
            scope=stage.scope_of(p.source, sources[p.source].snapshot),
        )
        for key, p in members.items()
    }
    ordered = {part.key: part for part in numbered(parts)}
    definition = _definition(builder, segment)
    standing = _standing(builder, segment)

    def loader(keys: Sequence[int]) -> StoreLoader:
        return StoreLoader(builder.store, {key: _member(builder, segment, members[key]) for key in keys})

    made = [*_bundles(ordered, definition, stage.stands_on, digests, loader)]
    first = sum(part.rows for part in parts.values())
    for stood in standing.parts:
        own = {p.key: msgspec.structs.replace(p, first=first + p.first) for p in numbered(stood)}
        made += _bundles(own, definition, stage.stands_on, standing.digests, standing.loader)
        first += sum(part.rows for part in stood.values())
    every = [Bundle(number, *one) for number, one in enumerate(made)]
    work = [bundle for bundle in every if not bundle.parts[0].standing]
    scratch = f"runs/{stage.kind}/{identity[:16]}"

    def say(one: str, count: int) -> None:
        builder.progress.say(f"{stage.label}: {one.replace('_', ' ')}: {count:,} records")

    opener = StoreOpener(builder.store, builder.graph.chains[segment.sources[0]][segment.until[segment.sources[0]]])
    emitted = f"runs/{stage.kind}/emitted"
    flow, by_round = run_rounds(stage, builder.store, every, scratch, emitted, builder.executor.map, say, opener)
    tasks = [_SettleTask(builder.store, stage, flow, b, b.loader, opener) for b in work]  # type: ignore[arg-type]
    done: dict[int, Record] = {}
    told: Counter[str] = Counter()
    for _, (found, counted) in builder.executor.map(_settle, tasks):
        done.update(found)
        told.update(counted)
    builder.costs.steps += len(done)
    dropped = sum(sum(r.dropped.values()) for r in done.values())
    counts = stage.summary(by_round | told, dropped)
    table = put_table(
        builder.store,
        "scope",
        0,
        {"partition": pa.array(sorted(done), pa.uint64()), "step": pa.array([done[k].step for k in sorted(done)])},
    )
    scope = ScopeRecord(identity, definition.identity(), everything, table, counts)
    records.publish(builder.store, scope, SCOPE, stage.kind)
    for key, partition in members.items():
        partition.records.append(done[key])
        builder.known[partition.source][done[key].step] = done[key]
    for name in list(builder.store.walk(scratch)):
        builder.store.remove(name)
    return counts


def _member(builder: Builder, segment: Segment, partition: Partition) -> Member:
    steps = builder.graph.chains[partition.source]
    k = segment.until[partition.source]
    origin = Origin(partition.source, partition.path, partition.key)
    return Member(origin, partition_at(steps, partition.key, k), steps, tuple(partition.records[:k]))


def why_unsettled(builder: Builder, partition: Partition, k: int) -> list[str] | None:
    """Why the Exchange at step k of a partition must run (again); None where it never ran."""
    step = builder.graph.chains[partition.source][k]
    best: list[str] | None = None
    for one in records.load(builder.store, SCOPE, step.stage.kind, ScopeRecord).values():
        then = Record(one.step, "", "", one.definition, {}, 0, 0, {}, {}, "", one.settled)
        found = difference(step.label, step.definition.identity(), {}, then) or [f"{step.label}: its scope changed"]
        if best is None or len(found) < len(best):
            best = found
    return best
