"""Readers of web archives: agreement with warcio and FastWARC, damage and recovery, lengths that lie, and the law."""

import gzip
import io
import pickle
import zlib

import brotli
import pytest
import zstandard
from fastwarc.warc import ArchiveIterator as FastIterator
from hypothesis import given, settings
from hypothesis import strategies as st
from warcio.archiveiterator import ArchiveIterator
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from corpus.stage import Ledger, Reader
from stages.read_warc import ReadWarc
from stages.read_wet import ReadWet

BULK = {ReadWarc: "body", ReadWet: "text"}


def read(reader: Reader, stored: bytes, path: str) -> tuple[list[dict], Ledger, list]:
    """All rows, the ledger and the chunks of a file; the reader's law is checked on the way."""
    ledger, rows = Ledger(), []
    chunks = list(reader.cut(io.BytesIO(stored), path, ledger))
    for chunk in chunks:
        columns = reader.parse(chunk)
        assert set(columns) == {*reader.adds, "drop", "detail"}
        assert {len(values) for values in columns.values()} == {chunk.records}
        for name, kind in reader.adds.items():
            assert columns[name].type == kind
            columns[name].validate(full=True)
        rows += [dict(zip(columns, row, strict=True)) for row in zip(*(v.to_pylist() for v in columns.values()))]
    assert ledger.file_bytes == len(stored) == ledger.framed_bytes + ledger.lost_bytes
    assert sum(row["span_bytes"] for row in rows) + ledger.skipped_bytes == ledger.decoded_bytes
    assert all((row["drop"] is None) == (row[BULK[type(reader)]] is not None) for row in rows)
    return rows, ledger, chunks


def record(body: bytes, url: str = "http://a/", kind: str = "response", length: int | None = None) -> bytes:
    content = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=GBK\r\n\r\n" + body
    if kind == "conversion":
        content = body
    size = len(content) if length is None else length
    head = f"WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Target-URI: {url}\r\nWARC-Record-ID: <urn:{url}>\r\n"
    head += f"WARC-Date: 2021-01-02T03:04:05Z\r\nContent-Length: {size}\r\n\r\n"
    return head.encode() + content + b"\r\n\r\n"


def page(number: int) -> bytes:
    return f"<p>page {number}: ".encode() + bytes(range(256)) * (number % 7) + b"</p>"


PAGES = [page(number) for number in range(40)]


def plain(pages: list[bytes]) -> bytes:
    return b"".join(record(body, f"http://a/{n}") for n, body in enumerate(pages))


def per_record(pages: list[bytes]) -> list[bytes]:
    return [gzip.compress(record(body, f"http://a/{n}"), mtime=0) for n, body in enumerate(pages)]


def test_columns_of_a_page() -> None:
    rows, ledger, _ = read(ReadWarc(), gzip.compress(record(b"<p>x</p>"), mtime=0), "x.warc.gz")
    assert rows == [
        {
            "span_start": 0,
            "span_bytes": len(record(b"<p>x</p>")) - 4,
            "file_start": 0,
            "file_bytes": ledger.file_bytes,
            "url": "http://a/",
            "record_id": "<urn:http://a/>",
            "date": "2021-01-02T03:04:05Z",
            "mime": "text/html",
            "http_charset": "gbk",
            "body": b"<p>x</p>",
            "drop": None,
            "detail": None,
        }
    ]
    assert ledger.skipped_bytes == 4


class Writer(WARCWriter):
    """warcio leaves its temporary files open, which is a warning."""

    def _create_temp_file(self) -> io.BytesIO:
        return io.BytesIO()


