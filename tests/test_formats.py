"""Every format that a manifest may name, from a folder and from S3, to the same tables."""

import gzip
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import stages
from corpus import recipe
from corpus.build import Builder
from corpus.drive import compile_corpus
from corpus.graph import Graph
from corpus.local import Local
from corpus.progress import Progress
from corpus.store import Blobs

TEXTS = ["The first of three documents.", "第二篇，讲的是别的事。", "A third one, with a\nsecond line."]
FORMATS = {
    "pile": "a.jsonl.gz",
    "jsonl": "b.jsonl",
    "wet": "c.warc.wet.gz",
    "parquet": "d.parquet",
    "text": "e.txt",
}


def write(folder: Path) -> None:
    lines = [json.dumps({"text": text, "meta": {"pile_set_name": "X"}}).encode() + b"\n" for text in TEXTS]
    (folder / FORMATS["pile"]).write_bytes(gzip.compress(b"".join(lines), mtime=0))
    (folder / FORMATS["jsonl"]).write_bytes(b"".join(json.dumps({"text": text}).encode() + b"\n" for text in TEXTS))
    members = []
    for number, text in enumerate(TEXTS):
        body = text.encode()
        head = (
            f"WARC/1.0\r\nWARC-Type: conversion\r\nWARC-Target-URI: http://x.example/{number}\r\n"
            f"WARC-Date: 2021-01-01T00:00:00Z\r\nWARC-Record-ID: <urn:uuid:{number}>\r\n"
            f"Content-Type: text/plain\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        members.append(gzip.compress(head.encode() + body + b"\r\n\r\n", mtime=0))
    (folder / FORMATS["wet"]).write_bytes(b"".join(members))
    pq.write_table(pa.table({"text": TEXTS, "url": ["u1", None, "u3"]}), folder / FORMATS["parquet"], row_group_size=2)
    (folder / FORMATS["text"]).write_text("\n---\n".join(TEXTS))


def manifest(folder: Path) -> Path:
    parts = ['name = "formats"\n']
    for name, file in FORMATS.items():
        read = 'read = { separator = "\\n---\\n" }\n' if name == "text" else ""
        parts.append(f'[[source]]\nname = "{name}"\nformat = "{name}"\nfiles = ["{file}"]\nroot = "in"\n{read}')
    parts.append('[[stage]]\nkind = "normalise"\n[[stage]]\nkind = "signals"\n')
    path = folder / "formats.toml"
    path.write_text("".join(parts))
    return path


@pytest.mark.parametrize("where", ["local", "s3"])
def test_every_format_gives_the_same_documents(where: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    (tmp_path / "in").mkdir()
    write(tmp_path / "in")
    root = str(tmp_path / "in")
    if where == "s3":
        place = Blobs(f"{request.getfixturevalue('s3')}/formats")
        for file in FORMATS.values():
            place.put(f"in/{file}", (tmp_path / "in" / file).read_bytes())
        root = place.url("in")
    plan = recipe.load(manifest(tmp_path), stages.Stage, stages.Reader, {"*": root})
    builder = Builder(Graph(plan, Blobs(str(tmp_path / "store"))), Local(), Progress(quiet=True))
    outcome = compile_corpus(builder, Blobs(str(tmp_path / "out")))
    assert outcome.manifest is not None
    contents = {}
    for name in FORMATS:
        flows = {flow.stage: flow for flow in outcome.funnel[name]}
        assert (flows["read"].rows, flows["signals"].kept) == (3, 3), name
        record = builder.partitions[name][0].records[1]
        contents[name] = record.columns["content"]
    assert len(set(contents.values())) == 1, contents
