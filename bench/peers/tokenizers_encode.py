"""Hugging Face tokenizers: `encode_batch_fast` of a thousand documents, the model that our side uses, converted."""

from tokenizers import Tokenizer

from bench import inputs
from bench.given import Done, Given, Job

PACKAGES = ("tokenizers",)
BATCH = 1000


def prepare(given: Given) -> Job:
    assert given.tokenizer is not None
    texts = inputs.documents(given.path)
    size = inputs.text_bytes(texts)
    tokenizer = Tokenizer.from_file(str(given.tokenizer.with_suffix(".json")))
    tokenizer.encode_special_tokens = True
    tokenizer.encode_batch_fast(inputs.documents(given.warm_up))

    def run() -> Done:
        answers = []
        for start in range(0, len(texts), BATCH):
            found = tokenizer.encode_batch_fast(texts[start : start + BATCH], add_special_tokens=False)
            answers += [len(one.ids) for one in found]
        return Done({"bytes": size, "documents": len(texts), "tokens": sum(answers)}, answers)

    return run
