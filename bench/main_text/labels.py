"""Which blocks of a page are its text, told by the gold text: what the trees learn from."""

import hashlib
import html
from typing import NamedTuple

import numpy as np

from bench.main_text.gold import Gold
from bench.main_text.score import grams, squeezed
from stages.extract import Extract
from stages.html_blocks import COLUMN, Blocks

_SHORT = 8  # characters below which a block is text only if it is a line of the gold text
_PAGE = 15.0  # weight of a page, twice: spread over its blocks, and by their share in the gold text
_LEAST_GRAMS, _MOST_SHARE = 200, 0.5  # of a gold text, and of a block in it, so that no block weighs too much


_SMALL = 5.0  # weight of a small page
_HEADING = 80  # characters
_FEW = 6  # parts of each kind that a small page has at most


class Example(NamedTuple):
    """A page to learn from: (blocks, features) float32, and (blocks,) each of whether it is text and what it weighs."""

    gold: Gold
    blocks: Blocks
    values: np.ndarray
    is_text: np.ndarray
    weight: np.ndarray


def small_pages(examples: list[Example]) -> list[Example]:
    """One page more for each: some of its links, some paragraphs of its text in a row, some of the rest, and nothing
    else. Real pages have a hundred blocks, and trees that saw no other take a page of three lines for boilerplate."""
    return [small for example in examples if (small := _small(example)) is not None]


def _small(example: Example) -> Example | None:
    random = np.random.default_rng(int.from_bytes(hashlib.blake2b(example.gold.name.encode(), digest_size=8).digest()))
    table = example.blocks.table
    texts = [example.blocks.text[a:b].tobytes().decode("utf-8") for a, b in table[:, :2].tolist()]
    links = np.flatnonzero(~example.is_text & (2 * table[:, COLUMN["link_width"]] > table[:, COLUMN["width"]]))
    rest = np.flatnonzero(~example.is_text & (table[:, COLUMN["link_width"]] == 0))
    text = np.flatnonzero(example.is_text)
    if not len(text):
        return None
    menu = random.permutation(links)[: random.integers(0, _FEW + 1)].tolist()
    first = int(random.integers(0, len(text)))
    own = text[first : first + int(random.integers(1, _FEW + 1))].tolist()
    foot = random.permutation(rest)[: random.integers(0, 3)].tolist()
    page = "".join(
        ["<html><body>"]
        + ["<ul>", *(f"<li><a href=x>{html.escape(texts[row])}</a>" for row in menu), "</ul>"] * bool(menu)
        + [_paragraph(texts[row], first=row == own[0]) for row in own]
        + [f"<div>{html.escape(texts[row])}</div>" for row in foot]
    )
    read = Extract(keep=0).read(page)
    is_text = np.array([False] * len(menu) + [True] * len(own) + [False] * len(foot))
    if len(read.values) != len(is_text):  # a text of which nothing is left, or with what would be a line break
        return None
    weight = np.full(len(is_text), _SMALL / len(is_text))
    return Example(example.gold, read.blocks, read.values, is_text, weight)


def _paragraph(text: str, first: bool) -> str:
    """A short one at the beginning is a heading."""
    tag = "h1" if first and len(text) < _HEADING else "p"
    return f"<{tag}>{html.escape(text)}</{tag}>"


def examples(pages: list[Gold]) -> list[Example]:
    """A block is text where more than half of its 4-grams stand in the gold text.

    Half of the weight goes by the root of a block's length, the same for every page; half by what a mistake about the
    block costs in F1 there, its length in that of the gold text. Of 483 pages of dragnet, on hosts not seen, F1 is
    0.899 with the first alone, 0.903 with mostly the second, 0.906 with both."""
    extract = Extract(keep=0)
    found = []
    for gold in pages:
        decoded = extract.decoded(gold.body, gold.http_charset)
        if not decoded.text:
            continue
        read = extract.read(decoded.text, gold.url)
        known, lines = grams(gold.text), {squeezed(line) for line in gold.text.split("\n")}
        hits = np.zeros((len(read.values), 2))
        for number, (start, end) in enumerate(read.blocks.table[:, :2].tolist()):
            text = squeezed(read.blocks.text[start:end].tobytes().decode("utf-8"))
            if len(text) < _SHORT:
                hits[number] = (len(text) if text in lines else 0), len(text)
            else:
                own = grams(text)
                hits[number] = (own & known).total(), own.total()
        size = np.maximum(hits[:, 1], 1)
        spread = np.sqrt(size) / max(np.sqrt(size).sum(), 1)
        cost = np.minimum(size / max(known.total(), _LEAST_GRAMS), _MOST_SHARE)
        found.append(Example(gold, read.blocks, read.values, hits[:, 0] > 0.5 * hits[:, 1], _PAGE * (spread + cost)))
    return found
