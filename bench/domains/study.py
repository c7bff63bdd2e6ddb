"""The study: good documents that a pack rejects, bad ones that it catches, and how fast the measures are taken."""

import re
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from bench.domains import bad
from bench.spam.planting import digest, records
from stages.domains import Domains
from stages.judge import Judge
from stages.signals import Signals
from stages.trim import Trim

REPORTED = 1  # documents with an odd hash
SEED = 5
BATCH = 2048
MAIL = "quality/email_spamassassin_labelled"

# Sets by domain.
SETS: dict[str, tuple[str, ...]] = {
    "code": ("pile/github",),
    "latex": ("pile/arxiv_latex",),
    "stackexchange": ("pile/stackexchange_skeptics",),
    "books": ("pile/gutenberg",),
    "pubmed": ("pile/pubmed_abstracts", "pile/pubmed_central"),
    "mail": (MAIL,),
    "irc": ("pile/ubuntu_irc",),
    "math": ("pile/dm_mathematics",),
    "law": ("pile/freelaw_scotus", "pile/europarl", "pile/uspto"),
    "subtitles": ("pile/youtube_3b1b",),
}

# What of a set is told apart, by its own words: it is there to be dropped.
_APART = {
    "pile/arxiv_latex": re.compile(r"\A(?!.*\\(part|chapter|(sub)*section)\b)", re.S),
    MAIL: re.compile(r"^content-type:\s*text/html", re.I | re.M),
}


def study(data: Path, half: int = REPORTED) -> dict[str, Any]:
    """-> rows of good sets, of planted families, of unwanted mail."""
    judged(["warm"], "code")
    good, planted, unwanted = [], [], []
    for pack, names in SETS.items():
        texts: list[str] = []
        for name in names:
            found = list(records(data / f"{name}.jsonl.zst"))
            wanted = [r for r in found if (r.get("meta") or {}).get("label") != "spam"]
            some = [r for r in wanted if digest(r["text"])[0] % 2 == half]
            texts += [r["text"] for r in wanted]
            apart = _APART.get(name)
            good.append(_good(name, pack, [r for r in some if apart is None or not apart.search(r["text"])]))
            if apart is not None:
                good.append(_good(f"{name}, apart", pack, [r for r in some if apart.search(r["text"])]))
            if len(wanted) < len(found):
                spam = [r["text"] for r in found if r["meta"]["label"] == "spam" and digest(r["text"])[0] % 2 == half]
                reasons, _ = judged(spam, pack)
                unwanted.append({"set": name, "pack": pack, "documents": len(spam), "dropped": _share(reasons)})
        for family, files in bad.made(pack, texts, SEED).items():
            reasons, _ = judged(files, pack)
            prose, _ = judged(files, "en")
            row = {"pack": pack, "family": family, "files": len(files), "caught": _share(reasons), "by": _by(reasons)}
            planted.append(row | {"caught_as_prose": _share(prose)})
            print(f"  {pack:14} {family:14} caught {row['caught']:.2%}  {row['by']}", flush=True)
    return {"half": half, "good": good, "planted": planted, "unwanted": unwanted}


def judged(texts: list[str], pack: str) -> tuple[list[str | None], float]:
    """-> why each document is dropped by the pack (null = kept), and processor seconds of `domains`."""
    trim, signals, domains = Trim(), Signals(), Domains()
    judge = Judge(packs=(pack,))
    reasons: list[str | None] = []
    seconds = 0.0
    for at in range(0, len(texts), BATCH):
        text = trim.apply(pa.record_batch({"text": pa.array(texts[at : at + BATCH], pa.string())}), None)["text"]
        batch = pa.record_batch({"text": text})
        columns = signals.apply(batch, None)
        started = time.process_time()
        columns |= domains.apply(batch, None)
        seconds += time.process_time() - started
        columns["lang"] = pa.array(np.full(len(batch), "en"))
        reasons += judge.apply(pa.record_batch({name: columns[name] for name in judge.reads}), None)["drop"].to_pylist()
    return reasons, seconds


def _good(name: str, pack: str, found: list[dict[str, Any]]) -> dict[str, Any]:
    texts = [record["text"] for record in found]
    reasons, seconds = judged(texts, pack)
    prose, _ = judged(texts, "en")
    rejected = [
        [reason, (record.get("meta") or {}).get("path", ""), record["text"][:80]]
        for reason, record in zip(reasons, found, strict=True)
        if reason
    ]
    size = sum(len(text.encode()) for text in texts)
    row = {
        "set": name,
        "pack": pack,
        "documents": len(texts),
        "rejected": _share(reasons),
        "by": _by(reasons),
        "rejected_as_prose": _share(prose),
        "by_prose": _by(prose),
        "mb_per_s": round(size / 1e6 / max(seconds, 1e-9), 1),
        "samples": rejected[:20],
    }
    print(f"  {pack:14} {name:38} rejected {row['rejected']:.2%}, as prose {row['rejected_as_prose']:.2%}", flush=True)
    return row


def _share(reasons: list[str | None]) -> float:
    return round(sum(reason is not None for reason in reasons) / max(1, len(reasons)), 4)


def _by(reasons: list[str | None]) -> dict[str, int]:
    return dict(
        sorted(Counter(r.partition(".")[2] for r in reasons if r).items(), key=lambda item: (-item[1], item[0]))
    )
