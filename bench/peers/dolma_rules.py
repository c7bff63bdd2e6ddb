"""dolma's taggers, called as its processor calls them, without its files. They measure and drop nothing."""

from dolma.core.data_types import Document
from dolma.core.taggers import BaseTagger

from bench import inputs
from bench.given import Done, Given, Job

PACKAGES = ("dolma", "numpy")


def tagged(given: Given, tagger: BaseTagger) -> Job:
    texts = inputs.documents(given.path)
    size = inputs.text_bytes(texts)

    def tag(texts: list[str]) -> int:
        return sum(len(tagger.predict(Document(source="", id=str(i), text=text)).spans) for i, text in enumerate(texts))

    tag(inputs.documents(given.warm_up))

    def run() -> Done:
        return Done({"bytes": size, "documents": len(texts), "attributes": tag(texts)})

    return run
