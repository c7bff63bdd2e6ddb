"""Input for the published recipes: small stand-ins for the sets that `manifests/mt-nlg.toml` and `manifests/yuan.toml`
name, in the folders where they look for them, under `mt-nlg/` and `yuan/`.

Nothing is planted here but items of one benchmark, in documents of `openwebtext2`. Crawls and Chinese text are those of
the sample in the same directory, which must be there. The classes of documents that the recipes' classifiers learn from
lie in `classes/`.
"""

import json
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import zstandard

from sampledata import books, chinese, english, python_text
from sampledata.randomness import source

ITEMS = 12  # of the benchmark, each in a document
_ARTICLES = 60


def _articles(count: int) -> Callable[[int, str], Iterator[str]]:
    return lambda seed, name: (english.article(source(seed, f"{name}/{n}")).text for n in range(count))


def _books(count: int, size_bytes: int) -> Callable[[int, str], Iterator[str]]:
    return lambda seed, name: (books.book(seed, f"{name}/{n}", size_bytes).text for n in range(count))


def _each(write: Callable[[random.Random], english.Piece], count: int) -> Callable[[int, str], Iterator[str]]:
    return lambda seed, name: (write(source(seed, f"{name}/{n}")).text for n in range(count))


def _code(seed: int, name: str) -> Iterator[str]:
    chosen = source(seed, name).sample(python_text.source_names(), 20)
    return (python_text.read_source(module) for module in chosen)


_MT_NLG: dict[str, Callable[[int, str], Iterator[str]]] = {
    "books3": _books(4, 120_000),
    "openwebtext2": _articles(_ARTICLES),
    "stackexchange": _each(english.question, 60),
    "pubmed-abstracts": _each(english.abstract, 60),
    "wikipedia-en": _articles(_ARTICLES),
    "gutenberg": _books(3, 100_000),
    "bookcorpus2": _books(3, 60_000),
    "nih-exporter": _each(english.abstract, 30),
    "arxiv": _each(english.paper, 12),
    "github": _code,
    "pile-cc": _articles(_ARTICLES),
    "realnews": _articles(_ARTICLES),
    "cc-stories": _each(books.scene, 40),
}
_YUAN = {  # sources -> genres of the sample
    "encyclopedia": ("encyclopedia",),
    "news": ("news",),
    "books": ("poems", "lessons", "statutes"),
    "public": ("questions", "reviews"),
}
_CLASSES: dict[str, dict[str, tuple[Callable[[random.Random], english.Piece], ...]]] = {
    "mt-nlg": {"low": (english.spam,)},
    "yuan": {
        "high": (chinese.encyclopedia, chinese.news),
        "low": (chinese.review, chinese.question),
        "advertisement": (chinese.spam,),
    },
}


def recipes(directory: Path, seed: int) -> dict[str, int]:
    """Write `mt-nlg/` and `yuan/` beside the sample in `directory`. -> documents by folder. FileNotFoundError where the
    sample is not there."""
    made: dict[str, int] = {}
    crawled = sorted((directory / "crawl").glob("*.warc.gz"))
    if not crawled:
        raise FileNotFoundError(f"{directory}/crawl: no sample here; make it first")
    for name, texts in _MT_NLG.items():
        made[f"mt-nlg/{name}"] = _write(directory / "mt-nlg" / name / "00.jsonl.zst", texts(seed, f"mt-nlg/{name}"))
    half = len(crawled) // 2
    for name, files in (("cc-2020-50", crawled[:half]), ("cc-2021-04", crawled[half:])):
        _copy(files, directory / "mt-nlg" / name)
    _copy(crawled, directory / "yuan" / "crawl")
    for name, genres in _YUAN.items():
        _copy([directory / "zh" / f"{genre}.jsonl.zst" for genre in genres], directory / "yuan" / name)
    for recipe, classes in _CLASSES.items():
        for name, writers in classes.items():
            rngs = (source(seed, f"classes/{recipe}/{name}/{n}") for n in range(200))
            texts = (writers[n % len(writers)](rng).text for n, rng in enumerate(rngs))
            made[f"{recipe}/classes/{name}"] = _write(directory / recipe / "classes" / name / "00.jsonl.zst", texts)
    _write(directory / "mt-nlg" / "benchmarks" / "lambada.jsonl.zst", _items(seed))
    return made


def _items(seed: int) -> Iterator[str]:
    """The second half of some documents of openwebtext2, as a benchmark would quote them: 40 words."""
    for n in range(0, _ARTICLES, _ARTICLES // ITEMS):
        words = english.article(source(seed, f"mt-nlg/openwebtext2/{n}")).text.split()
        yield " ".join(words[len(words) // 2 : len(words) // 2 + 40])


def _write(path: Path, texts: Iterator[str]) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps({"text": text, "meta": {}}, ensure_ascii=False).encode() + b"\n" for text in texts]
    path.write_bytes(zstandard.ZstdCompressor(level=3, write_checksum=True).compress(b"".join(lines)))
    return len(lines)


def _copy(files: list[Path], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for file in files:
        shutil.copyfile(file, folder / file.name)
