"""Agreement of every rule with datatrove's, on real documents: verdicts at the published thresholds, and values.

English three times: as both are; with datatrove's formulae on the words and sentences that `signals` cuts, so that
what remains is a difference of formula, which the last column of the page explains; and with these differences taken
out, too (`bench/rules/adjusted.py`), after which the values are the same. Chinese once, by the rules of FineWeb2: there
words are jieba's, here seven characters are four words.
"""

import json
import os
import subprocess
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from bench.launch import ONE_THREAD, ROOT
from bench.quality.bad import digest
from bench.rules import adjusted, units
from bench.rules.chinese import CHINESE
from bench.rules.formulae import ENGLISH, Rule
from bench.rules.packs import NOT_PROSE, beyond
from bench.spam.planting import records
from stages.signals import Signals

FOLDERS = {"en": "pile", "zh": "zh"}
RULES = {"en": ENGLISH, "zh": CHINESE}
LEAST_CHARS = 20
STEP = 1 / 4096  # of stored shares


def study(data: Path, scratch: Path, peers_python: str, documents: int, chars: int) -> dict[str, Any]:
    """documents   of each language, in all;  chars: where a document is cut. -> {"languages": {language: ...}}"""
    found: dict[str, Any] = {"documents": documents, "chars": chars, "languages": {}}
    for language, folder in FOLDERS.items():
        texts, sources = sample(data / folder, documents, chars)
        told = asked(texts, language, scratch / language, peers_python)
        ours = measured(texts)
        sides = {name: _columns(told.pop(name)) for name in ("theirs", "on_our_units")}
        if language == "en":
            own = [adjusted.values(text, cut) for text, cut in zip(texts, units.words(texts), strict=True)]
            sides["adjusted"] = sides["on_our_units"] | _columns(own)
        prose = np.repeat([name not in NOT_PROSE for name in sources], list(sources.values()))
        parts = {"prose": prose, "not prose": ~prose} if language == "en" else {"all": prose}
        told["parts"] = {}
        for part, chosen in parts.items():
            of = {name: value[chosen] for name, value in ours.items()}
            by = {side: {n: value[chosen] for n, value in rows.items()} for side, rows in sides.items() if rows}
            filters = dict.fromkeys(rule.filter for rule in RULES[language])
            told["parts"][part] = {
                "documents": int(chosen.sum()),
                "rules": [_row(rule, of, by) for rule in RULES[language]],
                "filters": [_whole(name, RULES[language], of, by) for name in filters],
            }
        size = sum(len(text.encode()) for text in texts)
        found["languages"][language] = told | {"sources": sources, "bytes": size}
        print(
            f"  {language}: {len(texts)} documents, {size / 1e6:.1f} MB, {told['seconds']:.0f} s of datatrove",
            flush=True,
        )
    return found


