"""The study: damage, repair, score."""

import json
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import xxhash

from bench import inputs
from bench.repair.damage import KINDS, damaged
from stages.repair import COUNTS, Repair, scanned

FOLDERS = ("zh", "pile", "lid")
GOLD = ("crawl/waddle_multilingual.gold.jsonl.zst", "crawl/zh_legacy_charset_transcoded.gold.jsonl.zst")
MAX_CHARS = 20_000  # of a document that is damaged
SHOWN = 40  # clean documents that changed, of a file
BATCH = 512


def study(data: Path, scratch: Path, peers_python: str, each: int) -> dict[str, Any]:
    """`each`: documents taken from a file for damage. -> {"damage": rows, "clean": rows, "versions"}."""
    stage = Repair()
    model = stage.load({})
    chosen = {path.stem.split(".")[0]: list(_chosen(path, each)) for path in _files(data)}
    rows = []
    for name in KINDS:
        for where in ("document", "line"):
            for language, texts in _by_language(chosen).items():
                pairs = [(text, wrong) for text in texts if (wrong := _damaged(name, text, where)) is not None]
                if len(pairs) < each // 4:
                    continue
                sides = {
                    "ours": _ours(stage, model, pairs),
                    "ftfy": _ftfy([w for _, w in pairs], scratch, peers_python),
                }
                for side, (seconds, texts_) in sides.items():
                    score = Counter(map(_verdict, pairs, texts_))
                    megabytes = sum(len(wrong.encode()) for _, wrong in pairs) / 1e6
                    row = {"kind": name, "where": where, "language": language, "side": side, "documents": len(pairs)}
                    rows.append(row | dict(score) | {"mb_per_s": round(megabytes / max(seconds, 1e-9), 1)})
                print(
                    f"  {name}, {where}, {language}: {dict(Counter(map(_verdict, pairs, sides['ours'][1])))}",
                    flush=True,
                )
    clean = [_clean(stage, model, path) for path in _files(data)]
    return {"damage": rows, "clean": clean, "versions": {name: version(name) for name in ("numpy", "numba", "pyarrow")}}


def _files(data: Path) -> list[Path]:
    return [path for folder in FOLDERS for path in sorted((data / folder).glob("*.jsonl.zst"))] + [
        data / name for name in GOLD if (data / name).exists()
    ]


def _texts(path: Path) -> Iterator[str]:
    for line in inputs.lines([path]):
        row = json.loads(line)
        text = row.get("text") or row.get("gold_text") or ""
        if text:
            yield text


def _chosen(path: Path, each: int) -> list[str]:
    """Documents with the smallest hashes: the same whatever their order."""
    smallest = sorted((xxhash.xxh3_64_intdigest(text.encode()), text[:MAX_CHARS]) for text in set(_texts(path)))
    return [text for _, text in smallest[:each]]


def _by_language(chosen: dict[str, list[str]]) -> dict[str, list[str]]:
    """Documents with nothing to repair, Chinese ones apart from others."""
    parts: dict[str, list[str]] = {"zh": [], "other": []}
    for texts in chosen.values():
        for text in texts:
            han = sum("\u4e00" <= char <= "\u9fff" for char in text)
            parts["zh" if 4 * han > len(text) else "other"].append(text)
    model = Repair().load({})
    for language, texts in parts.items():
        flags, irreversible = scanned(pa.array(texts, pa.string()), model)
        parts[language] = [
            text for text, flag, lost in zip(texts, flags, irreversible, strict=True) if not flag and not lost
        ]
    return parts


def _damaged(name: str, text: str, where: str) -> str | None:
    if where == "document":
        return damaged(name, text)
    lines = text.split("\n")
    odd = [place for place, line in enumerate(lines) if sum(char >= "\x80" for char in line) >= 4]
    if len(odd) < 2:
        return None
    place = odd[xxhash.xxh3_64_intdigest(text.encode()) % len(odd)]
    wrong = damaged(name, lines[place])
    return None if wrong is None or "\n" in wrong else "\n".join((*lines[:place], wrong, *lines[place + 1 :]))


def _ours(stage: Repair, model: Any, pairs: list[tuple[str, str]]) -> tuple[float, list[str]]:
    batches = [
        pa.record_batch({"text": pa.array([w for _, w in pairs[at : at + BATCH]])})
        for at in range(0, len(pairs), BATCH)
    ]
    started = time.process_time()
    columns = [stage.apply(batch, model)["text"] for batch in batches]
    return time.process_time() - started, [text for column in columns for text in column.to_pylist()]


def _ftfy(texts: list[str], scratch: Path, python: str) -> tuple[float, list[str]]:
    """The peer, in its own environment."""
    given, made = scratch / "given.json", scratch / "made.json"
    given.write_text(json.dumps(texts), encoding="utf-8")
    subprocess.run([python, "-m", "bench.peers.ftfy_repair", str(given), str(made)], check=True)
    answer = json.loads(made.read_text(encoding="utf-8"))
    return answer["seconds"], answer["texts"]


def _verdict(pair: tuple[str, str], now: str) -> str:
    was, wrong = pair
    if now == was:
        return "exact"
    if now == wrong:
        return "left"
    if len(now) == len(was) and all(a == b or a == "\ufffd" for a, b in zip(now, was, strict=True)):
        return "lost"
    return "partly"


def _clean(stage: Repair, model: Any, path: Path) -> dict[str, Any]:
    """Every document of a file as it is: how fast, and what changed."""
    texts = list(_texts(path))
    totals: Counter[str] = Counter()
    changes: list[list[str]] = []
    scan_s = seconds = 0.0
    for at in range(0, len(texts), BATCH):
        batch = pa.record_batch({"text": pa.array(texts[at : at + BATCH])})
        began = time.process_time()
        scanned(batch["text"], model)
        middle = time.process_time()
        columns = stage.apply(batch, model)
        seconds += time.process_time() - middle
        scan_s += middle - began
        for name in (*COUNTS, "irreversible"):
            totals[name] += int(np.sum(columns[name].to_numpy()))
        for was, now in zip(texts[at : at + BATCH], columns["text"].to_pylist(), strict=True):
            if was != now:
                changes.append(_context(was, now))
    megabytes = sum(len(text.encode()) for text in texts) / 1e6
    return {
        "file": path.name.split(".")[0],
        "documents": len(texts),
        "mb": round(megabytes, 1),
        "scan_mb_per_s": round(megabytes / max(scan_s, 1e-9)),
        "mb_per_s": round(megabytes / max(seconds, 1e-9)),
        "changed": len(changes),
        "changes": changes[:SHOWN],
        "totals": {name: number for name, number in totals.items() if number},
    }


def _context(was: str, now: str) -> list[str]:
    """The first difference, before and after."""
    at = next((place for place, (a, b) in enumerate(zip(was, now, strict=False)) if a != b), min(len(was), len(now)))
    return [text[max(0, at - 15) : at + 25].replace("\n", "⏎") for text in (was, now)]
