"""A folder with data, a store and build directories, to take documents down in. Built of toys: no text is like another."""

import hashlib
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import sealed
import toys

from corpus import recipe
from corpus.build import Builder
from corpus.check_removed import check_removed
from corpus.drive import Outcome, compile_corpus
from corpus.graph import Graph
from corpus.identity import record_ids
from corpus.left import Removed
from corpus.local import Local
from corpus.opened import Build
from corpus.pack import Pack
from corpus.progress import Progress
from corpus.store import Blobs
from corpus.tokens import ShardReader
from corpus.verify import verify

MANIFEST = """name = "m"
seed = 7
[[source]]
name = "web"
format = "pages"
files = ["*.txt"]
root = "data/web"
max_lost_share = 0.2
read = { partition_rows = 6 }
[[source]]
name = "books"
format = "pages"
files = ["*.txt"]
root = "data/books"
read = { partition_rows = 5 }
[[stage]]
kind = "upper"
[[stage]]
kind = "halves"
only = ["books"]
[[stage]]
kind = "size"
[[stage]]
kind = "at-least"
chars = 9
[[stage]]
kind = "encode"
[[stage]]
kind = "pack"
shard_tokens = 1024
"""
REMOVE = '[remove]\nlist = "taken.txt"\n'
Stages = toys.Stages | Pack


def page(source: str, file: str, row: int) -> tuple[str, str]:
    """-> (URL, text)"""
    words = random.Random(f"{source} {file} {row}")
    text = " ".join("".join(words.choices("abcdefghijklmnopqrstuvwxyz", k=6)) for _ in range(14))
    return f"http://{file}.example/{source}/{row:02}", text if row % 7 else "short"


class World:
    """A folder with data, a store, and build directories."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def prepare(self) -> None:
        for source, files, rows in (("web", "abc", 14), ("books", "de", 10)):
            (self.folder / "data" / source).mkdir(parents=True)
            for file in files:
                lines = ["\t".join(page(source, file, row)) for row in range(rows)]
                (self.folder / "data" / source / f"{file}.txt").write_text("\n".join(lines) + "\n")
        (self.folder / "letters.txt").write_text(sealed.LETTERS, encoding="utf-8")
        self.write()

    def write(self, *entries: str, text: str = MANIFEST, name: str = "m", remove: str = REMOVE) -> None:
        (self.folder / f"{name}.toml").write_text(text + (remove if entries else ""))
        (self.folder / "taken.txt").write_text("\n".join(entries))

    def builder(self, name: str = "m") -> Builder:
        toys.applied.clear()
        plan = recipe.load(self.folder / f"{name}.toml", Stages, sealed.Readers)
        return Builder(Graph(plan, self.store), Local(), Progress(quiet=True))

    def build(self, name: str = "m", until: str | None = None) -> Outcome:
        return compile_corpus(self.builder(name), self.out(name), until)

    def out(self, name: str = "m") -> Blobs:
        return Blobs(str(self.folder / f"out-{name}"))

    @property
    def store(self) -> Blobs:
        return Blobs(str(self.folder / "store"))

    def checked(self, *also: str) -> Removed:
        return check_removed([(self.out(name), self.store) for name in ("m", *also)])

    def clean(self, name: str = "m") -> bool:
        """The laws hold, and nothing of the list is left."""
        found = verify(self.out(name), self.store)
        removed = check_removed([(self.out(name), self.store)])
        assert found.wrong == []
        assert {p.what: p.found for p in removed.places if p.found} == {}
        return True

    def files(self) -> Iterator[Path]:
        for place in self.folder.iterdir():
            if place.name.startswith(("out", "store")):
                yield from (path for path in sorted(place.rglob("*")) if path.is_file())

    def holds(self, source: str, file: str, row: int) -> list[str]:
        """Files that hold anything of a page: text, URL, id, tokens."""
        url, text = page(source, file, row)
        half = text[: len(text) // 2]
        tokens = [sealed.LETTERS.find(c) for c in half.upper()]
        looked_for = [
            s.encode() for s in (url, half, half.upper(), self.id(source, file, row).hex(), str(tokens)[1:-1])
        ]
        looked_for += [np.array(tokens, "<u2").tobytes(), self.id(source, file, row)]
        found = []
        for path in self.files():
            data = path.read_bytes()
            if path.suffix == ".parquet":
                columns = pq.read_table(path).to_pydict()
                data = repr(columns).encode()
                data += b"".join(one for c in columns.values() for one in c if isinstance(one, bytes))
            found += [path.relative_to(self.folder).as_posix()] if any(one in data for one in looked_for) else []
        return found

    def id(self, source: str, file: str, row: int) -> bytes:
        return record_ids(source, f"{file}.txt", row, 1)[0].as_py()

    def tokens(self) -> dict[str, str]:
        return {
            path.name: hashlib.sha256(path.read_bytes()).hexdigest() + str(path.stat().st_mtime_ns)
            for path in (self.folder / "out-m" / "tokens").iterdir()
        }

    def texts(self, name: str = "m") -> Counter[str]:
        found: Counter[str] = Counter()
        for shard in Build(self.out(name), self.store).shards:
            reader = ShardReader(Path(self.out(name).root) / shard.path)
            found.update("".join(sealed.LETTERS[t] for t in reader.doc(i)[:-1]) for i in range(len(reader)))
        return found

    def dropped(self, outcome: Outcome, source: str) -> dict[str, int]:
        return next(flow.dropped for flow in outcome.funnel[source] if flow.stage == "read")


GONE = [("web", "b", 3), ("web", "b", 9), ("books", "d", 4)]


def entries(world: World) -> list[str]:
    """A list that names these three, by URL and by id."""
    return ["# what must go", page(*GONE[0])[0], world.id(*GONE[1]).hex() + " # by id", page(*GONE[2])[0] + "#top"]
