"""Decontaminate: documents in the pieces that are left of them when what `contamination` marked is cut.

reads text, contamination_cuts, contamination_cuts_of (see `contamination.py`)
makes a child of each stretch of text between two cuts; what is cut is counted, in bytes

A document without a cut is its own only child. TaskError where a text is not the one in which the cuts were found: no
stage between may change or part it.
"""

from typing import ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from corpus.errors import TaskError
from corpus.stage import Regroup
from stages.marked import text_hashes


class Decontaminate(Regroup, frozen=True, kw_only=True, tag="decontaminate"):
    """It has no parameters: `contamination` has decided."""

    revision: ClassVar[int] = 1
    uses: ClassVar[tuple[str, ...]] = ("xxhash",)
    reads: ClassVar[tuple[str, ...]] = ("text", "contamination_cuts", "contamination_cuts_of")

    def regroup(self, batch: pa.RecordBatch, model: None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """-> (parent (children,) int64, start (children,) int64, end (children,) int64), bytes of the parent's text."""
        self._check(batch)
        whole = pc.fill_null(pc.binary_length(batch["text"]), 0).to_numpy(zero_copy_only=False).astype(np.int64)
        cuts = batch["contamination_cuts"]
        doc = np.repeat(np.arange(batch.num_rows), np.diff(cuts.offsets.to_numpy()))
        flat = cuts.flatten()
        # Before each cut is a stretch, and one behind the last: they begin where a cut or the text does.
        parent = np.concatenate([np.arange(batch.num_rows), doc])
        start = np.concatenate([np.zeros(batch.num_rows, np.int64), flat.field("end").to_numpy()])
        end = np.concatenate([whole, flat.field("start").to_numpy()])
        return _between(parent, start, end, batch.num_rows)

    def _check(self, batch: pa.RecordBatch) -> None:
        there = batch["contamination_cuts_of"].is_valid()
        got, want = text_hashes(batch["text"].filter(there)), batch["contamination_cuts_of"].filter(there)
        wrong = int((np.asarray(got) != np.asarray(want)).sum())
        if wrong:
            raise TaskError(
                f"stage `{self.label}`: contamination was found in other texts than these ({wrong} of {len(want)} with "
                f"cuts differ). Put `{self.label}` behind `contamination`, before any stage that changes the text or "
                f"cuts it in parts."
            )


def _between(
    parent: np.ndarray, start: np.ndarray, end: np.ndarray, rows: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Stretches between cuts, given where they may begin (at the beginnings of `rows` texts and behind cuts) and where
    they may end (at the ends of texts and before cuts)."""
    begins, ends = np.lexsort((start, parent)), np.lexsort((end, parent))
    parent, start, end = parent[begins], start[begins], end[ends]
    there = end > start
    there |= (start == 0) & (np.diff(np.searchsorted(parent, np.arange(rows + 1)))[parent] == 1)  # an empty text is one
    return parent[there], start[there], end[there]
