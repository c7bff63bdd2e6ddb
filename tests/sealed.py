"""A small build, sealed: pages with addresses, a language, duplicates, parts and shards. For tests of what reads one."""

from pathlib import Path
from typing import Any, ClassVar

import msgspec
import pyarrow as pa

import toys
from corpus import index, recipe
from corpus.build import Builder
from corpus.chain import Origin
from corpus.graph import Graph
from corpus.local import Local
from corpus.pack import Pack, RunTask, Shard, ShardTask, Vocabulary, write_runs, write_shard
from corpus.progress import Progress
from corpus.seal import seal
from corpus.stage import Chunk, Columns, Map
from corpus.store import Blobs

LETTERS = "".join(chr(c) for c in range(32, 127)) + "的是在了和一不有我"
SHARDS = {"train": 2, "heldout": 1}

MANIFEST = """name = "small"
seed = 7
[[source]]
name = "web"
format = "pages"
files = ["*.txt"]
root = "data/web"
licence = "CC-BY-4.0"
snapshot = "2024-10"
max_lost_share = 0.5
read = {{ partition_rows = 5 }}
[[source]]
name = "books"
format = "pages"
files = ["*.txt"]
root = "data/books"
licence = "CC0-1.0"
max_lost_share = 0.5
read = {{ partition_rows = 4 }}
[[stage]]
kind = "upper"
[[stage]]
kind = "halves"
only = ["books"]
[[stage]]
kind = "size"
[[stage]]
kind = "script"
[[stage]]
kind = "at-least"
chars = {chars}
[[stage]]
kind = "twins"
[[stage]]
kind = "encode"
[[stage]]
kind = "pack"
heldout_share = 0.25
[mixture]
web = 1.0
books = 2.5
"""

WEB = [
    "http://a.example/1\tthe first page of the first site",
    "http://a.example/2\tshort",
    "http://a.example/3\tthe first page of the first site",
    "!",
    "http://a.example/<script>alert(1)</script>\ta page <script>alert('x')</script> \x1b[31m of a hostile site",
    "http://b.example/1\t我不是在一个的页面",
    "http://b.example/2\tsome more words on a page",
    "http://b.example/3\tno",
    "http://b.example/4\tsome more words on a page",
    "http://b.example/5\tsome more words on a page",
    "http://b.example/6\tthe last page but one here",
    "http://b.example/7\tthe last page of them all",
]
BOOKS = ["\ta long book that is cut in two parts", "\tbrief", "\tanother long book of two parts", "\tabc", "\tthe end of it"]


class Pages(toys.Lines, frozen=True, kw_only=True, tag="pages"):
    """Lines of an address, a tab and a text."""

    def parse(self, chunk: Chunk) -> Columns:
        columns = super().parse(chunk)
        pairs = [line.split("\t", 1) if line else ["", None] for line in columns["text"].to_pylist()]
        columns["url"] = pa.array([url or None for url, _ in pairs], pa.string())
        columns["text"] = pa.array([text for _, text in pairs], pa.string())
        return columns


class Script(Map, frozen=True, kw_only=True, tag="script"):
    """reads text   adds lang, han_share"""

    reads: ClassVar[tuple[str, ...]] = ("text",)
    adds: ClassVar[dict[str, pa.DataType]] = {"lang": pa.string(), "han_share": pa.float32()}

    def apply(self, batch: pa.RecordBatch, model: Any) -> Columns:
        shares = [sum(c >= "\u4e00" for c in text) / max(1, len(text)) for text in batch["text"].to_pylist()]
        return {
            "lang": pa.array(["zh" if share > 0.5 else "en" for share in shares]),
            "han_share": pa.array(shares, pa.float32()),
        }


