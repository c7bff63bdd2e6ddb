"""One file of growing size through the whole build: the peak memory of a worker has to stay where it is."""

import shutil
from pathlib import Path
from typing import Any

from bench.ours.compile import build, write_manifest

LIMIT_BYTES = 1.5e9  # for a worker, whatever the size of the input


def study(
    folder: Path, sizes_gb: list[float], lid_model: Path, tokenizer: Path, arguments: list[str]
) -> list[dict[str, Any]]:
    """One row per size. Each input and its store are removed before the next."""
    import sampledata

    rows = []
    for size in sizes_gb:
        place = folder / f"{size:g}gb"
        place.mkdir()
        documents = sampledata.stream_pile(place / "stream.jsonl.zst", seed=1, size_bytes=int(size * 1e9))
        manifest = place / "memory.toml"
        write_manifest(manifest, place, "stream.jsonl.zst", lid_model, tokenizer)
        built = build(manifest, place, lid_model, arguments)
        peak = int(built.run["peak_worker_bytes"])
        rows.append(
            {
                "gb": size,
                "documents": documents,
                "workers": int(built.run["workers"]),
                "executor": built.run["executor"],
                "peak_worker_mb": round(peak / 1e6),
                "peak_driver_mb": round(built.run["peak_driver_bytes"] / 1e6),
                "within_limit": peak < LIMIT_BYTES,
                "build_s": round(built.work_s, 1),
                "mb_per_s": round(size * 1e3 / built.work_s, 2),
                "kept": built.kept,
                "tokens": built.tokens,
                "phases_s": {name: round(value, 1) for name, value in built.run["phases"].items()},
            }
        )
        print("  " + ", ".join(f"{name} {value}" for name, value in rows[-1].items()), flush=True)
        shutil.rmtree(place)
    return rows
