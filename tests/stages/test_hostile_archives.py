"""Archives made to hurt: bombs in bombs, headers of megabytes, lengths that lie, floods of zeros and of tiny members.

Each must end, in memory that does not grow with what was announced, with every byte accounted for; the records around it
are read. Work that grows with the square of an input would run for hours here: it shows as a timeout.
"""

import gzip
import io
import struct
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from unittest.mock import patch

import brotli
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.stage import Ledger
from stages.extract import Extract
from stages.read_warc import ReadWarc
from stages.warc_grammar import Arc, Warc

HTML = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
MB = 1 << 20


def record(content: bytes, fields: bytes = b"", length: int | None = None) -> bytes:
    size = len(content) if length is None else length
    head = b"WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: http://a/\r\n%bContent-Length: %d\r\n\r\n"
    return head % (fields, size) + content + b"\r\n\r\n"


def arc_record(content: bytes) -> bytes:
    return b"http://a/ 1.2.3.4 20080430204825 text/html %d\n%b\n" % (len(content), content)


GOOD = record(HTML + b"\r\n<p>good")


def rows_of(stream: io.RawIOBase | bytes, path: str, reader: ReadWarc | None = None) -> tuple[list[dict], Ledger]:
    """All rows; both laws are checked on the way."""
    reader, ledger, rows = reader or ReadWarc(), Ledger(), []
    source = io.BytesIO(stream) if isinstance(stream, bytes) else stream
    for chunk in reader.cut(source, path, ledger):  # type: ignore[arg-type]
        columns = reader.parse(chunk)
        rows += [dict(zip(columns, row, strict=True)) for row in zip(*(v.to_pylist() for v in columns.values()))]
    assert sum(row["span_bytes"] for row in rows) + ledger.skipped_bytes == ledger.decoded_bytes
    assert ledger.file_bytes == ledger.framed_bytes + ledger.lost_bytes
    assert all((row["drop"] is None) == (row["body"] is not None) for row in rows)
    return rows, ledger


def only(content: bytes, fields: bytes = b"") -> dict:
    """The row of one response; the record behind it is read."""
    rows, _ = rows_of(record(content, fields) + GOOD, "x.warc")
    assert [row["body"] for row in rows[1:]] == [b"<p>good"]
    return rows[0]


@contextmanager
def memory_below(limit_bytes: int) -> Iterator[None]:
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < limit_bytes
    finally:
        tracemalloc.stop()


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": lambda data: gzip.compress(data, mtime=0),
    "deflate": zlib.compress,
    "br": lambda data: brotli.compress(data, quality=2),
    "zstd": zstandard.compress,
}


# -- bombs -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("outer", PACKERS)
@pytest.mark.parametrize("inner", PACKERS)
def test_a_bomb_in_a_bomb(outer: str, inner: str) -> None:
    bomb = PACKERS[outer](PACKERS[inner](bytes(30 * MB)))
    assert len(bomb) < 40_000
    encodings = f"Content-Encoding: {inner}, {outer}\r\n\r\n".encode()
    with memory_below(24 * MB):  # 1 MiB is free, and 200 times what is stored: 8 MB, held twice
        assert only(HTML + encodings + bomb)["drop"] == "too_large"
    assert only(HTML + encodings + PACKERS[outer](PACKERS[inner](b"<p>x")))["body"] == b"<p>x"


def test_encodings_in_encodings_are_bounded() -> None:
    body = b"<p>x"
    for _ in range(6):
        body = gzip.compress(body, mtime=0)
    names = b"Content-Encoding: " + b"gzip, identity, " * 6 + b"\r\n\r\n"
    assert only(HTML + names + body)["detail"] == "6 content encodings"
    assert only(HTML + names.replace(b"gzip", b"", 1) + gzip.decompress(body))["body"] == b"<p>x"
    assert only(HTML + b"Content-Encoding: br\r\n" * 20_000 + b"\r\n<p>x")["detail"] == "20000 content encodings"


