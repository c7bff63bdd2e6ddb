"""Long books of more than a megabyte each, so that documents must be split somewhere.

A book fixes its people and its town; a chapter is a function of (seed, book, chapter), so a book may be written in
pieces.
"""

import random
from collections.abc import Iterator

from sampledata.english import Piece, english
from sampledata.grammar import Text
from sampledata.randomness import source

_PARAGRAPHS = 75  # of a chapter, about 27 kB


def book(seed: int, name: str, size_bytes: int) -> Piece:
    """A novel of `size_bytes` or one chapter more."""
    cast = _cast(source(seed, name))
    chapters: list[str] = []
    written = 0
    for number, chapter in enumerate(_chapters(seed, name, cast), start=1):
        chapters += [f"CHAPTER {_roman(number)}\n{chapter[0]}", *chapter[1:]]
        written += sum(map(len, chapter)) + 2 * len(chapter)
        if written >= size_bytes:
            break
    title = english(source(seed, name + "/title"), **cast).one("book_title")
    return Piece(title.upper(), chapters)


def scene(rng: random.Random) -> Piece:
    """A few pages of a novel, as a document of its own."""
    t = english(rng, **_cast(rng))
    return Piece(t.one("chapter_title"), _paragraphs(t, rng.randint(4, 9)))


def _cast(rng: random.Random) -> dict[str, str]:
    t = english(rng)
    return {
        "hero__h": t.one("first_f"),
        "friend__f": t.one("first_m"),
        "rival__r": f"{rng.choice(('Mr', 'Mrs', 'Captain', 'Doctor'))} {t.one('last')}",
        "aunt__a": f"Aunt {t.one('first_f')}",
        "town__T": t.one("town"),
        "town__U": t.one("town"),
    }


def _chapters(seed: int, name: str, cast: dict[str, str]) -> Iterator[list[str]]:
    number = 0
    while True:
        number += 1
        t = english(source(seed, f"{name}/chapter-{number}"), **cast)
        yield [t.one("chapter_title"), *_paragraphs(t, _PARAGRAPHS)]


def _paragraphs(t: Text, count: int) -> list[str]:
    paragraphs = [t.one("scene_open") + " " + " ".join(t.some("scene", 2, 4))]
    paragraphs += [" ".join(t.some("scene", 1, 5)) for _ in range(count - 2)]
    return [*paragraphs, " ".join([*t.some("scene", 1, 3), t.one("scene_close")])]


def _roman(number: int) -> str:
    digits = ((100, "C"), (90, "XC"), (50, "L"), (40, "XL"), (10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I"))
    written = ""
    for value, letters in digits:
        written += letters * (number // value)
        number %= value
    return written
