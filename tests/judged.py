"""A small world with a judge: two sources whose documents have made-up signals, in several partitions."""

from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa
import toys
import xxhash

from corpus import recipe
from corpus.build import Builder
from corpus.drive import Outcome, compile_corpus
from corpus.graph import Graph
from corpus.local import Local
from corpus.pack import Pack
from corpus.progress import Progress
from corpus.stage import Columns, Map
from corpus.store import Blobs
from stages.judge import Judge

MANIFEST = """name = "judged"
seed = 7
[[source]]
name = "web"
format = "lines"
files = ["*.txt"]
root = "web"
read = {{ partition_rows = {rows} }}
[[source]]
name = "laws"
format = "lines"
files = ["*.txt"]
root = "laws"
[[stage]]
kind = "measure"
[[stage]]
kind = "upper"
[[stage]]
kind = "judge"
keep_languages = ["en", "zh"]
packs = ["mine", "all"]
{judge}
[stage.pack.mine]
languages = ["zh"]
[[stage.pack.mine.rule]]
signal = "share"
max = 0.5
[[stage.pack.mine.rule]]
signal = "count"
min = 20
where = {{ signal = "share", min = 0.125 }}
[[stage.pack.all.rule]]
signal = "count"
max = 110
[[stage.pack.all.rule]]
signal = "balance"
min = -1.5
[[stage]]
kind = "encode"
[[stage]]
kind = "pack"
"""


class Measure(Map, frozen=True, kw_only=True, tag="measure"):
    """reads text   adds lang, bytes, and numbers that a hash of the text makes up"""

    reads: ClassVar[tuple[str, ...]] = ("text",)
    adds: ClassVar[dict[str, pa.DataType]] = {
        "lang": pa.string(), "bytes": pa.int32(), "share": pa.float32(), "count": pa.int32(), "balance": pa.float32(),
    }  # fmt: skip

    def apply(self, batch: pa.RecordBatch, model: Any) -> Columns:
        toys.applied.append(self.label)
        texts = batch["text"].to_pylist()
        hashes = [xxhash.xxh3_64_intdigest(text.encode()) for text in texts]
        return {
            "lang": pa.array([("zh", "zh", "en", "fr", None)[h % 5] for h in hashes], pa.string()),
            "bytes": pa.array([len(text.encode()) for text in texts], pa.int32()),
            "share": pa.array([(h >> 8) % 4097 / 4096 for h in hashes], pa.float32()),
            "count": pa.array([(h >> 24) % 128 for h in hashes], pa.int32()),
            "balance": pa.array([((h >> 40) % 16 - 8) / 4 for h in hashes], pa.float32()),
        }


class Judged(Judge, frozen=True, kw_only=True, tag="judge"):
    """The judge, telling that it ran."""

    def apply(self, batch: pa.RecordBatch, model: Any) -> Columns:
        toys.applied.append(self.label)
        return super().apply(batch, model)


Stages = toys.Stages | Measure | Judged | Pack
DOCUMENTS = 300


def prepare(folder: Path) -> None:
    for name in ("web", "laws"):
        (folder / name).mkdir()
        lines = [f"{name} {i} {'word ' * (i % 7)}" for i in range(DOCUMENTS)]
        (folder / name / "a.txt").write_text("\n".join(lines) + "\n")
    (folder / "letters.txt").write_text("".join(chr(c) for c in range(32, 127)))


def builder(folder: Path, judge: str = "", rows: int = 100) -> Builder:
    """Of the manifest with these lines for the judge, on the store in the folder."""
    (folder / "m.toml").write_text(MANIFEST.format(judge=judge, rows=rows))
    graph = Graph(recipe.load(folder / "m.toml", Stages, toys.Readers), Blobs(str(folder / "store")))
    return Builder(graph, Local(), Progress(quiet=True))


def build(folder: Path, judge: str = "", rows: int = 100) -> tuple[Blobs, Outcome]:
    """Build and seal. -> (build directory, what the driver did)"""
    out = Blobs(str(folder / "out"))
    return out, compile_corpus(builder(folder, judge, rows), out)