@pytest.mark.parametrize("pack", [PACKERS["gzip"], PACKERS["zstd"]])
def test_a_bomb_as_a_member_with_a_bomb_inside(pack: Callable[[bytes], bytes]) -> None:
    inside = record(HTML + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(bytes(30 * MB)))
    members = [GOOD, record(bytes(60 * MB)), inside, GOOD]
    path = "x.warc.zst" if pack is PACKERS["zstd"] else "x.warc.gz"
    rows, ledger = rows_of(b"".join(map(pack, members)), path)
    assert [row["drop"] for row in rows] == [None, "too_large", "too_large", None]
    assert ledger.decoded_bytes < 20 * MB


def test_a_frame_that_asks_for_much_history_is_refused() -> None:
    frame = b"\x28\xb5\x2f\xfd\x00\xf8" + b"\x01\x00\x00"  # 2**41 bytes of window
    rows, _ = rows_of(frame + zstandard.compress(GOOD), "x.warc.zst")
    assert [(row["drop"], (row["detail"] or "")[:20]) for row in rows] == [
        ("too_large", "zstd frame wants 219"),
        (None, ""),
    ]


def test_members_that_lie_in_one_another_are_not_decoded_again_and_again() -> None:
    """Every 30 bytes begins a member whose first block covers all that follow; all of them break at the same end."""
    size, step = 60_000, 30
    head = bytearray(b"x" * size)
    for at in range(0, size - 200, step):
        left = size - at - 15
        head[at : at + 15] = b"\x1f\x8b\x08\0\0\0\0\0\0\xff\0" + struct.pack("<HH", left, left ^ 0xFFFF)
        head[at + 15 : at + 25] = b"WARC/1.0\r\n"
    block = b"\0" + struct.pack("<HH", 65_535, 0) + b"y" * 65_535
    stored = bytes(head) + block * 100 + b"\xff" * 10
    rows, ledger = rows_of(stored + gzip.compress(GOOD), "x.warc.gz")
    assert ledger.decoded_bytes < 20 * len(stored)  # of 13 GB
    assert rows[-1]["body"] == b"<p>good"


# -- headers -----------------------------------------------------------------------------------------------------------


class Generated(io.RawIOBase):
    """A stream of `head`, so many times `unit`, and `tail`, made as it is read."""

    def __init__(self, head: bytes, unit: bytes, times: int, tail: bytes) -> None:
        self._pieces = (piece for part in ([head], (unit for _ in range(times)), [tail]) for piece in part)

    def read(self, size: int = -1) -> bytes:
        return next(self._pieces, b"")


def test_a_record_header_of_100_megabytes() -> None:
    with memory_below(12 * MB):
        rows, _ = rows_of(Generated(b"WARC/1.0\r\nX: ", b"y" * MB, 100, b"\r\n\r\n" + GOOD), "x.warc")
    assert [row["drop"] for row in rows] == ["damaged", None]
    assert rows[0]["detail"] == "record header without end"


def test_a_million_header_lines() -> None:
    assert rows_of(b"WARC/1.0\r\n" + b"a: b\r\n" * 1_000_000 + b"\r\n" + GOOD, "x.warc")[0][0]["drop"] == "damaged"
    row = only(HTML + b"a: b\r\n" * 1_000_000 + b"\r\n<p>x")
    assert (row["drop"], row["detail"]) == ("bad_http", "HTTP header of 6000044 bytes")
    row = only(HTML + b"".join(b"X-%d: 1\r\n" % n for n in range(60_000)) + b"Content-Encoding: br\r\n\r\n<p>x")
    assert (row["body"], row["mime"]) == (b"<p>x", "text/html")


def test_a_header_of_60_megabytes_in_a_response() -> None:
    row = only(HTML + b"X: " + b"y" * (60 * MB) + b"\r\n\r\n<p>x")
    assert (row["drop"], row["detail"]) == ("bad_http", f"HTTP header of {60 * MB + 49} bytes")


