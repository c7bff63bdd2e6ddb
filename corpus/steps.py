"""The chain of a source as steps: stages with their definitions, and what each one's table keeps."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import pyarrow as pa

from corpus.errors import TaskError
from corpus.identity import Definition, child_partition_key, define
from corpus.record import Record
from corpus.stage import BULK, Chunk, Map, Reader, Regroup, Stage

PARENTS = pa.list_(
    pa.struct([("partition", pa.uint64()), ("row", pa.uint32()), ("start", pa.int64()), ("end", pa.int64())])
)


class Step(msgspec.Struct, frozen=True):
    """A stage as it stands in the chain of one source. `stored` are the columns that its table keeps."""

    label: str
    stage: Stage
    definition: Definition
    stored: tuple[str, ...]

    @property
    def adds(self) -> dict[str, pa.DataType]:
        if isinstance(self.stage, Reader):
            return {"id": pa.binary(16), **self.stage.adds}
        if isinstance(self.stage, Regroup):
            return {"id": pa.binary(16), "parents": PARENTS, "text": pa.string()}
        return self.stage.adds


def is_map(stage: Stage) -> bool:
    """Whether the stage runs row-local inside a partition (the others are global)."""
    return isinstance(stage, Reader | Map | Regroup)


def lay_out(stages: Sequence[Stage], asset_digests: Mapping[str, str]) -> tuple[Step, ...]:
    """Steps of a chain. Text is stored once: by the last stage that changes it before a global stage or the end."""
    steps = []
    for number, stage in enumerate(stages):
        adds = list(Step(stage.label, stage, None, ()).adds)  # type: ignore[arg-type]
        kept = [name for name in adds if name not in BULK]
        if "text" in adds and not isinstance(stage, Regroup):
            later = []
            for other in stages[number + 1 :]:
                if not is_map(other):
                    break
                later.append(other)
            if not any("text" in other.adds for other in later):
                kept.append("text")
        label = "read" if isinstance(stage, Reader) else stage.label
        steps.append(Step(label, stage, define(stage, asset_digests), tuple(kept)))
    return tuple(steps)


class Origin(msgspec.Struct, frozen=True):
    """Where the root partition of a walk comes from."""

    source: str
    path: str
    key: int  # of the root partition


def provider(steps: Sequence[Step], name: str, k: int) -> int:
    """Index of the latest step before k that adds column `name`: the version that step k reads."""
    for j in range(k - 1, -1, -1):
        if name in steps[j].adds:
            return j
    raise TaskError(f"stage `{steps[k].label}` reads `{name}`, which no earlier stage adds")


def columns_read(steps: Sequence[Step], k: int) -> tuple[str, ...]:
    """What step k reads, with what it may read where an earlier step adds it."""
    there = {name for step in steps[:k] for name in step.adds}
    return (*steps[k].stage.reads, *(name for name in steps[k].stage.may_read if name in there))


def partition_at(steps: Sequence[Step], root: int, k: int) -> int:
    """Key of the partition that step k writes about: the root's, or that of the children of the last Regroup."""
    for step in steps[: k + 1]:
        if isinstance(step.stage, Regroup):
            root = child_partition_key(root, step.label)
    return root


def step_inputs(
    steps: Sequence[Step],
    records: Sequence[Record],
    k: int,
    root: int,
    chunk: Chunk | None = None,
    quarantined: Mapping[int, str] | None = None,
    removed: str = "",
) -> dict[str, Any]:
    """Inputs of step k given the records before it: partition, digest of each column read, digest of the living. Of a
    read: partition, digest of the bytes, what was quarantined, and `removed`, the identity of its tombstones."""
    inputs: dict[str, Any] = {"partition": f"{partition_at(steps, root, k):016x}"}
    if k == 0:
        assert chunk is not None
        inputs["bytes"] = chunk.digest
        inputs["first_record"] = chunk.first_record
        if quarantined:
            inputs["quarantined"] = {str(row): reason for row, reason in sorted(quarantined.items())}
        if removed:
            inputs["removed"] = removed
        return inputs
    names = [*steps[k].stage.reads, *(["id"] if isinstance(steps[k].stage, Regroup) else [])]
    for name in names:
        if name == "row":
            continue
        inputs[name] = records[provider(steps, name, k)].columns[name]
    inputs["rows"] = records[k - 1].alive
    return inputs
