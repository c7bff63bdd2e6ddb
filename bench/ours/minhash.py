"""`sign`: 126 permutations, shingles made and hashed on the way, and the digest for exact duplicates."""

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
        answers: list[str | None] = []
        shingles = 0
        for batch in whole:
            columns = stage.apply(batch, model)
            # Enough of a signature to tell two apart; all of it would be a long answer.
            answers += [None if value is None else value[:32].hex() for value in columns["minhash"].to_pylist()]
            shingles += int(columns["shingles"].to_numpy().sum())
        counts = {"bytes": batches.text_bytes(whole), "documents": len(answers), "shingles": shingles}
        return Done(counts, answers)

    return run
