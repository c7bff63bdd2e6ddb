"""Tables: one canonical form, one writer, one digest of values.

Equal rows written from differently chunked Arrow data give different Parquet bytes, so everything passes through
`canonical` before the one `write_table` of the project. The digest of a column covers logical values only: it survives
another pyarrow, another compression, another chunking.
"""

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

ROW_GROUP_ROWS = 8192  # the reading unit: 2-3x faster to read in part than one group of 65,536


def combine(array: pa.Array | pa.ChunkedArray) -> pa.Array:
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks() if array.num_chunks != 1 else array.chunk(0)
    return array


def _canonical(array: pa.Array | pa.ChunkedArray) -> pa.Array:
    array = combine(array)
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if pa.types.is_large_string(array.type):
        array = array.cast(pa.string())
    if pa.types.is_floating(array.type):  # one NaN, no negative zero
        values = array.to_numpy(zero_copy_only=False).copy()
        values[np.isnan(values)] = np.nan
        values += 0.0
        mask = np.asarray(array.is_null()) if array.null_count else None
        array = pa.array(values, type=array.type, mask=mask)
    return array


def canonical(columns: dict[str, pa.Array]) -> pa.Table:
    """`row`, `drop`, `detail` first, the others by name; plain types, no metadata, one chunk a column."""
    first = [name for name in ("row", "drop", "detail") if name in columns]
    names = first + sorted(set(columns) - set(first))
    return pa.table([_canonical(columns[name]) for name in names], names=names)


def _compression(field: pa.Field) -> str:
    kind = field.type
    while pa.types.is_list(kind):
        kind = kind.value_type
    return "NONE" if pa.types.is_fixed_size_binary(kind) else "ZSTD"


def to_bytes(table: pa.Table) -> bytes:
    """Parquet bytes of a canonical table; the same rows give the same bytes for one version of pyarrow."""
    sink = pa.BufferOutputStream()
    with writer(sink, table.schema) as file:
        file.write_table(table, row_group_size=ROW_GROUP_ROWS)
    return sink.getvalue().to_pybytes()


def writer(sink: Any, schema: pa.Schema) -> pq.ParquetWriter:
    """Writes canonical tables to a sink, one after the other. Where all but the last have whole row groups, the bytes
    are those of one table."""
    return pq.ParquetWriter(
        sink,
        schema,
        compression={field.name: _compression(field) for field in schema},
        compression_level={field.name: 1 for field in schema if _compression(field) == "ZSTD"},
        use_dictionary=False,
        write_statistics=False,
        store_schema=False,
    )


def read(data: bytes, columns: Sequence[str] | None = None) -> pa.Table:
    """The table, or `columns` of it in this order; ArrowInvalid for one that it lacks, and for what is no Parquet.

    Not by pq.read_table: that is a scanner of datasets, which lets a thread of Arrow's own pool have the last hold of
    `data`; a process that ends in that moment aborts (apache/arrow issue 45214: seen once in some thousand commands).
    """
    file = pq.ParquetFile(pa.BufferReader(data), pre_buffer=False)
    if columns is None:
        return file.read(use_threads=False)
    lacking = [name for name in columns if name not in file.schema_arrow.names]
    if lacking:
        raise pa.ArrowInvalid(f"no column {lacking[0]!r} among {', '.join(file.schema_arrow.names)}")
    return file.read(columns, use_threads=False).select(list(columns))


def _shape(kind: pa.DataType) -> str:
    """A type as text, without the names of list items, which Parquet and Arrow give differently."""
    if pa.types.is_list(kind):
        return f"list<{_shape(kind.value_type)}>"
    if pa.types.is_struct(kind):
        return f"struct<{','.join(f'{field.name}:{_shape(field.type)}' for field in kind)}>"
    return str(kind)


def _feed(digest: "hashlib._Hash", array: pa.Array) -> None:
    kind = array.type
    digest.update(f"{_shape(kind)}:{len(array)}:{array.null_count};".encode())
    if array.null_count:
        digest.update(np.packbits(np.asarray(array.is_null())).tobytes())
    if pa.types.is_null(kind):
        return
    if pa.types.is_string(kind) or pa.types.is_binary(kind):
        if array.null_count:
            array = pc.fill_null(array, b"" if pa.types.is_binary(kind) else "")
        offsets = np.frombuffer(array.buffers()[1], dtype=np.int32)[array.offset : array.offset + len(array) + 1]
        digest.update(np.diff(offsets))
        data = array.buffers()[2]
        if data is not None and len(array):
            digest.update(memoryview(data)[int(offsets[0]) : int(offsets[-1])])
    elif pa.types.is_fixed_size_binary(kind):
        width = kind.byte_width
        if array.null_count:
            array = pc.fill_null(array, bytes(width))
        digest.update(memoryview(array.buffers()[1])[array.offset * width : (array.offset + len(array)) * width])
    elif pa.types.is_list(kind):
        digest.update(pc.fill_null(pc.list_value_length(array), 0).to_numpy(zero_copy_only=False))
        _feed(digest, array.flatten())
    elif pa.types.is_struct(kind):
        for child in array.flatten():
            _feed(digest, child)
    elif pa.types.is_boolean(kind) or pa.types.is_primitive(kind):
        if array.null_count:
            array = pc.fill_null(array, False if pa.types.is_boolean(kind) else 0)
        digest.update(np.ascontiguousarray(array.to_numpy(zero_copy_only=False)))
    else:
        raise TypeError(f"no digest is defined for columns of type {kind}")


def column_digest(array: pa.Array | pa.ChunkedArray) -> str:
    """Hex sha256 over type, length, nulls and values."""
    digest = hashlib.sha256()
    _feed(digest, _canonical(array))
    return digest.hexdigest()


def rows_digest(rows: np.ndarray) -> str:
    """Digest of a set of living rows (sorted uint32)."""
    return hashlib.sha256(np.ascontiguousarray(rows, dtype="<u4")).hexdigest()