def archive(gzipped: bool) -> bytes:
    """Written by warcio: every type of record, and every encoding that it reads."""
    out = io.BytesIO()
    writer = Writer(out, gzip=gzipped)
    writer.write_record(writer.create_warcinfo_record("x.warc", {"software": "test"}))

    def put(kind: str, status: str, fields: list[tuple[str, str]], payload: bytes) -> None:
        head = StatusAndHeaders(status, fields, protocol="HTTP/1.1")
        url = f"http://a/{out.tell()}"
        writer.write_record(writer.create_warc_record(url, kind, payload=io.BytesIO(payload), http_headers=head))

    html = [("Content-Type", 'text/html; charset="UTF-8"')]
    text = "<p>网页</p>".encode() * 3000
    bare = zlib.compressobj(wbits=-15)
    cut = [text[at : at + 999] for at in range(0, len(text), 999)]
    chunked = b"".join(b"%x;ext=1\r\n%b\r\n" % (len(piece), piece) for piece in cut)
    put("request", "GET / HTTP/1.1", [("Host", "a")], b"")
    put("response", "200 OK", html, text)
    put("response", "200 OK", html, b"")
    put("response", "200 OK", [*html, ("Content-Encoding", "gzip")], gzip.compress(text))
    put("response", "200 OK", [*html, ("Content-Encoding", "gzip")], gzip.compress(text)[:-20])
    put("response", "200 OK", [*html, ("Content-Encoding", "gzip")], text)
    put("response", "200 OK", [*html, ("Content-Encoding", "deflate")], zlib.compress(text))
    put("response", "200 OK", [*html, ("Content-Encoding", "deflate")], bare.compress(text) + bare.flush())
    put("response", "200 OK", [*html, ("Content-Encoding", "br")], brotli.compress(text))
    put("response", "200 OK", [*html, ("Transfer-Encoding", "chunked")], chunked + b"0\r\n\r\n")
    put("response", "200 OK", [*html, ("Transfer-Encoding", "chunked")], chunked)
    put("response", "200 OK", [*html, ("Transfer-Encoding", "chunked")], text)
    zipped = gzip.compress(text)
    body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(zipped), zipped)
    put("response", "200 OK", [*html, ("Transfer-Encoding", "chunked"), ("Content-Encoding", "gzip")], body)
    put("response", "404 Not Found", html, text)
    put("response", "200 OK", [("Content-Type", "image/png")], b"\x89PNG")
    put("response", "200 OK", [("content-type", "Text/Plain")], text)
    return out.getvalue()


@pytest.mark.parametrize("path", ["x.warc", "x.warc.gz"])
def test_every_payload_is_the_one_warcio_reads(path: str) -> None:
    stored = archive(path.endswith(".gz"))
    rows, _, _ = read(ReadWarc(), stored, path)
    theirs = ArchiveIterator(io.BytesIO(stored))
    compared = 0
    for row, other in zip(rows, theirs, strict=True):
        assert row["record_id"] == other.rec_headers.get_header("WARC-Record-ID")
        assert row["url"] == other.rec_headers.get_header("WARC-Target-URI")
        assert row["date"] == other.rec_headers.get_header("WARC-Date")
        if row["drop"] is None and other.http_headers.get_header("Content-Encoding") == "br":
            # warcio expects another brotli package than the one it meets here.
            assert row["body"] == brotli.decompress(other.raw_stream.read())
        elif row["drop"] is None:
            assert row["body"] == other.content_stream().read()
            compared += 1
    assert compared == 12
    assert [row["drop"] for row in rows if row["drop"]] == ["not_response"] * 2 + ["http_status", "not_html"]
    assert [row["detail"] for row in rows if row["drop"]] == ["warcinfo", "request", "404", "image/png"]
    assert rows[2]["http_charset"] == "utf-8"
    assert rows[-1]["mime"] == "text/plain"


def test_records_and_offsets_are_those_of_fastwarc() -> None:
    stored = archive(True)
    rows, _, _ = read(ReadWarc(), stored, "x.warc.gz")
    for row, other in zip(rows, FastIterator(io.BytesIO(stored), parse_http=False), strict=True):
        assert row["file_start"] == other.stream_pos
        assert row["record_id"] == other.record_id


@pytest.mark.parametrize("path", ["x.warc", "x.warc.gz"])
def test_a_record_can_be_fetched_by_its_file_range(path: str) -> None:
    stored = archive(path.endswith(".gz"))
    rows, _, _ = read(ReadWarc(), stored, path)
    for row in rows:
        part = stored[row["file_start"] : row["file_start"] + row["file_bytes"]]
        (again,), _, _ = read(ReadWarc(), part, path)
        kept = ("url", "record_id", "body", "drop", "detail")
        assert {name: again[name] for name in kept} == {name: row[name] for name in kept}