def sample(folder: Path, documents: int, chars: int) -> tuple[list[str], dict[str, int]]:
    """As many documents of each source as of any other, where it has them: those of the lowest digests. -> beginnings
    of texts, counts by source"""
    found = {}
    for path in sorted(folder.glob("*.jsonl.zst")):
        texts = {record["text"] for record in records(path)}
        found[path.name.partition(".")[0]] = sorted((t for t in texts if len(t) >= LEAST_CHARS), key=digest)
    left, quotas = documents, {}
    for at, name in enumerate(sorted(found, key=lambda name: (len(found[name]), name))):
        quotas[name] = min(len(found[name]), left // (len(found) - at))
        left -= quotas[name]
    names = sorted(found)
    return [t[:chars] for name in names for t in found[name][: quotas[name]]], {name: quotas[name] for name in names}


def asked(texts: list[str], language: str, folder: Path, peers_python: str) -> dict[str, Any]:
    """What `bench/rules/side.py` says of the texts. CalledProcessError where it fails; its log is on standard error."""
    folder.mkdir(parents=True)
    given: dict[str, Any] = {"texts": texts, "words": None, "sentences": None}
    if language == "en":
        lines = [[line.strip() for line in text.splitlines()] for text in texts]
        counts = iter(units.sentences([line for own in lines for line in own]))
        given |= {"words": units.words(texts), "sentences": [[next(counts) for _ in own] for own in lines]}
    for name, value in given.items():
        (folder / name).write_text(json.dumps(value), encoding="utf-8")
    order = {name: str(folder / name) for name in (*given, "answer")} | {"language": language}
    subprocess.run(
        [peers_python, "-m", "bench.rules.side"], input=json.dumps(order), text=True, cwd=ROOT, check=True,
        env=os.environ | ONE_THREAD, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    return json.loads((folder / "answer").read_text("utf-8"))


def measured(texts: list[str]) -> dict[str, np.ndarray]:
    table = pa.table(dict(Signals().apply(pa.record_batch({"text": pa.array(texts, pa.string())}), None)))
    return {name: table[name].to_numpy().astype(np.float64) for name in table.column_names}


def _columns(rows: list[dict[str, float]]) -> dict[str, np.ndarray]:
    return {name: np.array([row[name] for row in rows], np.float64) for name in (rows[0] if rows else ())}


def _row(rule: Rule, ours: dict[str, np.ndarray], sides: dict[str, dict[str, np.ndarray]]) -> dict[str, Any]:
    row: dict[str, Any] = {"rule": rule.name, "filter": rule.filter, "op": rule.op, "threshold": rule.threshold,
                           "ours": rule.ours, "differs": rule.differs}  # fmt: skip
    for side, columns in sides.items():
        theirs = columns[rule.name]
        if rule.ours:
            row[side] = compared(ours[rule.ours], theirs, rule)
        else:
            row[side] = {"only_theirs": int(beyond(theirs, rule.op, rule.threshold).sum())}
    return row


def compared(ours: np.ndarray, theirs: np.ndarray, rule: Rule) -> dict[str, Any]:
    """Verdicts and values of one rule. Values are the same where they are no further apart than stored shares are."""
    mine, other = (beyond(value, rule.op, rule.threshold) for value in (ours, theirs))
    gap = np.abs(ours - theirs)
    moves = ours.std() > 0 and theirs.std() > 0
    return {
        "both": int((mine & other).sum()),
        "only_theirs": int((~mine & other).sum()),
        "only_ours": int((mine & ~other).sum()),
        "agreement": float((mine == other).mean()),
        "means": [float(ours.mean()), float(theirs.mean())],
        "mean_gap": float(gap.mean()),
        "same": float((gap <= STEP / 2 + 1e-9).mean()),
        "correlation": float(np.corrcoef(ours, theirs)[0, 1]) if moves else None,
    }


def _whole(name: str, rules: Sequence[Rule], ours: dict[str, np.ndarray], sides: dict[str, Any]) -> dict[str, Any]:
    """The verdict of a whole filter."""
    own = [rule for rule in rules if rule.filter == name]
    mine = np.any([beyond(ours[rule.ours], rule.op, rule.threshold) for rule in own if rule.ours], axis=0)
    row: dict[str, Any] = {"filter": name}
    for side, columns in sides.items():
        other = np.any([beyond(columns[rule.name], rule.op, rule.threshold) for rule in own], axis=0)
        row[side] = Counter({"both": int((mine & other).sum()), "only_theirs": int((~mine & other).sum()),
                             "only_ours": int((mine & ~other).sum())})  # fmt: skip
        row[side]["agreement"] = float((mine == other).mean())
    return row


def page(record: dict[str, Any]) -> str:
    lines = [
        f"# Rules beside datatrove's, {record['at'][:10]}",
        "",
        f"`{record['command']}`, commit {record['commit']}.",
    ]
    lines += [
        "",
        f"Beginnings of {record['chars']:,} characters. `drops`: documents that both drop / only datatrove / only "
        "ours, at datatrove's threshold. `same`: values equal to the step of stored shares, 2^-12. `difference`: mean "
        "absolute difference of values. `our units`: datatrove's formulae on our words and sentences; `adjusted`: "
        "and without what the last column names. A value within 2^-13 of a threshold may fall on either side.",
    ]
    for language, told in record["languages"].items():
        versions = ", ".join(f"{name} {number}" for name, number in told["versions"].items())
        count = sum(told["sources"].values())
        lines += [
            "",
            f"## {language}: {count:,} documents, {told['bytes'] / 1e6:.1f} MB",
            "",
            f"{versions}. Documents: {', '.join(f'{n} {c:,}' for n, c in told['sources'].items())}. Of every tenth "
            f"text the values were held against the filter's own verdict; it differs for: {_said(told['differs'])}.",
        ]
        for part, found in told["parts"].items():
            lines += ["", f"### {language}, {part}: {found['documents']:,} documents", "", *_table(found)]
    return "\n".join(lines) + "\n"


def _table(found: dict[str, Any]) -> list[str]:
    twice = "on_our_units" in found["rules"][0]
    head = "| rule | threshold | our column | drops | agreement | means, ours and theirs | difference | same |"
    head += " correlation |"
    again = " drops, our units | agreement | difference | same | correlation | same, adjusted |" if twice else ""
    lines = [f"{head}{again} why values differ |", "|---" * (16 if twice else 10) + "|"]
    for row in found["rules"]:
        about = f"{row['filter']} {row['rule']} | {row['op']} {row['threshold']:g} | {row['ours']}"
        cells = _cells(row["theirs"], True)
        if twice:
            cells += [*_cells(row["on_our_units"], False), f"{row['adjusted']['same']:.2%}"]
        lines.append(f"| {about} | {' | '.join(cells)} | {row['differs']} |")
    lines += ["", f"| filter | drops | agreement |{' drops, our units | agreement |' if twice else ''}"]
    lines.append("|---" * (5 if twice else 3) + "|")
    for row in found["filters"]:
        halves = [
            f"{_drops(row[side])} | {row[side]['agreement']:.2%}" for side in ("theirs", "on_our_units") if side in row
        ]
        lines.append(f"| {row['filter']} | {' | '.join(halves)} |")
    return lines


def _said(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items())


def _drops(side: dict[str, Any]) -> str:
    return f"{side['both']:,} / {side['only_theirs']:,} / {side['only_ours']:,}"


def _cells(side: dict[str, Any], means: bool) -> list[str]:
    if "both" not in side:
        return [f"- / {side['only_theirs']:,} / -", *[""] * (5 if means else 4)]
    correlation = "" if side["correlation"] is None else f"{side['correlation']:.4f}"
    both = ["{:.4g}, {:.4g}".format(*side["means"])] if means else []
    return [
        _drops(side),
        f"{side['agreement']:.2%}",
        *both,
        f"{side['mean_gap']:.4g}",
        f"{side['same']:.2%}",
        correlation,
    ]
