"""What is fresh, what is not, and why: computed from identities alone, nothing is run.

Each step of each partition is one of
    fresh     a record stands under its identity
    stale     a record stands for this stage and partition, under another identity: the differences are named
    missing   it was never built
    unknown   its inputs do not exist yet
"""

from collections import Counter

import msgspec

from corpus.build import Builder
from corpus.errors import VerifyError
from corpus.exchange import Exchange
from corpus.graph import Partition, Segment, adopt, why_stale
from corpus.heavy_rules import Heavy, heavy_rules
from corpus.pack import Pack
from corpus.packing import adopt_packed
from corpus.sealed import open_manifest
from corpus.settle import adopt_settled, why_unsettled
from corpus.steps import is_map, step_inputs
from corpus.store import Blobs


class StageStatus(msgspec.Struct):
    """One stage of one source. Counts are of partitions; `rows`, `kept`, `dropped` sum the fresh ones."""

    source: str
    stage: str
    fresh: int = 0
    stale: int = 0
    missing: int = 0
    unknown: int = 0
    rows: int = 0
    kept: int = 0
    made: int = 0
    dropped: dict[str, int] = {}
    why: dict[str, int] = {}  # reason -> partitions

    @property
    def state(self) -> str:
        for name in ("stale", "missing", "unknown"):
            if getattr(self, name):
                return name
        return "fresh"


class Status(msgspec.Struct):
    stages: list[StageStatus]
    unread: dict[str, list[str]]  # source -> files that were never read, or changed
    heavy: list[Heavy] = []  # rules that drop much of a source

    @property
    def fresh(self) -> bool:
        return not any(self.unread.values()) and all(stage.state == "fresh" for stage in self.stages)


def survey(builder: Builder, out: Blobs) -> Status:
    """The state of every stage of a manifest, and of the shards in `out`; files are listed, none is read beyond its
    digest."""
    unread = builder.discover()
    for segment in builder.segments():
        for source, partitions in builder.partitions.items():
            for partition in partitions:
                adopt(builder.graph.chains[source], partition, segment.until[source], builder.known[source])
        if isinstance(segment.stage, Exchange) and not any(unread.values()):
            adopt_settled(builder, segment)
    result = []
    for source, steps in builder.graph.chains.items():
        for k, step in enumerate(steps):
            if isinstance(step.stage, Pack):
                continue
            one = StageStatus(source, step.label)
            for partition in builder.partitions[source]:
                _count(builder, one, partition, k)
            if unread[source] and k == 0:
                one.missing += len(unread[source])
                why = "files that were never read, have changed, or hold documents to be removed"
                one.why[why] = len(unread[source])
            elif unread[source]:
                one.unknown += len(unread[source])
            result.append(one)
    last = builder.segments()[-1]
    if isinstance(last.stage, Pack):
        result += _packed(builder, last, out, any(unread.values()))
        order = {(source, label): i for i, (source, label) in enumerate(_places(builder))}
        result.sort(key=lambda one: order[one.source, one.stage])
    return Status(result, unread, heavy_rules(builder, out))


def _places(builder: Builder) -> list[tuple[str, str]]:
    return [(source, step.label) for source, steps in builder.graph.chains.items() for step in steps]


def _packed(builder: Builder, segment: Segment, out: Blobs, unread: bool) -> list[StageStatus]:
    """Packing, counted in shards: all of them follow from everything that is packed."""
    assert segment.stage is not None
    found = {source: StageStatus(source, segment.stage.label) for source in segment.sources}
    waiting = any(len(p.records) < segment.until[s] for s in segment.sources for p in builder.partitions[s])
    if unread or waiting:
        for one in found.values():
            one.unknown = 1
        return list(found.values())
    try:
        earlier = open_manifest(out)
    except VerifyError:
        earlier = {}
    shards = adopt_packed(builder, segment, out, earlier)
    for one in found.values():
        if shards is None and earlier:
            one.stale, one.why = 1, {f"{one.stage}: what it packs, or how, changed since {out.root} was sealed": 1}
        elif shards is None:
            one.missing = 1
        for shard in shards or []:
            if shard.source == one.source:
                one.fresh += 1
                one.rows += shard.documents
                one.kept += shard.documents
    return list(found.values())


def _count(builder: Builder, one: StageStatus, partition: Partition, k: int) -> None:
    steps = builder.graph.chains[partition.source]
    if k < len(partition.records):
        record = partition.records[k]
        one.fresh += 1
        one.rows += record.rows
        one.kept += record.kept
        one.made += record.made
        one.dropped = dict(Counter(one.dropped) + Counter(record.dropped))
        return
    if k > len(partition.records):
        one.unknown += 1
        return
    if is_map(steps[k].stage):
        inputs = step_inputs(steps, partition.records, k, partition.key)
        why = why_stale(steps[k], inputs, builder.candidates(partition.source, inputs["partition"]))
    else:
        why = why_unsettled(builder, partition, k)
    if why is None:
        one.missing += 1
    else:
        one.stale += 1
        for reason in why:
            one.why[reason] = one.why.get(reason, 0) + 1
