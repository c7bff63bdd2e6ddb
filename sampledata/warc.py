"""WARC 1.0 records, one gzip member each, written byte by byte (ISO 28500:2009)."""

import base64
import gzip
import hashlib
import uuid
from typing import NamedTuple

SOFTWARE = "sampledata (corpus compiler)"


class Page(NamedTuple):
    """An answer of a web server.

    headers  of the answer, in order, without Content-Length
    body     bytes as sent
    """

    url: str
    status: str
    headers: tuple[tuple[str, str], ...]
    body: bytes


def info_record(filename: str, identity: bytes, date: str) -> bytes:
    fields = f"software: {SOFTWARE}\r\nformat: WARC File Format 1.0\r\nrobots: classic\r\n"
    headers = [("WARC-Filename", filename), ("Content-Type", "application/warc-fields")]
    return _record("warcinfo", headers, fields.encode(), identity, date)


def request_record(page: Page, identity: bytes, date: str, concurrent: bytes) -> bytes:
    """The request behind `page`; `concurrent` is the identity of its response."""
    host, _, path = page.url.split("://", 1)[1].partition("/")
    block = f"GET /{path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: {SOFTWARE}\r\nAccept: text/html,*/*;q=0.8\r\n\r\n"
    headers = [
        ("WARC-Target-URI", page.url),
        ("WARC-Concurrent-To", _urn(concurrent)),
        ("Content-Type", "application/http; msgtype=request"),
    ]
    return _record("request", headers, block.encode("ascii"), identity, date)


def response_record(page: Page, identity: bytes, date: str, *, keep_bytes: int | None = None) -> bytes:
    """`page` as a response. With `keep_bytes` the body is cut there while the HTTP header still promises all of it,
    as crawlers do when they reach a limit (WARC-Truncated: length)."""
    head = [f"HTTP/1.1 {page.status}", *(f"{name}: {value}" for name, value in page.headers)]
    head.append(f"Content-Length: {len(page.body)}")
    body = page.body if keep_bytes is None else page.body[:keep_bytes]
    block = "\r\n".join([*head, "", ""]).encode("latin-1") + body
    headers = [
        ("WARC-Target-URI", page.url),
        ("Content-Type", "application/http; msgtype=response"),
        ("WARC-IP-Address", f"192.0.2.{identity[0]}"),
        ("WARC-Payload-Digest", _digest(body)),
        ("WARC-Block-Digest", _digest(block)),
    ]
    if keep_bytes is not None:
        headers.append(("WARC-Truncated", "length"))
    return _record("response", headers, block, identity, date)


def member(record: bytes) -> bytes:
    """`record` as a gzip member without a time."""
    return gzip.compress(record, compresslevel=6, mtime=0)


def _record(kind: str, headers: list[tuple[str, str]], block: bytes, identity: bytes, date: str) -> bytes:
    lines = ["WARC/1.0", f"WARC-Type: {kind}", f"WARC-Record-ID: {_urn(identity)}", f"WARC-Date: {date}"]
    lines += [f"{name}: {value}" for name, value in headers]
    lines.append(f"Content-Length: {len(block)}")
    return "\r\n".join([*lines, "", ""]).encode("utf-8") + block + b"\r\n\r\n"


def _urn(identity: bytes) -> str:
    return f"<urn:uuid:{uuid.UUID(bytes=identity[:16], version=4)}>"


def _digest(payload: bytes) -> str:
    return "sha1:" + base64.b32encode(hashlib.sha1(payload, usedforsecurity=False).digest()).decode("ascii")
