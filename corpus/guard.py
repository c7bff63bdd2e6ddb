"""A row that makes a stage raise is quarantined; the rest of its batch goes on."""

from typing import Any

import pyarrow as pa

from corpus import tables
from corpus.errors import TaskError
from corpus.stage import Columns, Map


def guarded(stage: Map, batch: pa.RecordBatch, model: Any) -> Columns:
    """`stage.apply`, with a row that raises quarantined: its values are null, its drop code is `failed`."""
    try:
        return stage.apply(batch, model)
    except (MemoryError, TaskError):
        raise
    except Exception as error:
        if batch.num_rows == 1:
            columns: Columns = {name: pa.nulls(1, kind) for name, kind in stage.adds.items()}
            columns["drop"] = pa.array(["failed"])
            columns["detail"] = pa.array([f"{type(error).__name__}: {error}"[:200]])
            return columns
        if batch.num_rows == 0:
            raise
    half = batch.num_rows // 2
    parts = [guarded(stage, batch.slice(0, half), model), guarded(stage, batch.slice(half), model)]
    names = set(parts[0]) | set(parts[1])
    joined = {}
    for name in names:
        arrays = []
        for part, rows in zip(parts, (half, batch.num_rows - half), strict=True):
            arrays.append(tables.combine(part[name]) if name in part else pa.nulls(rows, pa.string()))
        joined[name] = pa.concat_arrays(arrays)
    return joined
