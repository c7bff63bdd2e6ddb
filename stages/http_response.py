"""An HTTP/1 response as a crawler stored it -> status, header fields and body.

Crawlers often store a body already decoded under the header fields that the server sent. So chunked framing and
compression are undone only where the body looks like it; what claims an encoding and is plainly not in it stays as it
is. A body that ends early keeps what decoded: archives cut long pages. Expansion is bounded, and so is a head; work and
memory are linear in the response and what it expands to.
"""

import re
import zlib
from collections.abc import Callable
from typing import NamedTuple

import brotli
import zstandard

_STATUS = re.compile(rb"HTTP/\d(?:\.\d)?[ \t]+(\d{3})(?!\d)")
_CHUNK = re.compile(rb"[ \t]*([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\r\n]{0,4096})?\r?\n")
# No two runs of white space side by side: a megabyte of blanks would be tried in every division.
_CHARSET = re.compile(r"charset\s*=\s*(?:[\"']\s*)?([^\s\"';,]+)", re.IGNORECASE)
_MAX_HEAD_BYTES = 1 << 20  # as of a record's own header; browsers refuse a quarter of it
_MAX_ENCODINGS = 5  # curl's bound: a body can decode to itself
_STEP_BYTES = 1 << 20
_FEED_BYTES = 64 << 10
_RATIO_FREE_BYTES = 1 << 20
_LISTS = ("content-encoding", "transfer-encoding")  # fields whose repetitions add up


class HttpError(ValueError):
    """The response cannot be used. `drop` is the code, the message the detail."""

    def __init__(self, drop: str, detail: str) -> None:
        super().__init__(detail)
        self.drop = drop


class Head(NamedTuple):
    """`fields` by lower-case name; where a name repeats, the first value (encodings: all, with commas)."""

    status: int
    fields: dict[str, str]
    body_start: int

    @property
    def mime(self) -> str | None:
        """Media type without parameters, lower-case; None if there is none."""
        return self.fields.get("content-type", "").split(";")[0].split(",")[0].strip().lower() or None

    @property
    def charset(self) -> str | None:
        """`charset` of Content-Type, lower-case; None if there is none."""
        found = _CHARSET.search(self.fields.get("content-type", ""))
        return found[1].lower() if found else None


def read_head(response: bytes) -> Head:
    """Raises HttpError (bad_http) where there is no status line, or more than 1 MiB of header."""
    status = _STATUS.match(response)
    if status is None:
        raise HttpError("bad_http", "no HTTP status line")
    end = _end_of_head(response)
    if end > _MAX_HEAD_BYTES:
        raise HttpError("bad_http", f"HTTP header of {end} bytes")
    return Head(int(status[1]), read_fields(response[status.end() : end]), end)


def _end_of_head(response: bytes) -> int:
    ends = [at + len(mark) for mark in (b"\r\n\r\n", b"\n\n", b"\n\r\n") if (at := response.find(mark)) >= 0]
    return min(ends, default=len(response))


def read_fields(head: bytes) -> dict[str, str]:
    """Header fields below the first line of `head`. UTF-8 with a replacement for what is not; folded lines joined."""
    values: dict[str, list[str]] = {}
    name = ""
    for line in head.decode("utf-8", "replace").split("\n")[1:]:
        if line[:1] in (" ", "\t") and name:
            values[name].append(f" {line.strip()}")
            continue
        key, colon, value = line.partition(":")
        name = key.strip().lower() if colon else ""
        if name and name not in values:
            values[name] = [value.strip()]
        elif name in _LISTS:
            values[name].append(f", {value.strip()}")
        else:
            name = ""
    return {name: "".join(parts) for name, parts in values.items()}


def read_body(response: bytes, head: Head, max_bytes: int, max_ratio: int) -> bytes:
    """The payload, transfer and content encodings undone. Raises HttpError: too_large beyond `max_bytes`, or beyond
    1 MiB and `max_ratio` times the stored size; bad_http for an encoding that is unknown or does not decode, or more
    than five of them."""
    body = response[head.body_start :]
    if "chunked" in head.fields.get("transfer-encoding", "").lower():
        body = _dechunk(body)
    limit = min(max_bytes, max(_RATIO_FREE_BYTES, max_ratio * len(body)))
    claimed = (name.strip().lower() for name in head.fields.get("content-encoding", "").split(","))
    encodings = [name for name in claimed if name not in ("", "identity", "none", "utf-8")]
    if len(encodings) > _MAX_ENCODINGS:
        raise HttpError("bad_http", f"{len(encodings)} content encodings")
    for name in reversed(encodings):
        if body:
            if name not in _DECODERS:
                raise HttpError("bad_http", f"content encoding {name[:40]}")
            body = _DECODERS[name](body, limit)
    if len(body) > max_bytes:
        raise HttpError("too_large", f"body of {len(body)} bytes")
    return body


