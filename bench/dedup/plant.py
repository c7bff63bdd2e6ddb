"""Writes a planted set: `documents-<language>.jsonl.zst`, what every side is given, and `truth-<language>.json`.

`python -m bench.dedup.plant` takes a JSON object on standard input ({"data", "language", "files", "scale", "seed",
"folder"}) and runs in the environment of `bench/peers.sh`. The study writes it; nobody calls this by hand.
"""

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import zstandard

from bench.dedup import mirror, originals, planting, truth


def made(order: dict[str, Any]) -> dict[str, Any]:
    """-> the truth: documents without their text, and all pairs within families."""
    data, language, folder = Path(order["data"]), order["language"], Path(order["folder"])
    simplify = mirror.simplifier() if language == "zh" else truth.as_is
    mirrors = mirror.mirrors() if language == "zh" else {}
    read = originals.read(data, order["files"], order["scale"], seed=order["seed"])
    found = originals.apart(read, simplify)
    planted = planting.plant(found, language, order["scale"], simplify, mirrors)
    size = _write(folder / f"documents-{language}.jsonl.zst", planted.documents)
    families: dict[str, list[planting.Planted]] = {}
    for document in planted.documents:
        families.setdefault(document.family, []).append(document)
    pairs = [
        pair
        for members in families.values()
        if len(members) > 1
        for pair in truth.pairs([(member.id, member.text) for member in members], simplify)
    ]
    return {
        "language": language,
        "files": {name: _digest(data / name) for name in order["files"]},
        "read": len(read),
        "apart": len(found),
        "text_bytes": size,
        "made": planted.made,
        "documents": [[d.id, d.kind, d.family, d.role] for d in planted.documents],
        "pairs": pairs,
    }


def _write(path: Path, documents: list[planting.Planted]) -> int:
    with path.open("wb") as file, zstandard.ZstdCompressor(level=3, write_checksum=True).stream_writer(file) as out:
        for document in documents:
            line = json.dumps({"text": document.text, "id": document.id}, ensure_ascii=False)
            out.write(line.encode("utf-8", "surrogatepass") + b"\n")
    return sum(len(document.text.encode("utf-8", "surrogatepass")) for document in documents)


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


if __name__ == "__main__":
    order = json.load(sys.stdin)
    found = made(order)
    place = Path(order["folder"]) / f"truth-{order['language']}.json"
    place.write_text(json.dumps(found), encoding="utf-8")
