"""rensa's RMinHash, 126 permutations, over shingles made in Python. Its hashes are its own."""

import time

from rensa import RMinHash

from bench import inputs
from bench.given import Done, Given, Job
from bench.peers.shingles import shingles

PACKAGES = ("rensa",)


def prepare(given: Given) -> Job:
    texts = inputs.documents(given.path)
    size = inputs.text_bytes(texts)
    for text in inputs.documents(given.warm_up):
        RMinHash(num_perm=126, seed=1).update(shingles(text))

    def run() -> Done:
        count = 0
        updating = 0.0
        for text in texts:
            found = shingles(text)
            started = time.perf_counter()
            one = RMinHash(num_perm=126, seed=1)
            one.update(found)
            one.digest()
            updating += time.perf_counter() - started
            count += len(found)
        counts = {"bytes": size, "documents": len(texts), "shingles": count}
        return Done(counts, parts={"update_s": updating})

    return run
