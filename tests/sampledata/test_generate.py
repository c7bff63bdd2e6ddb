"""The sample corpus: the same bytes for the same seed, and everything planted is really there."""

import hashlib
import io
import json
from collections import Counter, defaultdict
from pathlib import Path

import pytest
import zstandard
from warcio.archiveiterator import ArchiveIterator
from warcio.exceptions import ArchiveLoadFailed

from sampledata import Summary, generate
from sampledata.damage import JACCARD_RANGE, SHINGLE_CHARS
from sampledata.foreign import SENTENCES

SCALE = 0.05
KINDS = {
    "bad-json", "bad-utf8", "blank", "charset", "charset-conflict", "charset-missing", "charset-wrong", "empty",
    "exact-duplicate", "flipped-byte", "foreign", "image", "link-list", "missing-text", "mojibake", "near-duplicate",
    "not-found", "redirect", "short", "short-member", "spam", "text-file", "text-is-number", "truncated-http",
    "truncated-member",
}  # fmt: skip
DAMAGED = {"truncated-member", "short-member", "flipped-byte"}


class Sample:
    """A generated corpus, read back."""

    def __init__(self, root: Path, summary: Summary) -> None:
        self.root = root
        self.summary = summary
        self.planted = [json.loads(line) for line in (root / "planted.jsonl").read_bytes().splitlines()]
        self._lines: dict[str, list[bytes]] = {}

    def kind(self, *kinds: str) -> list[dict]:
        return [row for row in self.planted if row["kind"] in kinds]

    def lines(self, file: str) -> list[bytes]:
        if file not in self._lines:
            raw = zstandard.ZstdDecompressor().stream_reader(io.BytesIO((self.root / file).read_bytes())).read()
            assert raw.endswith(b"\n")
            self._lines[file] = raw[:-1].split(b"\n")
        return self._lines[file]

    def text(self, place: dict) -> str:
        return json.loads(self.lines(place["file"])[place["record"]])["text"]

    def member(self, place: dict) -> bytes:
        data = (self.root / place["file"]).read_bytes()
        return data[place["offset"] : place["offset"] + place["length"]]

    def body(self, place: dict) -> tuple[str, bytes]:
        """HTTP Content-Type and body of a page, as warcio reads them."""
        record = next(ArchiveIterator(io.BytesIO(self.member(place)), check_digests="raise"))
        assert record.rec_headers.get_header("WARC-Target-URI") == place["url"]
        return record.http_headers.get_header("Content-Type", ""), record.content_stream().read()


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    root = tmp_path_factory.mktemp("sample")
    return Sample(root, generate(root, seed=7, scale=SCALE))


