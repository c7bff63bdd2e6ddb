"""The least there is: decompress, split into lines, orjson, keep each text."""

from pathlib import Path

import orjson

from bench import inputs
from bench.given import Done, Given, Job

PACKAGES = ("orjson", "zstandard")


def prepare(given: Given) -> Job:
    read(given.warm_up)
    size = inputs.text_bytes(read(given.path))

    def run() -> Done:
        return Done({"bytes": size, "documents": len(read(given.path))})

    return run


def read(path: Path) -> list[str]:
    return [orjson.loads(line)["text"] for line in inputs.lines([path])]
