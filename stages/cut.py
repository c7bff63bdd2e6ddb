"""Cut: a text without the spans that earlier stages marked in it.

reads text, and each column of `spans` with its `..._of` (see `marked.py`)
adds  text (string)       without them, and without the gap that each leaves
      content (binary16)  xxh3_128 of the new text, as `normalise` has it
      cut_bytes (int64)   bytes of the old text that the new one lacks; their sum stands in the record

What is left around a cut is joined so that a reader would not see it. A line of which nothing but blanks is left goes
with its line end, and of the blank lines before and behind it the more stay, not the sum; inside a line the blanks
before a cut stay and those behind it go; blanks at the start or end of a line that was cut go. Blanks are space, tab,
no-break space and U+3000.

Nothing is dropped: a text of which nothing is left is an empty text, in which `signals` counts no word, so that a rule
of `judge` drops it. TaskError where the text is not the one in which the spans were found: no stage between may change
or part it.
"""

from typing import ClassVar

import numpy as np
import pyarrow as pa
from numba import njit

from corpus.errors import RecipeError, TaskError
from corpus.stage import Columns, Map
from stages.characters import utf8
from stages.marked import text_hashes
from stages.normalise import digests


class Cut(Map, frozen=True, kw_only=True, tag="cut"):
    """`spans` names the columns of spans; where they overlap, their union is cut. RecipeError where it is empty."""

    revision: ClassVar[int] = 1
    uses: ClassVar[tuple[str, ...]] = ("xxhash",)
    adds: ClassVar[dict[str, pa.DataType]] = {"text": pa.string(), "content": pa.binary(16), "cut_bytes": pa.int64()}
    totals: ClassVar[tuple[str, ...]] = ("cut_bytes",)

    spans: tuple[str, ...] = ("repeats",)

    def __post_init__(self) -> None:
        if not self.spans:
            raise RecipeError('.spans: got none. Expected names of columns, such as ["repeats", "substrings"].')

    @property
    def reads(self) -> tuple[str, ...]:  # type: ignore[override]
        return ("text", *(name for column in self.spans for name in (column, f"{column}_of")))

    def apply(self, batch: pa.RecordBatch, model: None) -> Columns:
        hashes = np.asarray(text_hashes(batch["text"]))
        for column in self.spans:
            wrong = int((np.asarray(batch[f"{column}_of"]) != hashes).sum())
            if wrong:
                raise TaskError(
                    f"stage `{self.label}`: `{column}` was found in other texts than these ({wrong} of {len(hashes)} "
                    f"differ). Put `{self.label}` behind the stage that adds `{column}`, before any that changes the "
                    f"text or cuts it in parts."
                )
        flat = [batch[column].flatten() for column in self.spans]
        sizes = [np.diff(batch[column].offsets.to_numpy()) for column in self.spans]
        doc = np.concatenate([np.repeat(np.arange(batch.num_rows), size) for size in sizes])
        start, end = (np.concatenate([spans.field(name).to_numpy() for spans in flat]) for name in ("start", "end"))
        order = np.lexsort((start, doc))
        text, bounds = utf8(batch["text"])
        out = np.empty(int(bounds[-1]) - int(bounds[0]), np.uint8)
        offsets = np.zeros(len(bounds), np.int32)
        _cut(text, bounds, doc[order], start[order], end[order], out, offsets)
        kept = out[: offsets[-1]].copy() if offsets[-1] < 0.75 * out.size else out[: offsets[-1]]
        texts = pa.StringArray.from_buffers(batch.num_rows, pa.py_buffer(offsets), pa.py_buffer(kept))
        lost = np.diff(bounds.astype(np.int64)) - np.diff(offsets.astype(np.int64))
        return {"text": texts, "content": digests(texts), "cut_bytes": pa.array(lost)}


@njit(cache=True, nogil=True, inline="always")
def _blank_at(text, at, end):  # type: ignore[no-untyped-def]
    """Bytes of the blank that begins at `at`, 0 where there is none."""
    if at >= end:
        return 0
    if text[at] == 32 or text[at] == 9:
        return 1
    if text[at] == 0xC2 and at + 1 < end and text[at + 1] == 0xA0:
        return 2
    return 3 if text[at] == 0xE3 and at + 2 < end and text[at + 1] == 0x80 and text[at + 2] == 0x80 else 0


@njit(cache=True, nogil=True, inline="always")
def _blank_before(text, begin, at):  # type: ignore[no-untyped-def]
    """Bytes of the blank that ends at `at`, not before `begin`; 0 where there is none."""
    if at <= begin:
        return 0
    if text[at - 1] == 32 or text[at - 1] == 9:
        return 1
    if text[at - 1] == 0xA0 and at - 1 > begin and text[at - 2] == 0xC2:
        return 2
    return 3 if at - 2 > begin and text[at - 1] == 0x80 and text[at - 2] == 0x80 and text[at - 3] == 0xE3 else 0


@njit(cache=True, nogil=True)
def _cut(text, bounds, doc, start, end, out, offsets):  # type: ignore[no-untyped-def]
    """Write documents without their spans, given in order of document and start, one after the other into `out`, and
    where each ends into `offsets` (n + 1)."""
    to = 0
    span = 0
    for document in range(bounds.size - 1):
        first = np.int64(bounds[document])
        stop = np.int64(bounds[document + 1])
        at = first
        begin = to
        while True:
            while span < doc.size and doc[span] == document and first + end[span] <= at:
                span += 1  # it lies in a gap that is closed already
            cuts = span < doc.size and doc[span] == document
            until = first + start[span] if cuts else stop
            while at < until:
                out[to] = text[at]
                to += 1
                at += 1
            if not cuts:
                break
            while span < doc.size and doc[span] == document and first + start[span] <= at:
                at = max(at, first + end[span])
                span += 1
            left = to
            while True:
                size = _blank_before(out, begin, left)
                if size == 0:
                    break
                left -= size
            right = at
            while True:
                size = _blank_at(text, right, stop)
                if size == 0:
                    break
                right += size
            starts = left == begin or out[left - 1] == 10
            ends = right == stop or text[right] == 10
            if not starts and not ends:
                if left < to:  # the blank before the cut stays, the one behind it goes
                    at = right
                continue
            to = left
            at = right
            if starts and ends:
                before = 0
                while to > begin and out[to - 1] == 10:
                    to -= 1
                    before += 1
                behind = 0
                while at < stop and text[at] == 10:
                    at += 1
                    behind += 1
                line_ends = max(before, behind)
                if to == begin:
                    line_ends = 0
                elif at == stop:
                    line_ends = behind
                for _ in range(line_ends):
                    out[to] = 10
                    to += 1
        offsets[document + 1] = to
