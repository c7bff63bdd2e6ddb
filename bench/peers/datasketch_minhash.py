"""datasketch: one MinHash a document, copied from a template, `update_batch` over shingles made in Python.

The scheme, affine32, is the one of `stages/sign.py`, but over XXH32 of a shingle's bytes: what can be compared is how
many shingles a document has.
"""

import time

import xxhash
from datasketch import MinHash

from bench import inputs
from bench.given import Done, Given, Job
from bench.peers.shingles import shingles

PACKAGES = ("datasketch", "numpy", "xxhash")


def prepare(given: Given) -> Job:
    template = MinHash(num_perm=126, seed=1, hashfunc=xxhash.xxh32_intdigest, scheme="affine32")
    texts = inputs.documents(given.path)
    size = inputs.text_bytes(texts)
    for text in inputs.documents(given.warm_up):
        template.copy().update_batch(shingles(text))

    def run() -> Done:
        answers: list[int] = []
        count = 0
        updating = 0.0
        for text in texts:
            found = shingles(text)
            started = time.perf_counter()
            one = template.copy()
            one.update_batch(found)
            updating += time.perf_counter() - started
            count += len(found)
            answers.append(len(found))
        counts = {"bytes": size, "documents": len(texts), "shingles": count}
        return Done(counts, answers, parts={"update_s": updating})

    return run
