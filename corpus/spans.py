"""Spans of documents: the text of a child is read through the spans of its parents."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from corpus.errors import LawError


def slices(text: pa.Array, position: np.ndarray, start: np.ndarray, end: np.ndarray) -> pa.Array:
    """Byte ranges of strings as strings; zero work where every string is taken whole."""
    whole = pc.binary_length(text).to_numpy(zero_copy_only=False)
    if len(position) == len(text) and np.array_equal(start, np.zeros_like(start)) and np.array_equal(end, whole):
        return text
    offsets = np.frombuffer(text.buffers()[1], dtype=np.int32)[text.offset : text.offset + len(text) + 1]
    first = offsets[:-1].astype(np.int64)[position]
    begin, stop = first + start, first + end
    out = np.zeros(len(position) + 1, dtype=np.int32)
    np.cumsum(stop - begin, out=out[1:])
    data = memoryview(text.buffers()[2]) if text.buffers()[2] is not None else memoryview(b"")
    if len(begin) and np.array_equal(stop[:-1], begin[1:]):  # spans that follow each other need no copy
        return pa.StringArray.from_buffers(
            len(position), pa.py_buffer(out), pa.py_buffer(data[int(begin[0]) : int(stop[-1])])
        )
    joined = b"".join(data[a:b] for a, b in zip(begin.tolist(), stop.tolist(), strict=True))
    return pa.StringArray.from_buffers(len(position), pa.py_buffer(out), pa.py_buffer(joined))


def check_spans(label: str, position: np.ndarray, start: np.ndarray, end: np.ndarray, whole: np.ndarray) -> None:
    inside = (start >= 0) & (start <= end) & (end <= whole[position])
    same = position[1:] == position[:-1]
    ordered = (position[1:] >= position[:-1]) & (~same | (start[1:] >= end[:-1]))
    if not inside.all() or not ordered.all():
        raise LawError(f"stage `{label}`: spans of children overlap, are out of order or outside their parent")
