"""The texts of every shard, in its order, given to Megatron-core, which must write the same bytes.

The texts are those of the survivors as `corpus export` has them, so they come from the store and not from the tokens;
their order is that of the side table. The other side (`side.py`) reads our shards with Megatron's `IndexedDataset`, and
does with the texts what Megatron-LM's `tools/preprocess_data.py --append-eod` does.

A literal U+2581 is a space to SentencePiece, and three byte pieces here, so that it is decoded as it was: documents
with it are counted, and compared no further.
"""

import json
import subprocess
from pathlib import Path
from typing import Any

from bench.launch import ROOT
from bench.sealed_build import Sealed

MARK = "\u2581"


def study(build: Sealed, folder: Path, python: str) -> list[dict[str, Any]]:
    """One row per shard. `python` has torch and megatron-core."""
    from corpus import tables
    from corpus.assets import fetch
    from corpus.opened import Build
    from corpus.store import Blobs

    opened = Build(Blobs(str(build.out)), Blobs(str(build.store)))
    model = fetch(opened.store, opened.manifest["tokenizer"]["sha256"])
    order: list[dict[str, Any]] = []
    for source in opened.sources:
        texts = _texts(opened, source)
        for shard in (s for s in opened.shards if s.source == source):
            ids = tables.read(opened.out.get(shard.docs.path), ["id"])["id"].to_pylist()
            lines = folder / f"{len(order)}.jsonl"
            with lines.open("w", encoding="utf-8") as file:
                file.writelines(json.dumps({"text": texts[one]}, ensure_ascii=False) + "\n" for one in ids)
            marked = [i for i, one in enumerate(ids) if MARK in texts[one]]
            order.append({"prefix": str(build.out / shard.path), "lines": str(lines), "marked": marked})
    asked = {"model": str(model), "eod": opened.manifest["tokenizer"]["eod"], "shards": order, "scratch": str(folder)}
    process = subprocess.run(
        [python, "-m", "bench.megatron.side"], input=json.dumps(asked), cwd=ROOT, capture_output=True, text=True
    )
    if process.returncode != 0:
        raise RuntimeError(f"megatron: exit status {process.returncode}: {process.stderr.strip()[-2000:]}")
    rows: list[dict[str, Any]] = json.loads(process.stdout.splitlines()[-1])
    for row in rows:
        print("  " + ", ".join(f"{name} {value}" for name, value in row.items()), flush=True)
    return rows


def _texts(opened: Any, source: str) -> dict[bytes, str]:
    """id -> text, of all survivors of a source."""
    from corpus.export_rows import rows

    found: dict[bytes, str] = {}
    for partition in opened.partitions():
        if partition.source == source:
            for table in rows(opened.store, partition, "").values():
                ids = map(bytes.fromhex, table["id"].to_pylist())
                found.update(zip(ids, table["text"].to_pylist(), strict=True))
    return found


def same(row: dict[str, Any]) -> bool:
    """Whether nothing differs but what must."""
    whole = row["bin_same"] and row["idx_same"]
    return bool(row["read_same"] and row["other_documents"] <= row["marked"] and (whole or row["marked"]))
