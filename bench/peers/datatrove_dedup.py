"""datatrove: MinHash in four steps with its defaults, 14 bands of 8, five words (Chinese: of jieba), nothing verified.

Each step is a local executor with one worker, in a forked process of its own: an executor copies its pipeline, which
fails once the process has used the Chinese tokenizer.
"""

import multiprocessing
import struct
from pathlib import Path
from typing import Any

from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.dedup import MinhashDedupBuckets, MinhashDedupCluster, MinhashDedupSignature
from datatrove.pipeline.dedup.minhash import MinhashConfig
from datatrove.pipeline.readers import JsonlReader

from bench.peers import streamed
from bench.peers.streamed import Verdicts

PACKAGES = ("datatrove", "spacy", "jieba")
ABOUT = "MinHash with its defaults, 14 x 8, 5-grams of words"
LANGUAGES = {"en": "eng", "zh": "cmn"}


def verdicts(path: Path, language: str, folder: Path) -> Verdicts:
    config = MinhashConfig()
    place = {name: str(folder / name) for name in ("signatures", "buckets", "clusters")}

    def step(name: str, pipeline: list[Any], tasks: int = 1) -> None:
        executor = LocalPipelineExecutor(pipeline, tasks=tasks, workers=1, logging_dir=str(folder / "logs" / name))
        process = multiprocessing.get_context("fork").Process(target=executor.run)
        process.start()
        process.join()
        if process.exitcode != 0:
            raise RuntimeError(f"datatrove's step {name} failed: exit status {process.exitcode}")

    reader = JsonlReader(str(path.parent), glob_pattern=path.name)
    step("sign", [reader, MinhashDedupSignature(place["signatures"], config, language=LANGUAGES[language])])
    buckets = MinhashDedupBuckets(place["signatures"], place["buckets"], config=config)
    step("buckets", [buckets], tasks=config.num_buckets)
    step("cluster", [MinhashDedupCluster(place["buckets"], place["clusters"], config=config, save_cluster_id=True)])
    # What its filter would read: places of the documents to remove, and (place, cluster) of every clustered one.
    removed = set(_numbers(folder / "clusters" / "000000.remove"))
    clustered = _numbers(folder / "clusters" / "000000.clusters")
    cluster = dict(zip(clustered[::2], clustered[1::2], strict=True))
    return {
        name: (at not in removed, str(cluster[at]) if at in cluster else None)
        for at, (name, _) in enumerate(streamed.documents(path))
    }


def _numbers(path: Path) -> list[int]:
    return [number for (number,) in struct.iter_unpack("<I", path.read_bytes())]
