"""Golden output: a small fixed input through every stage, pinned as digests of logical columns.

Where a digest changes and the stage's revision did not, tables built before would be taken for fresh: bump the revision,
then write the file anew with CORPUS_WRITE_GOLDEN=1.
"""

import gzip
import json
import os
from pathlib import Path

import benchmark_files
import pytest
import tiny_model
import tiny_ngrams

import stages
from corpus import assets, recipe
from corpus.build import Builder
from corpus.drive import compile_corpus
from corpus.errors import InputError
from corpus.graph import Graph
from corpus.local import Local
from corpus.progress import Progress
from corpus.store import Blobs

ROOT = Path(__file__).parent.parent.parent
GOLDEN = ROOT / "tests" / "golden" / "columns.json"

ENGLISH = (
    "The harbour was quiet in the morning, and the boats that had come in during the night lay side by side along the "
    "wall. A woman who sold bread to the crews walked down from the town with her basket. She knew most of them by name, "
    "and they knew her prices.\nBy noon the wind had turned, and nobody spoke of leaving before the next day.\n"
)
CHINESE = "清晨的港口很安静，夜里归来的船只沿着堤岸一字排开。卖面包的妇人提着篮子从镇上走下来，她叫得出大多数船员的名字。\n到了中午，风向变了，没有人再提起当天出海的事。\n"
LINES = [
    {"text": ENGLISH, "meta": {"pile_set_name": "A", "url": "http://a.example/1"}},
    {"text": ENGLISH.replace("harbour", "Harbour"), "meta": {"pile_set_name": "A"}},
    {"text": CHINESE * 2, "meta": {"pile_set_name": "A"}},
    {"text": ENGLISH.upper() + "ＦＵＬＬ　width，\u200b" + CHINESE, "meta": {}},
    {"text": "short", "meta": {}},
    {"text": "Книга лежала на столе, и никто не решался её открыть. " * 5, "meta": {}},
    {"text": (ENGLISH + CHINESE) * 40, "meta": {}},
]
PAGE = f"<html><head><title>港口</title><meta charset=gbk></head><body><nav>首页</nav><p>{CHINESE}</p></body></html>"


def write(folder: Path) -> Path:
    lines = [json.dumps(line, ensure_ascii=False).encode() for line in LINES] + [b"{broken", b'{"meta": {}}']
    (folder / "a.jsonl").write_bytes(b"\n".join(lines) + b"\n")
    body = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n" + PAGE.encode("gb18030")
    head = (
        f"WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: http://zh.example/\r\nWARC-Date: 2021-01-01T00:00:00Z\r\n"
        f"WARC-Record-ID: <urn:uuid:1>\r\nContent-Type: application/http;msgtype=response\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    (folder / "b.warc.gz").write_bytes(gzip.compress(head.encode() + body + b"\r\n\r\n", mtime=0))
    tiny_model.write(folder / "quality.bin")
    tiny_ngrams.write(folder / "perplexity.ngrams", [ENGLISH, CHINESE])
    benchmark_files.write(folder, items=[ENGLISH.split("\n")[0][80:200], CHINESE[26:50]])
    path = folder / "golden.toml"
    path.write_text(
        """
name = "golden"
seed = 3
[[source]]
name = "a"
format = "pile"
files = ["a.jsonl"]
max_lost_share = 0.5
[[source]]
name = "b"
format = "warc"
files = ["b.warc.gz"]
[[stage]]
kind = "extract"
only = ["b"]
[[stage]]
kind = "repair"
[[stage]]
kind = "spam"
[[stage]]
kind = "trim"
[[stage]]
kind = "pii"
[[stage]]
kind = "convert"
[[stage]]
kind = "normalise"
[[stage]]
kind = "split"
max_bytes = 4096
[[stage]]
kind = "lid"
[[stage]]
kind = "signals"
[[stage]]
kind = "domains"
[[stage]]
kind = "fields"
numbers = ["score"]
only = ["a"]
[[stage]]
kind = "quality"
model = "quality.bin"
classes = ["high", "low"]
windows = 4
window_bytes = 32
[[stage]]
kind = "perplexity"
model = "perplexity.ngrams"
windows = 4
window_bytes = 64
run_bytes = 48
[[stage]]
kind = "sensitive"
[[stage]]
kind = "sign"
[[stage]]
kind = "judge"
keep_languages = ["en", "zh"]
[[stage]]
kind = "dedup"
[[stage]]
kind = "heldout"
share = 0.3
[[stage]]
kind = "contamination"
only = ["a"]
margin_chars = 20
least_chars = 30
most_cuts = 100
[[stage.benchmark]]
name = "items"
files = ["items.jsonl"]
[[stage]]
kind = "decontaminate"
only = ["a"]
[[stage]]
kind = "encode"
tokenizer = "tokenizers/zh-en-16k"
[[stage]]
kind = "pack"
"""
    )
    return path


def test_columns_are_what_they_were(tmp_path: Path) -> None:
    try:
        assets.find("lid.176.ftz")
    except InputError as error:
        pytest.skip(str(error))
    plan = recipe.load(write(tmp_path), stages.Stage, stages.Reader)
    builder = Builder(Graph(plan, Blobs(str(tmp_path / "store"))), Local(), Progress(quiet=True))
    outcome = compile_corpus(builder, Blobs(str(tmp_path / "out")))
    assert outcome.manifest is not None
    got: dict[str, dict[str, object]] = {}
    for source, partitions in builder.partitions.items():
        for step, record in zip(builder.graph.chains[source], partitions[0].records, strict=False):
            got[f"{source} {step.label}"] = {
                "revision": record.definition["revision"],
                "rows": record.rows,
                "made": record.made,
                "dropped": record.dropped,
                "columns": {name: digest[:16] for name, digest in sorted(record.columns.items())},
            }
    got["shards"] = {s["path"]: s["bin"]["sha256"][:16] for s in outcome.manifest["shards"]}
    if os.environ.get("CORPUS_WRITE_GOLDEN"):
        GOLDEN.parent.mkdir(exist_ok=True)
        GOLDEN.write_text(json.dumps(got, indent=1, ensure_ascii=False) + "\n")
    want = json.loads(GOLDEN.read_text())
    for label, values in want.items():
        assert got[label] == values, f"{label}: bump the revision of the stage, then write the golden file anew"
    assert set(got) == set(want)
