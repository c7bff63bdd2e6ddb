"""datasketch: MinHashLSH at 0.8 over shingles made in Python, 126 permutations in 18 bands of 7, as ours.

A document leaves when the index, which holds the documents kept before it, answers one that agrees with it in 0.8 of
the positions. `update_s` is the time of the signatures without the shingling.
"""

import time

import xxhash
from datasketch import MinHash, MinHashLSH

from bench import inputs
from bench.given import Done, Given, Job
from bench.peers.shingles import shingles

PACKAGES = ("datasketch", "numpy", "xxhash")
PERMUTATIONS, BANDS, ROWS, THRESHOLD = 126, 18, 7, 0.8


def removed(texts: list[str]) -> tuple[list[int], float]:
    """-> (places of the documents that leave, seconds of signing)"""
    template = MinHash(num_perm=PERMUTATIONS, seed=1, hashfunc=xxhash.xxh32_intdigest, scheme="affine32")
    index = MinHashLSH(num_perm=PERMUTATIONS, params=(BANDS, ROWS))
    kept: dict[int, MinHash] = {}
    leave = []
    updating = 0.0
    for at, text in enumerate(texts):
        found = shingles(text)
        if not found:  # an empty signature equals every other empty one
            continue
        started = time.perf_counter()
        one = template.copy()
        one.update_batch([run.encode() for run in found])
        updating += time.perf_counter() - started
        if any(one.jaccard(kept[other]) >= THRESHOLD for other in index.query(one)):
            leave.append(at)
        else:
            index.insert(at, one, check_duplication=False)
            kept[at] = one
    return leave, updating


def prepare(given: Given) -> Job:
    texts = inputs.documents(given.path)
    size = inputs.text_bytes(texts)
    removed(inputs.documents(given.warm_up))

    def run() -> Done:
        leave, updating = removed(texts)
        counts = {"bytes": size, "documents": len(texts), "removed": len(leave)}
        return Done(counts, parts={"update_s": updating})

    return run
