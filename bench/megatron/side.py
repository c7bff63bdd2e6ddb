"""Megatron-core on our shards and their texts: `python -m bench.megatron.side`, JSON on standard input -> rows.

What `tools/preprocess_data.py --append-eod` of Megatron-LM does to a line: `json.loads`, ids of the tokenizer, the end
of document where there is any id, `add_document` of the builder with the length, `finalize`. That script needs the
whole of Megatron-LM; the tokenizer, the builder and the rule for the type are in megatron-core, and are used from it.
"""

import filecmp
import json
import sys
import warnings
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

with warnings.catch_warnings():  # its own imports warn about what is not installed
    warnings.simplefilter("ignore")
    from megatron.core.datasets.indexed_dataset import DType, IndexedDataset, IndexedDatasetBuilder
    from megatron.core.tokenizers.text.libraries.sentencepiece_tokenizer import SentencePieceTokenizer


def main() -> None:
    asked = json.load(sys.stdin)
    tokenizer = SentencePieceTokenizer(asked["model"])
    assert tokenizer.eos_id == asked["eod"], f"Megatron's end of document is {tokenizer.eos_id}, ours {asked['eod']}"
    print(json.dumps([_row(one, tokenizer, Path(asked["scratch"])) for one in asked["shards"]]))


def _row(one: dict[str, Any], tokenizer: Any, scratch: Path) -> dict[str, Any]:
    prefix, again = one["prefix"], str(scratch / "again")
    builder = IndexedDatasetBuilder(f"{again}.bin", dtype=DType.optimal_dtype(tokenizer.vocab_size))
    with open(one["lines"], encoding="utf-8") as file:
        for line in file:
            ids = tokenizer.text_to_ids(json.loads(line)["text"])
            if ids:
                ids.append(tokenizer.eos_id)
            builder.add_document(ids, [len(ids)] if ids else [])
    builder.finalize(f"{again}.idx")
    ours, theirs = IndexedDataset(prefix, mmap=True), IndexedDataset(again, mmap=True)
    unmapped = IndexedDataset(prefix, mmap=False)
    raw = np.fromfile(f"{prefix}.bin", ours.index.dtype)
    ends = np.cumsum(ours.sequence_lengths, dtype=np.int64)
    read_same = np.array_equal(ours.document_indices, np.arange(len(ours) + 1)) and all(
        np.array_equal(ours[i], raw[end - length : end]) and np.array_equal(unmapped[i], ours[i])
        for i, (end, length) in enumerate(zip(ends.tolist(), ours.sequence_lengths.tolist(), strict=True))
    )
    return {
        "shard": Path(prefix).name,
        "documents": len(ours),
        "tokens": int(raw.size),
        "read_same": bool(read_same),
        "bin_same": filecmp.cmp(f"{prefix}.bin", f"{again}.bin", shallow=False),
        "idx_same": filecmp.cmp(f"{prefix}.idx", f"{again}.idx", shallow=False),
        "other_documents": _others(ours, theirs),
        "marked": len(one["marked"]),
        "megatron_core": version("megatron-core"),
    }


def _others(ours: Any, theirs: Any) -> int:
    if len(ours) != len(theirs):
        return max(len(ours), len(theirs))
    return sum(not np.array_equal(ours[i], theirs[i]) for i in range(len(ours)))


if __name__ == "__main__":
    main()
