"""Readers of lines and of text: what each kind of bad record becomes, damage and recovery, and the reader's law."""

import gzip
import io
import json
import tracemalloc

import msgspec
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.stage import Ledger, Reader
from stages.read_jsonl import ReadJsonl
from stages.read_pile import ReadPile
from stages.read_text import ReadText


class Dribble(io.RawIOBase):
    """A stream that returns few bytes per read, as a network may."""

    def __init__(self, stored: bytes, most: int) -> None:
        self._stored, self._most, self._at = stored, most, 0

    def read(self, size: int = -1) -> bytes:
        piece = self._stored[self._at : self._at + min(self._most, size if size >= 0 else self._most)]
        self._at += len(piece)
        return piece


def read(reader: Reader, stored: bytes, path: str, stream=None) -> tuple[list[dict], Ledger, list]:
    """All rows, the ledger and the chunks of a file; the reader's law is checked on the way."""
    ledger, rows = Ledger(), []
    chunks = list(reader.cut(stream or io.BytesIO(stored), path, ledger))
    first = 0
    for number, chunk in enumerate(chunks):
        assert (chunk.number, chunk.first_record) == (number, first)
        columns = reader.parse(chunk)
        assert set(columns) == {*reader.adds, "drop", "detail"}
        for name, kind in reader.adds.items():
            assert columns[name].type == kind
            columns[name].validate(full=True)
        assert {len(values) for values in columns.values()} == {chunk.records}
        first += chunk.records
        rows += [dict(zip(columns, row, strict=True)) for row in zip(*(v.to_pylist() for v in columns.values()))]
    assert ledger.file_bytes == len(stored) == ledger.framed_bytes + ledger.lost_bytes
    assert sum(row["span_bytes"] for row in rows) + ledger.skipped_bytes == ledger.decoded_bytes
    for row in rows:
        assert (row["drop"] is None) == (row["text"] is not None)
    return rows, ledger, chunks


def lines(count: int, seed: int = 0) -> list[bytes]:
    made = [{"text": f"{seed}-{n} " + "文 word" * (n % 50)} for n in range(count)]
    return [json.dumps(document, ensure_ascii=False).encode() for document in made]


def texts(rows: list[dict]) -> list[str]:
    return [row["text"] for row in rows if row["drop"] is None]


def expected(documents: list[bytes]) -> list[str]:
    return [json.loads(line)["text"] for line in documents]


STORE = {
    "x.jsonl": lambda raw: raw,
    "x.jsonl.gz": lambda raw: gzip.compress(raw, 6, mtime=0),
    "x.jsonl.zst": lambda raw: zstandard.ZstdCompressor(write_checksum=True).compress(raw),
}


@pytest.mark.parametrize("path", STORE)
def test_spans_point_at_the_lines(path: str) -> None:
    raw = b"".join(line + b"\n" for line in lines(300))
    rows, ledger, _ = read(ReadJsonl(), STORE[path](raw), path)
    assert texts(rows) == expected(lines(300))
    assert [raw[r["span_start"] : r["span_start"] + r["span_bytes"]] for r in rows] == lines(300)
    assert ledger.lost_bytes == 0


def test_every_kind_of_bad_line() -> None:
    cases = [
        (b'{"text": "good"}', None),
        (b"{not json}", "bad_json"),
        (b'{"text": "caf\xe9"}', "bad_charset"),
        (b'{"text": "\\ud800 alone"}', "bad_charset"),
        (b'{"title": "x"}', "no_text"),
        (b'{"text": null}', "no_text"),
        (b'{"text": ["x"]}', "no_text"),
        (b"[1, 2]", "no_text"),
        (b"  ", "bad_json"),
        (b'{"text": "a", "n": 1e999}', "bad_json"),
        (b'{"text": "a", "meta": ' + b"[" * 300 + b"]" * 300 + b"}", "bad_json"),
        (b'{"text": ' + b"[" * 5000 + b"]" * 5000 + b"}", "bad_json"),
        (b'{"text": "' + b"y" * 20_000 + b'"}', "too_long"),
        (b'{"text": ""}', None),
        (b'{"text": "carriage return"}\r', None),
        (b'{"text": "no newline at the end"}', None),
    ]
    raw = b"\xef\xbb\xbf\n\r\n" + b"\n\n".join(line for line, _ in cases)
    rows, ledger, _ = read(ReadJsonl(max_record_bytes=15_000), raw, "x.jsonl")
    assert [row["drop"] for row in rows] == [drop for _, drop in cases]
    assert [raw[r["span_start"] : r["span_start"] + r["span_bytes"]] for r in rows] == [line for line, _ in cases]
    assert all(row["detail"] for row in rows if row["drop"])
    assert ledger.skipped_bytes == 3 + 1 + 2 + 2 * (len(cases) - 1)


