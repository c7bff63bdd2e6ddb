"""Very many very small files: the cost of the engine where the stages cost next to nothing, and of building again.

A build of three files is taken off a build of them all, so that models and compiled kernels, loaded once, do not count.
What is left, divided by the tables written (one for each partition and stage), bounds the engine's share from above:
the stages' own work on five documents is in it, as are the table, its digest and its record. The rounds of dedup, the
shards and the seal are not; `phases_s` in the JSON has them. `again_s` is a second build with nothing stale, counted
from the moment at which the executor is up.
"""

import os
from pathlib import Path
from typing import Any

from bench.ours.compile import Built, build, write_manifest

FEW = 3


def study(
    folder: Path, files: int, lid_model: Path, tokenizer: Path, core: int, with_ray: bool
) -> list[dict[str, Any]]:
    """One row per executor. `folder` must be empty; `files` must be more than `FEW`."""
    import sampledata

    many, few = folder / "many", folder / "few"
    documents = sampledata.tiny_files(many, files, seed=1)
    sampledata.tiny_files(few, FEW, seed=2)
    rows = []
    for executor, arguments in _executors(with_ray):
        pinned = core if executor == "local" else None
        built: dict[str, list[Built]] = {}
        for name, root, times in (("warm", few, 1), ("few", few, 1), ("many", many, 2)):
            place = folder / f"{executor}-{name}"
            place.mkdir()
            manifest = place / "tiny.toml"
            write_manifest(manifest, root, "*.jsonl", lid_model, tokenizer)
            built[name] = [build(manifest, place, lid_model, arguments, pinned) for _ in range(times)]
        row = _row(*built["few"], *built["many"])
        rows.append({"executor": executor, "files": files, "documents": documents} | row)
        print("  " + ", ".join(f"{name} {value}" for name, value in rows[-1].items()), flush=True)
    return rows


def _executors(with_ray: bool) -> list[tuple[str, list[str]]]:
    cores = os.cpu_count() or 1
    return [("local", ["--local"]), *([(f"ray-{cores}", ["--workers", str(cores)])] if with_ray else [])]


def _row(base: Built, cold: Built, again: Built) -> dict[str, Any]:
    tables = int(cold.run["steps_made"])
    more_tables = tables - int(base.run["steps_made"])
    more_s = _mapping_s(cold) - _mapping_s(base)
    return {
        "workers": int(cold.run["workers"]),
        "tables": tables,
        "build_s": round(cold.work_s, 2),
        "wall_ms_per_table": round(1000 * more_s / more_tables, 3),
        "again_s": round(again.work_s, 2),
        "again_with_start_s": round(again.wall_s, 2),
        "again_tables": int(again.run["steps_made"]),
        "peak_driver_mb": round(cold.run["peak_driver_bytes"] / 1e6),
        "worker_seconds": cold.run["worker_seconds"],
        "phases_s": {name: round(value, 2) for name, value in cold.run["phases"].items()},
    }


def _mapping_s(built: Built) -> float:
    return float(built.run["phases"]["discover"]) + float(built.run["phases"]["map"])
