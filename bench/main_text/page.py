"""The study as a page of Markdown."""

from typing import Any

from corpus.progress import printable


def page(record: dict[str, Any]) -> str:
    lines = [
        f"# Main text, {record['at']}",
        "",
        f"{record['machine']['cpu']}, commit {record['commit']}, `{record['command']}`",
        "",
        f"Character 4-grams without white space, mean over pages. Ours learned on other hosts ({record['folds']} folds "
        "by host) than it is judged on. `decoded`: the peer got the page decoded by us; `bytes`: as sent.",
        "",
    ]
    names = [side["name"] for side in record["sides"]]
    lines += [
        "| set | language | pages | "
        + " | ".join(f"{name}: P / R / F1" for name in names)
        + " | ours over the best peer |"
    ]
    lines += ["|" + "---|" * (len(names) + 4)]
    for rows in zip(*(side["rows"] for side in record["sides"]), strict=True):
        cells = [f"{row['precision']:.3f} / {row['recall']:.3f} / **{row['f1']:.4f}**" for row in rows]
        peers = (row["f1"] for name, row in zip(names, rows, strict=True) if not name.startswith("ours"))
        ahead = rows[0]["f1"] - max(peers)
        lines.append(
            f"| {rows[0]['set']} | {rows[0]['language']} | {rows[0]['pages']} | {' | '.join(cells)} | {ahead:+.3f} |"
        )
    lines += [
        "",
        "## The ten worst pages",
        "",
        "| page | P / R / F1 | characters, gold | longest extra | longest missing |",
        "|---|---|---|---|---|",
    ]
    for row in record["worst"]:
        lines.append(
            f"| {row['page']} ({row['language']}) | {row['precision']:.2f} / {row['recall']:.2f} / {row['f1']:.2f} | "
            f"{row['characters']:,}, {row['gold_characters']:,} | {_cell(row['longest_extra'])} | "
            f"{_cell(row['longest_missing'])} |"
        )
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return printable(text).replace("|", "\\|").replace("<", "&lt;")
