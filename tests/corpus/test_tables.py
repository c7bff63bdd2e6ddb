"""Equal rows give equal bytes and equal digests, however they are chunked; other rows do not."""

import os
import subprocess
import sys

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus import tables

values = {
    pa.string(): st.text(),
    pa.binary(): st.binary(),
    pa.binary(4): st.binary(min_size=4, max_size=4),
    pa.int64(): st.integers(-(2**63), 2**63 - 1),
    pa.float32(): st.floats(width=32),
    pa.bool_(): st.booleans(),
    pa.list_(pa.int32()): st.lists(st.integers(-(2**31), 2**31 - 1)),
}


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_chunking_and_slicing_do_not_show(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(list(values)))
    items = data.draw(st.lists(st.none() | values[kind], max_size=12))
    cut = data.draw(st.integers(0, len(items)))
    whole = pa.array(items, kind)
    chunked = pa.chunked_array([pa.array(items[:cut], kind), pa.array(items[cut:], kind)], kind)
    padded = pa.array([None, *items, None], kind).slice(1, len(items))
    one, two, three = (tables.to_bytes(tables.canonical({"row": a})) for a in (whole, chunked, padded))
    assert one == two == three
    assert tables.column_digest(whole) == tables.column_digest(chunked) == tables.column_digest(padded)
    assert tables.column_digest(tables.read(one)["row"].cast(kind)) == tables.column_digest(whole)


def test_digests_see_values_nulls_types_and_bounds() -> None:
    arrays = [
        pa.array(["ab", "c"]),
        pa.array(["a", "bc"]),
        pa.array(["ab", None]),
        pa.array(["ab", ""]),
        pa.array([b"ab", b"c"]),
        pa.array([1, 2], pa.int32()),
        pa.array([1, 2], pa.int64()),
        pa.array([1, None], pa.int64()),
        pa.array([1, 0], pa.int64()),
        pa.array([[1], [2]]),
        pa.array([[1, 2], []]),
        pa.array([[1, 2], None]),
    ]
    assert len({tables.column_digest(a) for a in arrays}) == len(arrays)


def test_every_nan_is_one_nan() -> None:
    import numpy as np

    odd = np.array([0x7FC00001, 0x80000000], dtype=np.uint32).view(np.float32)
    plain = np.array([np.nan, 0.0], dtype=np.float32)
    assert tables.column_digest(pa.array(odd)) == tables.column_digest(pa.array(plain))


def test_duckdb_reads_them(tmp_path) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "t.parquet"
    columns = {"row": pa.array([0, 1], pa.uint32()), "text": pa.array(["中文", None]), "tokens": pa.array([[1, 2], []])}
    path.write_bytes(tables.to_bytes(tables.canonical(columns)))
    got = duckdb.sql(f"select row, text, tokens from read_parquet('{path}') order by row").fetchall()
    assert got == [(0, "中文", [1, 2]), (1, None, [])]


def test_no_digest_for_what_is_not_defined() -> None:
    with pytest.raises(TypeError, match="no digest"):
        tables.column_digest(pa.array([[(1, 2)]], pa.map_(pa.int64(), pa.int64())))


def test_names_of_list_items_do_not_show() -> None:
    kind = pa.list_(pa.struct([("a", pa.uint32())]))
    one = pa.array([[{"a": 1}], []], kind)
    stored = tables.read(tables.to_bytes(tables.canonical({"row": one})))["row"]
    assert str(stored.type) != str(kind)  # Parquet calls the items `element`
    assert tables.column_digest(stored) == tables.column_digest(one)


def test_columns_come_as_asked_for_and_none_is_missed() -> None:
    data = tables.to_bytes(tables.canonical({"row": pa.array([0, 1], pa.uint32()), "text": pa.array(["a", "b"])}))
    assert tables.read(data, ["text", "row"]).column_names == ["text", "row"]
    assert tables.read(data).column_names == ["row", "text"]
    with pytest.raises(pa.ArrowInvalid, match="no column 'url' among row, text"):
        tables.read(data, ["row", "url"])


THREADS = """
import os
import pyarrow as pa
from corpus import tables
data = tables.to_bytes(tables.canonical({"row": pa.array(range(1000), pa.uint32()), "text": pa.array(["a"] * 1000)}))
before = len(os.listdir("/proc/self/task"))
assert tables.read(data, ["text"]).num_rows == tables.read(data).num_rows == 1000
print(len(os.listdir("/proc/self/task")) - before)
"""


@pytest.mark.skipif(not os.path.isdir("/proc/self/task"), reason="threads are counted in /proc")
def test_reading_starts_no_thread_that_could_outlive_the_interpreter() -> None:
    done = subprocess.run([sys.executable, "-c", THREADS], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "0\n"
