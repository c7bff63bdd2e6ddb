"""The study: what is found of what was planted, what is taken from clean text, and how fast."""

import random
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from bench.spam import planting
from stages import spam_lexicon
from stages.packs import PACKS
from stages.spam import Spam, _Known

REPORTED = 1  # documents with an odd hash
SEED = 20
PAGES = 200
FLAG = next(rule.threshold for rule in PACKS["spam"].rules if rule.signal == "spam_score")
BATCH = 4096


def study(data: Path, half: int = REPORTED) -> dict[str, Any]:
    """-> rows of clean sets, of planted lines and pages with every kind of evidence, of labelled sets."""
    shipped = spam_lexicon.shipped()
    terms = spam_lexicon.read_terms(spam_lexicon.TERMS.read_text("utf-8"))
    no_terms = shipped._replace(ends=np.full_like(shipped.ends, -1), shorter=np.zeros_like(shipped.shorter))
    sides = {"all evidence": shipped, "terms alone": spam_lexicon.built(terms, {}), "characters alone": no_terms}
    rng = random.Random(SEED)
    families = planting.families(data, half, rng)
    articles = planting.articles(data, half, rng)
    known_half = planting.known_half()
    half_terms = known_half._replace(
        singles=np.full_like(known_half.singles, spam_lexicon.PLAIN), pairs=np.zeros_like(known_half.pairs)
    )
    planted = []
    for name, lines in families.items():
        if name.endswith("(held out)"):
            row = {
                "all evidence": _recall(lines, articles, known_half),
                "terms alone": _recall(lines, articles, half_terms),
            }
        else:
            row = {side: _recall(lines, articles, lexicon) for side, lexicon in sides.items()}
        planted.append({"family": name, "lines": len(lines), **row})
        print(f"  {name:28} {row['all evidence']}", flush=True)
    clean = [_clean(path, half) for folder in ("zh", "pile") for path in sorted((data / folder).glob("*.jsonl.zst"))]
    return {"half": half, "planted": planted, "clean": clean, "labelled": list(_labelled(data, half))}


def _applied(texts: list[str], lexicon: spam_lexicon.Lexicon) -> tuple[list[str], np.ndarray, np.ndarray]:
    """-> texts without their edges, `spam_score`, `spam_cut_lines`."""
    stage, model = Spam(), _Known(lexicon, frozenset())
    kept: list[str] = []
    scores, cuts = [], []
    for at in range(0, len(texts), BATCH):
        some = texts[at : at + BATCH]
        none = pa.nulls(len(some), pa.string())
        columns = stage.apply(pa.record_batch({"text": pa.array(some, pa.string()), "url": none}), model)
        kept += columns["text"].to_pylist()
        scores.append(columns["spam_score"].to_numpy())
        cuts.append(columns["spam_cut_lines"].to_numpy())
    return kept, np.concatenate(scores), np.concatenate(cuts)


def _recall(lines: list[str], articles: list[str], lexicon: spam_lexicon.Lexicon) -> dict[str, float]:
    """Lines found, every other one at the head and at the tail; articles that lost more; pages told."""
    hosts = [articles[number % len(articles)] for number in range(len(lines))]
    dressed = [
        f"{line}\n{host}" if number % 2 else f"{host}\n{line}"
        for number, (line, host) in enumerate(zip(lines, hosts, strict=True))
    ]
    kept, _, _ = _applied(dressed, lexicon)
    found = sum(line not in text for line, text in zip(lines, kept, strict=True))
    alone, _, _ = _applied(hosts, lexicon)
    whole = sum(host.strip() in text for host, text in zip(hosts, kept, strict=True))
    hurt = len(hosts) - whole - sum(a != b for a, b in zip(alone, hosts, strict=True))
    rng = random.Random(SEED)
    pages = ["\n".join(rng.choice(lines) for _ in range(rng.randint(5, 30))) for _ in range(PAGES)]
    _, scores, _ = _applied(pages, lexicon)
    told = float(np.mean(scores > FLAG))
    return {"lines": round(found / len(lines), 4), "hurt": max(0, hurt), "pages": round(told, 4)}


def _clean(path: Path, half: int) -> dict[str, Any]:
    texts = planting.texts(path, half)
    started = time.process_time()
    _, scores, cuts = _applied(texts, spam_lexicon.shipped())
    seconds = time.process_time() - started
    size = sum(len(text.encode()) for text in texts)
    trimmed, flagged = int((cuts > 0).sum()), int((scores > FLAG).sum())
    wrong = int(((cuts > 0) | (scores > FLAG)).sum())
    row = {
        "set": f"{path.parent.name}/{path.name.partition('.')[0]}",
        "documents": len(texts),
        "trimmed": trimmed,
        "flagged": flagged,
        "share": round(wrong / max(1, len(texts)), 6),
        "mb_per_s": round(size / 1e6 / max(seconds, 1e-9), 1),
    }
    print(f"  {row['set']:32} {row['documents']:6} trimmed {trimmed}, flagged {flagged}", flush=True)
    return row


def _labelled(data: Path, half: int) -> Iterable[dict[str, Any]]:
    """Sets with labels, each document a page of its own."""
    for name in ("zh_spam_sms", "email_spamassassin_labelled", "zh_offensive_cold"):
        by_label: dict[str, list[str]] = {}
        for record in planting.records(data / "quality" / f"{name}.jsonl.zst"):
            if planting.digest(record["text"])[0] % 2 == half:
                by_label.setdefault((record.get("meta") or record)["label"], []).append(record["text"])
        for label, texts in sorted(by_label.items()):
            _, scores, cuts = _applied(texts, spam_lexicon.shipped())
            yield {
                "set": name,
                "label": label,
                "documents": len(texts),
                "flagged": round(float(np.mean(scores > FLAG)), 4),
                "trimmed": round(float(np.mean(cuts > 0)), 4),
            }
