"""fastText's predict, one document at a time, the whole of it."""

import fasttext

from bench import inputs
from bench.given import Done, Given, Job

PACKAGES = ("fasttext-community", "numpy")


def prepare(given: Given) -> Job:
    model = fasttext.load_model(str(given.lid_model))
    texts = inputs.documents(given.path)
    size = inputs.text_bytes(texts)
    for text in inputs.documents(given.warm_up):
        model.predict(text.replace("\n", " "))

    def run() -> Done:
        answers = []
        for text in texts:
            labels, _ = model.predict(text.replace("\n", " "))
            answers.append(labels[0].removeprefix("__label__") if labels else "und")
        return Done({"bytes": size, "documents": len(texts)}, answers)

    return run
