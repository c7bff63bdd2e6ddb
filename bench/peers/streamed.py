"""Verdicts of a system that reads documents in order, keeps the first of those that are alike, and names its twin."""

from collections.abc import Iterator
from pathlib import Path

import orjson

from bench import inputs

Verdicts = dict[str, tuple[bool, str | None]]


def documents(path: Path) -> Iterator[tuple[str, str]]:
    """(id, text) of every line."""
    for line in inputs.lines([path]):
        record = orjson.loads(line)
        yield record["id"], record["text"]


def verdicts(twins: dict[str, str | None]) -> Verdicts:
    """From each document's twin, an earlier one that was kept; None for one that is kept itself."""
    heads = {twin for twin in twins.values() if twin is not None}
    return {name: (twin is None, twin or (name if name in heads else None)) for name, twin in twins.items()}