def test_lines_that_are_folded_or_repeated_add_up() -> None:
    row = only(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n" + b" ;\r\n" * 200_000 + b" charset=x\r\n\r\n<p>x")
    assert (row["body"], row["http_charset"]) == (b"<p>x", "x")
    assert only(HTML + b"\r\n<p>x", b"X: y\r\n" + b" z\r\n" * 200_000)["body"] == b"<p>x"
    assert only(HTML + b"Transfer-Encoding: a\r\n" * 40_000 + b"\r\n<p>x")["body"] == b"<p>x"


def test_blanks_in_a_content_type() -> None:
    for end in (b"", b";", b"'", b'"x'):
        row = only(HTML.replace(b"html", b"html; charset=" + b" " * 900_000 + end) + b"\r\n<p>x")
        assert row["body"] == b"<p>x"
    assert only(HTML.replace(b"html", b"html; charset = ' gbk'") + b"\r\n<p>x")["http_charset"] == "gbk"


# -- lengths -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("framing", "body"),
    [
        (b"5\r\n<p>ab\r\n0\r\n\r\n", b"<p>ab"),
        (b"ffffff\r\n<p>ab", b"<p>ab"),  # more than there is
        (b"2\r\n<p>ab\r\n0\r\n\r\n", b"<p"),  # less: what follows is no size
        (b"5\r\n<p>ab5\r\n<p>cd0\r\n", b"<p>ab<p>cd"),  # no line breaks between
        (b"0\r\n\r\n5\r\n<p>ab\r\n", b""),
        (b"000000005;a=b;c\r\n<p>ab\r\nzz\r\n<p>cd", b"<p>ab"),
        (b"-5\r\n<p>ab", b"-5\r\n<p>ab"),  # no size at all: stored as it is
        (b"ffffffffffffffffffff\r\n<p>ab", b"ffffffffffffffffffff\r\n<p>ab"),
        (b"5;" + b"x" * 5000 + b"\r\n<p>ab", b"5;" + b"x" * 5000 + b"\r\n<p>ab"),
    ],
)
def test_chunks_that_lie(framing: bytes, body: bytes) -> None:
    assert only(HTML + b"Transfer-Encoding: chunked\r\n\r\n" + framing)["body"] == body


def test_chunks_of_a_byte_and_members_of_none() -> None:
    with memory_below(4 * MB):  # as a list of chunks it would be 6
        body = only(HTML + b"Transfer-Encoding: chunked\r\n\r\n" + b"2\nab" * 60_000)["body"]
    assert body == b"ab" * 60_000
    many = gzip.compress(b"", mtime=0) * 50_000 + gzip.compress(b"<p>x", mtime=0)
    assert only(HTML + b"Content-Encoding: gzip\r\n\r\n" + many)["body"] == b"<p>x"


@pytest.mark.parametrize("length", [b"0", b"1", b"9" * 30, b"-1", b"x", b"18446744073709551616"])
def test_a_length_of_http_is_not_believed(length: bytes) -> None:
    assert only(HTML + b"Content-Length: %b\r\n\r\n<p>all of it" % length)["body"] == b"<p>all of it"


@pytest.mark.parametrize("length", ["60000000", "0"])
def test_many_records_with_lengths_that_lie(length: str) -> None:
    lying = record(b"x", length=int(length))
    rows, _ = rows_of(GOOD + lying * 10_000 + GOOD, "x.warc")
    assert rows[0]["body"] == rows[-1]["body"] == b"<p>good"
    assert {row["drop"] for row in rows[1:-1]} <= {"truncated", "damaged", "too_long", "bad_http"}
    line = b"http://a/ 1.2.3.4 20080430204825 text/html %b\nx\n" % length.encode()
    rows, _ = rows_of(line * 10_000 + b"z" * MB, "x.arc")
    assert {row["drop"] for row in rows} <= {"truncated", "damaged", "too_long", "bad_http"}


