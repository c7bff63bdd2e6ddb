"""The side table of a shard: where each document lies in it, and which record it was.

It names a document by its id and by the reader's row that it comes from, also where it is a part: rows of
parts count up anew, so one document that leaves would change the side tables of every shard.
"""

from typing import BinaryIO

import numpy as np
import pyarrow as pa

from corpus import tables
from corpus.id_order import joined
from corpus.packed_runs import DOCUMENT
from corpus.runs import together
from corpus.tokens import FileDigest, Sink

_ROWS = 32 * tables.ROW_GROUP_ROWS  # written at a time


class SideWriter:
    """The side table of a shard, a block of rows at a time: the bytes of `tables.to_bytes`, in bounded memory."""

    def __init__(self, file: BinaryIO, clusters: bool) -> None:
        self._clusters = clusters
        self._sink = Sink(file)
        self._held: list[np.ndarray] = []
        self._start = 0
        self._written = False
        self._writer = tables.writer(pa.PythonFile(self._sink, "w"), self._table(np.empty(0, DOCUMENT)).schema)

    def extend(self, documents: np.ndarray) -> None:
        self._held.append(documents)
        if sum(map(len, self._held)) >= _ROWS:
            held = together(self._held)
            whole = len(held) // tables.ROW_GROUP_ROWS * tables.ROW_GROUP_ROWS
            self._write(held[:whole])
            self._held = [held[whole:].copy()]

    def _write(self, documents: np.ndarray) -> None:
        self._written = True
        self._writer.write_table(self._table(documents), row_group_size=tables.ROW_GROUP_ROWS)

    def _table(self, documents: np.ndarray) -> pa.Table:
        lengths = documents["tokens"].astype(np.int64)
        ends = self._start + np.cumsum(lengths)
        self._start = int(ends[-1]) if len(ends) else self._start
        columns = {
            "start": pa.array(ends - lengths),
            "tokens": pa.array(lengths.astype(np.int32)),
            "id": joined(documents["hi"], documents["lo"]),
            "partition": pa.array(documents["partition"].copy()),
            "row": pa.array(documents["row"].copy()),
        }
        if self._clusters:
            columns["cluster_size"] = pa.array(documents["cluster"].copy())
        return tables.canonical(columns)

    def finish(self) -> FileDigest:
        held = together([np.empty(0, DOCUMENT), *self._held])
        if len(held) or not self._written:  # a table without rows has a row group, too
            self._write(held)
        self._writer.close()
        return self._sink.digest()
