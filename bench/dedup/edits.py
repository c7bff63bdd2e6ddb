"""Edits: the ways in which a copy of a document differs from it.

Each takes a text and gives another; where it has nothing to work on it gives the text back, and the caller takes
another document. Words are edited in English, Han characters in Chinese.
"""

import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from bench.dedup.truth import Simplify, as_is, jaccard, shingles, units

_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff]")
_WORD = re.compile(r"\w")
_NUMBER = re.compile(r"\d+")
_SENTENCE = re.compile(r"(?<=[.!?。！？；])\s*(?=\S)")
_WIDE = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}
_NARROW_MARKS = str.maketrans("，。：；！？（）「」『』“”", ',.:;!?()""""""')
_WIDE_MARKS = str.maketrans(",:;!?()", "，：；！？（）")
_CURLY = [(re.compile(r'"([^"\n]*)"'), "\u201c\\1\u201d"), (re.compile(r"(\w)'(\w)"), "\\1\u2019\\2")]
_TRIES = 12


@dataclass(frozen=True)
class Material:
    """What is put into copies: `vocabulary` of the language, each word as often as it occurs; `passages` of documents
    that are planted nowhere else."""

    language: str
    vocabulary: list[str]
    passages: list[str]


def tokens(text: str, language: str) -> list[str]:
    """The text in pieces: words and white space, or characters."""
    return re.findall(r"\S+|\s+", text) if language == "en" else list(text)


def editable(found: list[str], language: str) -> list[int]:
    """Places of the words, or of the Han characters."""
    shape = _WORD if language == "en" else _HAN
    return [at for at, token in enumerate(found) if shape.search(token)]


def scattered(text: str, count: int, material: Material, rng: random.Random) -> str:
    """`count` words or characters substituted, inserted or deleted, each kind as likely, at random places."""
    found = tokens(text, material.language)
    places = editable(found, material.language)
    gap = " " if material.language == "en" else ""
    for at in rng.sample(places, min(count, len(places))):
        fresh = rng.choice(material.vocabulary)
        found[at] = rng.choice((fresh, f"{fresh}{gap}{found[at]}", ""))
    return "".join(found)


def share(part: float) -> Callable[[str, Material, random.Random], str]:
    """Scattered edits of a share of the words or characters; one at least."""

    def edit(text: str, material: Material, rng: random.Random) -> str:
        count = len(editable(tokens(text, material.language), material.language))
        return scattered(text, max(1, round(part * count)), material, rng)

    return edit


def in_blocks(text: str, count: int, material: Material, rng: random.Random) -> str:
    """`count` words or characters in one to three blocks replaced by a passage, taken out, or preceded by a passage."""
    found = tokens(text, material.language)
    places = editable(found, material.language)
    blocks = min(rng.randint(1, 3), count)
    for block in range(blocks):
        if len(places) < 2:
            break
        size = max(1, min((count + block) // blocks, len(places) // 2))
        first = rng.randrange(max(1, len(places) - size))
        start, end = places[first], places[min(first + size, len(places) - 1)]
        fresh = passage(size, material, rng) if (way := rng.randrange(3)) else []
        found[start:end] = [*fresh, *(found[start:end] if way == 2 else [])]
        places = editable(found, material.language)
    return "".join(found)


@lru_cache(1000)
def _places(text: str, language: str) -> tuple[list[str], list[int]]:
    found = tokens(text, language)
    return found, editable(found, language)


def passage(size: int, material: Material, rng: random.Random) -> list[str]:
    """So many words or characters in a row, from somewhere."""
    while True:
        found, places = _places(rng.choice(material.passages), material.language)
        if len(places) > size:
            first = rng.randrange(len(places) - size)
            return found[places[first] : places[first + size]]


def aimed(
    text: str,
    low: float,
    high: float,
    edit: Callable[[str, int, Material, random.Random], str],
    material: Material,
    rng: random.Random,
    simplify: Simplify = as_is,
) -> str:
    """Edited so much that the similarity to the text lies in [low, high); the text itself where that was not met."""
    before = shingles(units(text, simplify))
    goal = rng.uniform(low, high)
    width = 5 if material.language == "en" else 8
    alone = edit is scattered
    count = len(before) * (1 - goal) / (1 + goal) / (width if alone else 1)
    for _ in range(_TRIES):
        edited = edit(text, max(1, round(count)), material, rng)
        found = jaccard(before, shingles(units(edited, simplify)))
        if low <= found < high:
            return edited
        if count < 1 and found < low:
            break
        count *= min(2.0, max(0.5, (1 - goal) / max(1 - found, 0.001)))
    return text


def reordered(text: str, rng: random.Random) -> str:
    """Paragraphs in another order; sentences where there are no paragraphs."""
    for parts, glue in ((text.split("\n"), "\n"), (_SENTENCE.split(text), " " if " " in text else "")):
        full = [part for part in parts if part.strip()]
        if len(full) >= 3:
            moved = rng.sample(full, len(full))
            return glue.join(moved if moved != full else moved[1:] + moved[:1])
    return text


def renumbered(text: str, rng: random.Random) -> str:
    """One number is another one, of as many digits; wherever else it stands, it stays."""
    found = list(_NUMBER.finditer(text))
    if not found:
        return text
    one = rng.choice(found)
    digits = one.group()
    while (fresh := "".join(rng.choice("0123456789") for _ in digits)) == digits:
        pass
    return text[: one.start()] + fresh + text[one.end() :]


def recased(text: str, rng: random.Random) -> str:
    return rng.choice((str.upper, str.lower, str.title))(text)


def respaced(text: str, rng: random.Random) -> str:
    """Other line ends, tabs and double spaces; no word is joined or broken."""
    gaps = ("\n", "  ", "\t", " \n", "\u00a0", " ", " ", " ")
    return "".join(rng.choice(gaps) if token.isspace() else token for token in re.findall(r"\S+|\s+", text))


def widened(text: str, rng: random.Random) -> str:
    """ASCII as full-width characters, all of it or letters and digits alone."""
    if rng.random() < 0.5:
        return text.translate(_WIDE)
    return text.translate({code: wide for code, wide in _WIDE.items() if chr(code).isalnum()})


def repunctuated(text: str, rng: random.Random) -> str:
    """Full-width punctuation as ASCII or the other way round; in English, curly quotation marks and apostrophes."""
    if _HAN.search(text):
        return text.translate(_NARROW_MARKS if rng.random() < 0.7 else _WIDE_MARKS)
    for shape, fresh in _CURLY:
        text = shape.sub(fresh, text)
    return text.replace(" - ", " \u2014 ")
