"""datatrove end to end, without language identification: rules, MinHash in four steps (14 x 8), tokens.

The steps and their order are those of its FineWeb example: rules to JSON lines (uncompressed here: quicker),
signatures, buckets, clusters, then removal and tokens in one pipeline, documents shuffled. Each is a local executor
with one worker, in a process of its own that is forked, so that its imports cost nothing. The tokenizer is a byte-level
BPE of 16,000 entries trained beforehand (`hf_tokenizer.py`).
"""

import json
import multiprocessing
from pathlib import Path
from typing import Any

import numpy as np
from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.dedup import (
    MinhashDedupBuckets,
    MinhashDedupCluster,
    MinhashDedupFilter,
    MinhashDedupSignature,
)
from datatrove.pipeline.dedup.minhash import MinhashConfig
from datatrove.pipeline.readers import JsonlReader
from datatrove.pipeline.tokens import DocumentTokenizer
from datatrove.pipeline.writers import JsonlWriter

from bench import inputs
from bench.given import Done, Given, Job
from bench.peers import hf_tokenizer
from bench.peers.datatrove_rules import LANGUAGES, filters

PACKAGES = ("datatrove", "spacy", "tokenizers", "numpy", "orjson", "zstandard")
CONFIG = MinhashConfig(n_grams=5, num_buckets=14, hashes_per_bucket=8)


def compiled(path: Path, folder: Path, tokenizer: Path, language: str) -> None:
    """Everything from the file at `path` to token files in `folder`/tokens."""
    place = {name: str(folder / name) for name in ("ruled", "signatures", "buckets", "removed", "tokens")}

    def step(name: str, pipeline: list[Any], tasks: int = 1) -> None:
        executor = LocalPipelineExecutor(pipeline, tasks=tasks, workers=1, logging_dir=str(folder / "logs" / name))
        # The executor copies its pipeline, which fails once the process has used the Chinese tokenizer.
        process = multiprocessing.get_context("fork").Process(target=executor.run)
        process.start()
        process.join()
        if process.exitcode != 0:
            raise RuntimeError(f"datatrove's step {name} failed: exit status {process.exitcode}")

    reader = JsonlReader(str(path.parent), glob_pattern=path.name)
    step("rules", [reader, *filters(language), JsonlWriter(place["ruled"], compression=None)])
    code = LANGUAGES[language]
    step("sign", [JsonlReader(place["ruled"]), MinhashDedupSignature(place["signatures"], CONFIG, language=code)])
    buckets = MinhashDedupBuckets(place["signatures"], place["buckets"], config=CONFIG)
    step("buckets", [buckets], tasks=CONFIG.num_buckets)
    step("cluster", [MinhashDedupCluster(place["buckets"], place["removed"], config=CONFIG)])
    tokens = DocumentTokenizer(place["tokens"], str(tokenizer), eos_token=hf_tokenizer.END, seed=1)
    step("tokens", [JsonlReader(place["ruled"]), MinhashDedupFilter(place["removed"]), tokens])


def prepare(given: Given) -> Job:
    texts = inputs.documents(given.path)
    size, count = inputs.text_bytes(texts), len(texts)
    tokenizer = given.scratch / "tokenizer.json"
    hf_tokenizer.train(texts, tokenizer)
    del texts
    compiled(given.warm_up, given.scratch / "warm", tokenizer, given.language)

    def run() -> Done:
        folder = given.scratch / "cold"
        compiled(given.path, folder, tokenizer, given.language)
        documents, tokens = _written(folder / "tokens")
        ruled = _forwarded(folder / "logs" / "sign")
        return Done({"bytes": size, "documents": count, "ruled": ruled, "kept": documents, "tokens": tokens})

    return run


def _written(folder: Path) -> tuple[int, int]:
    """(documents, tokens) of the token files: one uint64 per document in `.index`, two bytes per token in `.ds`."""
    documents = sum(len(np.fromfile(path, "<u8")) for path in folder.glob("*.ds.index"))
    return documents, sum(path.stat().st_size // 2 for path in folder.glob("*.ds"))


def _forwarded(log: Path) -> int:
    """How many documents the reader of a finished step read."""
    steps = json.loads((log / "stats.json").read_text())
    return int(steps[0]["stats"]["documents"]["total"])
