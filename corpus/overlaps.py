"""Overlaps of a corpus with benchmarks, as the stage `contamination` counts them: by task, for people to read.

Counts of a benchmark are named after it: `lambada.items`. What stands without a dot is of the whole corpus.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from rich.table import Table
from rich.text import Text

from corpus.progress import printable

# What is told of a task, and the count that it is.
COLUMNS = {
    "items": "items",
    "short": "short",
    "too short": "too_short",
    "found": "items_found",
    "grams": "grams",
    "of these found": "grams_found",
    "ignored": "grams_ignored",
    "documents cut": "documents_cut",
    "dropped": "documents_dropped",
    "characters cut": "chars_cut",
}


class Task(msgspec.Struct, frozen=True):
    """A benchmark: its card, and its counts in the order of `COLUMNS`."""

    name: str
    licence: str
    origin: str
    counts: tuple[int, ...]


def whole(counts: Mapping[str, int]) -> dict[str, int]:
    """What an exchange counted of the whole corpus."""
    return {name: count for name, count in counts.items() if "." not in name}


def tasks(counts: Mapping[str, int], card: Mapping[str, Any]) -> list[Task]:
    """Benchmarks in the order of the manifest; none where an exchange has none."""
    names = dict.fromkeys(name.split(".")[0] for name in counts if "." in name)
    return [
        Task(
            name,
            card.get(name, {}).get("licence", ""),
            card.get(name, {}).get("origin", ""),
            tuple(counts.get(f"{name}.{count}", 0) for count in COLUMNS.values()),
        )
        for name in names
    ]


def table(found: list[Task]) -> Table:
    """For a terminal."""
    made = Table(box=None)
    made.add_column("benchmark")
    for name in COLUMNS:
        made.add_column(name, justify="right")
    for task in found:
        made.add_row(Text(printable(task.name)), *(f"{count:,}" for count in task.counts))
    return made
