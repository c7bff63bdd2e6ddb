"""The result of the study as one page of Markdown."""

from typing import Any

MOST_REJECTED = 0.03
LEAST_CAUGHT = 0.9


def page(record: dict[str, Any]) -> str:
    machine = record["machine"]
    lines = [
        f"# The sets of the Pile, judged as what they are, {record['at']}",
        "",
        f"{machine['cpu']}, {machine['cores']} cores, commit {record['commit']}, `{record['command']}`",
        "",
        f"Good documents: the target is under {MOST_REJECTED:.0%} rejected. `as prose`: by the pack `en`.",
        "`apart`: files of macros and messages in HTML, which are there to be dropped.",
        "",
        "| set | pack | documents | rejected | by | as prose | MB/s of `domains` |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in record["good"]:
        mark = " **over**" if row["rejected"] >= MOST_REJECTED and not row["set"].endswith("apart") else ""
        lines.append(
            f"| {row['set']} | {row['pack']} | {row['documents']:,} | {row['rejected']:.2%}{mark} | {_by(row['by'])} | "
            f"{row['rejected_as_prose']:.1%} | {row['mb_per_s']} |"
        )
    lines += ["", f"Planted files: the target is {LEAST_CAUGHT:.0%} caught.", ""]
    lines += ["| pack | family | files | caught | by | as prose |", "|---|---|---|---|---|---|"]
    for row in record["planted"]:
        mark = " **under**" if row["caught"] < LEAST_CAUGHT else ""
        lines.append(
            f"| {row['pack']} | {row['family']} | {row['files']} | {row['caught']:.1%}{mark} | {_by(row['by'])} | "
            f"{row['caught_as_prose']:.1%} |"
        )
    lines += ["", "Unwanted mail, which form alone does not tell:", "", "| set | pack | documents | dropped |"]
    lines.append("|---|---|---|---|")
    lines += [f"| {r['set']} | {r['pack']} | {r['documents']:,} | {r['dropped']:.1%} |" for r in record["unwanted"]]
    lines += ["", "What was rejected of the good sets, the first 20 of each:", ""]
    for row in record["good"]:
        for reason, path, begins in row["samples"]:
            shown = begins.replace("`", "'").replace("\n", " ")
            lines.append(f"- {row['set']} {path} `{reason}`: `{shown}`")
    return "\n".join(lines) + "\n"


def _by(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in list(counts.items())[:3])
