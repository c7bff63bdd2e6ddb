"""trafilatura with its defaults, from the bytes of a page."""

import trafilatura

from bench import inputs
from bench.given import Done, Given, Job

PACKAGES = ("trafilatura", "lxml")


def prepare(given: Given) -> Job:
    pages = inputs.pages(given.path)
    for page in inputs.pages(given.warm_up):
        trafilatura.extract(page.body)

    def run() -> Done:
        texts = [trafilatura.extract(page.body) or "" for page in pages]
        size = sum(len(page.body) for page in pages)
        return Done({"bytes": size, "pages": len(pages), "text_bytes": inputs.text_bytes(texts)})

    return run
