"""Mutated archives: records of the data in a container, with lies in their headers and damage in the stored bytes."""

import gzip
import random
import re
import zlib
from collections.abc import Sequence

import brotli
import zstandard

from bench.fuzz.pages import span
from stages.read_warc import read_record

MOST_RECORDS = 24
_LENGTH = re.compile(rb"(?i)(content-length:[ \t]*)(\d+)")
_LIES = (b"0", b"1", b"-1", b"00000000000000000001", b"999999999999999999", b"9" * 30, b"", b"0x10", b"1e9", b"1,000")
_FIELDS = (
    b"Content-Encoding: gzip", b"Content-Encoding: br", b"Content-Encoding: deflate", b"Content-Encoding: zstd",
    b"Content-Encoding: gzip, br, zstd, deflate", b"Transfer-Encoding: chunked", b"Transfer-Encoding: gzip, chunked",
    b"Content-Type: text/html; charset=" + b"x" * 5000, b"Content-Type:", b"\x1b[2J: \x07", b" folded", b":", b"x",
    b"Content-Length: 5", b"WARC-Type: response", b"WARC-Type: revisit",
)  # fmt: skip
_STATUS = (
    b"HTTP/1.1 200 OK",
    b"HTTP/1.1 404",
    b"HTTP/1.1 99999",
    b"HTTP/9.9 200",
    b"ICY 200",
    b"HTTP/1.1",
    b"",
    b"HTTP/2 200",
)


def mutated(chance: random.Random, pool: Sequence[bytes]) -> tuple[str, bytes]:
    """-> (a file name, whose suffix says how it is stored; the file), made of up to MOST_RECORDS raw records."""
    records = [chance.choice(pool) for _ in range(chance.randint(1, MOST_RECORDS))]
    arc = chance.random() < 0.25
    if arc:
        records = [_arc(record) for record in records]
    records = [
        _lying(chance, record) if chance.random() < 0.4 else record + (b"\n" if arc else b"\r\n\r\n")
        for record in records
    ]
    suffix, stored = _stored(chance, records)
    for _ in range(chance.choice((0, 1, 1, 1, 2, 3, 8))):
        stored = _damaged(chance, stored)
    return f"x.{'arc' if arc else 'warc'}{suffix}", stored


def _arc(record: bytes) -> bytes:
    entry = read_record(record)
    url = (entry.url or "http://a/").encode("utf-8", "replace").replace(b"\n", b"")
    return b"%b 1.2.3.4 20080430204825 text/html %d\n%b" % (url, len(entry.content), entry.content)


def _lying(chance: random.Random, record: bytes) -> bytes:
    """The record with one thing wrong before it is stored."""
    head, blank, rest = record.partition(b"\r\n\r\n")
    match chance.randrange(9):
        case 0:  # a length that lies
            lie = chance.choice((*_LIES, b"%d" % chance.randrange(2 * len(record) + 1)))
            return _LENGTH.sub(lambda found: found[1] + lie, record, count=1)
        case 1:  # many header lines, or a long one
            field = b"X-%d: %b\r\n" % (chance.randrange(9), b"a" * int(100_000 ** chance.random()))
            return b"WARC/1.0\r\n" + field * int(3000 ** chance.random()) + record.partition(b"\r\n")[2]
        case 2:  # a header without end, or none
            return chance.choice((head, head + b"\r\n" + rest, rest, b"WARC/", record.replace(b"\r\n", b"\n")))
        case 3 | 4:  # encodings that are claimed, present, or both, one in another
            body = rest.partition(b"\r\n\r\n")[2]
            return _wrapped(head, chance.choice(_STATUS[:1] * 5 + _STATUS), _encoded(chance, body))
        case 5:
            first, last = span(chance, record)
            return (
                record[:first]
                + chance.choice((b"\0", b"\xff", b"\n", b"WARC/1.0\r\n")) * (last - first)
                + record[last:]
            )
        case 6:  # a record in a record
            return head + blank + record + b"\r\n\r\n" + rest
        case 7:
            at = chance.randrange(len(record) + 1)
            return record[:at]
        case _:
            return _damaged(chance, record)


def _wrapped(head: bytes, status: bytes, response: bytes) -> bytes:
    """The WARC header around another response, with the length that it has."""
    content = status + b"\r\n" + response
    return (
        _LENGTH.sub(lambda found: found[1] + b"%d" % len(content), head, count=1) + b"\r\n\r\n" + content + b"\r\n\r\n"
    )


def _encoded(chance: random.Random, body: bytes) -> bytes:
    """Fields and a body: encodings claimed, undone at most in part."""
    fields = [b"Content-Type: text/html", *(chance.choice(_FIELDS) for _ in range(chance.randint(0, 4)))]
    for _ in range(chance.randint(0, 3)):
        if chance.random() < 0.15:
            body = body[:64] + bytes(chance.choice((1 << 20, 8 << 20)))  # a bomb, once it is packed
        body = chance.choice(_PACKERS)(body)
    if chance.random() < 0.5:
        body = _damaged(chance, body)
    if chance.random() < 0.4:
        size = chance.choice(
            (b"%x" % len(body), b"%X;a=b" % (len(body) // 2), b"ffffffffffffffff", b"fffffff", b"-1", b"0", b"g")
        )
        body = size + b"\r\n" + body + b"\r\n0\r\n\r\n"
    return b"\r\n".join(fields) + chance.choice((b"\r\n\r\n", b"\n\n", b"\r\n")) + body


def _brotli(data: bytes) -> bytes:
    return brotli.compress(data, quality=1)


_PACKERS = (
    lambda data: gzip.compress(data, 1, mtime=0),
    lambda data: zlib.compress(data, 1),
    _brotli,
    zstandard.compress,
)


def _stored(chance: random.Random, records: Sequence[bytes]) -> tuple[str, bytes]:
    """-> (suffix, bytes): plain, one member per record, one member for all, or members that cut through records."""
    whole = b"".join(records)
    step = chance.choice((1000, 20_000, 300_000))
    parts = chance.choice((list(records), [whole], [whole[at : at + step] for at in range(0, len(whole), step)]))
    match chance.choice(("", "", ".gz", ".gz", ".gz", ".zst")):
        case ".gz":
            return ".gz", b"".join(gzip.compress(part, 1, mtime=0) for part in parts)
        case ".zst":
            return ".zst", b"".join(zstandard.compress(part, 1) for part in parts)
    return "", whole


def _damaged(chance: random.Random, data: bytes) -> bytes:
    """Bytes flipped, cut off, taken out, put in, doubled, blanked or exchanged."""
    if not data:
        return data
    first, last = span(chance, data)
    other, end = span(chance, data, 100_000)
    match chance.randrange(8):
        case 0 | 1:
            changed = bytearray(data)
            for _ in range(int(30 ** chance.random())):
                changed[chance.randrange(len(data))] = chance.randrange(256)
            return bytes(changed)
        case 2:
            return data[:first]
        case 3:
            return data[:first] + data[last:]
        case 4:
            return data[:first] + chance.randbytes(int(5000 ** chance.random())) + data[first:]
        case 5:
            return data[:first] + data[other:end] + data[first:]
        case 6:
            return data[:first] + bytes(last - first) + data[last:]
    return data[first:] + data[:first]