@pytest.mark.parametrize("line", [b"WARC/1.0\r\n", b"WARC/1.0\n", b"WARC/1.0\r\nX: y\r\n"])
@pytest.mark.parametrize("end", [b"", b"\r\n", b"Content-Length: 5\r\n\r\n12345\r\n\r\n"])
def test_records_that_begin_in_every_line(line: bytes, end: bytes) -> None:
    rows, _ = rows_of(line * 60_000 + end + GOOD, "x.warc")
    assert len(rows) == 60_001
    assert {row["detail"] for row in rows[:-2]} == {"record header without end"}
    assert rows[-1]["body"] == b"<p>good"


# -- floods ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["x.warc", "x.warc.gz", "x.warc.zst", "x.arc", "x.arc.gz"])
def test_floods_of_nothing(path: str) -> None:
    pack = {"gz": PACKERS["gzip"], "st": PACKERS["zstd"]}.get(path[-2:], bytes)
    good = arc_record(HTML + b"\r\n<p>good") if ".arc" in path else GOOD
    rows, _ = rows_of(pack(good) * 2 + bytes(30 * MB), path)
    assert rows[0]["body"] == b"<p>good"
    assert rows[1]["drop"] in (None, "damaged")  # where nothing is compressed, its length leads to no record
    assert len(rows) <= 3
    rows, _ = rows_of(pack(b"\r\n" * 1000 + good.replace(b"<p>", bytes(3)) + b"\n" * 1000), path)
    assert [row["body"] for row in rows] == [b"\0\0\0good"]
    assert rows_of(bytes(MB), path)[1].file_bytes == MB


def test_zeros_in_a_page_and_its_header() -> None:
    row = only(HTML + b"\0: \0\r\n\0\r\n\r\n" + bytes(20 * MB))
    assert row["body"] == bytes(20 * MB)
    page = Extract().page(row["body"], None, "text/html")
    assert (page.text.strip("\0"), page.extract_limit) == ("", "bytes")


PARTS = [
    GOOD,
    GOOD.replace(b"\r\n", b"\n"),
    arc_record(HTML + b"\r\n<p>good"),
    arc_record(b"x").replace(b" 1\n", b" 99\n"),
    record(b"x", length=50),
    record(b"x", length=0),
    b"WARC/1.0\r\nX: y\r\n\r\n",
    b"http://a 1 2 3\n",
    b"\r\n" * 70,
    b"\n",
    b"WAR",
    b"rubbish\n",
    b"\0" * 30,
]


@given(st.lists(st.sampled_from(PARTS), max_size=8), st.sampled_from(["warc", "arc"]), st.integers(1, 40))
@settings(max_examples=150, deadline=None)
def test_pieces_of_any_size_give_the_same_records(parts: list[bytes], suffix: str, step: int) -> None:
    """A stream that arrives in crumbs."""
    whole = b"".join(parts)
    crumbs = [whole[at : at + step] for at in range(0, len(whole), step)]

    def said(stored: io.RawIOBase | bytes, path: str) -> list[tuple]:
        return [(row["span_start"], row["span_bytes"], row["drop"], row["body"]) for row in rows_of(stored, path)[0]]

    expected = said(whole, f"x.{suffix}")
    stream = Generated(b"", b"", 0, b"")
    stream._pieces = iter(crumbs)
    with patch("stages.warc_records._FEED_BYTES", 1):  # else crumbs are put together
        assert said(stream, f"x.{suffix}") == expected


