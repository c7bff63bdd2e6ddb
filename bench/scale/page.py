"""The study as one page of Markdown, with the plot beside it."""

from typing import Any

from bench.scale.plot import plot
from bench.scale.study import LIMIT_BYTES

BILLION = 10**9


def curves(rows: list[dict[str, Any]]) -> str:
    """SVG."""
    rows = sorted(rows, key=lambda row: int(row["documents"]))

    def of(name: str, scale: float = 1) -> list[float]:
        return [float(row[name]) / scale for row in rows]

    cost = [("dedup", of("dedup_cpu_us")), ("read, normalise, sign", of("map_cpu_us"))]
    memory = [("build", of("peak_bytes", 1e6)), ("one worker", of("peak_worker_bytes", 1e6))]
    return plot(
        [row["documents"] for row in rows],
        [("Processor time, µs per document", cost, None), ("Peak memory, MB", memory, LIMIT_BYTES / 1e6)],
    )


def per_billion(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """What a billion such documents would cost, in proportion to the largest size measured."""
    row = max(rows, key=lambda one: int(one["documents"]))
    times = BILLION / row["documents"]
    return {
        "from_documents": row["documents"],
        "dedup_core_hours": round(row["dedup_cpu_s"] * times / 3600, 1),
        "sign_core_hours": round(row["map_cpu_s"] * times / 3600, 1),
        "dedup_wall_core_hours": round(row["dedup_s"] * row["workers"] * times / 3600, 1),
        "peak_runs_tb": round(row["peak_runs_bytes"] * times / 1e12, 2),
        "kept_runs_tb": round(row["runs_bytes"] * times / 1e12, 2),
        "tables_tb": round(row["tables_bytes"] * times / 1e12, 2),
        "text_tb": round(row["text_bytes"] * times / 1e12, 2),
        "union_find_gb": round(4 * BILLION / 1e9, 1),
    }


def page(about: dict[str, Any], record: dict[str, Any], picture: str) -> str:
    machine, rows, cost = about["machine"], record["rows"], record["per_billion"]
    largest = max(rows, key=lambda one: int(one["documents"]))
    spread = [row["dedup_cpu_us"] for row in rows]
    lines = [
        f"# Dedup at growing size, {about['at']}",
        "",
        f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_gb']} GB, load before {machine['load_1min']}, "
        f"commit {about['commit']}, `{about['command']}`",
        "",
        "Generated short documents (60 to 100 words, or 100 to 200 Han characters), of which 30% are planted copies; "
        "1% of all documents are one text, 1.1% are different pages of templates: `bench/scale/population.py`. "
        f"`corpus build --until dedup`, {largest['executor']}, {largest['workers']} workers. Memory is the sum of PSS "
        "over the driver, all workers and Ray's own processes, once a second; processor time is theirs, too.",
        "",
        f"![cost per document and peak memory]({picture})",
        "",
        "| documents | MB of text | read, normalise, sign, s | dedup, s | dedup, µs a document | dedup, µs of processor"
        " | read to sign, µs of processor | peak memory, MB | largest worker, MB | driver, MB |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        cells = [
            f"{row['documents']:,}",
            f"{row['text_bytes'] / 1e6:,.0f}",
            f"{row['map_s']:.1f}",
            f"{row['dedup_s']:.1f}",
            f"{row['dedup_us']:.1f}",
            f"{row['dedup_cpu_us']:.1f}",
            f"{row['map_cpu_us']:.1f}",
            *(f"{row[name] / 1e6:,.0f}" for name in ("peak_bytes", "peak_worker_bytes", "peak_driver_bytes")),
        ]
        lines.append("| " + " | ".join(cells) + " |")
    lines += [
        "",
        f"Peak memory: at most {max(row['peak_bytes'] for row in rows) / 1e9:.2f} GB (target: under "
        f"{LIMIT_BYTES / 1e9:.0f}). Processor time of dedup per document: {min(spread):.1f} to {max(spread):.1f} µs; "
        "kernels loaded in each worker and rounds started weigh on the smallest size.",
        "",
        "| documents | different | copies planted | found | missed: pair, family, hot | different documents lost |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        missed = ", ".join(f"{count:,}" for count in row["missed_by_kind"].values())
        found = f"{row['planted']:,} | {row['found']:,} ({row['found'] / row['planted']:.4%})"
        lines.append(f"| {row['documents']:,} | {row['distinct']:,} | {found} | {missed} | {row['lost']:,} |")
    lines += [
        "",
        "A pair is one edit away from its twin, at a similarity of 0.83 to 0.92: that 18 bands of 7 propose it has a "
        "probability of 0.998 to 1.000.",
        "",
        "| documents | input (Parquet), MB | tables, MB | runs at most, MB | runs kept, MB | bytes a document, all |",
        "|---|---|---|---|---|---|",
    ]
    names = ("input_bytes", "tables_bytes", "peak_runs_bytes", "runs_bytes")
    for row in rows:
        whole = (row["tables_bytes"] + row["peak_runs_bytes"]) / row["documents"]
        cells = " | ".join(f"{row[name] / 1e6:,.0f}" for name in names)
        lines.append(f"| {row['documents']:,} | {cells} | {whole:,.0f} |")
    lines += ["", "Rounds of dedup: seconds / seconds of processor / peak memory in MB / records.", ""]
    heads = " | ".join(f"{row['documents']:,}" for row in rows)
    lines += [f"| round | {heads} |", "|---" * (len(rows) + 1) + "|"]
    for name in largest["rounds"]:
        own = [row["rounds"][name] for row in rows]
        cells = [
            f"{one['seconds']:.1f} / {one['cpu_s']:.1f} / {_megabytes(one['peak_bytes'])} / {one['records']:,}"
            for one in own
        ]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    lines += [
        "",
        "## A billion documents",
        "",
        f"Extrapolated in proportion from {cost['from_documents']:,} documents, not measured: dedup "
        f"{cost['dedup_core_hours']:,} core-hours of processor time ({cost['dedup_wall_core_hours']:,} of occupied "
        f"cores), read to sign {cost['sign_core_hours']:,}. For {cost['text_tb']:.2f} TB of text: "
        f"{cost['tables_tb']:.2f} TB of tables, {cost['peak_runs_tb']:.2f} TB of runs at most, of which "
        f"{cost['kept_runs_tb']:.2f} TB stay for the next build. Union-find holds {cost['union_find_gb']:g} GB in one "
        "task. Where a round has more than 256 runs, they are merged in levels: each level reads and writes its "
        "records once more.",
    ]
    return "\n".join(lines) + "\n"


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.0f}" if size else "-"
