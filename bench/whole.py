"""A whole build of a manifest on real files, cold store: counts at each stage, seconds, peak memory, in one page.

`--root` says where the files are; no folder of the machine goes into the results.
"""

from pathlib import Path
from typing import Any

from bench.corpus_build import corpus_build


def study(folder: Path, manifest: Path, root: Path) -> list[dict[str, Any]]:
    """One row per executor: in one process, and on Ray with all cores. The counts of both must be equal."""
    rows = []
    for executor, arguments in (("local", ["--local"]), ("ray", [])):
        found = corpus_build(manifest, folder / executor, "--root", str(root), *arguments, environment={})
        run = found["run"]
        text = sum(
            next((f["sums"]["text_bytes"] for f in flows if f["stage"] == "normalise"), 0)
            for flows in found["funnel"].values()
        )
        work = sum(run["phases"].values())
        rows.append(
            {
                "executor": executor,
                "workers": run["workers"],
                "seconds": round(work, 1),
                "engine_start_s": run["engine_start_s"],
                "text_mb": round(text / 1e6, 1),
                "text_mb_per_s_and_core": round(text / 1e6 / work / run["workers"], 2),
                "peak_worker_mb": round(run["peak_worker_bytes"] / 1e6),
                "peak_driver_mb": round(run["peak_driver_bytes"] / 1e6),
                "steps": run["steps_made"],
                "tokens": sum(s["tokens"] for s in found["manifest"]["shards"]),
                "documents": sum(s["documents"] for s in found["manifest"]["shards"]),
                "phases_s": run["phases"],
                "worker_seconds": run["worker_seconds"],
                "exchanges": found["exchanges"],
                "funnel": found["funnel"],
            }
        )
        print(f"  {executor}: {rows[-1]['seconds']} s, {rows[-1]['text_mb_per_s_and_core']} MB of text/s per core")
    assert rows[0]["funnel"] == rows[1]["funnel"], "one process and Ray gave different counts"
    return rows


def page(about: dict[str, Any], rows: list[dict[str, Any]]) -> str:
    """Markdown."""
    machine = about["machine"]
    lines = [
        f"# {about['manifest']}: a whole build, {about['at']}",
        "",
        f"{machine['cpu']}, {machine['cores']} cores, commit {about['commit']}, `{about['command']}`",
        "",
        "| executor | workers | seconds | MB of text | MB/s per core | peak of a worker, MB | peak of the driver, MB |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        names = (
            "executor",
            "workers",
            "seconds",
            "text_mb",
            "text_mb_per_s_and_core",
            "peak_worker_mb",
            "peak_driver_mb",
        )
        lines.append("| " + " | ".join(str(row[name]) for name in names) + " |")
    lines += [
        "",
        "Where the time of the workers went, in seconds:",
        "",
        "| stage | " + " | ".join(r["executor"] for r in rows) + " |",
    ]
    lines.append("|---|" + "---|" * len(rows))
    for stage in sorted(rows[0]["worker_seconds"], key=lambda s: -rows[0]["worker_seconds"][s]):
        lines.append(f"| {stage} | " + " | ".join(f"{row['worker_seconds'].get(stage, 0):.1f}" for row in rows) + " |")
    for phase in ("dedup", "pack", "index", "seal"):
        lines.append(f"| {phase} (wall) | " + " | ".join(f"{row['phases_s'].get(phase, 0):.1f}" for row in rows) + " |")
    lines += ["", f"{rows[0]['documents']:,} documents, {rows[0]['tokens']:,} tokens.", ""]
    for label, counts in rows[0]["exchanges"].items():
        lines.append(f"{label}: " + ", ".join(f"{n.replace('_', ' ')} {c:,}" for n, c in counts.items()) + ".")
    lines += ["", "| source | stage | in | kept | dropped |", "|---|---|---|---|---|"]
    for source, flows in rows[0]["funnel"].items():
        for flow in flows:
            if flow["kind"] == "pack" or not (
                flow["dropped"] or flow["stage"] == "read" or flow["made"] not in (0, flow["rows"])
            ):
                continue
            dropped = ", ".join(f"{c} {n:,}" for c, n in sorted(flow["dropped"].items(), key=lambda x: -x[1]))
            kept = f"{flow['made']:,} parts" if flow["made"] else f"{flow['kept']:,}"
            lines.append(f"| {source} | {flow['stage']} | {flow['rows']:,} | {kept} | {dropped} |")
    return "\n".join(lines) + "\n"
