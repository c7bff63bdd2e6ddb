"""Parquet reader: rows as pyarrow wrote them, every odd column type, damage, and the law (spans count rows)."""

import io
import random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpus.stage import Ledger
from stages.read_parquet import ReadParquet

TEXTS = [f"document {n} 文字 " * (n % 30 + 1) for n in range(3000)]
URLS = [f"http://a/{n}" if n % 3 else None for n in range(3000)]


def store(table: pa.Table, **options) -> bytes:
    out = io.BytesIO()
    pq.write_table(table, out, **options)
    return out.getvalue()


def read(reader: ReadParquet, stored: bytes) -> tuple[list[dict], Ledger, list]:
    """All rows, the ledger and the chunks of a file; the reader's law is checked on the way."""
    ledger, rows = Ledger(), []
    chunks = list(reader.cut(io.BytesIO(stored), "x.parquet", ledger))
    for chunk in chunks:
        columns = reader.parse(chunk)
        assert set(columns) == {*reader.adds, "drop", "detail"}
        assert {len(values) for values in columns.values()} == {chunk.records}
        rows += [dict(zip(columns, row, strict=True)) for row in zip(*(v.to_pylist() for v in columns.values()))]
    assert ledger.file_bytes == len(stored) == ledger.framed_bytes + ledger.lost_bytes
    assert sum(row["span_bytes"] for row in rows) + ledger.skipped_bytes == ledger.decoded_bytes
    assert all((row["drop"] is None) == (row["text"] is not None) for row in rows)
    return rows, ledger, chunks


@pytest.fixture(scope="module")
def stored() -> bytes:
    table = pa.table({"n": range(3000), "text": TEXTS, "url": URLS})
    return store(table, row_group_size=1000, write_page_checksum=True)


def test_rows_are_those_of_the_table(stored: bytes) -> None:
    rows, ledger, chunks = read(ReadParquet(partition_rows=700), stored)
    assert [row["text"] for row in rows] == TEXTS
    assert [row["url"] for row in rows] == URLS
    assert [(row["span_start"], row["span_bytes"]) for row in rows] == [(n, 1) for n in range(3000)]
    assert [chunk.records for chunk in chunks] == [700, 700, 700, 700, 200]
    assert (ledger.decoded_bytes, ledger.lost_bytes) == (3000, 0)


def test_row_groups_change_no_chunk(stored: bytes) -> None:
    reader = ReadParquet(partition_bytes=50_000)
    other = store(pa.table({"text": TEXTS, "url": URLS}), row_group_size=77)
    digests = [chunk.digest for chunk in read(reader, stored)[2]]
    assert len(digests) > 5
    assert [chunk.digest for chunk in read(reader, other)[2]] == digests


@pytest.mark.parametrize(
    "kind",
    [pa.string(), pa.large_string(), pa.binary(), pa.string_view(), pa.dictionary(pa.int32(), pa.string())],
    ids=str,
)
def test_types_of_text(kind: pa.DataType) -> None:
    column = pa.array(["a", None, "文", "a"], pa.string()).cast(kind)
    rows, _, _ = read(ReadParquet(text_column="body", url_column="n"), store(pa.table({"body": column, "n": range(4)})))
    assert [row["text"] for row in rows] == ["a", None, "文", "a"]
    assert (rows[1]["drop"], rows[1]["detail"], rows[0]["url"]) == ("no_text", "body is null", None)


def test_rows_that_cannot_be_used() -> None:
    table = pa.table({"text": pa.array([b"caf\xe9", b"good", b"y" * 99])})
    rows, _, _ = read(ReadParquet(max_record_bytes=50), store(table))
    assert [row["drop"] for row in rows] == ["bad_charset", None, "too_long"]
    rows, _, _ = read(ReadParquet(), store(pa.table({"text": [1, 2]})))
    assert [(row["drop"], row["detail"]) for row in rows] == [("no_text", "text is int64")] * 2
    rows, _, _ = read(ReadParquet(), store(pa.table({"other": [1, 2]})))
    assert [(row["drop"], row["detail"]) for row in rows] == [("no_text", "text is absent")] * 2


def test_a_damaged_row_group_is_one_row(stored: bytes) -> None:
    column = pq.ParquetFile(io.BytesIO(stored)).metadata.row_group(1).column(1)
    broken = bytearray(stored)
    broken[column.dictionary_page_offset + column.total_compressed_size // 2] ^= 8
    rows, ledger, _ = read(ReadParquet(), bytes(broken))
    assert [row["text"] for row in rows] == [*TEXTS[:1000], None, *TEXTS[2000:]]
    assert (rows[1000]["drop"], rows[1000]["span_start"], rows[1000]["span_bytes"]) == ("damaged", 1000, 1000)
    assert 0 < ledger.lost_bytes < len(stored) // 2


@pytest.mark.parametrize("keep", [0, 1, 100, 20_000, -1])
def test_a_truncated_file_is_one_row(stored: bytes, keep: int) -> None:
    rows, ledger, _ = read(ReadParquet(), stored[:keep])
    assert [row["drop"] for row in rows] == ([] if keep == 0 else ["damaged"])
    assert ledger.lost_bytes == len(stored[:keep])


def test_the_law_holds_whatever_is_flipped(stored: bytes) -> None:
    chance = random.Random(7)
    seen = set()
    for number in range(150):
        broken = bytearray(stored)
        # Half of the flips hit the footer, where the lies are.
        hit = chance.randrange(len(broken)) if number % 2 else chance.randrange(len(broken) - 1500, len(broken))
        broken[hit] ^= 1 << chance.randrange(8)
        rows, _, _ = read(ReadParquet(), bytes(broken))
        seen.add(len(rows))
        if len(rows) == 3000:
            assert [row["text"] for row in rows] == TEXTS
    assert {1, 2001, 3000} <= seen
