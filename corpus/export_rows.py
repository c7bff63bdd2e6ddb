"""The survivors of a partition as rows that another program understands.

id        128 bits in hexadecimal; `corpus explain` and `corpus trace` take it
text      as it was encoded, clean of what the stages took out
url       of the page; null where the source has none
source    its name in the dataset manifest
language  as language ID has it; null where no stage told it
licence   of the source, as the manifest has it
path, record    the input file, and the ordinal of the record in it
tokens    without the end mark; null where no stage encoded
"""

import numpy as np
import pyarrow as pa

from corpus.explain import origin
from corpus.graph import Partition
from corpus.opened import Tables
from corpus.pack import SPLITS
from corpus.store import Blobs

SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("text", pa.string()),
        ("url", pa.string()),
        ("source", pa.string()),
        ("language", pa.string()),
        ("licence", pa.string()),
        ("path", pa.string()),
        ("record", pa.int64()),
        ("tokens", pa.int32()),
    ]
)


def rows(store: Blobs, partition: Partition, licence: str) -> dict[str, pa.Table]:
    """split -> its survivors, in the order of the input. All text of one partition is held."""
    seen = Tables(store, partition)
    end = len(seen.records)
    level, living = seen.level(end - 1), seen.living(end - 1)

    def column(name: str, kind: pa.DataType) -> pa.Array:
        return seen.at(name, living, level, end).cast(kind) if seen.has(name) else pa.nulls(len(living), kind)

    source, path, first = origin(partition, 0)
    record = seen.up(living, level, 0).astype(np.int64) + first
    table = pa.table(
        [
            hexadecimal(seen.at("id", living, level, end)),
            column("text", pa.string()),
            column("url", pa.string()),
            constant(source, len(living)),
            column("lang", pa.string()),
            constant(licence, len(living)),
            constant(path, len(living)),
            pa.array(record),
            column("n_tokens", pa.int32()),
        ],
        schema=SCHEMA,
    )
    if not seen.has("split"):
        return {SPLITS[0]: table}
    split = np.asarray(seen.at("split", living, level, end))
    return {name: table.filter(pa.array(split == name)) for name in SPLITS}


def constant(value: str, length: int) -> pa.Array:
    return pa.repeat(pa.scalar(value, pa.string()), length)


def hexadecimal(ids: pa.Array) -> pa.Array:
    """128-bit ids as strings of 32 digits."""
    data = np.frombuffer(ids.buffers()[1], np.uint8)[16 * ids.offset : 16 * (ids.offset + len(ids))]
    digits = np.frombuffer(b"0123456789abcdef", np.uint8)[np.stack([data >> 4, data & 15], axis=1).ravel()]
    offsets = np.arange(0, 32 * len(ids) + 1, 32, dtype=np.int32)
    return pa.StringArray.from_buffers(len(ids), pa.py_buffer(offsets), pa.py_buffer(digits))
