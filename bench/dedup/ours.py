"""`corpus build --until dedup` on a planted set, as a user runs it: a manifest, a cold store, one process.

The verdicts are read from the tables of the store: rows of `dedup` are joined to ids by partition and row.
"""

import json
from pathlib import Path

import pyarrow.parquet as pq

from bench import inputs
from bench.corpus_build import corpus_build
from bench.dedup.score import Verdict

_SOURCE = """
[[source]]
name = "{language}"
format = "jsonl"
root = {root}
files = ["documents-{language}.jsonl.zst"]
"""
_STAGES = """
[[stage]]
kind = "normalise"

[[stage]]
kind = "sign"

[[stage]]
kind = "dedup"
{options}
"""


def run(
    folder: Path, languages: list[str], scratch: Path, options: str = ""
) -> tuple[dict[str, Verdict], dict[str, object]]:
    """-> by id of the planted documents: the verdict; and what the build says of the exchange. `options` are lines for
    the `dedup` stage. RuntimeError, with what the build said last, where it fails."""
    sources = "".join(_SOURCE.format(language=name, root=json.dumps(str(folder))) for name in languages)
    manifest = scratch / "planted.toml"
    manifest.write_text(f'name = "planted"\nseed = 1\n{sources}{_STAGES.format(options=options)}', encoding="utf-8")
    said = corpus_build(manifest, scratch, "--until", "dedup", "--local")
    return verdicts(folder, languages, scratch / "store"), {"exchange": said.get("exchanges", {}).get("dedup", {})}


def verdicts(folder: Path, languages: list[str], store: Path) -> dict[str, Verdict]:
    """Of every document that reached dedup. One that did not was dropped for another reason: it has no verdict."""
    names = {name: json.loads(line)["id"] for name, line in _records(folder, languages)}
    found = {}
    for path in sorted((store / "tables" / "dedup").glob("*.parquet")):
        partition = path.name.split("-")[0]
        (read,) = (store / "tables" / "jsonl").glob(f"{partition}-*.parquet")
        ids = dict(
            zip(*(pq.read_table(read, columns=["row", "id"])[c].to_pylist() for c in ("row", "id")), strict=True)
        )
        for row in pq.read_table(path).to_pylist():
            cluster = row["cluster"]
            found[names[ids[row["row"]]]] = Verdict(row["drop"] is None, cluster.hex() if cluster else None)
    return found


def _records(folder: Path, languages: list[str]) -> list[tuple[bytes, bytes]]:
    """Every line of the planted files with the id that the project gives it."""
    from corpus.identity import record_ids

    found: list[tuple[bytes, bytes]] = []
    for language in languages:
        path = folder / f"documents-{language}.jsonl.zst"
        lines = list(inputs.lines([path]))
        found += zip(record_ids(language, path.name, 0, len(lines)).to_pylist(), lines, strict=True)
    return found
