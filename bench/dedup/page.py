"""The result of the study as one page of Markdown: sides beside each other, a table per question and language."""

from typing import Any

from bench.dedup.score import BINS

LANGUAGES = {"en": "English", "zh": "Chinese"}


def page(record: dict[str, Any]) -> str:
    machine = record["machine"]
    lines = [
        f"# Dedup on planted truth, {record['at']}",
        "",
        f"{machine['cpu']}, {machine['cores']} cores, commit {record['commit']}, `{record['command']}`",
        "",
        "What is counted and why: `bench/dedup/__init__.py`, `score.py`. In brackets: 95% intervals (Wilson). A pair",
        "is found when both documents are in one cluster; resolved when at most one survives. A removal is right when",
        "a surviving document of the family has a Jaccard similarity of 0.8 or more with the removed one.",
        "",
    ]
    sides = record["sides"]
    for language, truth in record["planted"].items():
        lines += [f"## {LANGUAGES[language]}", "", _planted(truth), "", *_overview(sides, language), ""]
        lines += ["Recall by similarity of the pair, found / resolved:", "", *_bins(sides, language), ""]
        lines += [
            "By kind: pairs found; documents wrongly removed (of these, with a free pair alone); copies left:",
            "",
            *_kinds(sides, language),
            "",
        ]
    lines += ["## Versions", ""]
    for side in sides:
        said = ", ".join(f"{name} {version}" for name, version in side["versions"].items())
        lines.append(f"- {side['name']}: {side['about']}{'; ' + said if said else ''}")
    return "\n".join(lines) + "\n"


def _planted(truth: dict[str, Any]) -> str:
    return (
        f"{truth['documents']:,} documents, {truth['text_bytes'] / 1e6:.1f} MB of text, made of {truth['apart']:,} "
        f"real documents of {len(truth['files'])} files, no two of them alike; {truth['pairs']:,} pairs within "
        f"families, {truth['duplicate_pairs']:,} of them duplicates."
    )


def _overview(sides: list[dict[str, Any]], language: str) -> list[str]:
    columns = (
        "recall 0.80-0.85",
        "recall from 0.85",
        "precision",
        "precision, free pairs left out",
        "template pages lost",
        "forms lost",
        "unrelated lost",
        "copies left",
        "removed",
    )
    rows = [f"| | {' | '.join(columns)} |", "|---" * (len(columns) + 1) + "|"]
    rows.append("| target | >= 0.95 | >= 0.97 | >= 0.995 | | 0 | 0 | 0 | | |")
    for side in sides:
        if language not in side["scores"]:
            rows.append(f"| {side['name']} | did not run: {side['errors'][language]} |" + " |" * (len(columns) - 1))
            continue
        one = side["scores"][language]
        shares = (one["at_0.80"]["found"], one["from_0.85"]["found"], one["removals"]["precision"])
        cells = [_share(share) for share in (*shares, one["precision_less_free"])]
        forms = one["pages_removed"] - one["template_pages_removed"]
        cells += [
            f"{n:,}" for n in (one["template_pages_removed"], forms, one["unrelated_removed"], one["removals"]["left"])
        ]
        rows.append(f"| {side['name']} | {' | '.join(cells)} | {one['removals']['removed']:,} |")
    return rows


def _bins(sides: list[dict[str, Any]], language: str) -> list[str]:
    ran = [side for side in sides if language in side["scores"]]
    rows = [f"| similarity | pairs | {' | '.join(side['name'] for side in ran)} |", "|---" * (len(ran) + 2) + "|"]
    for name in BINS:
        own = [side["scores"][language]["bins"][name] for side in ran]
        free = " (free)" if name < "0.80" else ""
        cells = [f"{_value(one['found'])} / {_value(one['resolved'])}" for one in own]
        rows.append(f"| {name}{free} | {own[0]['found']['total']} | {' | '.join(cells)} |")
    return rows


def _kinds(sides: list[dict[str, Any]], language: str) -> list[str]:
    ran = [side for side in sides if language in side["scores"]]
    rows = [f"| kind | documents | pairs | {' | '.join(side['name'] for side in ran)} |", "|---" * (len(ran) + 3) + "|"]
    for name in ran[0]["scores"][language]["kinds"] if ran else []:
        own = [side["scores"][language]["kinds"][name] for side in ran]
        pairs = own[0]["found"]["total"]
        cells = [_kind(one) for one in own]
        rows.append(f"| {name} | {own[0]['documents']:,} | {pairs:,} | {' | '.join(cells)} |")
    return rows


def _kind(one: dict[str, Any]) -> str:
    wrong = one["removed"] - one["right"]
    below = f" ({one['below']} free)" if one["below"] else ""
    return f"{_value(one['found'])}; {wrong}{below}; {one['left']}"


def _share(share: dict[str, Any]) -> str:
    if share["value"] is None:
        return "-"
    return f"{share['value']:.4f} [{share['low']:.4f}, {share['high']:.4f}]"


def _value(share: dict[str, Any]) -> str:
    return "-" if share["value"] is None else f"{share['value']:.3f}"
