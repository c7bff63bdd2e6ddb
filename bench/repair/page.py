"""The result as a page."""

from collections import defaultdict
from typing import Any

VERDICTS = ("exact", "lost", "left", "partly")


def page(record: dict[str, Any]) -> str:
    lines = [
        "# Quality of text repair",
        "",
        f"{record['at']}, {record['command']}",
        "",
        "Share of damaged documents: exact, exact but for destroyed characters, not touched, anything else.",
        "",
        "| damage | where | text | side | documents | exact | lost | left | partly | MB/s |",
        "|---|---|---|---|---:|---:|---:|---:|---:|---:|",
    ]
    for row in record["damage"]:
        shares = " | ".join(f"{row.get(verdict, 0) / row['documents']:.3f}" for verdict in VERDICTS)
        about = f"| {row['kind']} | {row['where']} | {row['language']} | {row['side']} | {row['documents']:,} |"
        lines.append(f"{about} {shares} | {row['mb_per_s']} |")
    lines += [
        "",
        "Clean text: documents that changed, and what was found in them.",
        "",
        "| file | documents | MB | scan MB/s | MB/s | changed | repairs |",
        "|---|---:|---:|---:|---:|---:|---|",
    ]
    total: dict[str, float] = defaultdict(float)
    for row in record["clean"]:
        for name in ("documents", "mb", "changed"):
            total[name] += row[name]
        said = ", ".join(f"{name} {number}" for name, number in row["totals"].items())
        about = f"| {row['file']} | {row['documents']:,} | {row['mb']} | {row['scan_mb_per_s']} | {row['mb_per_s']} |"
        lines.append(f"{about} {row['changed']} | {said} |")
    lines += [f"| all | {total['documents']:,.0f} | {total['mb']:.1f} | | | {total['changed']:.0f} | |", ""]
    for row in record["clean"]:
        for was, now in row["changes"]:
            lines.append(f"- {row['file']}: `{_quoted(was)}` → `{_quoted(now)}`")
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in text).replace("`", "'")
