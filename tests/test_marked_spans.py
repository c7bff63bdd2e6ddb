"""From pages to shards with URL dedup, repeated lines, long passages and the cut: nothing is lost quietly."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

import stages
from corpus import recipe, tables
from corpus.build import Builder
from corpus.chain import Walk
from corpus.drive import Outcome, compile_corpus
from corpus.explain import brief, explain, show
from corpus.graph import Graph
from corpus.local import Local
from corpus.progress import Progress
from corpus.steps import Origin
from corpus.store import Blobs
from corpus.tokens import ShardReader

MANIFEST = """
name = "spans"
seed = 5
[[source]]
name = "web"
format = "warc"
files = ["*.warc.gz"]
priority = 2
read = { partition_rows = 3 }
[[source]]
name = "books"
format = "pile"
files = ["*.jsonl"]
priority = 1
read = { partition_rows = 2 }
[[stage]]
kind = "dedup-urls"
[[stage]]
kind = "extract"
only = ["web"]
[[stage]]
kind = "normalise"
[[stage]]
kind = "repeats"
min_documents = 3
min_chars = 8
keep_first = false
[[stage]]
kind = "substrings"
[[stage]]
kind = "cut"
spans = ["repeats", "substrings"]
[[stage]]
kind = "split"
max_bytes = 4096
[[stage]]
kind = "sign"
[[stage]]
kind = "encode"
tokenizer = "tokenizers/zh-en-16k"
[[stage]]
kind = "pack"
"""
NOTICE = "本站所有内容均为原创，转载请注明出处。"
PASSAGE = " ".join(f"passage{chr(97 + n % 26)}{chr(97 + n // 26)}" for n in range(60))
URLS = [
    "http://www.a.example/1",
    "https://a.example/1/?utm_source=x",
    "http://a.example/2",
    "http://a.example/3",
    "http://a.example/4",
    "http://b.example/",
]
OWN = [
    "The first page tells of a harbour.",
    "It is not read.",
    f"The second has this: {PASSAGE}. Nothing more.",
    "第三页讲的是一座城市的历史。",
    "",
    "Of another host.",
]


def prepare(folder: Path) -> Path:
    records = b""
    for number, (url, own) in enumerate(zip(URLS, OWN, strict=True)):
        body = f"<html><body><p>{own}</p><p>{NOTICE}</p></body></html>".encode()
        page = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n" + body
        head = f"WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: {url}\r\nWARC-Date: 2021-01-01T00:00:0{number}Z\r\nWARC-Record-ID: <urn:uuid:{number}>\r\nContent-Type: application/http;msgtype=response\r\nContent-Length: {len(page)}\r\n\r\n"
        records += gzip.compress(head.encode() + page + b"\r\n\r\n", mtime=0)
    (folder / "a.warc.gz").write_bytes(records)
    books = [
        f"A {n} book.\n\nOf {n} it says: {PASSAGE}\n\n" + f"And it goes on, {n}.\n" * 3 for n in ("one", "two", "six")
    ]
    (folder / "b.jsonl").write_text("".join(json.dumps({"text": text, "meta": {}}) + "\n" for text in books))
    (folder / "m.toml").write_text(MANIFEST)
    return folder / "m.toml"


def build(path: Path) -> tuple[Builder, Outcome, Blobs, Blobs]:
    out, store = Blobs(str(path.parent / "out")), Blobs(str(path.parent / "store"))
    plan = recipe.load(path, stages.Stage, stages.Reader)
    builder = Builder(Graph(plan, store), Local(), Progress(quiet=True))
    return builder, compile_corpus(builder, out), out, store


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Builder, Outcome, Blobs, Blobs]:
    return build(prepare(tmp_path_factory.mktemp("spans")))


def column(builder: Builder, source: str, stage: str, name: str) -> list:
    """Values of a column of a stage's tables, over all partitions."""
    k = [step.label for step in builder.graph.chains[source]].index(stage)
    found = []
    for p in sorted(builder.partitions[source], key=lambda p: p.chunk):
        walk = Walk(
            Origin(source, p.path, p.key), builder.graph.chains[source], builder.store, {}, lambda s: None, p.records
        )
        found += walk.column(name, k + 1).to_pylist()
    return found