def test_a_byte_order_mark_alone_and_before_the_first_line() -> None:
    assert read(ReadJsonl(), b"\xef\xbb\xbf", "x.jsonl")[0] == []
    rows, _, _ = read(ReadJsonl(), b'\xef\xbb\xbf{"text": "a"}\n{"text": "b"}', "x.jsonl")
    assert [(row["span_start"], row["text"]) for row in rows] == [(3, "a"), (17, "b")]


@pytest.mark.parametrize("path", STORE)
def test_empty_files(path: str) -> None:
    assert read(ReadJsonl(), b"", path)[0] == []
    assert read(ReadJsonl(), STORE[path](b""), path)[0] == []


def test_pile_columns_and_subset() -> None:
    raw = b"\n".join(
        [
            b'{"text": "a", "meta": {"pile_set_name": "ArXiv", "url": "http://a"}}',
            b'{"text": "b", "url": "http://b", "meta": {"pile_set_name": "Github", "n": [1, 2.5]}}',
            b'{"text": "c", "meta": {"pile_set_name": 7}}',
            b'{"text": "d"}',
        ]
    )
    rows, _, _ = read(ReadPile(), raw, "x.jsonl")
    assert [(r["text"], r["url"], r["subset"]) for r in rows] == [
        ("a", "http://a", "ArXiv"),
        ("b", "http://b", "Github"),
        ("c", None, None),
        ("d", None, None),
    ]
    assert [r["meta"] for r in rows][1:] == ['{"pile_set_name":"Github","n":[1,2.5]}', '{"pile_set_name":7}', None]
    rows, _, _ = read(ReadPile(subset="ArXiv"), raw, "x.jsonl")
    assert [(r["text"], r["drop"], r["detail"]) for r in rows] == [
        ("a", None, None),
        (None, "other_subset", "Github"),
        (None, "other_subset", "none"),
        (None, "other_subset", "none"),
    ]


def test_jsonl_fields() -> None:
    raw = b'{"content": "a", "link": "u", "extra": {"k": 1}}\n{"content": 3}\n'
    reader = ReadJsonl(text_field="content", url_field="link", meta_field="extra")
    rows, _, _ = read(reader, raw, "x.jsonl")
    assert (rows[0]["text"], rows[0]["url"], rows[0]["meta"]) == ("a", "u", '{"k":1}')
    assert (rows[1]["drop"], rows[1]["detail"]) == ("no_text", "content is a number")


def test_chunks_depend_on_the_records_alone() -> None:
    raw = b"".join(line + b"\n\n" for line in lines(2000))
    reader = ReadJsonl(partition_rows=170, partition_bytes=20_000)
    _, _, whole = read(reader, raw, "x.jsonl")
    assert len(whole) > 12
    assert all(c.records == 170 or len(c.payload.data) >= 20_000 for c in whole[:-1])
    assert all(len(c.payload.data) < 20_000 + 1000 for c in whole)
    for path, pack in STORE.items():
        stored = pack(raw)
        _, _, again = read(reader, stored, path, Dribble(stored, 977))
        assert [c.digest for c in again] == [c.digest for c in whole]
    longer = raw + b'{"text": "appended"}\n'
    assert [c.digest for c in read(reader, longer, "x.jsonl")[2]][:-1] == [c.digest for c in whole][:-1]
    changed = raw.replace(b"1500-", b"15O0-").replace(b"0-1500", b"0-15O0")
    differ = [a.digest != b.digest for a, b in zip(whole, read(reader, changed, "x.jsonl")[2], strict=True)]
    assert sum(differ) == 1


