"""resiliparse alone: its charset detector, its parser, its main text, its defaults; no bounds on hostile pages."""

from resiliparse.extract.html2text import extract_plain_text
from resiliparse.parse.encoding import detect_encoding
from resiliparse.parse.html import HTMLTree

from bench import inputs
from bench.given import Done, Given, Job

PACKAGES = ("resiliparse",)


def prepare(given: Given) -> Job:
    pages = inputs.pages(given.path)
    for page in inputs.pages(given.warm_up):
        extract(page.body)

    def run() -> Done:
        texts = [extract(page.body) for page in pages]
        size = sum(len(page.body) for page in pages)
        return Done({"bytes": size, "pages": len(pages), "text_bytes": inputs.text_bytes(texts)})

    return run


def extract(body: bytes) -> str:
    return str(extract_plain_text(HTMLTree.parse_from_bytes(body, detect_encoding(body)), main_content=True))
