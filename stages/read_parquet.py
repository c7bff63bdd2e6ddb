"""Parquet: one document per row, text in one column.

adds span_start, span_bytes (int64)  position of the row in the file, and 1: a span counts rows here, not bytes, since a
                                     row has no bytes of its own in a columnar file
     text (string)                   column `text_column`
     url (string)                    column `url_column`, null if there is none

So in the ledger `decoded_bytes` is the number of rows that the file's footer announces, and `skipped_bytes` is 0; the
other three count bytes of the file. What cannot be read of a row group is one row (`damaged`) from its first unread row
to its last; a file whose footer cannot be read is one row of no span. The bytes lost with a row group are the footer's
figure for the group, in proportion to the rows.

drop: no_text (null, or no such column), bad_charset, too_long, damaged.

Pages carry checksums only if the writer was told to: without them a flipped bit inside a text goes unseen.
"""

import os
from collections.abc import Iterator
from itertools import islice
from typing import BinaryIO, ClassVar

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import xxhash
from msgspec import structs

from corpus.stage import Chunk, Columns, Ledger, Reader
from stages.chunks import Cutter, Row, Run, check_bounds, parse_rows

_BATCH_ROWS = 1024
_UNREADABLE = (pa.ArrowException, OSError, ValueError, OverflowError)  # what pyarrow raises on damaged bytes
_READ_BYTES = 1 << 20
_FOOTER_ABSENT = "footer cannot be read"


class Rows(msgspec.Struct, frozen=True):
    """Payload of a chunk: the texts, and a URL for each."""

    texts: Run
    urls: list[str | None]


class ReadParquet(Reader, frozen=True, kw_only=True, tag="parquet"):
    """Reads `.parquet` files."""

    seeks: ClassVar[bool] = True
    uses: ClassVar[tuple[str, ...]] = ("pyarrow",)
    adds: ClassVar[dict[str, pa.DataType]] = {
        "span_start": pa.int64(),
        "span_bytes": pa.int64(),
        "text": pa.string(),
        "url": pa.string(),
    }

    text_column: str = "text"
    url_column: str = "url"

    def __post_init__(self) -> None:
        check_bounds(self)

    def cut(self, stream: BinaryIO, path: str, ledger: Ledger) -> Iterator[Chunk]:
        ledger.file_bytes = stream.seek(0, os.SEEK_END)
        stream.seek(0)
        cutter, urls = Cutter(self), []
        if ledger.file_bytes:
            for drop, detail, start, size, text, url in self._rows(stream, ledger):
                urls.append(url)
                chunk = cutter.add_fault(drop, detail, start, size) if drop else cutter.add(text, start, size)
                if chunk:
                    yield _with_urls(chunk, urls)
                    urls = []
        ledger.framed_bytes = ledger.file_bytes - ledger.lost_bytes
        if last := cutter.finish():
            yield _with_urls(last, urls)

    def _rows(self, stream: BinaryIO, ledger: Ledger) -> Iterator[tuple[str, str, int, int, bytes, str | None]]:
        """(drop, detail, first row, rows, text, url) of each row of the file, and of each run of unreadable ones."""
        try:
            file = pq.ParquetFile(stream, pre_buffer=False, buffer_size=_READ_BYTES, page_checksum_verification=True)
            groups = [file.metadata.row_group(number) for number in range(file.num_row_groups)]
            names = set(file.schema_arrow.names)
        except _UNREADABLE:
            ledger.lost_bytes = ledger.file_bytes
            yield "damaged", _FOOTER_ABSENT, 0, 0, b"", None
            return
        columns = [name for name in (self.text_column, self.url_column) if name in names]
        row = 0
        for number, group in enumerate(groups):
            expected, end = max(0, group.num_rows), row + max(0, group.num_rows)
            ledger.decoded_bytes += expected
            try:
                for batch in file.iter_batches(_BATCH_ROWS, [number], columns, use_threads=False):
                    for drop, detail, text, url in islice(self._values(batch), end - row):
                        yield drop, detail, row, 1, text, url
                        row += 1
            except _UNREADABLE:
                pass  # the rows that are missing now are counted below
            if row < end:
                size = sum(group.column(place).total_compressed_size for place in range(group.num_columns))
                lost = min(max(0, size) * (end - row) // expected, ledger.file_bytes - ledger.lost_bytes)
                ledger.lost_bytes += lost
                yield "damaged", f"row group {number}; {lost} file bytes lost", row, end - row, b"", None
                row = end

    def _values(self, batch: pa.RecordBatch) -> Iterator[tuple[str, str, bytes, str | None]]:
        texts, kind = _bytes_of(batch, self.text_column)
        urls, _ = _bytes_of(batch, self.url_column)
        for text, url in zip(texts, urls, strict=True):
            link = url.decode("utf-8", "replace") if url is not None else None
            if text is None:
                yield "no_text", f"{self.text_column} is {kind}", b"", link
            elif len(text) > self.max_record_bytes:
                yield "too_long", str(len(text)), b"", link
            else:
                yield "", "", text, link

    def parse(self, chunk: Chunk) -> Columns:
        run = chunk.payload.texts
        columns = run.spans() | parse_rows(run, {"text": pa.string()}, _row)
        return columns | {"url": pa.array(chunk.payload.urls, pa.string())}


def _row(record: memoryview) -> Row:
    try:
        return str(record, "utf-8"), None, None
    except UnicodeDecodeError as wrong:
        return None, "bad_charset", f"byte {wrong.start} is not UTF-8"


def _with_urls(chunk: Chunk, urls: list[str | None]) -> Chunk:
    digest = xxhash.xxh3_128(chunk.digest.encode())
    digest.update(msgspec.json.encode(urls))
    return structs.replace(chunk, digest=digest.hexdigest(), payload=Rows(chunk.payload, urls))


def _bytes_of(batch: pa.RecordBatch, name: str) -> tuple[list[bytes | None], str]:
    """Values of a text column as bytes (all None if it is absent or holds no text), and what a None stands for."""
    if name not in batch.schema.names:
        return [None] * len(batch), "absent"
    column = batch.column(batch.schema.names.index(name))
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    kind = column.type
    if not any(is_text(kind) for is_text in _TEXT_TYPES):
        return [None] * len(batch), str(kind)
    return column.cast(pa.large_binary()).to_pylist(), "null"


_TEXT_TYPES = (
    pa.types.is_string,
    pa.types.is_large_string,
    pa.types.is_binary,
    pa.types.is_large_binary,
    pa.types.is_string_view,
    pa.types.is_binary_view,
)
