"""A build directory for the trainer, made here without any other part of the compiler than the token format."""

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import torch

from corpus import mixture as mixture_table
from corpus.tokens import ShardWriter

# Several test runs share the machine's cores; more threads would only wait for each other.
os.environ["OMP_NUM_THREADS"] = "1"

MakeBuild = Callable[..., Path]


def write_build(
    directory: Path,
    sources: Mapping[str, list[list[np.ndarray]]],
    vocab_size: int,
    mixture: Mapping[str, float] | None = None,
    unit: str = "epochs",
    seed: int = 1,
) -> Path:
    """sources: name -> shards -> documents. The last id of the vocabulary ends each document."""
    (directory / "tokens").mkdir(parents=True)
    shards: list[dict[str, Any]] = []
    for source, parts in sources.items():
        for number, documents in enumerate(parts):
            path = f"tokens/{source}_train_0_{number:05d}_text_document"
            with open(f"{directory / path}.bin", "wb") as bin_file, open(f"{directory / path}.idx", "wb") as idx_file:
                writer = ShardWriter(bin_file, idx_file, vocab_size)
                for document in documents:
                    writer.add(np.append(document, vocab_size - 1))
                files = writer.finish()
            shards.append({
                "source": source, "split": "train", "generation": 0, "path": path, "documents": files.documents,
                "tokens": files.tokens, "dtype": files.dtype, "bin": vars(files.bin), "idx": vars(files.idx),
            })  # fmt: skip
    tokens = {source: sum(shard["tokens"] for shard in shards if shard["source"] == source) for source in sources}
    held = [mixture_table.Held(source, "", 1, count, count) for source, count in tokens.items()]
    mixed = msgspec.json.encode(mixture_table.settled(mixture_table.Mixture(unit, dict(mixture or {})), held))
    (directory / mixture_table.FILE).write_bytes(mixed)
    table = {"path": mixture_table.FILE, "bytes": len(mixed), "sha256": hashlib.sha256(mixed).hexdigest()}
    manifest = {
        "format": 1, "name": "test", "seed": seed, "built_by": "a field that the trainer does not know",
        "tokenizer": {"name": "bytes", "sha256": "0" * 64, "vocab_size": vocab_size, "eod": vocab_size - 1},
        "mixture": {"table": table}, "shards": shards,
    }  # fmt: skip
    seal(directory, json.dumps(manifest).encode())
    return directory


def seal(directory: Path, manifest: bytes) -> None:
    (directory / "manifest.json").write_bytes(manifest)
    (directory / "manifest.sha256").write_text(hashlib.sha256(manifest).hexdigest() + "\n")


@pytest.fixture(scope="session")
def make_build() -> MakeBuild:
    return write_build


@pytest.fixture(scope="session")
def code() -> list[np.ndarray]:
    """Real text, one document per file: sources of the standard library as bytes."""
    folder = Path(json.__file__).parents[1]
    return [np.frombuffer(path.read_bytes(), np.uint8) for path in sorted(folder.glob("[a-d]*.py"))]


@pytest.fixture(scope="session")
def build(tmp_path_factory: pytest.TempPathFactory, make_build: MakeBuild, code: list[np.ndarray]) -> Path:
    """Two sources, one of them in two shards, 257 byte tokens; read by all tests, changed by none."""
    sources = {"early": [code[:5], code[5:12]], "late": [code[12:]]}
    return make_build(tmp_path_factory.mktemp("build") / "en", sources, 257, {"early": 1.5, "late": 0.7})


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """For this process too, where torch may have been loaded before the environment was set."""
    torch.set_num_threads(1)