def test_what_is_kept_and_what_goes(built: tuple[Builder, Outcome, Blobs, Blobs]) -> None:
    builder, outcome, _, _ = built
    flows = {flow.stage: (flow.rows, flow.kept, flow.dropped) for flow in outcome.funnel["web"]}
    assert flows["read"] == (6, 6, {})
    assert flows["dedup-urls"] == (6, 5, {"same_url": 1})
    assert flows["cut"] == (5, 5, {})
    assert outcome.exchanges["dedup-urls"] == {"urls": 5, "in_other_partitions": 0, "dropped": 1}
    assert outcome.exchanges["repeats"]["repeated_lines"] == 1
    assert column(builder, "web", "cut", "text") == [
        "The first page tells of a harbour.",
        "The second has this: Nothing more.",
        "第三页讲的是一座城市的历史。",
        "",
        f"Of another host.\n\n{NOTICE}",
    ]
    texts = column(builder, "books", "cut", "text")
    assert sorted(PASSAGE in text for text in texts) == [False, False, True]


def test_in_is_kept_and_cut(built: tuple[Builder, Outcome, Blobs, Blobs]) -> None:
    builder = built[0]
    for source, chain in builder.graph.chains.items():
        labels = [step.label for step in chain]
        cut, before = labels.index("cut"), labels.index("normalise")
        for partition in builder.partitions[source]:
            record = partition.records[cut]
            assert partition.records[before].sums["text_bytes"] == record.sums["text_bytes"] + record.sums["cut_bytes"]
            spans = tables.read(builder.store.get(partition.records[labels.index("substrings")].table.name))
            marked = np.asarray(spans["substring_bytes"]).sum()
            assert record.sums["cut_bytes"] >= marked


def test_an_empty_text_is_a_document_of_no_token(built: tuple[Builder, Outcome, Blobs, Blobs]) -> None:
    _, _, out, store = built
    (life,) = explain(out, store, url=URLS[4])
    (part,) = life.parts
    assert part.place is not None
    reader = ShardReader(Path(out.root) / part.place.shard)
    assert len(reader.tokens(part.place.start, part.place.stop)) == 1  # the end of a document


def test_explain_tells_of_spans(built: tuple[Builder, Outcome, Blobs, Blobs]) -> None:
    _, _, out, store = built
    console = Console(width=400)
    with console.capture() as captured:
        console.print(show(explain(out, store, url=URLS[2])))
    said = captured.get()
    size = len(NOTICE.encode())
    start = len(f"{OWN[2]}\n\n".encode())
    assert f"repeated_bytes {size}, repeats 1 span of {size} bytes (line at {start} to {start + size}, as in 4)" in said
    size = len(PASSAGE) + 1  # with its full stop
    assert (
        f"substring_bytes {size}, substrings 1 span of {size} bytes (substring at 21 to {21 + size}, as in 4)" in said
    )
    assert f"cut_bytes {len(NOTICE.encode()) + 2 + size + 1}" in said
    with console.capture() as captured:
        console.print(show(explain(out, store, url=URLS[1])))
    assert "dropped: same_url" in captured.get()
    assert brief([{"start": 0, "end": 1, "documents": 2, "kind": "line"}] * 9).startswith(
        "9 spans of 9 bytes (line at 0 to 1"
    )


def test_again_nothing_is_stale(built: tuple[Builder, Outcome, Blobs, Blobs]) -> None:
    _, outcome, out, _ = built
    again, second, _, _ = build(Path(out.root).parent / "m.toml")
    assert again.costs.steps == 0
    assert second.exchanges == outcome.exchanges
    assert second.manifest == outcome.manifest


def test_spans_of_the_text_before_a_split_are_refused(tmp_path: Path) -> None:
    path = prepare(tmp_path)
    lines = path.read_text().split("[[stage]]\n")
    cut = next(n for n, part in enumerate(lines) if part.startswith('kind = "cut"'))
    lines[cut], lines[cut + 1] = lines[cut + 1].replace("4096", "64"), lines[cut]
    path.write_text("[[stage]]\n".join(lines))
    with pytest.raises(Exception, match="was found in other texts than these"):
        build(path)
