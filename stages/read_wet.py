"""WET files: the text that a crawl's own extractor found, one row per record of the archive.

adds span_start, span_bytes (int64)  place of the record in the decoded stream
     file_start, file_bytes (int64)  as in `read_warc`
     url, record_id, date (string)   WARC-Target-URI, WARC-Record-ID, WARC-Date
     text (string)

drop: not_conversion (detail: the record's type), bad_charset, too_long, truncated, damaged, too_large.
"""

from typing import ClassVar

import pyarrow as pa

from corpus.stage import Chunk, Columns
from stages.chunks import Row, parse_rows
from stages.read_warc import WarcReader, read_record


class ReadWet(WarcReader, frozen=True, kw_only=True, tag="wet"):
    """Reads `.warc.wet`, plain or as `.gz` or `.zst`."""

    adds: ClassVar[dict[str, pa.DataType]] = {
        "span_start": pa.int64(),
        "span_bytes": pa.int64(),
        "file_start": pa.int64(),
        "file_bytes": pa.int64(),
        "url": pa.string(),
        "record_id": pa.string(),
        "date": pa.string(),
        "text": pa.string(),
    }

    def parse(self, chunk: Chunk) -> Columns:
        run = chunk.payload
        types = {name: self.adds[name] for name in ("url", "record_id", "date", "text")}
        return run.spans() | run.file_ranges() | parse_rows(run, types, _row)


def _row(record: memoryview) -> Row:
    entry = read_record(bytes(record))
    known = entry.url, entry.record_id, entry.date
    if entry.kind != "conversion":
        return *known, None, "not_conversion", entry.kind
    try:
        return *known, entry.content.decode("utf-8"), None, None
    except UnicodeDecodeError as wrong:
        return *known, None, "bad_charset", f"byte {wrong.start} of the text is not UTF-8"
