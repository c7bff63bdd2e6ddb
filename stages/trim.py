"""Trim: what stands around a text and is not of it goes: a library's words around a book, licences above code, the
header of a message; of LaTeX, where asked, the set-up, comments and references.

reads text (string)
adds  text (string)                without it
      trim_bytes (int64)           bytes taken off
      trim_<part>_bytes (int64)    by part; a byte that two parts take counts for the first, in the order of `PARTS`
      trims (list<struct<start, end: int64>>)  where, in bytes of the text read

Whole lines go, and nothing is written: what is left is the text read without the spans. A text of which no letter or
digit would be left keeps all. It stands before `normalise`, and before `split`, which would part a book from its marks.

- gutenberg         Project Gutenberg's header and licence (`gutenberg.py`)
- licence           comments at the top of a source file that are a licence (`licence.py`)
- mail_header       the header of a message, its subject apart (`mail.py`)
- latex_frame       up to `\\begin{document}`, and from behind `\\end{document}`, which TeX never reads
- latex_comments    lines that are a comment, outside verbatim environments
- latex_references  the environment of the references

The last three are off unless named: RedPajama cuts all three (data_prep/arxiv/arxiv_cleaner.py, from the first section
and to the references, and comments behind text, too), the Pile's ArXiv none. Memory: the text of a batch twice, and 24
bytes a line of its longest text.
"""

from typing import ClassVar

import numpy as np
import pyarrow as pa
from numba import njit

from corpus.errors import RecipeError
from corpus.stage import Columns
from stages import gutenberg, licence, mail, tex
from stages.characters import utf8
from stages.rewriting import Rewriting

PARTS = ("gutenberg", "licence", "mail_header", "latex_frame", "latex_comments", "latex_references")
_GUTENBERG, _LICENCE, _MAIL = 0, 1, 2
_TEX = 2  # a kind of `tex` is the part of this number and its own
_SPANS = pa.list_(pa.struct([("start", pa.int64()), ("end", pa.int64())]))


class Trim(Rewriting, frozen=True, kw_only=True, tag="trim"):
    """`parts` to take off, of `PARTS`; the columns of others are 0. RecipeError where one is unknown or none named."""

    revision: ClassVar[int] = 1
    reads: ClassVar[tuple[str, ...]] = ("text",)
    adds: ClassVar[dict[str, pa.DataType]] = {
        "text": pa.string(),
        "trim_bytes": pa.int64(),
        **{f"trim_{part}_bytes": pa.int64() for part in PARTS},
        "trims": _SPANS,
    }
    totals: ClassVar[tuple[str, ...]] = ("trim_bytes",)

    parts: tuple[str, ...] = ("gutenberg", "licence", "mail_header")

    def __post_init__(self) -> None:
        for at, part in enumerate(self.parts):
            if part not in PARTS:
                raise RecipeError(f".parts[{at}]: got {part!r}. Expected some of {', '.join(PARTS)}.")
        if not self.parts:
            raise RecipeError(f".parts: got none. Expected some of {', '.join(PARTS)}; or remove this stage.")

    def apply(self, batch: pa.RecordBatch, model: None) -> Columns:
        text, bounds = utf8(batch["text"])
        rows = len(batch)
        wanted = np.array([part in self.parts for part in PARTS])
        cut = np.zeros((rows, len(PARTS)), np.int64)
        firsts = np.zeros(rows + 1, np.int64)
        firsts, spans = find(text, bounds, wanted, cut)
        columns: Columns = {"text": batch["text"]}
        if len(spans):
            out = np.empty(int(bounds[-1] - bounds[0]), np.uint8)
            offsets = np.zeros(len(bounds), np.int32)
            _write(text, bounds, firsts, spans, out, offsets)
            columns["text"] = pa.StringArray.from_buffers(
                rows, pa.py_buffer(offsets), pa.py_buffer(out[: offsets[-1]].copy())
            )
        columns["trim_bytes"] = pa.array(cut.sum(axis=1))
        columns |= {f"trim_{part}_bytes": pa.array(cut[:, at]) for at, part in enumerate(PARTS)}
        pairs = pa.StructArray.from_arrays(
            [pa.array(spans[:, 0]), pa.array(spans[:, 1])], fields=list(_SPANS.value_type)
        )
        columns["trims"] = pa.ListArray.from_arrays(pa.array(firsts.astype(np.int32)), pairs, type=_SPANS)
        return columns


@njit(cache=True, nogil=True)
def _lines(text, begin, end):  # type: ignore[no-untyped-def]
    count = 1
    for at in range(begin, end):
        count += text[at] == 10
    return count


