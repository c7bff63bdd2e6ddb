"""Web archives: WARC and ARC, one row per record, pages with their body.

adds span_start, span_bytes (int64)  place of the record in the decoded stream, without the line breaks behind it
     file_start, file_bytes (int64)  the range of the stored file that holds this record alone (its gzip member, or its
                                     place in a file that is not compressed), null if there is none
     url, record_id, date (string)   WARC-Target-URI, WARC-Record-ID, WARC-Date; of an ARC record its URL, null, and its
                                     date in the same form
     mime (string)                   media type of the HTTP header, lower-case
     http_charset (string)           `charset` of the HTTP Content-Type, lower-case, null if none
     body (binary)                   payload, transfer and content encodings undone

drop: not_response (detail: the record's type), http_status (detail: the status), not_html (detail: the media type),
bad_http, too_large (the body expands too far, or a compressed member does), too_long, truncated, damaged.

A response without a media type is kept if its body begins with `<`.
"""

import re
from collections.abc import Iterator
from typing import BinaryIO, ClassVar, NamedTuple

import pyarrow as pa

from corpus.stage import Chunk, Columns, Ledger
from stages.chunks import Cutter, Row, StreamReader, parse_rows
from stages.decompress import compression, decode
from stages.http_response import HttpError, read_body, read_fields, read_head
from stages.warc_grammar import ARC_LINE, Arc, Grammar, Head, Warc
from stages.warc_records import cut_records

PAGE_TYPES = ("text/html", "application/xhtml+xml", "text/plain")
_CHUNK_BODY_BYTES = 1 << 30  # of all bodies of a chunk: Arrow's 32-bit offsets, and memory
_WARC_VERSION = b"WARC/"


class WarcReader(StreamReader, frozen=True, kw_only=True):
    """Cutting, shared by all readers of web archives."""

    def cut(self, stream: BinaryIO, path: str, ledger: Ledger) -> Iterator[Chunk]:
        grammar = _grammar(path)
        events = decode(stream, path, ledger, self.limits, starts=lambda first: grammar.begins(first, 0) is not False)
        return cut_records(events, grammar, Cutter(self), ledger, self.max_record_bytes, bool(compression(path)))


class ReadWarc(WarcReader, frozen=True, kw_only=True, tag="warc"):
    """Reads `.warc` and `.arc`, plain or as `.gz` (one member per record or not) or `.zst`.

    page_types      media types that are kept
    max_body_bytes  a body that decodes to more is dropped (`too_large`)
    max_body_ratio  so is one above 1 MiB that expands more
    """

    revision: ClassVar[int] = 2
    adds: ClassVar[dict[str, pa.DataType]] = {
        "span_start": pa.int64(),
        "span_bytes": pa.int64(),
        "file_start": pa.int64(),
        "file_bytes": pa.int64(),
        "url": pa.string(),
        "record_id": pa.string(),
        "date": pa.string(),
        "mime": pa.string(),
        "http_charset": pa.string(),
        "body": pa.binary(),
    }

    page_types: tuple[str, ...] = PAGE_TYPES
    max_body_bytes: int = 64 << 20
    max_body_ratio: int = 200

    def parse(self, chunk: Chunk) -> Columns:
        run, left = chunk.payload, _CHUNK_BODY_BYTES

        def row(record: memoryview) -> Row:
            nonlocal left
            values = self._row(bytes(record), left)
            left -= len(values[5] or b"")
            return values

        types = {name: kind for name, kind in self.adds.items() if name not in (*run.spans(), *run.file_ranges())}
        return run.spans() | run.file_ranges() | parse_rows(run, types, row, batch_rows=256)

    def _row(self, record: bytes, body_bytes_left: int) -> Row:
        entry = read_record(record)
        known = entry.url, entry.record_id, entry.date
        if not entry.is_response:
            return *known, None, None, None, "not_response", entry.kind[:100]
        try:
            head = read_head(entry.content)
        except HttpError as error:
            return *known, None, None, None, error.drop, str(error)
        page = *known, head.mime, head.charset
        if head.status != 200:
            return *page, None, "http_status", str(head.status)
        if head.mime is not None and head.mime not in self.page_types:
            return *page, None, "not_html", head.mime[:100]
        try:
            body = read_body(entry.content, head, min(self.max_body_bytes, body_bytes_left), self.max_body_ratio)
        except HttpError as error:
            return *page, None, error.drop, str(error)
        if head.mime is None and body.lstrip()[:1] != b"<":
            return *page, None, "not_html", "no media type"
        return *page, body, None, None


class Entry(NamedTuple):
    """A record without its HTTP part taken apart."""

    kind: str  # WARC-Type
    is_response: bool  # of HTTP
    url: str | None
    record_id: str | None
    date: str | None
    content: bytes


def read_record(record: bytes) -> Entry:
    """The header of a whole WARC or ARC record, and its content. ValueError for anything else."""
    if record.startswith(_WARC_VERSION):
        head = Warc().head(record)
        if not isinstance(head, Head):
            raise ValueError(f"not a whole WARC record: {head or 'header without end'}")
        fields = read_fields(record[: head.header_bytes])
        kind, url = fields.get("warc-type", ""), fields.get("warc-target-uri")
        content_type = fields.get("content-type", "")
        is_response = kind == "response" and not content_type.startswith("text/dns")
        return Entry(
            kind=kind if is_response or kind != "response" else content_type,
            is_response=is_response,
            url=url.strip("<>") if url else None,
            record_id=fields.get("warc-record-id"),
            date=fields.get("warc-date"),
            content=record[head.header_bytes :],
        )
    line = ARC_LINE.match(record)
    if line is None:
        raise ValueError("not a WARC or ARC record")
    url = line["url"].decode("utf-8", "replace")
    scheme = url.partition(":")[0]
    is_response = scheme in ("http", "https")
    kind = "response" if is_response else scheme
    return Entry(kind, is_response, url, None, _iso(line["date"].decode("ascii")), record[line.end() :])


def _iso(date: str) -> str:
    """`20080430204825` -> `2008-04-30T20:48:25Z`."""
    return re.sub(r"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)?\d*", r"\1-\2-\3T\4:\5:\6Z", date)


def _grammar(path: str) -> Grammar:
    return Arc() if re.search(r"\.arc(\.gz|\.zst)?$", path, re.IGNORECASE) else Warc()
