"""What a build found of the planted copies, and which different documents it lost; from the tables in its store."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from bench.scale.population import FAMILY, HOT, KINDS, PAIR, TEMPLATE, Population
from bench.scale.texts import FILE_DOCUMENTS
from corpus.identity import partition_key

SOURCE = "short"
_MOST_CHUNKS = 64


def kept(store: Path, documents: int) -> np.ndarray:
    """(n,) bool, of every document in the order in which they were written."""
    place = {}
    for file in range(-(-documents // FILE_DOCUMENTS)):
        for chunk in range(_MOST_CHUNKS):
            place[f"{partition_key(SOURCE, f'part-{file:05d}.parquet', chunk):016x}"] = file * FILE_DOCUMENTS
    stays, seen = np.zeros(documents, bool), np.zeros(documents, np.int64)
    for path in (store / "tables" / "dedup").glob("*.parquet"):
        partition = path.name.split("-")[0]
        (read,) = (store / "tables" / "parquet").glob(f"{partition}-*.parquet")
        spans = pq.read_table(read, columns=["row", "span_start"])
        start = np.empty(int(spans["row"].to_numpy().max()) + 1, np.int64)
        start[spans["row"].to_numpy()] = spans["span_start"].to_numpy()
        verdicts = pq.read_table(path, columns=["row", "drop"])
        at = place[partition] + start[verdicts["row"].to_numpy()]
        stays[at] = verdicts["drop"].is_null().to_numpy()
        seen[at] += 1
    if not (seen == 1).all():
        raise RuntimeError(f"{int((seen != 1).sum()):,} of {documents:,} documents do not have exactly one verdict")
    return stays


def score(documents: Population, stays: np.ndarray) -> dict[str, Any]:
    """planted   copies: of each family all documents but one
    found     of these, how many left: a family of which k stay keeps k - 1 too many
    lost      families of which nothing stays: a document alone, a page of a template, a text with all of its copies"""
    family = documents.family
    members = np.bincount(family)
    staying = np.bincount(family, weights=stays).astype(np.int64)
    kind = np.zeros(len(members), np.uint8)
    kind[family] = documents.kind
    there = members > 0
    lost = there & (staying == 0)
    missed = np.where(there, np.maximum(0, staying - 1), 0)
    planted = np.where(there, members - 1, 0)

    def by_kind(values: np.ndarray, kinds: tuple[int, ...]) -> dict[str, int]:
        return {KINDS[one]: int(values[kind == one].sum()) for one in kinds}

    return {
        "distinct": int(there.sum()),
        "planted": int(planted.sum()),
        "found": int(planted.sum() - missed.sum()),
        "planted_by_kind": by_kind(planted, (PAIR, FAMILY, HOT)),
        "missed_by_kind": by_kind(missed, (PAIR, FAMILY, HOT)),
        "lost": int(lost.sum()),
        "lost_by_kind": by_kind(lost.astype(np.int64), (0, PAIR, FAMILY, HOT, TEMPLATE)),
        "removed": int((~stays).sum()),
    }