def digests(root: Path) -> dict[str, str]:
    files = (path for path in sorted(root.rglob("*")) if path.is_file())
    return {path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def shingles(text: str) -> set[str]:
    return {text[i : i + SHINGLE_CHARS] for i in range(len(text) - SHINGLE_CHARS + 1)}


def test_same_seed_same_bytes_other_seed_other_bytes(sample: Sample, tmp_path: Path) -> None:
    generate(tmp_path / "again", seed=7, scale=SCALE)
    assert digests(tmp_path / "again") == digests(sample.root)
    generate(tmp_path / "other", seed=8, scale=SCALE)
    other, this = digests(tmp_path / "other"), digests(sample.root)
    assert other.keys() == this.keys()
    assert not [name for name in this if this[name] == other[name]]


def test_summary_counts_what_lies_there(sample: Sample) -> None:
    on_disk = {path.relative_to(sample.root).as_posix() for path in sample.root.glob("*/*") if path.is_file()}
    assert on_disk == sample.summary.files.keys()
    for name, file in sample.summary.files.items():
        assert file.bytes == (sample.root / name).stat().st_size
        if name.endswith(".jsonl.zst"):
            assert file.records == len(sample.lines(name))
    assert Counter(row["kind"] for row in sample.planted) == sample.summary.planted
    assert json.loads((sample.root / "summary.json").read_bytes())["planted"] == sample.summary.planted


def test_every_kind_is_planted_even_at_a_tiny_scale(sample: Sample, tmp_path: Path) -> None:
    assert sample.summary.planted.keys() == KINDS
    assert generate(tmp_path, seed=1, scale=0.001).planted.keys() == KINDS


def test_scale_must_be_positive(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="scale must be above 0"):
        generate(tmp_path, seed=1, scale=0)


def test_unplanted_lines_are_whole_records_and_distinct(sample: Sample) -> None:
    planted = {(row["file"], row["record"]) for row in sample.planted}
    texts: dict[str, str] = {}
    for name in sample.summary.files:
        if not name.endswith(".jsonl.zst"):
            continue
        for number, line in enumerate(sample.lines(name)):
            if (name, number) not in planted:
                record = json.loads(line)
                assert record["text"].strip()
                assert record["meta"]["pile_set_name"]
                where = f"{name}:{number}"
                assert texts.setdefault(record["text"], where) == where


def test_books_are_long_and_github_is_real(sample: Sample) -> None:
    books = [json.loads(line)["text"] for line in sample.lines("pile/gutenberg.jsonl.zst")]
    assert len(books) >= 2
    assert all(len(book) >= 1_000_000 for book in books)
    for line in sample.lines("pile/github.jsonl.zst"):
        record = json.loads(line)
        assert record["meta"]["licence"] == "PSF-2.0"
        compile(record["text"], record["meta"]["id"], "exec", dont_inherit=True)


def test_chinese_has_a_wide_vocabulary_and_both_scripts(sample: Sample) -> None:
    seen: set[str] = set()
    scripts: Counter[str] = Counter()
    planted = {(row["file"], row["record"]) for row in sample.planted}
    for name in (name for name in sample.summary.files if name.startswith("zh/")):
        for number, line in enumerate(sample.lines(name)):
            if (name, number) in planted:
                continue
            record = json.loads(line)
            han = [c for c in record["text"] if "一" <= c <= "鿿"]
            assert len(han) > 0.5 * len(record["text"])
            seen.update(han)
            scripts[record["meta"]["script"]] += 1
    assert len(seen) > 2500
    assert 0.05 < scripts["Hant"] / scripts.total() < 0.3


def test_exact_duplicates_equal_their_originals(sample: Sample) -> None:
    rows = sample.kind("exact-duplicate")
    lines = [row for row in rows if "url" not in row]
    for row in lines:
        assert sample.text(row) == sample.text(row["original"])
    assert {row["file"] == row["original"]["file"] for row in lines} == {True, False}
    assert any(row["file"].split("/")[0] != row["original"]["file"].split("/")[0] for row in lines)
    pages = [row for row in rows if "url" in row]
    assert pages
    for row in pages:
        assert sample.body(row) == sample.body(row["original"])
        assert row["url"] != row["original"]["url"]
        assert row["file"] != row["original"]["file"]


def test_near_duplicates_are_as_near_as_stated(sample: Sample) -> None:
    rows = [row for row in sample.kind("near-duplicate") if "jaccard" in row]
    assert {row["how"] for row in rows} == {"edited", "framed", "shortened"}
    for row in rows:
        copy, original = shingles(sample.text(row)), shingles(sample.text(row["original"]))
        similarity = len(copy & original) / len(copy | original)
        assert similarity == pytest.approx(row["jaccard"], abs=1e-4)
        assert JACCARD_RANGE[0] <= similarity <= JACCARD_RANGE[1]


def test_republished_records_stand_on_their_pages(sample: Sample) -> None:
    rows = [row for row in sample.kind("near-duplicate") if row.get("how") == "republished-record"]
    assert rows
    codecs = {row["id"]: row["codec"] for row in sample.planted if "codec" in row}
    for row in rows:
        html = sample.body(row)[1].decode(codecs.get(row["id"], "utf-8"))
        longest = max(sample.text(row["original"]).split("\n\n"), key=len)
        assert longest in html


def test_broken_lines_are_broken_as_stated(sample: Sample) -> None:
    for row in sample.kind("bad-json"):
        with pytest.raises(json.JSONDecodeError):
            json.loads(sample.lines(row["file"])[row["record"]].decode("utf-8"))
    for row in sample.kind("missing-text"):
        assert "text" not in json.loads(sample.lines(row["file"])[row["record"]])
    for row in sample.kind("text-is-number"):
        assert isinstance(json.loads(sample.lines(row["file"])[row["record"]])["text"], int)
    for row in sample.kind("bad-utf8"):
        with pytest.raises(UnicodeDecodeError):
            sample.lines(row["file"])[row["record"]].decode("utf-8")


def test_mojibake_foreign_short_and_empty_records(sample: Sample) -> None:
    marks = {"utf8-as-gbk": "锛", "gbk-as-utf8": "锟斤拷", "utf8-as-latin1": "ã"}
    for row in sample.kind("mojibake"):
        text = sample.body(row)[1].decode("utf-8") if "url" in row else sample.text(row)
        assert marks[row["how"]] in text
    for row in sample.kind("foreign"):
        text = sample.body(row)[1].decode(row["codec"]) if "url" in row else sample.text(row)
        assert (
            sum(sentence.replace("'", "&#x27;") in text or sentence in text for sentence in SENTENCES[row["how"]]) >= 7
        )
    for row in sample.kind("short", "empty", "blank"):
        if "url" not in row:
            assert len(sample.text(row).strip()) < 20


def test_pages_decode_in_their_codec_and_declare_what_is_stated(sample: Sample) -> None:
    rows = [row for row in sample.planted if "header" in row]
    assert {row["codec"] for row in rows} == {"gbk", "gb18030", "big5", "latin-1", "cp1252", "utf-8"}
    for row in rows:
        content_type, body = sample.body(row)
        body.decode(row["codec"])
        assert content_type == ("text/html; charset=" + row["header"] if row["header"] else "text/html")
        assert (b"charset=" in body.lower().split(b"</head>")[0]) == bool(row["meta"])
        if row["kind"] == "charset-wrong":
            with pytest.raises(UnicodeDecodeError):
                body.decode("utf-8" if row["codec"] == "gbk" else "gb2312")


def test_warcs_are_whole_but_for_the_damage(sample: Sample) -> None:
    damaged = {row["file"]: row for row in sample.kind(*DAMAGED)}
    assert len(damaged) == 3
    urls: dict[str, int] = defaultdict(int)
    for name, file in sample.summary.files.items():
        if not name.endswith(".warc.gz") or name in damaged:
            continue
        kinds: Counter[str] = Counter()
        with (sample.root / name).open("rb") as stream:
            for number, record in enumerate(ArchiveIterator(stream, check_digests="raise")):
                kinds[record.rec_type] += 1
                assert (record.rec_type == "warcinfo") == (number == 0)
                if record.rec_type == "response":
                    urls[record.rec_headers.get_header("WARC-Target-URI")] += 1
                    record.content_stream().read()
        assert kinds.total() == file.records
        assert kinds["request"] in (0, kinds["response"])
    assert set(urls.values()) == {1}


def test_damaged_members_cannot_be_read(sample: Sample) -> None:
    for row in sample.kind(*DAMAGED):
        whole = (sample.root / row["file"]).read_bytes()
        if row["kind"] == "truncated-member":
            assert row["offset"] + row["length"] == len(whole)
        else:
            following = whole[row["offset"] + row["length"] :]
            assert next(ArchiveIterator(io.BytesIO(following))).rec_type in ("request", "response")
        assert _warcio_loses(whole[row["offset"] : row["offset"] + row["length"]])
        before = ArchiveIterator(io.BytesIO(whole[: row["offset"]]))
        assert sum(1 for _ in before) == row["record"]


def test_truncated_http_bodies_are_shorter_than_promised(sample: Sample) -> None:
    for row in sample.kind("truncated-http"):
        record = next(ArchiveIterator(io.BytesIO(sample.member(row))))
        assert record.rec_headers.get_header("WARC-Truncated") == "length"
        body = record.raw_stream.read()
        assert len(body) < int(record.http_headers.get_header("Content-Length"))


def _warcio_loses(member: bytes) -> bool:
    """True if warcio fails on the member, or gives fewer bytes than its WARC header promises, or a wrong digest."""
    try:
        for record in ArchiveIterator(io.BytesIO(member), check_digests="raise"):
            head = record.http_headers.to_bytes() if record.http_headers else b""
            body = record.raw_stream.read()
            return len(head) + len(body) < int(record.rec_headers.get_header("Content-Length"))
    except (ArchiveLoadFailed, OSError, EOFError, ValueError):
        return True
    return True
