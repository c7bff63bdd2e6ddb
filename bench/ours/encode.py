"""`encode` over batches of documents, a SentencePiece model; ids kept as int32 arrays."""

from bench.given import Done, Given, Job
from bench.ours import batches
from stages.encode import Encode

PACKAGES = ("sentencepiece", "numpy", "pyarrow")


def prepare(given: Given) -> Job:
    assert given.tokenizer is not None
    stage = Encode(tokenizer="model")
    model = stage.load({"model": given.tokenizer})
    whole = batches.of_text(given.path)
    for batch in batches.of_text(given.warm_up):
        stage.apply(batch, model)

    def run() -> Done:
        answers = [n for batch in whole for n in stage.apply(batch, model)["n_tokens"].to_pylist()]
        counts = {"bytes": batches.text_bytes(whole), "documents": len(answers), "tokens": sum(answers)}
        return Done(counts, answers)

    return run
