"""datatrove's JsonlReader, its documents thrown away."""

from pathlib import Path

from datatrove.pipeline.readers import JsonlReader

from bench import inputs
from bench.given import Done, Given, Job

PACKAGES = ("datatrove", "orjson", "zstandard", "fsspec")


def prepare(given: Given) -> Job:
    read(given.warm_up)
    size = inputs.text_bytes(inputs.documents(given.path))

    def run() -> Done:
        return Done({"bytes": size, "documents": read(given.path)})

    return run


def read(path: Path) -> int:
    reader = JsonlReader(str(path.parent), glob_pattern=path.name)
    return sum(1 for _ in reader(None, 0, 1))
