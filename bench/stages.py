"""Speed of the stages that read a text, one by one: processor time of `apply` on whole files, in batches of partitions.

python -m bench stages --input zh.jsonl.zst en.jsonl.zst
"""

import time
from pathlib import Path
from typing import Any

import pyarrow as pa

from bench.ours import batches
from corpus.assets import find
from corpus.stage import Map
from stages.convert import Convert
from stages.lid import Lid
from stages.normalise import Normalise
from stages.pii import Pii
from stages.repair import Repair
from stages.sign import Sign
from stages.signals import Signals
from stages.spam import Spam

STAGES: tuple[Map, ...] = (Repair(), Spam(), Pii(), Convert(), Normalise(), Lid(), Signals(), Sign())


def study(files: list[Path], rounds: int) -> list[dict[str, Any]]:
    """One row per file and stage; the best of `rounds`, after one that is not counted."""
    rows = []
    for path in files:
        whole = [_with_url(batch) for batch in batches.of_text(path)]
        megabytes = batches.text_bytes(whole) / 1e6
        for stage in STAGES:
            model = stage.load({name: find(name) for name in stage.assets})
            taken = [batch.select([name for name in stage.reads if name in batch.schema.names]) for batch in whole]
            for batch in taken:
                stage.apply(batch, model)
            seconds = min(_timed(stage, taken, model) for _ in range(rounds))
            row = {"file": path.name, "mb": round(megabytes, 1), "stage": stage.kind}
            rows.append(row | {"mb_per_s": round(megabytes / seconds, 1)})
            print(f"  {path.name:40} {stage.kind:10} {megabytes / seconds:8.1f} MB/s", flush=True)
    return rows


def _timed(stage: Map, taken: list[pa.RecordBatch], model: Any) -> float:
    started = time.process_time()
    for batch in taken:
        stage.apply(batch, model)
    return time.process_time() - started


def _with_url(batch: pa.RecordBatch) -> pa.RecordBatch:
    return batch.append_column("url", pa.nulls(batch.num_rows, pa.string()))
