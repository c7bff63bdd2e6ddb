"""One comparison as a page: speed of each side, what it counted, and whether ours is as many times as fast as it should
be. A side that failed keeps its row."""

from typing import Any


def page(record: dict[str, Any], work: str, targets: dict[str, float]) -> str:
    machine = record["machine"]
    names = ", ".join(item["name"] for item in record["inputs"])
    lines = [
        f"# {record['work']} ({record['language']}), {record['at']}",
        "",
        f"{work[0].upper()}{work[1:]}. One core of {machine['cpu']}, load before {machine['load_1min']}, "
        f"commit {record['commit']}, `{record['command']}`. Input: {names}.",
        "",
        "| | MB of text | documents | removed | MB/s, best | all runs | peak MB | ours is faster by | target |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for side in record["sides"]:
        if "error" in side:
            lines.append(f"| {side['name']} | failed: {side['error']} |" + " |" * 7)
            continue
        counts = side["counts"]
        wanted = targets.get(side["name"])
        ratio = side.get("ratio")
        met = "" if wanted is None or ratio is None else f"{wanted:g}: {'met' if ratio >= wanted else 'not met'}"
        cells = [
            f"{counts['bytes'] / 1e6:.1f}",
            f"{counts['documents']:,}",
            f"{counts['removed']:,}" if "removed" in counts else "",
            f"{side['mb_per_s']:.2f}",
            ", ".join(f"{value:.2f}" for value in side["mb_per_s_all"]),
            f"{side['peak_bytes'] / 1e6:,.0f}",
            "" if ratio is None else f"{ratio:.1f}",
            met,
        ]
        lines.append(f"| {side['name']} | {' | '.join(cells)} |")
    lines += ["", "Counts and versions:", ""]
    for side in record["sides"]:
        if "error" not in side:
            counted = ", ".join(f"{name.replace('_', ' ')} {count:,}" for name, count in side["counts"].items())
            lines.append(f"- {side['name']}: {counted}; {', '.join(f'{n} {v}' for n, v in side['versions'].items())}")
    return "\n".join(lines) + "\n"
