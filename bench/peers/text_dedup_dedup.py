"""text-dedup's MinHash command at 0.8, otherwise with its defaults: 5-grams of what stands between non-letters, 250
permutations, bands and rows of its own choice, documents with fewer than five words taken out beforehand.

What it takes out is removed without a cluster, as far as its output says.
"""

import os
import pickle
import subprocess
import sys
from pathlib import Path

from datasets import load_from_disk

from bench.peers import streamed
from bench.peers.streamed import Verdicts

PACKAGES = ("text-dedup", "datasets")
ABOUT = "its MinHash command with --threshold 0.8"


def verdicts(path: Path, language: str, folder: Path) -> Verdicts:
    out = folder / "out"
    command = [sys.executable, "-m", "text_dedup.minhash", "--path", "json", "--data_files", str(path)]
    command += ["--split", "train", "--column", "text", "--idx_column", "id", "--threshold", "0.8", "--debug"]
    command += ["--cache_dir", str(folder / "cache"), "--output", str(out), "--num_proc", "1"]
    subprocess.run(command, check=True, stdout=sys.stderr, env=os.environ | {"HF_HOME": str(folder / "home")})
    kept = set(load_from_disk(str(out))["id"])
    with (out / "uf.pkl").open("rb") as file:
        links = pickle.load(file)  # its UnionFind over ids
    names = [name for name, _ in streamed.documents(path)]
    return {name: (name in kept, links.find(name) if name in links.parent else None) for name in names}
