"""Takedown from real formats, with dedup, and as a command."""

import gzip
import json
import random
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sealed

import stages
from corpus import recipe
from corpus.build import Builder
from corpus.check_removed import check_removed
from corpus.cli import main
from corpus.drive import compile_corpus
from corpus.explain import explain
from corpus.graph import Graph
from corpus.local import Local
from corpus.progress import Progress
from corpus.store import Blobs
from corpus.verify import verify

MANIFEST = """name = "pages"
[[source]]
name = "lines"
format = "jsonl"
files = ["*.jsonl"]
[[source]]
name = "crawl"
format = "warc"
files = ["*.warc.gz"]
[[stage]]
kind = "extract"
only = ["crawl"]
[[stage]]
kind = "normalise"
[[stage]]
kind = "signals"
[remove]
list = "taken.txt"
"""


def words(seed: str) -> str:
    return " ".join("".join(random.Random(f"{seed} {i}").choices("abcdefgh", k=7)) for i in range(30))


def jsonl(folder: Path) -> None:
    lines = [
        {"text": words(f"line {i}"), "url": f"http://lines.example/{i}", "meta": {"said": words(f"meta {i}")}}
        for i in range(6)
    ]
    (folder / "a.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


def warc(folder: Path) -> None:
    """Of each page a request, a response and a record about it; each a member of its own."""
    members = []
    for i in range(5):
        page = f"<html><title>t</title><body><p>{words(f'page {i}')}</p></body></html>"
        http = f"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n{page}"
        asked = f"GET /{i} HTTP/1.1\r\nHost: www.crawl.example\r\nX-Seen: {words(f'asked {i}')}\r\n\r\n"
        for kind, content in (("request", asked), ("response", http), ("metadata", words(f"about {i}"))):
            head = (
                f"WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Target-URI: https://www.crawl.example/{i}\r\n"
                f"WARC-Date: 2021-01-01T00:00:00Z\r\nWARC-Record-ID: <urn:uuid:{kind}-{i}>\r\n"
                f"Content-Type: application/http; msgtype={kind}\r\nContent-Length: {len(content)}\r\n\r\n"
            )
            members.append(gzip.compress((head + content + "\r\n\r\n").encode(), mtime=0))
    (folder / "b.warc.gz").write_bytes(b"".join(members))


def build(folder: Path) -> dict[str, dict[str, int]]:
    """-> what the readers dropped, by source"""
    plan = recipe.load(folder / "pages.toml", stages.Stage, stages.Reader)
    builder = Builder(Graph(plan, Blobs(str(folder / "store"))), Local(), Progress(quiet=True))
    return {s: flows[0].dropped for s, flows in compile_corpus(builder, Blobs(str(folder / "out"))).funnel.items()}


def everything(folder: Path) -> str:
    """All values of all tables, and all other files, of store and build directory."""
    found = []
    for place in ("store", "out"):
        for path in sorted(p for p in (folder / place).rglob("*") if p.is_file()):
            found.append(path.read_bytes().decode("latin-1"))
            if path.suffix == ".parquet":
                found.append(repr(pq.read_table(path).to_pydict()))
    return "\n".join(found)


def test_pages_of_real_formats(tmp_path: Path) -> None:
    jsonl(tmp_path)
    warc(tmp_path)
    (tmp_path / "pages.toml").write_text(MANIFEST)
    (tmp_path / "taken.txt").write_text("")
    assert build(tmp_path) == {"lines": {}, "crawl": {"not_response": 10}}
    named = ["line 2", "meta 2", "page 3"]
    assert all(words(one) in everything(tmp_path) for one in named)
    (tmp_path / "taken.txt").write_text("https://lines.example/2\nhttp://www.crawl.example/3#part\n")
    assert build(tmp_path) == {"lines": {"removed": 1}, "crawl": {"not_response": 8, "removed": 3}}
    left = everything(tmp_path)
    urls = ["lines.example/2", "crawl.example/3", "urn:uuid:response-3"]
    assert [one for one in (*map(words, named), *urls) if one in left] == []
    assert words("line 3") in left
    assert "crawl.example/2" in left
    out, store = Blobs(str(tmp_path / "out")), Blobs(str(tmp_path / "store"))
    assert verify(out, store).ok
    assert check_removed([(out, store)]).ok
    (tmp_path / "taken.txt").write_text("host:crawl.example")
    assert build(tmp_path) == {"lines": {}, "crawl": {"removed": 15}}
    assert check_removed([(out, store)]).ok
    assert "crawl.example" not in everything(tmp_path)
    assert words("line 2") in everything(tmp_path)


def test_in_an_object_store(tmp_path: Path, s3: str) -> None:
    jsonl(tmp_path)
    text = MANIFEST.replace('[[source]]\nname = "crawl"\nformat = "warc"\nfiles = ["*.warc.gz"]\n', "")
    (tmp_path / "pages.toml").write_text(text.replace('[[stage]]\nkind = "extract"\nonly = ["crawl"]\n', ""))
    out, store = Blobs(f"{s3}/taken/out"), Blobs(f"{s3}/taken/store")
    for named in ("", "http://lines.example/2"):
        (tmp_path / "taken.txt").write_text(named)
        plan = recipe.load(tmp_path / "pages.toml", stages.Stage, stages.Reader)
        compile_corpus(Builder(Graph(plan, store), Local(), Progress(quiet=True)), out)
        assert verify(out, store).ok
        assert check_removed([(out, store)]).ok
    tables = [repr(pq.read_table(pa.BufferReader(store.get(name))).to_pydict()) for name in store.walk("tables")]
    assert len(tables) == 3
    assert not any(words("line 2") in one for one in tables)


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    jsonl(tmp_path)
    text = MANIFEST.replace('[[source]]\nname = "crawl"\nformat = "warc"\nfiles = ["*.warc.gz"]\n', "")
    (tmp_path / "pages.toml").write_text(text.replace('[[stage]]\nkind = "extract"\nonly = ["crawl"]\n', ""))
    (tmp_path / "taken.txt").write_text("http://lines.example/2\nhttp://nowhere.example/x\n")

    def corpus(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["corpus", *arguments])
        with pytest.raises(SystemExit) as end:
            main()
        said = capsys.readouterr()
        return int(end.value.code or 0), said.out, said.err

    out = str(tmp_path / "out")
    status, said, told = corpus("build", str(tmp_path / "pages.toml"), "--local", "--out", out)
    assert (status, "removed 1" in said) == (0, True)
    assert "1 entries name no record that was read: lines 2" in told
    assert "nowhere" not in said + told
    status, said, _ = corpus("verify", out, "--removed")
    assert status == 0
    assert "2 entries of the list, 1 records taken down; nothing of them is left" in said
    (tmp_path / "store" / "tables" / ".tmp-x").write_text("?")
    status, said, _ = corpus("verify", out, "--removed", "--also", out, "--json")
    assert status == 1
    assert [p["what"] for p in json.loads(said)["places"] if p["found"]] == ["temporary files"]
    assert corpus("verify", out, "--also", out)[0] == 2


def test_another_copy_survives(tmp_path: Path) -> None:
    manifest = sealed.prepare(tmp_path)
    out, store = sealed.build(manifest)
    survivor, copy = "http://a.example/1", "http://a.example/3"
    (first,), (second,) = (explain(out, store, url=url) for url in (survivor, copy))
    assert (first.fate, second.fate) == ("packed", "dropped")
    manifest.write_text(manifest.read_text() + '[remove]\nlist = "taken.txt"\n')
    (tmp_path / "taken.txt").write_text(survivor)
    sealed.build(manifest)
    (second,) = explain(out, store, url=copy)
    assert second.fate == "packed"
    assert verify(out, store).ok
    assert check_removed([(out, store)]).ok
    for path in (p for p in tmp_path.glob("[os]*/**/*.parquet") if p.is_file()):
        columns = pq.read_table(path).to_pydict()
        assert bytes.fromhex(first.id) not in [one for c in columns.values() for one in c], path
        assert first.id not in repr(columns), path
