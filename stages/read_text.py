"""Plain text: one file is one document, or a separator divides it into several.

adds span_start, span_bytes (int64)  place in the decoded stream, without separator and byte order mark
     text (string)
     url (string)                    always null

drop: bad_charset (not UTF-8), too_long, and damaged, truncated or too_large for what could not be decompressed. Text
before such a loss belongs to the row of the loss: half a document is none.
"""

from collections.abc import Iterator
from typing import BinaryIO, ClassVar

import pyarrow as pa

from corpus.stage import Chunk, Columns, Ledger
from stages.chunks import Cutter, Row, StreamReader, parse_rows
from stages.decompress import decode
from stages.lines import cut_records


class ReadText(StreamReader, frozen=True, kw_only=True, tag="text"):
    """Reads text files, plain or as `.gz` or `.zst`. `separator` stands between documents (for instance a blank line,
    or a marker); empty means one document per file."""

    adds: ClassVar[dict[str, pa.DataType]] = {
        "span_start": pa.int64(),
        "span_bytes": pa.int64(),
        "text": pa.string(),
        "url": pa.string(),
    }

    separator: str = ""

    def cut(self, stream: BinaryIO, path: str, ledger: Ledger) -> Iterator[Chunk]:
        events = decode(stream, path, ledger, self.limits)
        return cut_records(events, self.separator.encode("utf-8"), Cutter(self), ledger, self.max_record_bytes)

    def parse(self, chunk: Chunk) -> Columns:
        types = {"text": pa.string(), "url": pa.string()}
        return chunk.payload.spans() | parse_rows(chunk.payload, types, _row)


def _row(record: memoryview) -> Row:
    try:
        return str(record, "utf-8"), None, None, None
    except UnicodeDecodeError as wrong:
        return None, None, "bad_charset", f"byte {wrong.start} is not UTF-8"
