"""The result of the study as one page of Markdown."""

from collections.abc import Iterable
from typing import Any

_NAMES = {"zh": "Chinese", "en": "English"}


def page(record: dict[str, Any]) -> str:
    machine = record["machine"]
    lines = [
        f"# A learned score of quality beside rules, {record['at']}",
        "",
        f"{machine['cpu']}, {machine['cores']} cores, commit {record['commit']}, `{record['command']}`",
        "",
        f"How it is measured: `bench/quality/study.py`; {record['texts']} texts of a source at most. Each cell: the",
        "area under the ROC curve (AUC), and the share of the bad set that passes at a cutoff where at most",
        f"{record['loss']:.0%} of the good texts is lost. `never met`: learned from the other kinds alone.",
        "",
    ]
    for language, found in record["languages"].items():
        for turn, row in enumerate(found["turns"]):
            lines += [f"## {_NAMES[language]}, turn {turn}", "", f"Learned from: {', '.join(row['learned_from'])}.", ""]
            lines += [*_turn(row), "", _lost(row), ""]
    lines += [
        "## Labelled sets",
        "",
        "Learned from none of them, but for the last column: from half of the set itself, by",
    ]
    lines += ["a hash of the text.", ""]
    lines += _labelled(record["labelled"])
    lines += [
        "",
        "## How Chinese is cut",
        "",
        "AUC of bad pages (low, ad) on sources held out, and the share that passes",
    ]
    lines += ["at the cutoff of the sources learned from, which loses so many of those held out.", ""]
    lines += ["| tokens | turn | AUC low | AUC ad | passed low | passed ad | lost |", "|---|---|---|---|---|---|---|"]
    for name, turns in record["tokens"].items():
        for turn, one in enumerate(turns):
            cells = [one["auc"]["low"], one["auc"]["ad"], one["passed"]["low"], one["passed"]["ad"], one["lost"]]
            lines.append(f"| {name} | {turn} | {' | '.join(f'{cell:.4f}' for cell in cells)} |")
    speed = record["speed"]
    lines += ["", "## Speed", ""]
    lines.append(
        f"{speed['ours_mb_per_s']} MB of text a second of CPU time, {speed['mb']} MB, Chinese of all sources; "
        f"fastText's `predict` on the same tokens, without making them: {speed['fasttext']}."
    )
    return "\n".join(lines) + "\n"


def _cell(row: dict[str, Any] | None) -> str:
    if row is None or row["auc"] is None:
        return ""
    return f"{row['auc']:.4f}, {row['passed']:.1%}"


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> list[str]:
    names = list(head)
    ruled = [f"| {' | '.join(names)} |", "|" + "---|" * len(names)]
    return ruled + [f"| {' | '.join(row)} |" for row in rows]


def _turn(row: dict[str, Any]) -> list[str]:
    names = list(row["scorers"])
    apart = row.get("kinds_apart", {})
    rows = [["all", *(_cell(row["scorers"][name]["all"]) for name in names), ""]]
    for kind in row["scorers"][names[0]]["kinds"]:
        rows.append([kind, *(_cell(row["scorers"][name]["kinds"][kind]) for name in names), _cell(apart.get(kind))])
    rows.append(["good texts lost", *(f"{row['scorers'][name]['all']['lost']:.1%}" for name in names), ""])
    return _table(["bad pages", *names, "classifier, kind never met"], rows)


def _lost(row: dict[str, Any]) -> str:
    lost = row["scorers"]["classifier"]["lost"]
    most = [f"{name} {share:.1%}" for name, share in sorted(lost.items(), key=lambda one: -one[1]) if share > 0]
    return "The classifier's losses by source: " + (", ".join(most) or "none") + "; none of the others."


def _labelled(rows: list[dict[str, Any]]) -> list[str]:
    names = list(dict.fromkeys(name for row in rows for name in row["scorers"]))
    return _table(
        ["set", "good", "bad", *names, "learned from half"],
        [
            [row["set"], f"{row['good']:,}", f"{row['bad']:,}"]
            + [_cell(row["scorers"].get(name)) for name in names]
            + [_cell(row["learned"])]
            for row in rows
        ],
    )
