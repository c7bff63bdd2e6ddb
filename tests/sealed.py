"""A small sealed build for tests of what reads one: pages with addresses, a language, duplicates, parts, shards."""

from pathlib import Path
from typing import Any, ClassVar

import msgspec
import pyarrow as pa
import toys

from corpus import recipe
from corpus.build import Builder
from corpus.drive import compile_corpus
from corpus.graph import Graph
from corpus.local import Local
from corpus.pack import Pack
from corpus.progress import Progress
from corpus.stage import Chunk, Columns, Map
from corpus.store import Blobs
from stages.dedup import Dedup
from stages.heldout import Heldout
from stages.sign import Sign

LETTERS = "".join(chr(c) for c in range(32, 127)) + "的是在了和一不有我"

MANIFEST = """name = "small"
seed = 7
[[source]]
name = "web"
format = "pages"
files = ["*.txt"]
root = "data/web"
priority = 2
licence = "CC-BY-4.0"
snapshot = "2024-10"
max_lost_share = 0.5
read = {{ partition_rows = 20 }}
[[source]]
name = "books"
format = "pages"
files = ["*.txt"]
root = "data/books"
priority = 1
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
kind = "sign"
permutations = 32
[[stage]]
kind = "dedup"
bands = 8
rows = 4
[[stage]]
kind = "heldout"
bands = 8
rows = 4
share = 0.2
seed = 7
[[stage]]
kind = "encode"
[[stage]]
kind = "pack"
shard_tokens = 1024
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
    "http://b.example/8\ta page <script>alert('x')</script> \x1b[31m of a hostile site",
]
MORE = [
    f"http://c.example/{i}\tpage {i} of {' '.join(str(i * j * 7919 % 10007) for j in range(3, 13))}" for i in range(30)
]
BOOKS = [
    "\ta long book that is cut in two parts",
    "\tbrief",
    "\tanother long book of two parts",
    "\tabc",
    "\tthe end of it",
]


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


Readers = toys.Lines | Pages
Stages = toys.Stages | Script | Sign | Dedup | Heldout | Pack


def prepare(folder: Path, chars: int = 6) -> Path:
    """Write data and manifest. -> the manifest"""
    for name, lines in (("web/a.txt", WEB), ("web/b.txt", MORE), ("books/a.txt", BOOKS)):
        (folder / "data" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "data" / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "letters.txt").write_text(LETTERS, encoding="utf-8")
    (folder / "m.toml").write_text(MANIFEST.format(chars=chars))
    return folder / "m.toml"


def graph(manifest: Path, roots: dict[str, str] | None = None) -> Graph:
    return Graph(recipe.load(manifest, Stages, Readers, roots), Blobs(str(manifest.parent / "store")))


def build(manifest: Path) -> tuple[Blobs, Blobs]:
    """Build and seal, in this process. -> (build directory, store)"""
    builder = Builder(graph(manifest), Local(), Progress(quiet=True))
    out = Blobs(str(manifest.parent / "out"))
    compile_corpus(builder, out)
    line = {"seconds": 2.5, "phases": {"map": 2.0, "pack": 0.4}, "worker_seconds": {"read": 0.5, "upper": 1.25}}
    out.put("runs.jsonl", msgspec.json.encode(line) + b"\n")
    return out, builder.store