class Twins(Map, frozen=True, kw_only=True, tag="twins"):
    """reads content, id   adds what deduplication adds; equal texts of a partition, the first is kept"""

    reads: ClassVar[tuple[str, ...]] = ("content", "id")
    adds: ClassVar[dict[str, pa.DataType]] = {
        "partner": pa.binary(16), "similarity": pa.float32(), "cluster": pa.binary(16), "cluster_size": pa.int32(),
    }
    may_drop: ClassVar[bool] = True

    def apply(self, batch: pa.RecordBatch, model: Any) -> Columns:
        content, ids = batch["content"].to_pylist(), batch["id"].to_pylist()
        first = {one: ids[i] for i, one in reversed(list(enumerate(content)))}
        twin = [first[one] != own for one, own in zip(content, ids, strict=True)]
        return {
            "partner": pa.array([first[c] if t else None for c, t in zip(content, twin, strict=True)], pa.binary(16)),
            "similarity": pa.array([1.0 if t else None for t in twin], pa.float32()),
            "cluster": pa.array([first[c] if content.count(c) > 1 else None for c in content], pa.binary(16)),
            "cluster_size": pa.array([content.count(c) for c in content], pa.int32()),
            "drop": pa.array(["duplicate" if t else None for t in twin], pa.string()),
        }


Readers = toys.Lines | Pages
Stages = toys.Stages | Script | Twins | Pack


def prepare(folder: Path, chars: int = 6) -> Path:
    """Write data and manifest. -> the manifest"""
    for name, lines in (("web", WEB), ("books", BOOKS)):
        (folder / "data" / name).mkdir(parents=True, exist_ok=True)
        (folder / "data" / name / "a.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "data" / "web" / "b.txt").write_text("http://c.example/\tanother file, another page\n")
    (folder / "letters.txt").write_text(LETTERS, encoding="utf-8")
    (folder / "m.toml").write_text(MANIFEST.format(chars=chars))
    return folder / "m.toml"


def graph(manifest: Path, roots: dict[str, str] | None = None) -> Graph:
    return Graph(recipe.load(manifest, Stages, Readers, roots), Blobs(str(manifest.parent / "store")))


def build(manifest: Path) -> tuple[Blobs, Blobs]:
    """Build and seal, in this process. -> (build directory, store)"""
    builder = Builder(graph(manifest), Local(), Progress(quiet=True))
    out = Blobs(str(manifest.parent / "out"))
    unread = builder.discover()
    for segment in builder.segments():
        builder.walk(segment.until, unread)
        unread = {}
    vocabulary = _vocabulary(builder)
    shards = [shard for source in builder.partitions for shard in _pack(builder, source, out, vocabulary)]
    counts = {"twins": {"clusters": 2, "duplicates": 3}}
    where = index.write(builder, out)
    seal(out, builder.graph, builder.partitions, builder.files, shards, vocabulary, where, counts)
    line = {"seconds": 2.5, "phases": {"map": 2.0, "pack": 0.4}, "worker_seconds": {"read": 0.5, "upper": 1.25}}
    out.put("runs.jsonl", msgspec.json.encode(line) + b"\n")
    return out, builder.store


def _vocabulary(builder: Builder) -> Vocabulary:
    step = next(s for s in builder.graph.chains["web"] if "tokens" in s.adds)
    size, eod = toys.Encode().vocabulary(LETTERS)
    ((name, digest),) = step.definition.assets.items()
    return Vocabulary(name, digest, size, eod)


def _pack(builder: Builder, source: str, out: Blobs, vocabulary: Vocabulary) -> list[Shard]:
    steps = builder.graph.chains[source]
    members = tuple(
        (Origin(source, p.path, p.key), tuple(p.records)) for p in sorted(builder.partitions[source], key=lambda p: p.key)
    )
    names = tuple(f"runs/pack/{source}-{split}.run" for split in SHARDS)
    pack = steps[-1].stage
    assert isinstance(pack, Pack)
    for name in names:  # a stale run would be adopted
        builder.store.remove(name)
    write_runs(RunTask(builder.store, steps, members, pack, builder.recipe.seed, vocabulary, names))
    definition = steps[-1].definition.identity()
    return [
        write_shard(ShardTask(builder.store, out, source, split, i, n, (run,), definition, builder.recipe.seed, vocabulary))
        for (split, n), run in zip(SHARDS.items(), names, strict=True)
        for i in range(n)
    ]


