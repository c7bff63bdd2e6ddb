"""Marked spans of texts: what one stage found in a document and another may cut from it.

A column of spans holds, for each document, list<struct<start, end: int64, documents: uint32, kind: string>>: bytes of
the text that the stage read, in order, not overlapping, beginning and ending between two characters; `documents` is
how many have the same, `kind` is `line`, `paragraph` or `substring`. Beside a column `x` of spans stands `x_of`, the
hash of the text that they were found in (uint64): spans of another version of a text would cut it anywhere.
"""

from itertools import pairwise

import numpy as np
import pyarrow as pa
import xxhash

from stages.characters import utf8

SPANS = pa.list_(
    pa.struct([("start", pa.int64()), ("end", pa.int64()), ("documents", pa.uint32()), ("kind", pa.string())])
)


def spans_of(
    rows: int, doc: np.ndarray, start: np.ndarray, end: np.ndarray, documents: np.ndarray, kind: pa.Array
) -> pa.Array:
    """A column of spans for `rows` documents from parallel arrays in order of document and start."""
    offsets = np.zeros(rows + 1, np.int32)
    np.cumsum(np.bincount(doc, minlength=rows), out=offsets[1:])
    item = SPANS.value_type
    arrays = [pa.array(start, pa.int64()), pa.array(end, pa.int64()), pa.array(documents, pa.uint32()), kind]
    return pa.ListArray.from_arrays(
        pa.array(offsets), pa.StructArray.from_arrays(arrays, fields=list(item)), type=SPANS
    )


def bytes_of(spans: pa.Array) -> np.ndarray:
    """Bytes marked in each document: (n,) int64."""
    flat = spans.flatten()
    sizes = flat.field("end").to_numpy() - flat.field("start").to_numpy()
    ends = np.concatenate([[0], np.cumsum(sizes)])
    offsets = spans.offsets.to_numpy() - spans.offsets[0].as_py()
    return ends[offsets[1:]] - ends[offsets[:-1]]


def text_hashes(column: pa.Array) -> pa.Array:
    """xxh3_64 of each of n texts: (n,) uint64; a null counts as empty."""
    data, offsets = utf8(column)
    view = memoryview(data)
    hashed = b"".join(map(xxhash.xxh3_64_digest, (view[a:b] for a, b in pairwise(offsets.tolist()))))
    return pa.array(np.frombuffer(hashed, ">u8").astype(np.uint64))
