"""The study: plant, run every side, score, and say it."""

import hashlib
import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from itertools import product
from pathlib import Path
from typing import Any, TypeVar

from bench.dedup import ours, score
from bench.dedup.originals import DEFAULT
from bench.launch import ONE_THREAD, ROOT, without_paths

PEERS = ("datatrove", "text_dedup", "rensa", "datasketch")
K = TypeVar("K")
OURS = ("numpy", "numba", "pyarrow", "xxhash")


def study(
    data: Path, scratch: Path, planted: Path, peers: list[str], peers_python: str, scale: float, seed: int, options: str
) -> dict[str, Any]:
    """-> {"planted": by language, "sides": [...]}. A set that lies in `planted` already is used."""
    truths = _plant(data, planted, peers_python, scale, seed)
    languages = list(truths)
    sides = [_ours(planted, languages, scratch, truths, options)]
    _say(sides[0])
    sides += _peers(peers, planted, scratch, truths, peers_python)
    return {"planted": {name: _about(truth) for name, truth in truths.items()}, "sides": sides}


def _plant(data: Path, folder: Path, python: str, scale: float, seed: int) -> dict[str, dict[str, Any]]:
    folder.mkdir(parents=True, exist_ok=True)
    mark, made = folder / "made.txt", f"{_planting()} {scale} {seed}"
    if not mark.exists() or mark.read_text(encoding="utf-8") != made:
        started = time.perf_counter()
        common = {"data": str(data), "scale": scale, "seed": seed, "folder": str(folder)}
        orders = {language: common | {"language": language, "files": files} for language, files in DEFAULT.items()}
        for language, error in _at_once(python, "bench.dedup.plant", orders).items():
            if error:
                raise RuntimeError(f"planting {language} failed: {error}")
        mark.write_text(made, encoding="utf-8")
        print(f"  planted in {time.perf_counter() - started:.0f} s", flush=True)
    return {name: json.loads((folder / f"truth-{name}.json").read_text(encoding="utf-8")) for name in DEFAULT}


def _planting() -> str:
    """A digest of everything that decides what is planted, besides the input."""
    code = ("originals", "truth", "mirror", "edits", "boilerplate", "templates", "planting", "plant")
    return hashlib.sha256(b"".join((Path(__file__).parent / f"{name}.py").read_bytes() for name in code)).hexdigest()


def _about(truth: dict[str, Any]) -> dict[str, Any]:
    duplicates = sum(similarity >= score.THRESHOLD for _, _, similarity in truth["pairs"])
    counts = {"documents": len(truth["documents"]), "pairs": len(truth["pairs"]), "duplicate_pairs": duplicates}
    return {name: truth[name] for name in ("files", "read", "apart", "text_bytes", "made")} | counts


def _ours(
    folder: Path, languages: list[str], scratch: Path, truths: dict[str, dict[str, Any]], options: str
) -> dict[str, Any]:
    place = scratch / "ours"
    place.mkdir()
    side: dict[str, Any] = {"name": "ours", "about": options or "defaults", "scores": {}, "errors": {}}
    verdicts, said = ours.run(folder, languages, place, options)
    for language in languages:
        side["scores"][language] = _score(truths[language], verdicts)
        wrong = score.misses(truths[language]["documents"], truths[language]["pairs"], verdicts)
        (folder / f"misses-{language}.json").write_text("\n".join(map(json.dumps, wrong)) + "\n", encoding="utf-8")
    versions = {name: version(name) for name in OURS}
    return side | said | {"versions": versions}


def _score(truth: dict[str, Any], verdicts: dict[str, score.Verdict]) -> dict[str, Any]:
    return score.score(truth["documents"], truth["pairs"], verdicts)


def _peers(
    names: list[str], folder: Path, scratch: Path, truths: dict[str, dict[str, Any]], python: str
) -> list[dict[str, Any]]:
    """Each peer runs once per language. An error in one stands beside the scores of the other."""
    orders = {}
    for name, language in product(names, truths):
        place = scratch / f"{name}-{language}"
        place.mkdir()
        orders[name, language] = {
            "module": f"bench.peers.{name}_dedup", "path": str(folder / f"documents-{language}.jsonl.zst"),
            "language": language, "folder": str(place), "answer": str(place / "verdicts.json"),
        }  # fmt: skip
    failed = _at_once(python, "bench.dedup.side", orders)
    sides = []
    for name in names:
        side: dict[str, Any] = {"name": name, "about": "", "scores": {}, "versions": {}, "errors": {}}
        for language, truth in truths.items():
            if error := failed[name, language]:
                sys.stderr.write(error + "\n")
                side["errors"][language] = without_paths(error.splitlines()[-1])
                continue
            said = json.loads(Path(orders[name, language]["answer"]).read_text(encoding="utf-8"))
            side["about"], side["versions"] = said["about"], said["versions"]
            verdicts = {key: score.Verdict(*value) for key, value in said["verdicts"].items()}
            side["scores"][language] = _score(truth, verdicts)
        sides.append(side)
        _say(side)
    return sides


def _at_once(python: str, module: str, orders: dict[K, dict[str, Any]]) -> dict[K, str]:
    """`python -m module` for every order, as many at a time as there are cores. -> the end of what each said where it
    failed, "" where it did not."""

    def run(order: dict[str, Any]) -> str:
        done = subprocess.run(
            [python, "-m", module], input=json.dumps(order), capture_output=True, text=True, errors="replace",
            cwd=ROOT, env=os.environ | ONE_THREAD,
        )  # fmt: skip
        return "" if done.returncode == 0 else done.stderr.strip()[-3000:] or f"exit status {done.returncode}"

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return dict(zip(orders, pool.map(run, orders.values()), strict=True))


def _say(side: dict[str, Any]) -> None:
    for language, one in side["scores"].items():
        found, more, right = one["at_0.80"]["found"], one["from_0.85"]["found"], one["removals"]["precision"]
        print(
            f"  {side['name']:12} {language}  recall 0.80-0.85 {_short(found)}, from 0.85 {_short(more)}; precision "
            f"{_short(right)}; lost: template pages {one['template_pages_removed']}, forms "
            f"{one['pages_removed'] - one['template_pages_removed']}, unrelated {one['unrelated_removed']}",
            flush=True,
        )
    for language, error in side["errors"].items():
        print(f"  {side['name']:12} {language}  failed: {error}", flush=True)


def _short(share: dict[str, Any]) -> str:
    return "-" if share["value"] is None else f"{share['value']:.4f} ({share['hits']}/{share['total']})"
