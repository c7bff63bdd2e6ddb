"""`sign`: 126 permutations, shingles made and hashed on the way, their sample, and the digest for exact duplicates.

Its answer about a document is how many shingles it has. The signatures themselves cannot be compared with a peer's:
shingles are hashed unit by unit here and as strings there.
"""

from bench.given import Done, Given, Job
from bench.ours import batches
from stages.sign import Sign

PACKAGES = ("numpy", "numba", "pyarrow", "xxhash")


def prepare(given: Given) -> Job:
    stage = Sign()
    model = stage.load({})
    whole = batches.of_text(given.path)
    for batch in batches.of_text(given.warm_up):
        stage.apply(batch, model)

    def run() -> Done:
        answers: list[int] = []
        for batch in whole:
            columns = stage.apply(batch, model)
            answers += columns["shingles"].to_pylist()
        counts = {"bytes": batches.text_bytes(whole), "documents": len(answers), "shingles": sum(answers)}
        return Done(counts, answers)

    return run
