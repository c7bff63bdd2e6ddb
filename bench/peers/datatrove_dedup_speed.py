"""datatrove's MinHash in four steps with its defaults: signatures, buckets (14 x 8), clusters, filter.

Documents come from memory. Each step is a local executor with one worker, in a process of its own that is forked, so
that its imports cost nothing: an executor copies its pipeline, which fails once the process has used the Chinese
tokenizer.
"""

import multiprocessing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from datatrove.data import Document
from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.dedup import (
    MinhashDedupBuckets,
    MinhashDedupCluster,
    MinhashDedupFilter,
    MinhashDedupSignature,
)
from datatrove.pipeline.dedup.minhash import MinhashConfig

from bench import inputs
from bench.given import Done, Given, Job

PACKAGES = ("datatrove", "spacy", "numpy")
LANGUAGES = {"en": "eng", "zh": "cmn"}


def removed(texts: list[str], folder: Path, language: str) -> int:
    config = MinhashConfig()
    place = {name: str(folder / name) for name in ("signatures", "buckets", "clusters")}

    def step(name: str, pipeline: list[Any], tasks: int = 1) -> None:
        executor = LocalPipelineExecutor(pipeline, tasks=tasks, workers=1, logging_dir=str(folder / "logs" / name))
        process = multiprocessing.get_context("fork").Process(target=executor.run)
        process.start()
        process.join()
        if process.exitcode != 0:
            raise RuntimeError(f"datatrove's step {name} failed: exit status {process.exitcode}")

    def documents(data: Any, rank: int, world_size: int) -> Iterator[Document]:
        return (Document(text=text, id=str(at)) for at, text in enumerate(texts))

    step("sign", [documents, MinhashDedupSignature(place["signatures"], config, language=LANGUAGES[language])])
    buckets = MinhashDedupBuckets(place["signatures"], place["buckets"], config=config)
    step("buckets", [buckets], tasks=config.num_buckets)
    step("cluster", [MinhashDedupCluster(place["buckets"], place["clusters"], config=config)])
    step("filter", [documents, MinhashDedupFilter(place["clusters"])])
    return sum(len(np.fromfile(path, "<u4")) for path in (folder / "clusters").glob("*.remove"))


def prepare(given: Given) -> Job:
    texts = inputs.documents(given.path)
    size = inputs.text_bytes(texts)
    removed(inputs.documents(given.warm_up), given.scratch / "warm", given.language)

    def run() -> Done:
        count = removed(texts, given.scratch / "cold", given.language)
        return Done({"bytes": size, "documents": len(texts), "removed": count})

    return run
