"""sentencepiece, one document at a time, with the model that our side uses."""

from sentencepiece import SentencePieceProcessor

from bench import inputs
from bench.given import Done, Given, Job

PACKAGES = ("sentencepiece",)


def prepare(given: Given) -> Job:
    model = SentencePieceProcessor(model_file=str(given.tokenizer))
    texts = inputs.documents(given.path)
    size = inputs.text_bytes(texts)
    for text in inputs.documents(given.warm_up):
        model.encode(text)

    def run() -> Done:
        answers = [len(model.encode(text)) for text in texts]
        return Done({"bytes": size, "documents": len(texts), "tokens": sum(answers)}, answers)

    return run
