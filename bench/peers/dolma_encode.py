"""`dolma tokens`, one process, with the model that our side uses, converted: it reads documents from a file and writes
shuffled arrays of tokens, which is in the time."""

import gzip
import json
from pathlib import Path

from dolma.tokenizer.executor import tokenize_in_parallel

from bench import inputs
from bench.given import Done, Given, Job

PACKAGES = ("dolma", "tokenizers", "numpy")


def prepare(given: Given) -> Job:
    texts = inputs.documents(given.path)
    size = inputs.text_bytes(texts)
    whole = _written(texts, given.scratch / "whole.jsonl.gz")
    small = _written(inputs.documents(given.warm_up), given.scratch / "small.jsonl.gz")
    _tokenize(given, small, "small")

    def run() -> Done:
        tokens = _tokenize(given, whole, "whole")
        return Done({"bytes": size, "documents": len(texts), "tokens": tokens})

    return run


def _written(texts: list[str], path: Path) -> Path:
    with gzip.open(path, "wt", encoding="utf-8", compresslevel=1) as file:
        for number, text in enumerate(texts):
            file.write(json.dumps({"id": str(number), "text": text, "source": ""}) + "\n")
    return path


def _tokenize(given: Given, source: Path, name: str) -> int:
    """-> ids written, with one behind each document."""
    assert given.tokenizer is not None
    out = given.scratch / name
    tokenize_in_parallel(
        [str(source)],
        str(out),
        num_writers=1,
        tokenizer_name_or_path=str(given.tokenizer.with_suffix(".json")),
        eos_token_id=1,
        pad_token_id=1,
        encode_special_tokens=True,
        metadata_dir=str(given.scratch / f"{name}-metadata"),
    )
    return sum(path.stat().st_size for path in out.rglob("*.npy")) // 2