@njit(cache=True, nogil=True)
def _found(text, begin, end, wanted, spans, tops):  # type: ignore[no-untyped-def]
    """Spans of the parts that are wanted, in order of their parts -> how many. spans: (n, 3), start, end and part."""
    found = 0
    if wanted[_GUTENBERG]:
        head, tail = gutenberg.frame(text, begin, end)
        for start, stop in ((begin, head), (tail, end)):
            if stop > start:
                spans[found] = (start, stop, _GUTENBERG)
                found += 1
    if wanted[_LICENCE]:
        starts, block, said, marks = tops
        lines = licence.read_top(text, begin, end, starts, block, said)
        licence.mark(text, starts, block, said, lines, marks)
        for line in range(lines):
            if marks[line]:
                spans[found] = (starts[line], starts[line + 1], _LICENCE)
                found += 1
    if wanted[_MAIL]:
        lines, stop, subject, subject_end = mail.header(text, begin, end)
        if lines:
            for start, last in ((begin, subject), (subject_end, stop)):
                # The blank line that ends the header stays behind a subject.
                last = last - 1 if last == stop and subject_end > subject and text[stop - 1] == 10 else last
                if last > start:
                    spans[found] = (start, last, _MAIL)
                    found += 1
    if wanted[_TEX + 1 :].any():
        counts = np.zeros(len(tex.COUNTS), np.int64)
        first = found
        size = tex.walk(text, begin, end, counts, spans[first:])
        for place in range(first, first + size):
            part = _TEX + spans[place, 2]
            if wanted[part]:
                spans[found] = (spans[place, 0], spans[place, 1], part)
                found += 1
    return found


@njit(cache=True, nogil=True)
def find(text, bounds, wanted, cut):  # type: ignore[no-untyped-def]
    """-> where the spans of each document begin in a table of all, (n + 1,) int64, and the table, (spans, 2) int64 of
    bytes from the document's start, in order, apart from each other; bytes cut, by part, are added to `cut`."""
    longest = 1
    for document in range(bounds.size - 1):
        longest = max(longest, _lines(text, bounds[document], bounds[document + 1]))
    spans = np.empty((longest + 8 + licence.TOP_LINES, 3), np.int64)
    tops = (
        np.empty(licence.TOP_LINES + 1, np.int64),
        np.empty(licence.TOP_LINES, np.int64),
        np.empty(licence.TOP_LINES, np.bool_),
        np.empty(licence.TOP_LINES, np.bool_),
    )
    firsts = np.zeros(bounds.size, np.int64)
    table = np.empty((bounds.size, 2), np.int64)
    size = 0
    for document in range(bounds.size - 1):
        begin, end = np.int64(bounds[document]), np.int64(bounds[document + 1])
        found = _found(text, begin, end, wanted, spans, tops)
        firsts[document + 1] = size
        if found == 0:
            continue
        order = np.argsort(spans[:found, 0] * len(wanted) + spans[:found, 2])  # no two are equal
        at = begin
        left = False
        before = cut[document].copy()
        first = size
        for number in range(found + 1):
            start, stop, part = end, end, np.int64(0)
            if number < found:
                start, stop, part = spans[order[number]]
            for place in range(at, start):
                byte = text[place]
                if 97 <= (byte | 32) <= 122 or 48 <= byte <= 57 or byte >= 128:
                    left = True
                    break
            start = max(start, at)
            if stop <= start:
                continue
            cut[document, part] += stop - start
            if size > first and table[size - 1, 1] == start - begin:
                table[size - 1, 1] = stop - begin
            else:
                if size == len(table):
                    table = np.concatenate((table, np.empty_like(table)))
                table[size] = (start - begin, stop - begin)
                size += 1
            at = stop
        if not left:
            size = first
            cut[document] = before
        firsts[document + 1] = size
    return firsts, table[:size]


@njit(cache=True, nogil=True)
def _write(text, bounds, firsts, spans, out, offsets):  # type: ignore[no-untyped-def]
    """Copy what no span covers. offsets: (n + 1,) int32."""
    to = 0
    for document in range(bounds.size - 1):
        begin, end = np.int64(bounds[document]), np.int64(bounds[document + 1])
        at = begin
        for span in range(firsts[document], firsts[document + 1] + 1):
            stop = begin + spans[span, 0] if span < firsts[document + 1] else end
            for place in range(at, stop):
                out[to] = text[place]
                to += 1
            if span < firsts[document + 1]:
                at = begin + spans[span, 1]
        offsets[document + 1] = to
