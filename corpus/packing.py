"""Packing a build: which bundles and shards there are, and which of them are there already."""

from typing import Any

import msgspec

from corpus.assets import place_of
from corpus.build import Builder
from corpus.bundling import bundles, power_of_two
from corpus.errors import LawError, RecipeError
from corpus.graph import Segment
from corpus.identity import canonical, sha256
from corpus.pack import (
    BUNDLE_TOKENS,
    SPLITS,
    Pack,
    RunTask,
    Shard,
    ShardTask,
    Vocabulary,
    is_there,
    write_runs,
    write_shard,
)
from corpus.sealed import open_manifest
from corpus.settle import digests_read
from corpus.steps import Origin, provider
from corpus.store import Blobs
from corpus.work import load_model


class Packed(msgspec.Struct):
    """All shards of a build, what they are encoded with, and the identity of what they were packed from."""

    shards: list[Shard] = []
    vocabulary: Vocabulary | None = None
    identity: str = ""


def _vocabulary(builder: Builder, segment: Segment) -> Vocabulary:
    """The one tokenizer of the build, as its stage describes it."""
    found: dict[str, Vocabulary] = {}
    for source in segment.sources:
        steps = builder.graph.chains[source]
        step = steps[provider(steps, "tokens", segment.until[source])]
        size, eod = step.stage.vocabulary(load_model(builder.store, step))  # type: ignore[attr-defined]
        ((name, digest),) = step.definition.assets.items()
        found[source] = Vocabulary(name, digest, size, eod)
    if len(set(found.values())) != 1:
        raise RecipeError(
            f"{builder.recipe.path}: sources are encoded with different tokenizers "
            f"({', '.join(sorted({v.name for v in found.values()}))}); one build has one."
        )
    return next(iter(found.values()))


class _Plan(msgspec.Struct):
    """Runs to make, the source of each, and the identity of all that is packed."""

    tasks: list[RunTask]
    of: list[str]
    vocabulary: Vocabulary
    identity: str
    generations: dict[str, int]


def _generations(builder: Builder) -> dict[str, int]:
    """Of each source that builds named by `against` have shards of: one more than theirs. A build that stands on them
    is an append: its shards can lie beside theirs, which it does not touch. Any other source begins with 0."""
    found: dict[str, int] = {}
    for name in dict.fromkeys(name for stage in builder.recipe.stages for name in getattr(stage, "against", ())):
        earlier = open_manifest(Blobs(place_of(name, builder.recipe.path.parent)))
        for shard in earlier["shards"]:
            found[shard["source"]] = max(found.get(shard["source"], 0), shard["generation"] + 1)
    return found


def _plan(builder: Builder, segment: Segment) -> _Plan:
    stage = segment.stage
    assert isinstance(stage, Pack)
    vocabulary = _vocabulary(builder, segment)
    tasks: list[RunTask] = []
    of: list[str] = []
    for source in segment.sources:
        k = segment.until[source]
        steps = builder.graph.chains[source]
        encoded = provider(steps, "tokens", k)
        members = {p.key: p for p in builder.partitions[source]}
        weights = {
            key: p.records[encoded].sums.get("n_tokens", 0) + p.records[encoded].rows for key, p in members.items()
        }
        for keys in bundles(weights, BUNDLE_TOKENS):
            parts = tuple((Origin(source, members[key].path, key), tuple(members[key].records[:k])) for key in keys)
            run = sha256(
                canonical(
                    [
                        steps[k].definition.identity(),
                        builder.recipe.seed,
                        vocabulary.sha256,
                        source,
                        [[f"{o.key:016x}", *digests_read(steps, records, k)] for o, records in parts],
                    ]
                )
            )
            names = tuple(f"runs/pack/{run}-{split}.run" for split in SPLITS)
            tasks.append(RunTask(builder.store, steps, parts, builder.recipe.seed, vocabulary, names))
            of.append(source)
    generations = {source: n for source, n in _generations(builder).items() if source in segment.sources}
    identity = sha256(canonical([*(list(task.names) for task in tasks), *([generations] if generations else [])]))
    return _Plan(tasks, of, vocabulary, identity, generations)


def run_names(builder: Builder, segment: Segment) -> set[str]:
    """The runs that this build is packed from."""
    return {name for task in _plan(builder, segment).tasks for name in task.names}


def adopt_packed(builder: Builder, segment: Segment, out: Blobs, earlier: dict[str, Any]) -> list[Shard] | None:
    """The shards of `earlier`, the sealed manifest of this directory, if they are what would be packed now."""
    return _adopt(_plan(builder, segment), out, earlier)


def _adopt(plan: _Plan, out: Blobs, earlier: dict[str, Any]) -> list[Shard] | None:
    if earlier.get("packed") != plan.identity:
        return None
    known = [msgspec.convert(shard, Shard) for shard in earlier["shards"]]
    return known if all(is_there(shard, out) for shard in known) else None


def pack(builder: Builder, segment: Segment, out: Blobs, earlier: dict[str, Any]) -> Packed:
    """Shards of every source. Runs and shards whose identity is known are adopted; where all of them are those of
    `earlier`, no task is started."""
    stage = segment.stage
    assert isinstance(stage, Pack)
    plan = _plan(builder, segment)
    tasks, of, vocabulary, identity = plan.tasks, plan.of, plan.vocabulary, plan.identity
    known = _adopt(plan, out, earlier) if builder.again != stage.label else None
    if known is not None:
        return Packed(known, vocabulary, identity)
    counts: dict[str, list[tuple[int, int]]] = {}
    with builder.progress.task("pack: runs", len(tasks), "bundles") as bar:
        for number, found in builder.executor.map(write_runs, tasks):
            for split, (documents, tokens) in enumerate(found):
                counts.setdefault(f"{of[number]} {SPLITS[split]}", []).append((documents, tokens))
            bar.advance(1, of[number])
    jobs: list[ShardTask] = []
    for source in segment.sources:
        definition = builder.graph.chains[source][segment.until[source]].definition.identity()
        for split, split_name in enumerate(SPLITS):
            found = counts.get(f"{source} {split_name}", [])
            if not sum(d for d, _ in found):
                continue
            documents, tokens = (sum(one) for one in zip(*found, strict=True))
            number = min(power_of_two(max(tokens / stage.shard_tokens, documents / stage.shard_documents)), 4096)
            runs = tuple(t.names[split] for t, s in zip(tasks, of, strict=True) if s == source)
            for i in range(number):
                jobs.append(
                    ShardTask(
                        builder.store,
                        out,
                        source,
                        split_name,
                        i,
                        number,
                        runs,
                        definition,
                        builder.recipe.seed,
                        vocabulary,
                        stage.clusters,
                        plan.generations.get(source, 0),
                    )
                )
    shards = []
    with builder.progress.task("pack: shards", len(jobs), "shards") as bar:
        for _, shard in builder.executor.map(write_shard, jobs):
            shards.append(shard)
            bar.advance(1, shard.path)
    for source in segment.sources:
        alive = sum(p.records[segment.until[source] - 1].living for p in builder.partitions[source])
        packed = sum(s.documents for s in shards if s.source == source)
        if alive != packed:
            raise LawError(f"source `{source}`: {alive} documents to pack, {packed} in its shards")
    return Packed(shards, vocabulary, identity)
