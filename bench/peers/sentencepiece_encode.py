"""sentencepiece's batch interface, one thread, ids as arrays, with the model that our side uses."""

from sentencepiece import SentencePieceProcessor

from bench import inputs
from bench.given import Done, Given, Job

PACKAGES = ("sentencepiece",)
BATCH = 1000


def prepare(given: Given) -> Job:
    model = SentencePieceProcessor(model_file=str(given.tokenizer))
    texts = inputs.documents(given.path)
    size = inputs.text_bytes(texts)
    model.encode(inputs.documents(given.warm_up), out_type="numpy", num_threads=1)

    def run() -> Done:
        answers = []
        for start in range(0, len(texts), BATCH):
            found = model.encode(texts[start : start + BATCH], out_type="numpy", num_threads=1)
            answers += [len(ids) for ids in found]
        return Done({"bytes": size, "documents": len(texts), "tokens": sum(answers)}, answers)

    return run
