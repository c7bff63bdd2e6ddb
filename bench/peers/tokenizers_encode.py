"""Hugging Face tokenizers: `encode_batch` of a thousand documents, byte-level BPE trained for the occasion."""

from bench import inputs
from bench.given import Done, Given, Job
from bench.peers.hf_tokenizer import train

PACKAGES = ("tokenizers",)
BATCH = 1000


def prepare(given: Given) -> Job:
    texts = inputs.documents(given.path)
    size = inputs.text_bytes(texts)
    tokenizer = train(texts, given.scratch / "tokenizer.json")
    tokenizer.encode_batch(inputs.documents(given.warm_up))

    def run() -> Done:
        tokens = 0
        for start in range(0, len(texts), BATCH):
            tokens += sum(len(one.ids) for one in tokenizer.encode_batch(texts[start : start + BATCH]))
        return Done({"bytes": size, "documents": len(texts), "tokens": tokens})

    return run
