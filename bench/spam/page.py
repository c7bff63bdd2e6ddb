"""The result of the study as one page of Markdown."""

from typing import Any

WORST = 0.001


def page(record: dict[str, Any]) -> str:
    machine = record["machine"]
    lines = [
        f"# Spam around good text, {record['at']}",
        "",
        f"{machine['cpu']}, {machine['cores']} cores, commit {record['commit']}, `{record['command']}`",
        "",
        "What is planted and what is held out: `bench/spam/__init__.py`. `lines`: share of planted lines taken off;",
        "`pages`: share of pages of spam alone that the pack `spam` drops; `hurt`: articles that lost a line of",
        "their own beside the planted one.",
        "",
        "| family | planted | lines | pages | hurt | terms alone: lines | pages | characters alone: lines | pages |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for row in record["planted"]:
        whole = row["all evidence"]
        cells = [row["family"], row["lines"], whole["lines"], whole["pages"], whole["hurt"]]
        for side in ("terms alone", "characters alone"):
            cells += [row[side]["lines"], row[side]["pages"]] if side in row else ["", ""]
        lines.append(f"| {' | '.join(map(str, cells))} |")
    lines += ["", f"Clean sets: the target is under {WORST:.1%} of documents trimmed or flagged.", ""]
    lines += ["| set | documents | trimmed | flagged | share | MB/s of CPU time |", "|---|---|---|---|---|---|"]
    for row in record["clean"]:
        mark = " **over**" if row["share"] >= WORST else ""
        lines.append(
            f"| {row['set']} | {row['documents']:,} | {row['trimmed']} | {row['flagged']} | {row['share']:.4%}{mark} | "
            f"{row['mb_per_s']} |"
        )
    lines += ["", "Labelled sets, each document a page:", "", "| set | label | documents | flagged | trimmed |"]
    lines.append("|---|---|---|---|---|")
    for row in record["labelled"]:
        cells = (row["set"], row["label"], row["documents"], f"{row['flagged']:.2%}", f"{row['trimmed']:.2%}")
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines) + "\n"
