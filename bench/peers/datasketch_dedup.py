"""datasketch: MinHashLSH at 0.8 with 128 permutations, 9 bands of 13 rows by its own choice, over our shingles.

A document is removed when the index, which holds the documents kept before it, answers anything: nothing is verified.
"""

from pathlib import Path

import xxhash
from datasketch import MinHash, MinHashLSH

from bench.peers import streamed
from bench.peers.shingles import shingles
from bench.peers.streamed import Verdicts

PACKAGES = ("datasketch", "numpy", "xxhash")
ABOUT = "MinHashLSH(threshold=0.8, num_perm=128) over our shingles; first kept"


def verdicts(path: Path, language: str, folder: Path) -> Verdicts:
    template = MinHash(num_perm=128, seed=1, hashfunc=xxhash.xxh32_intdigest, scheme="affine32")
    index = MinHashLSH(threshold=0.8, num_perm=128)
    twins: dict[str, str | None] = {}
    for name, text in streamed.documents(path):
        found = shingles(text)
        twins[name] = None
        if not found:  # an empty signature equals every other empty one
            continue
        signature = template.copy()
        signature.update_batch([run.encode() for run in found])
        twins[name] = min(index.query(signature), default=None)
        if twins[name] is None:
            index.insert(name, signature)
    return streamed.verdicts(twins)
