"""The study: every side names the charset of every sample; texts are compared; page and record say what came out."""

import base64
import json
import os
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bench.charset import gold, made, score
from bench.charset.sample import Sample, read
from bench.launch import ONE_THREAD, ROOT, without_paths

PEERS = ("chardet", "cchardet", "charset_normalizer", "resiliparse")
SPEED_ROUNDS = 3


def study(data: Path, scratch: Path, peers: list[str], peers_python: str, pieces: int) -> dict[str, Any]:
    """-> {"sides": [...], "wrong": [...], "speed": {...}}. `wrong` lists the labelled pages that ours read wrongly."""
    samples = [sample for name in gold.SETS for sample in gold.samples(data, name)]
    samples += made.samples(data, pieces)
    truths = [sample.text for sample in samples]
    print(f"  {len(samples):,} samples, {sum(len(sample.body) for sample in samples) / 1e6:.0f} MB", flush=True)
    sides, wrong = [], []
    ours, missed = _ours(samples, truths)
    sides.append(ours)
    wrong += missed
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        file = Path(folder) / "samples"
        with file.open("w", encoding="ascii") as out:
            out.writelines(f"{sample.part}\t{base64.b64encode(sample.body).decode()}\n" for sample in samples)
        for name in peers:
            sides.append(_peer(name, file, samples, truths, peers_python))
    return {"sides": sides, "wrong": wrong, "speed": speed(data, samples)}


def _ours(samples: list[Sample], truths: list[str]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    from stages.charset import CODECS, decode, evidence

    decode("warm up 你好".encode("gbk"))
    names, texts, seconds = [], [], {}
    for sample in samples:
        started = time.process_time()
        got = decode(sample.body, sample.http_charset)
        seconds[sample.part] = seconds.get(sample.part, 0.0) + time.process_time() - started
        names.append(CODECS[got.charset] if got.charset else None)
        texts.append(got.text.removeprefix("\ufeff") if got.charset else None)
    side = _side("ours", samples, truths, names, texts, seconds)
    wrong = []
    for sample, truth, name, text in zip(samples, truths, names, texts, strict=True):
        if sample.part in gold.SETS and text != truth:
            said = evidence(sample.body, sample.http_charset)
            why = score.reason(sample, truth, name, text)
            wrong.append({"set": sample.part, "page": sample.name, "true": sample.label, "reason": why} | said)
    return side | {"versions": {"resiliparse": version("resiliparse"), "numpy": version("numpy")}}, wrong


def _peer(name: str, file: Path, samples: list[Sample], truths: list[str], python: str) -> dict[str, Any]:
    answer = file.with_name(f"{name}.json")
    order = {"peer": name, "samples": str(file), "answer": str(answer)}
    done = subprocess.run(
        [python, "-m", "bench.charset.side"], input=json.dumps(order), capture_output=True, text=True, errors="replace",
        cwd=ROOT, env=os.environ | ONE_THREAD,
    )  # fmt: skip
    if done.returncode != 0:
        sys.stderr.write(done.stderr[-3000:])
        return {"name": name, "error": without_paths((done.stderr.strip().splitlines() or ["died"])[-1])}
    said = json.loads(answer.read_text(encoding="utf-8"))
    texts = [read(sample.body, label) for sample, label in zip(samples, said["names"], strict=True)]
    return _side(name, samples, truths, said["names"], texts, said["seconds"]) | {"versions": said["versions"]}


def _side(
    name: str,
    samples: list[Sample],
    truths: list[str],
    names: list[str | None],
    texts: list[str | None],
    seconds: dict[str, float],
) -> dict[str, Any]:
    parts: dict[str, score.Tally] = {}
    kinds: dict[str, score.Tally] = {}
    sizes: dict[str, int] = {}
    for sample, truth, label, text in zip(samples, truths, names, texts, strict=True):
        parts.setdefault(sample.part, score.Tally()).add(sample, truth, label, text)
        if sample.part not in gold.SETS:
            kinds.setdefault(f"{sample.part}\t{sample.kind}", score.Tally()).add(sample, truth, label, text)
        sizes[sample.part] = sizes.get(sample.part, 0) + len(sample.body)
    for part, tally in parts.items():
        rate = sizes[part] / 1e6 / max(seconds[part], 1e-9)
        print(
            f"  {name:20} {part:32} {tally.right:6}/{tally.pages:<6} {tally.right / tally.pages:.4f} {rate:9.1f} MB/s"
        )
    return {
        "name": name,
        "parts": {
            part: tally.plain() | {"bytes": sizes[part], "seconds": round(seconds[part], 4)}
            for part, tally in parts.items()
        },
        "kinds": {kind: f"{tally.right}/{tally.pages}" for kind, tally in kinds.items()},
    }


def speed(data: Path, samples: list[Sample]) -> dict[str, Any]:
    """`decode` alone, MB of body per second of one core, best of three: pages in UTF-8, and whole legacy pages."""
    from stages.charset import decode

    groups = {
        "utf-8": [body for _, body in made.bodies(data)],
        "zh_legacy_charset_transcoded": [s.body for s in samples if s.part == "zh_legacy_charset_transcoded"],
        "charset_real_pages": [s.body for s in samples if s.part == "charset_real_pages"],
    }
    found = {}
    for name, bodies in groups.items():
        best = min(_seconds(decode, bodies) for _ in range(SPEED_ROUNDS))
        size = sum(map(len, bodies))
        found[name] = {"bytes": size, "mb_per_s": round(size / 1e6 / best, 1)}
        print(f"  decode, {name:30} {size / 1e6:6.1f} MB {size / 1e6 / best:8.1f} MB/s", flush=True)
    return found


def _seconds(decode: Any, bodies: list[bytes]) -> float:
    started = time.process_time()
    for body in bodies:
        decode(body)
    return time.process_time() - started