@given(st.binary(max_size=60), st.sampled_from([b"\r\n\r\n", b"\n\n", b"\r\n", b"\n\r\n", b""]), st.data())
def test_a_header_is_found_from_wherever_it_was_looked_for(junk: bytes, end: bytes, data: st.DataObject) -> None:
    stored = b"WARC/1.0\r\nContent-Length: 5\r\n" + junk + end + b"<p>"
    whole = Warc().head(stored)
    seen = data.draw(st.integers(0, len(stored)))
    if Warc().head(stored[:seen]) is None:
        assert Warc().head(stored, seen) == whole


def test_a_line_of_arc_in_pieces_is_none_until_it_is_whole() -> None:
    line = b"http://a" + b" 1 123456789012" * 300
    assert [Arc().begins(line[:n], 0) for n in range(1, len(line))] == [None] * (len(line) - 1)
    assert Arc().begins(line + b"\n", 0) is True
    assert Arc().begins(b"x" * 13_000, 0) is False


@pytest.mark.parametrize(
    "head", [HTML + b"\r\n<div ", HTML + b"\r\n<!--", HTML + b"Content-Encoding: gzip\r\n\r\n\x1f\x8b\x08"]
)
def test_a_tag_of_a_gigabyte_is_passed_over(head: bytes) -> None:
    size = len(head) + (1 << 30)
    start = record(b"", length=size)[:-4] + head
    with memory_below(160 * MB):
        rows, _ = rows_of(Generated(start, b"a=1 " * (MB // 4), 1024, b"\r\n\r\n" + GOOD), "x.warc")
    assert [(row["drop"], row["span_bytes"]) for row in rows[:1]] == [("too_long", size + len(start) - len(head))]
    assert rows[1]["body"] == b"<p>good"


def test_a_tag_as_long_as_a_record_may_be_is_cut() -> None:
    row = only(HTML + b"\r\n<p>text<div " + b"a=1 " * (10 * MB))
    page = Extract(keep=0).page(row["body"], None, "text/html")
    assert (page.text, page.extract_limit) == ("text", "bytes")


# -- pages -------------------------------------------------------------------------------------------------------------


def test_entities_that_a_page_declares_stay_as_they_are() -> None:
    names = [f'<!ENTITY lol{n + 1} "{f"&lol{n};" * 10}">' for n in range(9)]
    page = (
        f'<?xml version="1.0"?><!DOCTYPE html [<!ENTITY lol0 "lol">{"".join(names)}<!ENTITY a "&b;"><!ENTITY b "&a;">]>'
    )
    page += '<html xmlns="http://www.w3.org/1999/xhtml"><body><p>&lol9;</p><p>&a; and &amp;lt;</p></body></html>'
    got = Extract(keep=0).page(page.encode(), None, "application/xhtml+xml")
    assert got.text.split("\n\n")[-2:] == ["&lol9;", "&a; and &lt;"]
    assert len(got.text) < len(page)


@pytest.mark.parametrize(
    ("head", "title"),
    [
        ("<title>&#" + "1" * 5000 + ";</title>", "\ufffd"),
        ("<title>&#" + "0" * 5000 + "65;</title>", "A"),
        ("<title>&#x" + "f" * 5000 + ";</title>", "\ufffd"),
        ("<meta property=og:title content='&#" + "9" * 5000 + "'>", "\ufffd"),
        ("<title>t</title><meta name=" + " " * 1_000_000 + ">", "t"),
        ("<title>t</title><meta content=" + " " * 1_000_000 + ">", "t"),
        ("<title>t</title><time datetime=" + " " * 1_000_000 + ">", "t"),
        ("<title>t</title><meta name=date content='" + "2024-99-99 Jan 0 2024 " * 60_000 + "'>", "t"),
        ("<title>t</title><script type=application/ld+json>" + '"datePublished" ' * 60_000 + "</script>", "t"),
    ],
)
def test_what_a_page_says_of_itself_is_read_once(head: str, title: str) -> None:
    page = Extract().page(f"<head>{head}</head><p>text".encode(), "utf-8", "text/html")
    assert (page.title, page.published) == (title, None)
