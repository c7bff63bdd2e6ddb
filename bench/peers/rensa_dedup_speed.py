"""rensa: RMinHash over shingles made in Python, and its own RMinHashLSH: 126 permutations in 18 bands, as ours.

A document leaves when the index, which holds the documents kept before it, answers one that agrees with it in 0.8 of
the positions. `update_s` is the time of the signatures without the shingling.
"""

import time

from rensa import RMinHash, RMinHashLSH

from bench import inputs
from bench.given import Done, Given, Job
from bench.peers.shingles import shingles

PACKAGES = ("rensa",)
PERMUTATIONS, BANDS, THRESHOLD = 126, 18, 0.8


def removed(texts: list[str]) -> tuple[list[int], float]:
    """-> (places of the documents that leave, seconds of signing)"""
    index = RMinHashLSH(threshold=THRESHOLD, num_perm=PERMUTATIONS, num_bands=BANDS)
    kept: dict[int, RMinHash] = {}
    leave = []
    updating = 0.0
    for at, text in enumerate(texts):
        found = shingles(text)
        if not found:  # an empty signature equals every other empty one
            continue
        started = time.perf_counter()
        one = RMinHash(num_perm=PERMUTATIONS, seed=1)
        one.update(found)
        updating += time.perf_counter() - started
        if any(one.jaccard(kept[other]) >= THRESHOLD for other in index.query(one)):
            leave.append(at)
        else:
            index.insert(at, one)
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
