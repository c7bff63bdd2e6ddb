"""The run: parts to children, and what they told, added up."""

import sys
from collections import Counter
from pathlib import Path
from typing import Any

from bench.fuzz import cases, watch
from bench.fuzz.trial import BLOCK, SLOWEST
from bench.fuzz.watch import Bounds, Death, Part

PAGES_A_PART, ARCHIVES_A_PART = 10_000, 500
WORKERS = 2


def study(
    data: Path,
    scratch: Path,
    folder: Path,
    pages: int,
    archives: int,
    seed: int,
    bounds: Bounds,
    checked: Path | None,
    workers: int,
) -> dict[str, Any]:
    """So many mutated pages and archives. Failing cases go to `folder`. With
    `checked`, a folder for compiled kernels, these check every index."""
    parts = _parts("page", pages, PAGES_A_PART, BLOCK) + _parts("archive", archives, ARCHIVES_A_PART, 1)
    told = {"seed": seed, "data": str(data), "folder": str(folder)}
    environment = {} if checked is None else {"NUMBA_BOUNDSCHECK": "1", "NUMBA_CACHE_DIR": str(checked)}
    results, deaths = watch.run(parts, told, bounds, scratch, workers, environment, _say)
    given = cases.pool(data) if deaths else None
    killed = []
    for kind, death in sorted(deaths, key=lambda entry: (entry[0], entry[1].case)):
        assert given is not None
        make = cases.page if kind == "page" else cases.archive
        path = cases.save(folder, seed, death.case, make(seed, death.case, given), f"step {death.step}: {death.how}")
        killed.append({"kind": kind, "case": death.case, "how": death.how, "file": path.name})
    return {
        "seed": seed,
        "index_checks": checked is not None,
        "memory_bytes": bounds.memory_bytes,
        "step_s": bounds.step_s,
        "killed": killed,
        "kinds": {kind: added(kind, results, deaths) for kind in ("page", "archive")},
    }


def sound(found: dict[str, Any]) -> bool:
    """Whether nothing crashed, hung or failed, and every record is accounted for."""
    return not found["killed"] and all(
        not own["failed"] and own["records"] == own["accounted"] for own in found["kinds"].values()
    )


def _parts(kind: str, count: int, size: int, block: int) -> list[Part]:
    return [Part(kind, begin, min(begin + size, count), block) for begin in range(0, count, size)]


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def added(kind: str, results: list[tuple[str, dict[str, Any]]], deaths: list[tuple[str, Death]]) -> dict[str, Any]:
    """All that children told of one kind of case, as one."""
    own = [line for of, line in results if of == kind]
    dead = [death for of, death in deaths if of == kind]
    fates, seconds = Counter[str](), Counter[str]()
    for line in own:
        fates.update(line["fates"])
        seconds.update(line["seconds"])
    cases_run = sum(line["cases"][1] - line["cases"][0] for line in own)
    slowest = sorted((tuple(entry) for line in own for entry in line["slowest"]), reverse=True)
    by_step = {step: [e for e in slowest if e[1] == step][:SLOWEST] for step in dict.fromkeys(e[1] for e in slowest)}
    return {
        "cases": cases_run + len(dead),
        "records": fates.total() + len(dead) if kind == "archive" else cases_run + len(dead),
        "accounted": fates.total() + len(dead),
        "bytes": sum(line["bytes"] for line in own),
        "fates": dict(sorted(fates.items(), key=lambda item: (-item[1], item[0]))),
        "crashes": sum(death.how != "hang" for death in dead),
        "hangs": sum(death.how == "hang" for death in dead),
        "failed": [failed for line in own for failed in line["failed"]],
        "seconds": {step: round(s, 2) for step, s in sorted(seconds.items())},
        "slowest": {
            step: [{"seconds": round(s, 3), "case": case, "bytes": size} for s, _, case, size in own]
            for step, own in sorted(by_step.items())
        },
        "peak_bytes": max((line["peak_bytes"] for line in own), default=0),
    }


def page(record: dict[str, Any]) -> str:
    """The result as Markdown."""
    machine = record["machine"]
    lines = [
        f"# Hostile input, {record['at']}",
        "",
        f"{machine['cpu']}, {machine['cores']} cores, commit {record['commit']}, `{record['command']}`; seed "
        f"{record['seed']}; a child may have {record['memory_bytes'] / 1e9:.1f} GB of addresses and a step "
        f"{record['step_s']:g} processor seconds"
        + ("; kernels check every index" if record["index_checks"] else "")
        + ".",
    ]
    for kind, own in record["kinds"].items():
        lines += [
            "",
            f"## {kind.capitalize()}s",
            "",
            f"{own['cases']:,} cases, {own['records']:,} records, {own['accounted']:,} of them kept or counted; "
            f"{own['bytes'] / 1e6:,.0f} MB. Crashes {own['crashes']}, hangs {own['hangs']}, other failures "
            f"{len(own['failed'])}. Peak memory of a child {own['peak_bytes'] / 1e6:,.0f} MB.",
            "",
            "| became | records |",
            "|---|---|",
            *(f"| {fate} | {count:,} |" for fate, count in own["fates"].items()),
            "",
            "| step | processor s | slowest s | its case | bytes |",
            "|---|---|---|---|---|",
            *(
                f"| {step} | {own['seconds'][step]:,.1f} | {slowest[0]['seconds']:.3f} | {slowest[0]['case']} | "
                f"{slowest[0]['bytes']:,} |"
                for step, slowest in own["slowest"].items()
            ),
        ]
        for failed in own["failed"]:
            lines += ["", f"- case {failed['case']}, {failed['step']}: `{failed['why']}` ({failed['file']})"]
    for killed in record["killed"]:
        lines += ["", f"- {killed['kind']} {killed['case']}: {killed['how']} ({killed['file']})"]
    return "\n".join(lines) + "\n"
