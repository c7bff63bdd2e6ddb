"""The Pile reader: decompress, cut into chunks, parse into Arrow columns with the span of every record."""

from pathlib import Path

from bench import inputs
from bench.given import Done, Given, Job
from corpus.stage import Ledger
from stages.read_pile import ReadPile

PACKAGES = ("orjson", "pyarrow", "zstandard")


def prepare(given: Given) -> Job:
    read(given.warm_up)
    size = inputs.text_bytes(inputs.documents(given.path))

    def run() -> Done:
        documents, ledger = read(given.path)
        return Done({"bytes": size, "documents": documents, "decoded_bytes": ledger.decoded_bytes})

    return run


def read(path: Path) -> tuple[int, Ledger]:
    """-> (readable documents, ledger)"""
    reader = ReadPile()
    ledger = Ledger()
    documents = 0
    with path.open("rb") as stream:
        for chunk in reader.cut(stream, path.name, ledger):
            documents += reader.parse(chunk)["drop"].null_count
    return documents, ledger