def test_records_that_share_a_member_have_no_range() -> None:
    raw = plain(PAGES)
    rows, _, _ = read(ReadWarc(), gzip.compress(raw, mtime=0), "x.warc.gz")
    assert [row["body"] for row in rows] == PAGES
    assert {row["file_start"] for row in rows} == {None}
    assert all(raw[row["span_start"] :].startswith(b"WARC/1.0") for row in rows)
    blocks = b"".join(gzip.compress(raw[at : at + 1000], mtime=0) for at in range(0, len(raw), 1000))
    rows, ledger, _ = read(ReadWarc(), blocks, "x.warc.gz")
    assert [row["body"] for row in rows] == PAGES
    assert ledger.lost_bytes == 0


def test_one_flipped_byte_costs_one_record() -> None:
    members = per_record(PAGES)
    starts = [sum(map(len, members[:n])) for n in range(len(members))]
    for offset in range(len(members[20])):
        stored = bytearray(b"".join(members))
        stored[starts[20] + offset] ^= 0x5A
        rows, ledger, _ = read(ReadWarc(), bytes(stored), "x.warc.gz")
        if offset in (4, 5, 6, 7, 8, 9):  # time, level and system in the header: they change nothing
            assert [row["body"] for row in rows] == PAGES
            continue
        assert [row["body"] for row in rows] == [*PAGES[:20], None, *PAGES[21:]]
        assert [row["file_start"] for row in rows] == starts
        assert (rows[20]["drop"], rows[20]["file_bytes"]) == ("damaged", len(members[20]))
        assert ledger.lost_bytes == len(members[20])


def test_a_gzip_file_inside_a_damaged_record_is_not_taken_for_a_member() -> None:
    inner = gzip.compress(bytes(range(256)) * 40, mtime=0)
    middle = record(b"<p>" + inner * 30)
    members = [gzip.compress(record(PAGES[1])), gzip.compress(middle, 0), gzip.compress(record(PAGES[2]))]
    stored = bytearray(b"".join(members))
    stored[len(members[0]) + 40] ^= 1
    rows, _, _ = read(ReadWarc(), bytes(stored), "x.warc.gz")
    assert [row["body"] for row in rows] == [PAGES[1], None, PAGES[2]]


