"""Documents by name: `pile/<subset>/<which>` and `zh/<genre>/<which>` as records of Pile shape.

A record is {"text": ..., "meta": {"pile_set_name": ..., ...}}. The subsets stand in a table with the number of
documents at scale 1 and the least number at any scale.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple
from urllib.parse import quote

from sampledata import books, english, python_text
from sampledata.chinese import GENRES
from sampledata.randomness import source
from sampledata.traditional import to_traditional

_TRADITIONAL_SHARE = 0.15
_BOOK_BYTES = range(1_000_000, 1_900_000)


class Record(NamedTuple):
    text: str
    meta: dict[str, str]

    def as_object(self) -> dict[str, object]:
        return {"text": self.text, "meta": self.meta}


class Subset(NamedTuple):
    """set_name: the value of meta.pile_set_name; documents at scale 1; least at any scale."""

    set_name: str
    documents: int
    least: int


SUBSETS: dict[str, Subset] = {
    "pile/wikipedia-en": Subset("Wikipedia (en)", 3000, 60),
    "pile/stackexchange": Subset("StackExchange", 2600, 50),
    "pile/arxiv": Subset("ArXiv", 420, 8),
    "pile/pubmed-abstracts": Subset("PubMed Abstracts", 2200, 40),
    "pile/gutenberg": Subset("Gutenberg (PG-19)", 3, 2),
    "pile/github": Subset("GitHub", 300, 12),
    "pile/python-docs": Subset("Python Docs", 180, 8),
    "zh/encyclopedia": Subset("Zh Encyclopedia", 1900, 40),
    "zh/news": Subset("Zh News", 1500, 30),
    "zh/reviews": Subset("Zh Reviews", 1200, 25),
    "zh/questions": Subset("Zh Questions", 1300, 25),
    "zh/poems": Subset("Zh Poems", 500, 12),
    "zh/statutes": Subset("Zh Statutes", 250, 6),
    "zh/lessons": Subset("Zh Lessons", 150, 6),
}


def names(seed: int, subset: str, scale: float) -> Iterator[str]:
    """The names of the documents of `subset`. Subsets that are taken from the interpreter end where it ends."""
    table = SUBSETS[subset]
    count = max(table.least, round(table.documents * scale))
    rng = source(seed, subset)
    if subset == "pile/github":
        available = python_text.source_names()
        yield from (f"{subset}/{name}" for name in rng.sample(available, min(count, len(available))))
    elif subset == "pile/python-docs":
        available = [f"topic/{name}" for name in python_text.topic_names()]
        available += [f"module/{name}" for name in python_text.source_names()]
        yield from (f"{subset}/{name}" for name in rng.sample(available, min(count, len(available))))
    else:
        yield from (f"{subset}/{number}" for number in range(count))


def document(seed: int, name: str) -> Record:
    """The document called `name`."""
    corpus, kind, which = name.split("/", 2)
    return (_chinese if corpus == "zh" else _WRITERS[kind])(seed, name, which)


def meta(subset: str, which: str, **more: str) -> dict[str, str]:
    return {"pile_set_name": SUBSETS[subset].set_name, "id": which, **more}


def _wikipedia(seed: int, name: str, which: str) -> Record:
    piece = english.article(source(seed, name))
    url = "https://en.encyclopedia.example/wiki/" + quote(piece.title.replace(" ", "_"))
    return Record(piece.text, meta("pile/wikipedia-en", which, url=url))


def _stackexchange(seed: int, name: str, which: str) -> Record:
    rng = source(seed, name)
    code = python_text.snippet(rng.choice(python_text.source_names()), rng.random()) if rng.random() < 0.3 else ""
    piece = english.question(rng, code)
    url = f"https://answers.example/questions/{seed % 1000}{which}"
    return Record(piece.body, meta("pile/stackexchange", which, url=url))


def _arxiv(seed: int, name: str, which: str) -> Record:
    return Record(english.paper(source(seed, name)).body, meta("pile/arxiv", which))


def _pubmed(seed: int, name: str, which: str) -> Record:
    return Record(english.abstract(source(seed, name)).text, meta("pile/pubmed-abstracts", which))


def _gutenberg(seed: int, name: str, which: str) -> Record:
    size = source(seed, name + "/size").choice(_BOOK_BYTES)
    piece = books.book(seed, name, size)
    return Record(piece.text, meta("pile/gutenberg", which, title=piece.title))


def _github(seed: int, name: str, which: str) -> Record:
    return Record(python_text.read_source(which), meta("pile/github", which, licence=python_text.LICENCE))


def _python_docs(seed: int, name: str, which: str) -> Record:
    kind, _, of = which.partition("/")
    text = python_text.read_topic(of) if kind == "topic" else python_text.docstrings(of)
    return Record(text, meta("pile/python-docs", which, licence=python_text.LICENCE))


def _chinese(seed: int, name: str, which: str) -> Record:
    genre = name.split("/")[1]
    rng = source(seed, name)
    script = "Hant" if rng.random() < _TRADITIONAL_SHARE else "Hans"
    piece = GENRES[genre](rng)
    text = to_traditional(piece.text) if script == "Hant" else piece.text
    url = f"https://{genre}.zh.example/{which}.html"
    return Record(text, meta(f"zh/{genre}", which, url=url, script=script))


_WRITERS: dict[str, Callable[[int, str, str], Record]] = {
    "wikipedia-en": _wikipedia,
    "stackexchange": _stackexchange,
    "arxiv": _arxiv,
    "pubmed-abstracts": _pubmed,
    "gutenberg": _gutenberg,
    "github": _github,
    "python-docs": _python_docs,
}