def test_a_truncated_gzip_file_keeps_what_came_before() -> None:
    documents = lines(5000)
    stored = gzip.compress(b"\n".join(documents), mtime=0)
    rows, _, _ = read(ReadJsonl(), stored[: len(stored) * 2 // 3], "x.jsonl.gz")
    assert rows[-1]["drop"] == "truncated"
    assert texts(rows) == expected(documents)[: len(rows) - 1]
    assert len(rows) > 2500


def test_gzip_members_around_a_damaged_one_are_read() -> None:
    parts = [lines(800, seed) for seed in range(3)]
    members = [gzip.compress(b"\n".join(part) + b"\n", mtime=0) for part in parts]
    stored = bytearray(b"".join(members))
    stored[len(members[0]) + len(members[1]) // 2] ^= 0x10
    rows, ledger, _ = read(ReadJsonl(), bytes(stored), "x.jsonl.gz")
    assert texts(rows)[:800] == expected(parts[0])
    assert texts(rows)[-800:] == expected(parts[2])
    damaged = [row for row in rows if row["drop"] == "damaged"]
    assert len(damaged) == 1
    assert 0 < ledger.lost_bytes <= len(members[1])


def test_zero_padding_is_no_damage_and_trailing_rubbish_is() -> None:
    stored = gzip.compress(lines(1)[0], mtime=0)
    rows, ledger, _ = read(ReadJsonl(), stored + bytes(5000) + stored + bytes(300), "x.jsonl.gz")
    assert [row["drop"] for row in rows] == ["bad_json"]  # two members, one line: no newline stands between them
    assert ledger.lost_bytes == 0
    rows, ledger, _ = read(ReadJsonl(), stored + b"rubbish", "x.jsonl.gz")
    assert [row["drop"] for row in rows] == ["damaged"]
    assert ledger.lost_bytes == 7
    rows, ledger, _ = read(ReadJsonl(), stored + bytes(9) + b"rubbish", "x.jsonl.gz")
    assert ledger.lost_bytes == 16


def zstd_frame(raw: bytes, checksum: bool = True) -> bytes:
    return zstandard.ZstdCompressor(level=3, write_checksum=checksum).compress(raw)


@pytest.mark.parametrize("at_share", [0.1, 0.5, 0.9])
def test_one_damaged_zstd_frame_keeps_the_blocks_before(at_share: float) -> None:
    documents = [json.dumps({"text": f"{n} " + hex(n**90)}).encode() for n in range(9000)]
    frame = zstd_frame(b"\n".join(documents))
    at = int(len(frame) * at_share)
    stored = frame[:at] + bytes([frame[at] ^ 0x40]) + frame[at + 1 :]
    rows, ledger, _ = read(ReadJsonl(), stored, "x.jsonl.zst")
    good = texts(rows)
    assert rows[-1]["drop"] == "damaged"
    assert good[: int(len(documents) * at_share) - 500] == expected(documents)[: int(len(documents) * at_share) - 500]
    assert ledger.lost_bytes > 0
    cut, ledger, _ = read(ReadJsonl(), frame[:at], "x.jsonl.zst")
    assert cut[-1]["drop"] == "truncated"
    assert texts(cut) == expected(documents)[: len(cut) - 1]
    assert len(cut) > len(documents) * at_share - 500


def test_reading_goes_on_at_the_next_zstd_frame() -> None:
    parts = [lines(700, seed) for seed in range(3)]
    frames = [zstd_frame(b"\n".join(part) + b"\n") for part in parts]
    skippable = b"\x53\x2a\x4d\x18" + (3).to_bytes(4, "little") + b"abc"
    for offset in (0, 3, 5, 9, len(frames[1]) // 2, len(frames[1]) - 1):
        stored = bytearray(b"".join((frames[0], skippable, frames[1], frames[2])))
        stored[len(frames[0]) + len(skippable) + offset] ^= 0x21
        rows, ledger, _ = read(ReadJsonl(), bytes(stored), "x.jsonl.zst")
        assert texts(rows)[:700] == expected(parts[0])
        assert texts(rows)[-700:] == expected(parts[2])
        assert [row["drop"] for row in rows].count("damaged") == 1
        assert 0 < ledger.lost_bytes <= len(frames[1])


@pytest.mark.parametrize("path", ["x.jsonl.gz", "x.jsonl.zst"])
def test_a_bomb_is_stopped_and_the_next_member_read(path: str) -> None:
    bomb = b'{"text": "' + b" " * (40 << 20) + b'"}\n'
    stored = STORE[path](lines(1)[0] + b"\n") + STORE[path](bomb) + STORE[path](lines(2)[1])
    rows, ledger, _ = read(ReadJsonl(), stored, path)
    assert [row["drop"] for row in rows] == [None, "too_large", None]
    assert ledger.decoded_bytes < 18 << 20
    rows, _, _ = read(ReadJsonl(max_ratio=100_000), stored, path)
    assert [row["drop"] for row in rows] == [None, None, None]
    rows, _, _ = read(ReadJsonl(max_decoded_bytes=1 << 20), stored, path)
    assert [row["drop"] for row in rows] == [None, "too_large", None]


def test_zstd_history_is_bounded() -> None:
    parameters = zstandard.ZstdCompressionParameters(window_log=28, write_content_size=False)
    compressor = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    wide = compressor.compress(lines(1)[0]) + compressor.flush()
    rows, _, _ = read(ReadJsonl(), wide + zstd_frame(lines(2)[1]), "x.jsonl.zst")
    assert [row["drop"] for row in rows] == ["too_large", None]


def test_an_endless_line_is_never_held() -> None:
    stored = gzip.compress(b"x" * (48 << 20) + b"\n" + lines(1)[0], mtime=0)
    reader = ReadJsonl(max_record_bytes=1 << 20, max_ratio=2000)
    tracemalloc.start()
    rows, _, _ = read(reader, stored, "x.jsonl.gz")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [(row["drop"], row["span_bytes"]) for row in rows] == [("too_long", 48 << 20), (None, len(lines(1)[0]))]
    assert peak < 16 << 20


def test_text_files() -> None:
    raw = "\ufeff第一\r\nline 中文".encode()
    rows, _, _ = read(ReadText(), raw, "x.txt")
    assert [(row["text"], row["span_start"]) for row in rows] == [("第一\r\nline 中文", 3)]
    rows, _, _ = read(ReadText(), "中文".encode("gb18030"), "x.txt")
    assert [row["drop"] for row in rows] == ["bad_charset"]
    rows, _, _ = read(ReadText(max_record_bytes=10), b"x" * 11, "x.txt")
    assert [row["drop"] for row in rows] == ["too_long"]


@given(
    documents=st.lists(st.text(alphabet="ab=\n", max_size=12), max_size=20),
    most=st.integers(1, 9),
    limit=st.integers(1, 12),
)
@settings(max_examples=150, deadline=None)
def test_any_separator_divides_as_split_does(documents: list[str], most: int, limit: int) -> None:
    separator = "=\n="
    raw = separator.join(documents).encode()
    reader = ReadText(separator=separator, max_record_bytes=limit, partition_rows=7)
    rows, _, _ = read(reader, raw, "x.txt", Dribble(raw, most))
    want = [piece for piece in raw.split(separator.encode()) if piece]
    assert [raw[r["span_start"] : r["span_start"] + r["span_bytes"]] for r in rows] == want
    assert [row["drop"] for row in rows] == ["too_long" if len(piece) > limit else None for piece in want]


_DOCUMENT = st.one_of(
    st.builds(lambda t: json.dumps({"text": t}, ensure_ascii=False).encode("utf-8", "replace"), st.text(max_size=40)),
    st.binary(max_size=40).map(lambda raw: raw.replace(b"\n", b"").replace(b"\xef", b"")),
)


@given(
    parts=st.lists(st.lists(_DOCUMENT, max_size=8), min_size=1, max_size=5),
    path=st.sampled_from(sorted(STORE)),
    where=st.floats(0, 1, exclude_max=True),
    mask=st.integers(0, 255),
    keep=st.one_of(st.just(1.0), st.floats(0, 1)),
)
@settings(max_examples=300, deadline=None)
def test_the_law_holds_whatever_is_flipped_or_cut_off(parts, path, where, mask, keep) -> None:
    members = [STORE[path](b"".join(line + b"\n" for line in part)) for part in parts]
    stored = bytearray(b"".join(members))
    sound, _, _ = read(ReadJsonl(), bytes(stored), path)
    hit = int(where * len(stored)) if stored else 0
    if stored:
        stored[hit] ^= mask
    cut = int(keep * len(stored))
    rows, _, _ = read(ReadJsonl(partition_rows=3), bytes(stored[:cut]), path)
    if path == "x.jsonl":
        return
    # Members that end before the damage are untouched, and so are those after it.
    texts_of, end, untouched_front, untouched_back = [[] for _ in parts], 0, [], []
    position = 0
    for number, part in enumerate(parts):
        count = sum(1 for line in part if line not in (b"", b"\r"))
        texts_of[number] = [row["text"] for row in sound[position : position + count]]
        position += count
        start, end = end, end + len(members[number])
        if end <= min(hit, cut):
            untouched_front += texts_of[number]
        if start > hit and end <= cut:
            untouched_back += texts_of[number]
    got = [row["text"] for row in rows]
    assert got[: len(untouched_front)] == untouched_front
    if cut == len(stored) and untouched_back:
        assert got[-len(untouched_back) :] == untouched_back


def test_parameters_are_checked() -> None:
    with pytest.raises(ValueError, match=r"partition_rows must be at least 1 \(got 0\)"):
        ReadJsonl(partition_rows=0)
    with pytest.raises(ValueError, match="at most"):
        ReadPile(partition_bytes=2 << 30)
    assert msgspec.to_builtins(ReadPile(subset="ArXiv")) == {"kind": "pile", "subset": "ArXiv"}
