"""The study: every tool on every row, scored, and the page that says it."""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.launch import ONE_THREAD, ROOT, without_paths
from bench.lid_quality import sets

TOOLS = {
    "ours": "bench.ours.lid_quality",
    "lid.176": "bench.peers.fasttext_lid_quality",
    "py3langid": "bench.peers.py3langid_lid_quality",
    "lingua": "bench.peers.lingua_lid_quality",
    "pycld2": "bench.peers.pycld2_lid_quality",
}
VARIETIES = ("yue", "wuu", "lzh")
# File: bytes timed, from its beginning.
TIMED = {"zh/reviews_online_shopping": 1_000_000, "zh/tech_lctt": 2_000_000, "pile/hackernews": 1_000_000,
         "pile/openwebtext_bbc": 1_000_000}  # fmt: skip


def study(data: Path, scratch: Path, lid_model: Path, peers: list[str], peers_python: str) -> dict[str, Any]:
    """-> {"rows": [...], "tools": {name: {"about", "versions", "mb_per_s"} or {"error"}}}. A tool that fails has an
    error and stands in no row."""
    rows = sets.rows(data)
    (scratch / "texts.json").write_text(json.dumps([text for row in rows for text in row.texts]), encoding="utf-8")
    (scratch / "timed.json").write_text(json.dumps(_timed(data)), encoding="utf-8")
    tools: dict[str, Any] = {}
    answers: dict[str, list[str]] = {}
    for name in ("ours", *peers):
        answer = scratch / f"{name}.json"
        order = {
            "module": TOOLS[name], "texts": str(scratch / "texts.json"), "timed": str(scratch / "timed.json"),
            "lid_model": str(lid_model), "answer": str(answer),
        }  # fmt: skip
        done = subprocess.run(
            [sys.executable if name == "ours" else peers_python, "-m", "bench.lid_quality.side"],
            input=json.dumps(order), capture_output=True, text=True, errors="replace", cwd=ROOT,
            env=os.environ | ONE_THREAD,
        )  # fmt: skip
        if done.returncode:
            sys.stderr.write(done.stderr[-3000:])
            tools[name] = {"error": without_paths((done.stderr.strip() or "failed").splitlines()[-1])}
            continue
        said = json.loads(answer.read_text(encoding="utf-8"))
        answers[name] = said.pop("labels")
        tools[name] = said
        print(f"  {name}: done", flush=True)
    scored, at = [], 0
    for row in rows:
        own = {name: labels[at : at + len(row.texts)] for name, labels in answers.items()}
        at += len(row.texts)
        scored.append(_score(row, own))
    return {"rows": scored, "tools": tools}


def _timed(data: Path) -> dict[str, list[str]]:
    found = {}
    for name, limit in TIMED.items():
        texts, size = [], 0
        for record in sets._records(data / f"{name}.jsonl.zst"):
            texts.append(record["text"])
            size += len(record["text"].encode())
            if size >= limit:
                break
        found[name] = texts
    return found


def _score(row: sets.Row, answers: dict[str, list[str]]) -> dict[str, Any]:
    said: dict[str, Any] = {"name": row.name, "language": row.language, "label": row.label, "texts": len(row.texts)}
    for key in ("right", "right_other_half", "labelled", "as_variety", "most_said"):
        said[key] = {}
    for name, labels in answers.items():
        languages = [sets.SAME.get(label, label.split("-")[0]) for label in labels]
        right = [language == row.language for language in languages]
        unseen = [one for one, half in zip(right, row.halves, strict=True) if half]
        said["right"][name] = sum(right) / len(right)
        said["right_other_half"][name] = sum(unseen) / len(unseen) if unseen else None
        if row.label and row.language == "zh":
            said["labelled"][name] = sum(label in row.label.split("|") for label in labels) / len(labels)
        if row.label in ("zh-Hans", "zh-Hant"):
            said["as_variety"][name] = sum(label in VARIETIES for label in labels) / len(labels)
        said["most_said"][name] = Counter(labels).most_common(3)
    return said


def page(record: dict[str, Any]) -> str:
    tools = [name for name, said in record["tools"].items() if "error" not in said]
    lines = [f"# Language identification, {record['at'][:10]}", ""]
    lines += [f"`{record['command']}`, commit {record['commit']}.", ""]
    lines += ["| tool | versions | how |", "|---|---|---|"]
    for name, said in record["tools"].items():
        versions = ", ".join(f"{key} {value}" for key, value in said.get("versions", {}).items())
        lines.append(f"| {name} | {versions} | {said.get('about', said.get('error'))} |")
    timed = list(record["tools"][tools[0]]["mb_per_s"])
    lines += ["", "## MB of text per second of one core", ""]
    lines += [f"| tool | {' | '.join(timed)} |", "|---" * (len(timed) + 1) + "|"]
    for name in tools:
        speeds = record["tools"][name]["mb_per_s"]
        lines.append(f"| {name} | {' | '.join(f'{speeds[key]:.1f}' for key in timed)} |")
    chinese = [row for row in record["rows"] if row["language"] == "zh"]
    lines += ["", "## Chinese rows: share called Chinese", "", *_table(chinese, tools, "right")]
    finer = [row for row in chinese if row["labelled"]]
    lines += ["", "## Chinese rows: share given the label", "", *_table(finer, tools, "labelled")]
    lines += ["", "## Modern Mandarin: share called Cantonese, Wu or classical", ""]
    lines += _table([row for row in chinese if row["as_variety"]], tools, "as_variety", min)
    others = [row for row in record["rows"] if row["language"] != "zh"]
    lines += ["", "## Other languages: share right", "", *_table(others, tools, "right")]
    mean = [sum(row["right"][name] for row in others) / len(others) for name in tools]
    lines.append(f"| mean of {len(others)} rows | | | {' | '.join(f'{value:.4f}' for value in mean)} |")
    return "\n".join(lines) + "\n"


def _table(rows: list[dict[str, Any]], tools: list[str], key: str, better: Callable = max) -> list[str]:
    """The best of each row in bold."""
    lines = [f"| row | label | texts | {' | '.join(tools)} |", "|---" * (len(tools) + 3) + "|"]
    for row in rows:
        best = better(row[key].values())
        cells = [f"**{row[key][name]:.4f}**" if row[key][name] == best else f"{row[key][name]:.4f}" for name in tools]
        lines.append(f"| {row['name']} | {row['label'].replace('|', ', ')} | {row['texts']} | {' | '.join(cells)} |")
    return lines
