"""Stages that change a text can show what they changed: lines before and after, for `corpus explain --replay`.

It stands between `Map` and such stages; the columns it speaks of (reads `text`, adds `text`) are theirs.
"""

import difflib
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from corpus.stage import Account, Map

_LINES = 2000  # compared; of a longer text the rest is not shown
_SHOWN = 40  # changes


class Rewriting(Map, frozen=True, kw_only=True):
    """A `Map` that reads `text`, and nothing that is no string, and adds `text`."""

    def account(self, row: Mapping[str, Any], model: Any) -> list[Account]:
        batch = pa.RecordBatch.from_pylist([dict(row)], schema=pa.schema([(name, pa.string()) for name in row]))
        before, after = row["text"] or "", self.apply(batch, model)["text"][0].as_py()
        if before == after:
            return []
        rows = changes(before, after)
        return [Account(f"{len(rows)} change{'s' * (len(rows) != 1)} of lines", rows[:_SHOWN])]


def changes(before: str, after: str) -> list[dict[str, str]]:
    """Runs of lines that differ, in order: {"before": …, "after": …}."""
    old, new = before.split("\n")[:_LINES], after.split("\n")[:_LINES]
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    return [
        {"before": "\n".join(old[a:b]), "after": "\n".join(new[c:d])}
        for kind, a, b, c, d in matcher.get_opcodes()
        if kind != "equal"
    ]