def test_a_truncated_file() -> None:
    members = per_record(PAGES)
    stored = b"".join(members)
    rows, ledger, _ = read(ReadWarc(), stored[:-5], "x.warc.gz")
    assert [row["body"] for row in rows] == [*PAGES[:-1], None]
    assert (rows[-1]["drop"], ledger.lost_bytes) == ("truncated", len(members[-1]) - 5)
    raw = plain(PAGES)
    for cut in (3, 5, 12, 60, 250):
        rows, _, _ = read(ReadWarc(), raw[:-cut], "x.warc")
        assert [row["body"] for row in rows[:39]] == PAGES[:39]
        assert rows[39]["drop"] == (None if cut == 3 else "truncated")
    whole = gzip.compress(raw, mtime=0)
    for cut, least in ((len(whole) // 2, 3), (40, 37)):
        rows, _, _ = read(ReadWarc(), whole[:-cut], "x.warc.gz")
        assert [row["drop"] for row in rows] == [None] * (len(rows) - 1) + ["truncated"]
        assert [row["body"] for row in rows[:-1]] == PAGES[: len(rows) - 1]
        assert len(rows) > least


@pytest.mark.parametrize("path", ["x.warc", "x.warc.gz"])
@pytest.mark.parametrize(("wrong", "drop"), [(5000, "truncated"), (95, "damaged"), (None, "damaged")])
def test_a_length_that_lies(path: str, wrong: int | None, drop: str) -> None:
    middle = record(b"<p>" + b"y" * 200, "http://b/", length=wrong)
    if wrong is None:
        middle = middle.replace(b"Content-Length", b"Content-Width")
    parts = [*(record(body) for body in PAGES[:5]), middle, *(record(body) for body in PAGES[5:10])]
    parts = [gzip.compress(part, mtime=0) for part in parts] if path.endswith(".gz") else parts
    rows, _, _ = read(ReadWarc(), b"".join(parts), path)
    assert [row["body"] for row in rows] == [*PAGES[:5], None, *PAGES[5:10]]
    assert rows[5]["drop"] == drop
    rows, _, _ = read(ReadWarc(), b"".join(parts[:6]), path)
    assert [row["drop"] for row in rows] == [None] * 5 + [drop]


def test_rubbish_and_odd_line_breaks_between_records() -> None:
    raw = b"rubbish\r\n" + plain(PAGES[:2]) + b"\r\n" * 500 + plain(PAGES[2:4]).rstrip() + b"\n" + plain(PAGES[4:6])
    raw += b"WAR"
    rows, _, _ = read(ReadWarc(), raw, "x.warc")
    assert [row["body"] for row in rows] == [None, *PAGES[:6], None]
    assert [row["drop"] for row in rows] == ["damaged", *[None] * 6, "truncated"]
    bare = record(PAGES[3]).replace(b"\r\n", b"\n").replace(b"Content-Length: ", b"content-length:")
    size = len(PAGES[3]) + len(b"HTTP/1.1 200 OK\nContent-Type: text/html; charset=GBK\n\n")
    bare = bare.replace(b"length:%d" % (size + 3), b"length:%d" % size)
    rows, _, _ = read(ReadWarc(), bare * 2, "x.warc")
    assert [row["body"] for row in rows] == [PAGES[3]] * 2


@pytest.mark.parametrize("path", ["x.warc", "x.warc.gz", "one.warc.gz"])
def test_a_long_record_is_passed_over(path: str) -> None:
    parts = [record(PAGES[1]), record(b"z" * 3_000_000), record(PAGES[2])]
    if path == "x.warc.gz":
        stored = b"".join(gzip.compress(part, mtime=0) for part in parts)
    else:
        stored = b"".join(parts) if path == "x.warc" else gzip.compress(b"".join(parts), mtime=0)
    rows, _, chunks = read(ReadWarc(max_record_bytes=100_000), stored, path)
    assert [(row["drop"], row["body"]) for row in rows] == [(None, PAGES[1]), ("too_long", None), (None, PAGES[2])]
    assert rows[1]["span_bytes"] == len(parts[1]) - 4
    assert sum(len(chunk.payload.data) for chunk in chunks) < 5000


def test_a_bomb_is_stopped_and_the_next_record_read() -> None:
    stored = b"".join(gzip.compress(record(body), mtime=0) for body in (PAGES[1], bytes(40 << 20), PAGES[2]))
    rows, ledger, _ = read(ReadWarc(), stored, "x.warc.gz")
    assert [(row["drop"], row["body"]) for row in rows] == [(None, PAGES[1]), ("too_large", None), (None, PAGES[2])]
    assert ledger.decoded_bytes < 18 << 20


CODECS = [("gzip", gzip.compress), ("deflate", zlib.compress), ("br", brotli.compress), ("zstd", zstandard.compress)]


@pytest.mark.parametrize(("name", "pack"), CODECS)
def test_a_bomb_in_a_body(name: str, pack) -> None:
    for size, drop in ((1_000_000, None), (20_000_000, "too_large")):
        body = pack(b"<" * size)
        raw = record(body).replace(b"Content-Type:", b"Content-Encoding: %b\r\nContent-Type:" % name.encode())
        extra = len(f"Content-Encoding: {name}\r\n")
        old = len(record(body).partition(b"\r\n\r\n")[2]) - 4
        raw = raw.replace(b"Content-Length: %d" % old, b"Content-Length: %d" % (old + extra))
        rows, _, _ = read(ReadWarc(), raw, "x.warc")
        assert rows[0]["drop"] == drop
        assert drop or rows[0]["body"] == b"<" * size


def http(content: bytes) -> dict:
    raw = record(b"").partition(b"HTTP/1.1")[0].replace(b"Length: 57", b"Length: %d" % len(content)) + content
    rows, _, _ = read(ReadWarc(), raw, "x.warc")
    assert len(rows) == 1
    return rows[0]


def test_http_that_is_wrong() -> None:
    assert http(b"")["drop"] == "bad_http"
    assert http(b"<html>no header</html>")["drop"] == "bad_http"
    assert http(b"HTTP/1.1 20")["drop"] == "bad_http"
    assert http(b"HTTP/1.0 200")["drop"] == "not_html"
    assert http(b"HTTP/1.0 200 OK\r\n\r\n <p>")["body"] == b" <p>"
    assert http(b"HTTP/2 200\nContent-Type: text/html\n\nbody")["body"] == b"body"
    assert http(b"HTTP/1.1 200 OK\r\nContent-Type:\r\n text/html;\r\n\tcharset=x\r\n\r\nb")["http_charset"] == "x"
    odd = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: "
    assert http(odd + b"sdch\r\n\r\nbody")["detail"] == "content encoding sdch"
    assert http(odd + b"gzip\r\n\r\n\x1f\x8b\x08\x00garbage and more")["drop"] == "bad_http"
    assert http(odd + b"br\r\n\r\n\xff\xff\xff\xff")["drop"] == "bad_http"
    assert http(odd + b"br\r\n\r\n<p>stored decoded")["body"] == b"<p>stored decoded"
    assert http(odd + b"deflate\r\n\r\n<p>stored decoded")["body"] == b"<p>stored decoded"
    assert http(odd + b"zstd\r\n\r\n\x28\xb5\x2f\xfd????????")["drop"] == "bad_http"
    assert http(odd + b"gzip, br\r\n\r\n" + brotli.compress(gzip.compress(b"twice")))["body"] == b"twice"


@given(
    fields=st.lists(
        st.tuples(
            st.sampled_from([b"Content-Encoding", b"Transfer-Encoding", b"Content-Type", b" folded", b"", b"\xff"]),
            st.sampled_from(
                [b"gzip", b"deflate", b"br", b"zstd", b"chunked", b"text/html", b"text/html; charset=", b"\x00"]
            ),
        ),
        max_size=5,
    ),
    pack=st.sampled_from([bytes, gzip.compress, zlib.compress, brotli.compress, zstandard.compress]),
    body=st.binary(max_size=80),
    where=st.integers(0, 200),
)
@settings(max_examples=300, deadline=None)
def test_no_response_raises(fields, pack, body, where) -> None:
    packed = bytearray(pack(body))
    if packed:
        packed[where % len(packed)] ^= where
    head = b"".join(name + b": " + value + b"\r\n" for name, value in fields)
    row = http(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n" + bytes(packed))
    assert row["drop"] in (None, "bad_http", "not_html")


def arc_record(url: str, content: bytes, mime: str = "text/html") -> bytes:
    return f"{url} 1.2.3.4 20080430204825 {mime} {len(content)}\n".encode() + content + b"\n"


@pytest.mark.parametrize("path", ["x.arc", "x.arc.gz"])
def test_arc_as_warcio_reads_it(path: str) -> None:
    version = b"1 0 Archive\nURL IP-address Archive-date Content-type Archive-length\n"
    parts = [arc_record("filedesc://x.arc", version, "text/plain")]
    parts += [arc_record("dns:a", b"20080430\na. 1 IN A 1.2.3.4", "text/dns")]
    parts += [
        arc_record(f"http://a/{n}?x=a b", b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n" + body)
        for n, body in enumerate(PAGES)
    ]
    stored = b"".join(gzip.compress(part, mtime=0) if path.endswith("gz") else part for part in parts)
    rows, _, _ = read(ReadWarc(), stored, path)
    assert [row["detail"] for row in rows[:2]] == ["filedesc", "dns"]
    assert [row["body"] for row in rows[2:]] == PAGES
    assert rows[2]["url"] == "http://a/0?x=a b"
    for row, other in zip(rows, ArchiveIterator(io.BytesIO(stored), arc2warc=True), strict=True):
        assert row["date"] == other.rec_headers.get_header("WARC-Date")
        if row["body"] is not None:
            assert row["body"] == other.content_stream().read()
    if path.endswith("gz"):
        broken = bytearray(stored)
        broken[len(gzip.compress(parts[0], mtime=0)) + 30] ^= 4
        rows, _, _ = read(ReadWarc(), bytes(broken), path)
        assert [row["drop"] for row in rows[:3]] == ["not_response", "damaged", None]
        assert [row["body"] for row in rows[2:]] == PAGES
    else:
        longer = parts[5].replace(b"html %d\n" % (len(PAGES[3]) + 44), b"html 9999\n")
        rows, _, _ = read(ReadWarc(), b"".join([*parts[:5], longer, *parts[6:]]), path)
        assert [row["body"] for row in rows[2:]] == [*PAGES[:3], None, *PAGES[4:]]


@pytest.mark.parametrize("path", ["x.warc.wet", "x.warc.wet.gz"])
def test_wet(path: str) -> None:
    parts = [record(b"software: x", kind="warcinfo"), record("文字\n".encode(), "http://b", "conversion")]
    parts += [record(b"caf\xe9", "http://c", "conversion"), record(b"", "http://d", "conversion")]
    stored = b"".join(gzip.compress(part, mtime=0) if path.endswith("gz") else part for part in parts)
    rows, _, _ = read(ReadWet(), stored, path)
    assert [(row["url"], row["text"], row["drop"]) for row in rows] == [
        ("http://a/", None, "not_conversion"),
        ("http://b", "文字\n", None),
        ("http://c", None, "bad_charset"),
        ("http://d", "", None),
    ]


def test_an_appended_file_keeps_its_chunks() -> None:
    reader = ReadWarc(partition_rows=7, partition_bytes=4000)
    members = per_record(PAGES)
    before = read(reader, b"".join(members[:30]), "x.warc.gz")[2]
    after = read(reader, b"".join(members), "x.warc.gz")[2]
    assert len(before) > 4
    assert [chunk.digest for chunk in after[: len(before) - 1]] == [chunk.digest for chunk in before[:-1]]
    assert {chunk.records for chunk in after} != {7}
    for chunk in after:
        copy = pickle.loads(pickle.dumps(chunk))
        assert copy.payload.digest() == chunk.digest
        assert reader.parse(copy) == reader.parse(chunk)


@given(
    bodies=st.lists(st.binary(max_size=200), min_size=1, max_size=8),
    packing=st.sampled_from(["plain", "members", "one"]),
    suffix=st.sampled_from(["warc", "arc"]),
    where=st.floats(0, 1, exclude_max=True),
    mask=st.integers(0, 255),
    keep=st.one_of(st.just(1.0), st.floats(0, 1)),
    limit=st.sampled_from([300, 1 << 20]),
)
@settings(max_examples=300, deadline=None)
def test_the_law_holds_whatever_is_flipped_or_cut_off(bodies, packing, suffix, where, mask, keep, limit) -> None:
    if suffix == "warc":
        parts = [record(body, f"http://a/{n}") for n, body in enumerate(bodies)]
    else:
        head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n"
        parts = [arc_record(f"http://a/{n}", head + body) for n, body in enumerate(bodies)]
    if packing == "members":
        parts = [gzip.compress(part, mtime=0) for part in parts]
    path = f"x.{suffix}" if packing == "plain" else f"x.{suffix}.gz"
    stored = bytearray(gzip.compress(b"".join(parts), mtime=0) if packing == "one" else b"".join(parts))
    reader = ReadWarc(partition_rows=3, max_record_bytes=limit)
    sound, _, _ = read(reader, bytes(stored), path)
    hit = int(where * len(stored))
    stored[hit] ^= mask
    cut = int(keep * len(stored))
    rows, _, _ = read(reader, bytes(stored[:cut]), path)
    if packing == "members":
        assert len(sound) == len(parts)
        found = {row["file_start"]: row for row in rows}
        for row in sound:
            begin, end = row["file_start"], row["file_start"] + row["file_bytes"]
            if end <= cut and not begin <= hit < end:
                shift = {"span_start": row["span_start"]}  # a damaged record decodes to fewer or more bytes
                assert found[begin] | shift == row
        # Nothing wrong is kept: what survives is what was written.
        pages = {row["body"] for row in sound}
        assert {row["body"] for row in rows if row["drop"] is None} <= pages
