"""Any Exchange over documents in memory, cut into partitions and bundles at will."""

import random
import tempfile
from collections.abc import Collection, Iterator, Sequence
from typing import Any

import pyarrow as pa

from corpus.exchange import Exchange, Loader, Opener, Part
from corpus.rounds import Bundle, numbered, run_rounds, settled
from corpus.store import Blobs


class Documents(Loader, frozen=True):
    batches: dict[int, pa.RecordBatch]

    def read(self, key: int, names: tuple[str, ...]) -> pa.RecordBatch:
        return self.batches[key].select(list(names)) if names else self.batches[key]


class Backwards:
    """An executor whose tasks run, and answer, in the wrong order."""

    def map(self, function: Any, items: Any) -> Iterator[tuple[int, Any]]:
        for index, item in reversed(list(enumerate(items))):
            yield index, function(item)


def run(
    stage: Exchange,
    batches: Sequence[tuple[str, int, pa.RecordBatch]],
    bundles: int = 1,
    seed: int = 0,
    folder: str | None = None,
    standing: Collection[int] = (),
    opener: Opener | None = None,
) -> tuple[list[dict[str, list[Any]]], dict[str, int]]:
    """`batches` are partitions: source, priority, columns; those numbered in `standing` are of an earlier build. Their
    keys are drawn with `seed`, so their order is any.
    -> columns of each, in the order given; counts by round and what rounds told."""
    rng = random.Random(f"keys {seed}")
    keys = [rng.getrandbits(64) for _ in batches]
    loader = Documents({key: batch for key, (_, _, batch) in zip(keys, batches, strict=True)})
    parts = numbered(
        {
            keys[n]: Part(
                keys[n], source, priority, b.num_rows, scope=stage.scope_of(source, ""), standing=n in standing
            )
            for n, (source, priority, b) in enumerate(batches)
        }
    )
    size = max(1, -(-len(parts) // bundles))
    work = [Bundle(n, f"b{n}", tuple(parts[at : at + size]), loader) for n, at in enumerate(range(0, len(parts), size))]
    with tempfile.TemporaryDirectory() as spare:
        blobs = Blobs(folder or spare)
        loads = opener or Opener()
        flow, counts = run_rounds(
            stage, blobs, work, "scratch", "cache", Backwards().map, lambda name, count: None, loads
        )
        found = {part.key: columns for bundle in work for part, columns in settled(stage, blobs, flow, bundle, loads)}
    return [{name: column.to_pylist() for name, column in found[key].items()} for key in keys], counts
