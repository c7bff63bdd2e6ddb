"""Guard rails: an exchange that drops too much stops the build, until the manifest accepts it by name.

    [[stage]]
    kind = "dedup"
    max_dropped_share = 0.5     # of the documents of a source that reach the stage
    max_cluster = 10_000        # documents of one cluster
    accept = ["zh-crawl", "9f425b66141330df000000000000013f"]    # sources, and clusters by their best document

An exchange that may drop is held to those of these parameters that it has, and names them in `guards`: they say when to
ask, not what to do, so they are no part of identity, and another value runs nothing again. They are checked whenever a
verdict is brought up to date, made now or adopted, so building a second time does not slip through. A source that lost
fewer than LEAST_DROPPED documents is let pass: a share of a handful says nothing.

What was built stays. The message shows PAIRS pairs side by side: of a source any, from its first partitions, of a
cluster those that are least alike. Where a cluster is above its limit, accepted or not, every verdict is read; where
the build stops, every id besides.
"""

from collections.abc import Iterator, Mapping

import msgspec
import numpy as np
import pyarrow as pa

from corpus.build import Builder
from corpus.errors import GuardError
from corpus.exchange import Exchange
from corpus.graph import Segment
from corpus.pairs import PAIRS, Members, Pair, Verdicts, batches, show
from corpus.store import Blobs

LEAST_DROPPED = 100
_NAMED = 20  # sources and clusters that one message names


class Trip(msgspec.Struct, frozen=True):
    """A source or a cluster above its limit: the name to accept, the figures, pairs to show."""

    name: str
    told: str
    pairs: tuple[Pair, ...]


def check(builder: Builder, segment: Segment, counts: Mapping[str, int]) -> None:
    """GuardError where the exchange that ends a segment drops more than its parameters allow."""
    stage = segment.stage
    assert isinstance(stage, Exchange)
    trips = [*_sources(builder, segment, stage), *_clusters(builder, segment, stage, counts)]
    if trips:
        raise GuardError(_message(builder, segment, stage, trips))


def _accepted(stage: Exchange) -> tuple[str, ...]:
    return tuple(getattr(stage, "accept", ()))


def _sources(builder: Builder, segment: Segment, stage: Exchange) -> Iterator[Trip]:
    most = getattr(stage, "max_dropped_share", 1.0)
    for source in segment.sources:
        k = segment.until[source]
        own = sorted(builder.partitions[source], key=lambda p: p.key)
        rows = sum(p.records[k].rows for p in own)
        dropped = sum(sum(p.records[k].dropped.values()) for p in own)
        if dropped < LEAST_DROPPED or dropped <= most * rows or source in _accepted(stage):
            continue
        pairs: list[Pair] = []
        for partition in own:
            if len(pairs) < PAIRS:
                pairs += Verdicts(builder.store, partition, k).any()
        told = (
            f"`{stage.label}` drops {dropped:,} of {rows:,} documents of source `{source}`: {dropped / rows:.1%}, "
            f"above max_dropped_share = {most:g}."
        )
        yield Trip(source, told, tuple(sorted(pairs, key=lambda pair: pair.hash)[:PAIRS]))


# -- clusters ----------------------------------------------------------------------------------------------------------


class _Large(msgspec.Struct, frozen=True):
    """A cluster above the limit: its documents, how many leave by source, the least alike pairs."""

    size: int
    dropped: dict[str, int]
    pairs: tuple[Pair, ...]

    def join(self, other: "_Large") -> "_Large":
        names = {**self.dropped, **other.dropped}
        dropped = {name: self.dropped.get(name, 0) + other.dropped.get(name, 0) for name in names}
        return _Large(self.size, dropped, tuple(sorted([*self.pairs, *other.pairs])[:PAIRS]))


class _Task(msgspec.Struct, frozen=True):
    store: Blobs
    members: Members
    most: int
    accepted: frozenset[str]


def _large(task: _Task) -> dict[bytes, _Large]:
    """Clusters of more than `most` documents that were not accepted, by id."""
    found: dict[bytes, _Large] = {}
    for partition, k in task.members:
        own = Verdicts(task.store, partition, k)
        chosen = np.flatnonzero(own.size > task.most)
        if own.cluster is None or not len(chosen):
            continue
        clusters = own.cluster.take(pa.array(chosen)).dictionary_encode()
        code = clusters.indices.to_numpy()
        for number, cluster in enumerate(clusters.dictionary.to_pylist()):
            if cluster.hex() not in task.accepted:
                among = chosen[code == number]
                count = {partition.source: len(among)}
                one = _Large(int(own.size[among[0]]), count, tuple(own.least_alike(among)))
                found[cluster] = found[cluster].join(one) if cluster in found else one
    return found


def _clusters(builder: Builder, segment: Segment, stage: Exchange, counts: Mapping[str, int]) -> Iterator[Trip]:
    most = getattr(stage, "max_cluster", None)
    if most is None or counts.get("largest_cluster", 0) <= most:
        return
    accepted = frozenset(_accepted(stage))
    tasks = [_Task(builder.store, members, most, accepted) for members in batches(builder, segment)]
    found: dict[bytes, _Large] = {}
    for _, part in builder.executor.map(_large, tasks):
        for cluster, own in part.items():
            found[cluster] = found[cluster].join(own) if cluster in found else own
    for cluster, own in sorted(found.items(), key=lambda item: (-item[1].size, item[0])):
        by_source = ", ".join(f"{count:,} of `{source}`" for source, count in sorted(own.dropped.items()))
        told = (
            f"`{stage.label}` puts {own.size:,} documents in cluster {cluster.hex()}, above max_cluster = {most}. "
            f"For it leave {by_source}."
        )
        yield Trip(cluster.hex(), told, own.pairs)


# -- the message -------------------------------------------------------------------------------------------------------


def _message(builder: Builder, segment: Segment, stage: Exchange, trips: list[Trip]) -> str:
    named = trips[:_NAMED]
    lines = [trip.told for trip in named]
    if trips[_NAMED:]:
        lines.append(f"And {len(trips) - _NAMED:,} more.")
    turns = [trip.pairs[turn] for turn in range(PAIRS) for trip in named if turn < len(trip.pairs)]
    for shown in show(builder, segment, stage, turns[:PAIRS]):
        lines += ["", shown]
    listed = ", ".join(f'"{name}"' for name in [*_accepted(stage), *(trip.name for trip in named)])
    of = f'kind = "{stage.kind}"' + (f', name = "{stage.name}"' if stage.name else "")
    lines += [
        "",
        "What is built stays, and the build stops here. If these are duplicates, accept that by name, in the",
        f"[[stage]] with {of} of {builder.recipe.path}:",
        f"    accept = [{listed}]",
        "and build again: nothing runs twice. If they are not, change what the stage compares by.",
    ]
    return "\n".join(lines)