def _dechunk(body: bytes) -> bytes:
    """As it is where no chunk size stands at the start; up to the first bad or missing chunk."""
    whole, at = bytearray(), 0  # one buffer: chunks of one byte would take 10 times as much as a list
    while size := _CHUNK.match(body, at):
        begin = size.end()
        end = begin + int(size[1], 16)
        if end == begin:
            break
        whole += body[begin:end]
        at = end + (2 if body.startswith(b"\r\n", end) else 1 if body.startswith(b"\n", end) else 0)
    return bytes(whole) if at or size else body


def _inflate(body: bytes, limit: int, window_bits: int) -> bytes:
    """Raises zlib.error if the first bytes do not inflate; later damage is an HttpError."""
    pieces, total, at = [], 0, 0
    while at < len(body):
        inflater, data = zlib.decompressobj(window_bits), b""
        while not inflater.eof:
            # What is not used of a piece is copied: a piece at a time keeps members of a few bytes cheap.
            piece = inflater.unconsumed_tail or body[at : at + _FEED_BYTES]
            if not piece and len(data) < _STEP_BYTES:
                break
            at += 0 if inflater.unconsumed_tail else len(piece)
            try:
                data = inflater.decompress(piece, _STEP_BYTES)
            except zlib.error as error:
                if total:
                    raise HttpError("bad_http", "compressed body does not inflate") from error
                raise
            if data:
                pieces.append(data)
            total = _within(limit, total + len(data))
        at -= len(inflater.unused_data)
        if not body.startswith(b"\x1f\x8b", at):
            break
    return b"".join(pieces)


def _gunzip(body: bytes, limit: int) -> bytes:
    if not body.startswith(b"\x1f\x8b"):
        return body
    try:
        return _inflate(body, limit, 31)
    except zlib.error as error:
        raise HttpError("bad_http", "compressed body does not inflate") from error


def _inflate_either(body: bytes, limit: int) -> bytes:
    """`deflate` is the zlib format by the standard, and the bare one from some servers."""
    for window_bits in (15, -15):
        try:
            return _inflate(body, limit, window_bits)
        except zlib.error:
            continue
    return body


def _brotli(body: bytes, limit: int) -> bytes:
    decoder, pieces, total, feed = brotli.Decompressor(), [], 0, body
    try:
        while True:
            piece = decoder.process(feed, output_buffer_limit=_STEP_BYTES)
            pieces.append(piece)
            total = _within(limit, total + len(piece))
            feed = b""
            if decoder.is_finished() or decoder.can_accept_more_data():
                return b"".join(pieces)
    except brotli.error as error:
        # There is no magic number: a page that begins as one was stored decoded.
        if not total and body.lstrip()[:1] == b"<":
            return body
        raise HttpError("bad_http", "brotli body does not decode") from error


def _zstd(body: bytes, limit: int) -> bytes:
    if not body.startswith(b"\x28\xb5\x2f\xfd"):
        return body
    pieces, total = [], 0
    try:
        with zstandard.ZstdDecompressor(max_window_size=8 << 20).stream_reader(body) as stream:  # RFC 9659: 8 MB
            while piece := stream.read(_STEP_BYTES):
                pieces.append(piece)
                total = _within(limit, total + len(piece))
    except zstandard.ZstdError as error:
        raise HttpError("bad_http", "zstd body does not decode") from error
    return b"".join(pieces)


def _within(limit: int, total: int) -> int:
    if total > limit:
        raise HttpError("too_large", f"body expands beyond {limit} bytes")
    return total


_DECODERS: dict[str, Callable[[bytes, int], bytes]] = {
    "gzip": _gunzip,
    "x-gzip": _gunzip,
    "deflate": _inflate_either,
    "br": _brotli,
    "zstd": _zstd,
}
