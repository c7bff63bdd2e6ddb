"""The study: learn on four fifths of the hosts, extract the pages of the others, and score that beside the peers."""

import collections
import hashlib
import json
import subprocess
import time
from pathlib import Path
from typing import Any
from unittest.mock import patch

from bench.launch import ONE_THREAD, ROOT
from bench.main_text import fit, gold, hosts, labels, score
from stages import block_trees
from stages.extract import Extract

LEARNED = ("dragnet_en", "waddle_multilingual", "cleaneval_en_dev")
# The Chinese pages of waddle once more, in legacy character sets: never learned from.
JUDGED = (*LEARNED, "zh_legacy_charset_transcoded")
FOLDS = 5
PEERS = ("trafilatura", "resiliparse")
WORST = 10


def study(data: Path, scratch: Path, peers_python: str) -> dict[str, Any]:
    """-> {"sides": [...], "worst": [...]}; `data` holds `crawl/<set>.warc.gz` and their gold texts."""
    sets = {name: gold.read(data / "crawl" / name) for name in JUDGED}
    learned = {name: labels.examples(sets[name]) for name in LEARNED}
    groups = {page.name: page.group for pages in sets.values() for page in pages}
    found: dict[str, list[str]] = {name: [""] * len(sets[name]) for name in JUDGED}
    for fold in range(FOLDS):
        started = time.perf_counter()
        others = [e for examples in learned.values() for e in examples if fold_of(e.gold.group) != fold]
        model = fit.fit([*others, *labels.small_pages(others)])
        with patch.object(block_trees, "trees", lambda model=model: model):
            for name, pages in sets.items():
                for number, page in enumerate(pages):
                    if fold_of(groups[page.name]) == fold:
                        read = Extract().page(page.body, page.http_charset, page.mime, page.url)
                        found[name][number] = read.text
        print(f"  fold {fold + 1} of {FOLDS}: {time.perf_counter() - started:.0f} s", flush=True)
    sides = [_side("ours", sets, found)]
    common = {
        name: hosts.without_repeats(found[name], [page.url for page in pages], scratch / f"hosts-{name}")
        for name, pages in sets.items()
    }
    sides.append(_side("ours, repeats of a host cut", sets, common))
    for peer, how in (("trafilatura", "decoded"), ("trafilatura", "bytes"), ("resiliparse", "decoded")):
        sides.append(_side(f"{peer}, {how}", sets, _peer(peer, how, sets, scratch, peers_python)))
    return {"folds": FOLDS, "sides": sides, "worst": _worst(sets, found)}


def fold_of(group: str) -> int:
    return int.from_bytes(hashlib.blake2b(group.encode(), digest_size=8).digest(), "big") % FOLDS


def _side(name: str, sets: dict[str, list[gold.Gold]], found: dict[str, list[str]]) -> dict[str, Any]:
    rows = []
    for which, pages in sets.items():
        scores = collections.defaultdict(list)
        for page, text in zip(pages, found[which], strict=True):
            scores[page.language].append(score.score(text, page.text))
        for language, of_pages in scores.items():
            mean = score.mean(of_pages)
            rows.append({"set": which, "language": language, "pages": len(of_pages)} | mean._asdict())
            print(
                f"  {name:28} {which:28} {language:8} {len(of_pages):4}  precision {mean.precision:.4f}  "
                f"recall {mean.recall:.4f}  F1 {mean.f1:.4f}",
                flush=True,
            )
    return {"name": name, "rows": rows}


def _peer(peer: str, how: str, sets: dict[str, list[gold.Gold]], scratch: Path, python: str) -> dict[str, list[str]]:
    """The peer's texts; it gets a page as sent ("bytes"), or decoded by us."""
    folder = scratch / f"{peer}-{how}"
    folder.mkdir()
    names = []
    for which, pages in sets.items():
        for number, page in enumerate(pages):
            path = folder / f"{which}-{number}"
            text = Extract().decoded(page.body, page.http_charset).text
            path.write_bytes(page.body if how == "bytes" else text.encode("utf-8", "replace"))
            names.append(path.name)
    (folder / "names.json").write_text(json.dumps(names), encoding="utf-8")
    command = [python, "-m", f"bench.peers.{peer}_main_text", str(folder), how]
    subprocess.run(command, check=True, cwd=ROOT, env=ONE_THREAD)
    texts = iter(json.loads((folder / "texts.json").read_text(encoding="utf-8")))
    return {which: [next(texts) for _ in pages] for which, pages in sets.items()}


def _worst(sets: dict[str, list[gold.Gold]], found: dict[str, list[str]]) -> list[dict[str, Any]]:
    """The pages with the lowest F1, and what is wrong with each: too much or too little, and the first of it."""
    every = [
        (score.score(text, page.text), which, page, text)
        for which, pages in sets.items()
        if which in LEARNED
        for page, text in zip(pages, found[which], strict=True)
    ]
    every.sort(key=lambda entry: (entry[0].f1, entry[2].name))
    rows = []
    for scored, which, page, text in every[:WORST]:
        found_lines, gold_lines = _lines(text), _lines(page.text)
        extra = [line for line in found_lines if line not in gold_lines]
        missing = [line for line in gold_lines if line not in found_lines]
        rows.append(
            {"set": which, "page": page.url or page.name, "language": page.language}
            | scored._asdict()
            | {
                "characters": len(score.squeezed(text)),
                "gold_characters": len(score.squeezed(page.text)),
                "longest_extra": max(extra, key=len, default="")[:120],
                "longest_missing": max(missing, key=len, default="")[:120],
            }
        )
    return rows


def _lines(text: str) -> dict[str, None]:
    return dict.fromkeys(line.strip() for line in text.split("\n") if line.strip())
