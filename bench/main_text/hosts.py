"""What pages of one host have in common, cut out of their texts: `repeats` over the host, then `cut`, as a build."""

import json
from pathlib import Path

import pyarrow.parquet as pq

from bench.corpus_build import corpus_build

MIN_DOCUMENTS = 5  # the stage's default

_MANIFEST = """name = "hosts"
seed = 1

[[source]]
name = "pages"
format = "jsonl"
root = {root}
files = ["*.jsonl"]

[[stage]]
kind = "normalise"

[[stage]]
kind = "repeats"
min_documents = {min_documents}

[[stage]]
kind = "cut"
"""


def without_repeats(texts: list[str], urls: list[str | None], scratch: Path) -> list[str]:
    """The texts without what recurs in `MIN_DOCUMENTS` pages of a host. A text that is empty stays so."""
    scratch.mkdir()
    lines = (json.dumps({"text": text, "url": url}, ensure_ascii=False) for text, url in zip(texts, urls, strict=True))
    (scratch / "pages.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    manifest = scratch / "hosts.toml"
    manifest.write_text(_MANIFEST.format(root=json.dumps(str(scratch)), min_documents=MIN_DOCUMENTS), encoding="utf-8")
    corpus_build(manifest, scratch, "--until", "cut", "--local")
    left = [""] * len(texts)
    for path in sorted((scratch / "store" / "tables" / "cut").glob("*.parquet")):
        for row in pq.read_table(path, columns=["row", "text"]).to_pylist():
            left[row["row"]] = row["text"]
    return left
