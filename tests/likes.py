"""A build in which documents are like others in every way: copies, near duplicates, pages of a template, a chain."""

import json
import random
from pathlib import Path

import msgspec

import stages
from corpus import recipe
from corpus.build import Builder
from corpus.drive import compile_corpus
from corpus.graph import Graph
from corpus.local import Local
from corpus.progress import Progress
from corpus.store import Blobs

_SOURCE = """
[[source]]
name = "{name}"
format = "jsonl"
root = "data/{name}"
files = ["*.jsonl"]
priority = {priority}
read = {{ partition_rows = 40 }}
"""
_STAGES = '\n[[stage]]\nkind = "normalise"\n[[stage]]\nkind = "sign"\n[[stage]]\nkind = "dedup"\n'
HOSTILE = "<script>alert('x')</script> \x1b[31m"


def documents() -> dict[str, list[str]]:
    """Texts by source, the sources in order of rank.

    books   60 texts that are like nothing, and the first of a chain
    web     8 pages of a template (0 to 7), 3 near duplicates (8 to 10), the second of the chain (11), copies of the
            first 30 books (12 to 41), once more of the first 2 (42, 43), one that is like nothing (44)
    late    the third of the chain: like the second, not like the first"""
    rng = random.Random(5)
    vocabulary = [
        "".join(rng.choices("bdfgklmnprst", k=1)[0] + rng.choice("aeiou") for _ in range(3)) for _ in range(900)
    ]

    def words(count: int) -> list[str]:
        return rng.choices(vocabulary, k=count)

    frame = words(300)
    pages = [" ".join([*frame[:150], *words(26), *frame[150:]]) for _ in range(8)]
    chain = [words(400)]
    for n in range(2):
        link = list(chain[-1])
        link[60 * n : 60 * n + 30] = words(30)
        chain.append(link)
    first, second, third = map(" ".join, chain)
    poem = words(100)
    noisy = [" ".join([*poem[:60], f"{HOSTILE} {n}", *poem[60:]]) for n in range(3)]
    books = [" ".join(words(120)) for _ in range(60)]
    web = [*pages, *noisy, second, *books[:30], *books[:2], " ".join(words(120))]
    return {"books": [*books, first], "web": web, "late": [third]}


def write(folder: Path, name: str, texts: dict[str, list[str]], dedup: str = "") -> Path:
    """-> the manifest. Documents of a source have the URLs http://<source>.example/0, /1, …"""
    for source, own in texts.items():
        place = folder / "data" / source / "a.jsonl"
        place.parent.mkdir(parents=True, exist_ok=True)
        lines = [json.dumps({"text": text, "url": f"http://{source}.example/{n}"}) for n, text in enumerate(own)]
        place.write_text("".join(line + "\n" for line in lines))
    path = folder / f"{name}.toml"
    sources = [_SOURCE.format(name=source, priority=n) for n, source in enumerate(texts)]
    path.write_text(f'name = "{name}"\nseed = 1\n' + "".join(sources) + _STAGES + dedup)
    return path


def builder(path: Path) -> Builder:
    plan = recipe.load(path, stages.Stage, stages.Reader)
    return Builder(Graph(plan, Blobs(str(path.parent / "store"))), Local(), Progress(quiet=True))


def build(path: Path) -> tuple[Blobs, Blobs]:
    """-> build directory, store"""
    out, one = Blobs(str(path.parent / f"{path.stem}.out")), builder(path)
    compile_corpus(one, out)
    out.put("runs.jsonl", msgspec.json.encode({"manifest": str(path), "store": one.store.root, "seconds": 1.0}) + b"\n")
    return out, one.store
