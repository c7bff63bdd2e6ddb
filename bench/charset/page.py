"""The result as one page of Markdown: shares by set and side, rows where a peer is better, what was taken for what."""

from typing import Any

from bench.charset.gold import SETS, TARGETS

CONFUSED = 20  # pairs shown of each side


def page(record: dict[str, Any]) -> str:
    machine = record["machine"]
    ran = [side for side in record["sides"] if "parts" in side]
    lines = [
        f"# Charset detection, {record['at']}",
        "",
        f"{machine['cpu']}, {machine['cores']} cores, commit {record['commit']}, `{record['command']}`",
        "",
        "What is counted and why: `bench/charset/__init__.py`. Right: the text equals that of the true charset.",
        "",
        "## Share of pages read rightly (by family of the charset named)",
        "",
        *_shares(ran),
        "",
        "MB of page per processor second, detecting and decoding:",
        "",
        *_rates(ran),
        "",
        "`decode` alone, best of three:",
        "",
        "| pages | MB | MB/s |",
        "|---|---|---|",
        *(f"| {name} | {one['bytes'] / 1e6:.1f} | {one['mb_per_s']:.1f} |" for name, one in record["speed"].items()),
        "",
        "## Pages of the labelled sets that ours read wrongly",
        "",
        *_wrong(record["wrong"]),
        "",
        "## Made samples without a declaration: right of all, by language and charset, all lengths together",
        "",
        *_kinds(ran),
        "",
        "## What was taken for what",
        "",
    ]
    for side in ran:
        lines += [f"### {side['name']}", "", *_confused(side), ""]
    lines += ["## Versions", ""]
    for side in record["sides"]:
        said = ", ".join(f"{name} {version}" for name, version in side.get("versions", {}).items())
        lines.append(f"- {side['name']}: {side.get('error') or said}")
    return "\n".join(lines) + "\n"


def _head(first: str, sides: list[dict[str, Any]]) -> list[str]:
    return [f"| {first} | pages | {' | '.join(side['name'] for side in sides)} |", "|---" * (len(sides) + 2) + "|"]


def _shares(sides: list[dict[str, Any]]) -> list[str]:
    rows = _head("set", sides)
    for part, one in sides[0]["parts"].items():
        cells = [f"{own['right'] / own['pages']:.4f} ({own['label'] / own['pages']:.3f})" for own in _own(sides, part)]
        target = f" (target {TARGETS[part]})" if part in TARGETS else ""
        rows.append(f"| {part}{target} | {one['pages']} | {' | '.join(cells)} |")
    return rows


def _rates(sides: list[dict[str, Any]]) -> list[str]:
    rows = _head("set", sides)
    for part, one in sides[0]["parts"].items():
        cells = [f"{own['bytes'] / 1e6 / max(own['seconds'], 1e-9):.2f}" for own in _own(sides, part)]
        rows.append(f"| {part} | {one['pages']} | {' | '.join(cells)} |")
    return rows


def _own(sides: list[dict[str, Any]], part: str) -> list[dict[str, Any]]:
    return [side["parts"][part] for side in sides]


def _kinds(sides: list[dict[str, Any]]) -> list[str]:
    """Marked where a peer read more pages rightly."""
    counts: list[dict[str, list[int]]] = []
    for side in sides:
        sums: dict[str, list[int]] = {}
        for key, found in side["kinds"].items():
            part, kind = key.split("\t")
            right, pages = map(int, found.split("/"))
            if part.endswith(", none"):
                row = sums.setdefault(kind, [0, 0])
                row[0] += right
                row[1] += pages
        counts.append(sums)
    rows = _head("language, charset", sides)
    behind = 0
    for kind, (right, pages) in counts[0].items():
        less = any(one[kind][0] > right for one in counts[1:])
        behind += less
        cells = " | ".join(str(one[kind][0]) for one in counts)
        rows.append(f"| {kind}{' **behind**' if less else ''} | {pages} | {cells} |")
    return [*rows, "", f"Rows: {len(counts[0])}; a peer is better in {behind}."]


def _wrong(wrong: list[dict[str, Any]]) -> list[str]:
    rows = ["| set | page | true | chosen (by) | declared | cheapest, bits each | reason |", "|---" * 7 + "|"]
    for one in wrong:
        cheapest = (
            ", ".join(f"{cost['charset']} {cost['bits_each']}" for cost in one["bytes"]) or f"UTF-8: {one['utf8']}"
        )
        declared = one["http"] or one["meta"] or "-"
        cells = [one["set"], one["page"], one["true"], f"{one['chosen']} ({one['source']})", declared, cheapest]
        rows.append(f"| {' | '.join(_plain(cell) for cell in [*cells, one['reason']])} |")
    return rows if wrong else ["None."]


def _plain(text: str) -> str:
    """Nothing that a page declares may act in the table or in a terminal."""
    return "".join(c if c.isprintable() and c not in "|<>`[]" else "?" for c in text)[:120]


def _confused(side: dict[str, Any]) -> list[str]:
    rows = ["| set | true | named | pages |", "|---|---|---|---|"]
    labelled, made = [], []
    for part, one in side["parts"].items():
        for true, named, pages in one["confused"]:
            (labelled if part in SETS else made).append((pages, part, true, named))
    made = sorted((one for one in made if one[1].endswith(", none")), key=lambda one: -one[0])[:CONFUSED]
    rows += [f"| {part} | {true} | {_plain(named)} | {pages} |" for pages, part, true, named in [*labelled, *made]]
    return rows if len(rows) > 2 else ["Nothing."]
