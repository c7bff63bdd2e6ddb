"""Whether ids computed here are sentencepiece's, on every text under a folder: JSON lines (every string of a record)
and lists, plain or zstd. All texts of a file are also encoded as one, where sums of float32 grow long.

Models: the one that ships, one of BPE made for the occasion, and both kinds with sentencepiece's usual white space.
"""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from bench import inputs
from bench.encode_models import bpe, lines

_JOINED_CHARS = 8_000_000
_SMALL = 8_000  # pieces of the models with defaults for white space


def study(data: Path, tokenizer: Path) -> dict[str, Any]:
    from sentencepiece import SentencePieceProcessor

    from stages.own_encoder import OwnEncoder, by_library

    files = sorted(path for path in data.rglob("*") if path.is_file() and ".warc" not in path.name)
    files = [path for path in files if path.suffix in (".zst", ".jsonl", ".txt")]
    learned = [path for path in files if ".jsonl" in path.name][:40]
    models = {tokenizer.parent.name: tokenizer.read_bytes(), "bpe": bpe(learned)}
    models |= {f"{kind}, usual white space": _usual(kind, learned) for kind in ("unigram", "bpe")}
    rows = []
    for name, model in models.items():
        own, library = OwnEncoder(model), SentencePieceProcessor(model_proto=model)
        row: dict[str, Any] = {"model": name, "texts": 0, "bytes": 0, "tokens": 0, "texts_that_differ": 0, "files": []}
        for path in files:
            column = pa.array([*(texts := list(_texts(path))), "".join(texts)[:_JOINED_CHARS]], pa.string())
            ids, counts = own.encode(column)
            expected, each = by_library(column, library)
            row["texts"] += len(column)
            row["bytes"] += sum(map(len, map(str.encode, column.to_pylist())))
            row["tokens"] += len(expected)
            differ = _differ(ids, counts, expected, each)
            row["texts_that_differ"] += differ
            row["files"] += [path.name] if differ else []
        size = f"{row['texts']:,} texts, {row['bytes'] / 1e6:,.0f} MB"
        print(f"  {name}: {size}, {row['texts_that_differ']} differ", flush=True)
        rows.append(row)
    return {"rows": rows, "files": len(files)}


def _differ(ids: np.ndarray, counts: np.ndarray, expected: np.ndarray, each: np.ndarray) -> int:
    if np.array_equal(ids, expected) and np.array_equal(counts, each):
        return 0
    mine, theirs = np.split(ids, np.cumsum(counts)[:-1]), np.split(expected, np.cumsum(each)[:-1])
    return sum(not np.array_equal(a, b) for a, b in zip(mine, theirs, strict=True))


def _usual(kind: str, paths: list[Path]) -> bytes:
    from sentencepiece import SentencePieceTrainer

    out = io.BytesIO()
    SentencePieceTrainer.train(
        sentence_iterator=lines(paths),
        model_writer=out,
        model_type=kind,
        vocab_size=_SMALL,
        hard_vocab_limit=False,
        normalization_rule_name="identity",
        num_threads=1,
        minloglevel=2,
    )
    return out.getvalue()


def _texts(path: Path) -> Iterator[str]:
    import orjson

    for line in inputs.lines([path]):
        if ".jsonl" not in path.name:
            yield line.decode("utf-8", "replace")
            continue
        record = orjson.loads(line)
        values = record.values() if isinstance(record, dict) else [record]
        yield from (value for value in values if isinstance(value, str))


def page(record: dict[str, Any]) -> str:
    head = [
        f"# encode-ids, {record['at']}",
        "",
        f"Ids of `encode` beside sentencepiece's, {record['files']} files, every text and all of a file as one (its "
        f"first {_JOINED_CHARS // 10**6} million characters). Commit {record['commit']}, `{record['command']}`.",
        "",
        "| model | texts | MB | tokens | texts that differ |",
        "|---|---|---|---|---|",
    ]
    rows = [
        f"| {row['model']} | {row['texts']:,} | {row['bytes'] / 1e6:,.1f} | {row['tokens']:,} | "
        f"{row['texts_that_differ']} {', '.join(row['files'])} |"
        for row in record["rows"]
    ]
    return "\n".join([*head, *rows]) + "\n"
