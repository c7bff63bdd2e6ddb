"""Pages that share most of their text and are different pages all the same: no copy of one another.

- A **template** is a real text of 1,500 to 6,000 characters around one or two slots; what stands in the slots, 3 to 15%
  of the page, is a piece of another real document, a different one on every page.
- A **form** is a real text with fields inside its lines, filled in with other names, numbers, dates and sums on every
  page; so many fields that two filled forms have a similarity between 0.75 and 0.93.
"""

import random
import re
from collections.abc import Callable, Iterator

from bench.dedup.edits import Material, editable, tokens

FRAME_CHARS = (1_500, 6_000)
CONTENT = (0.03, 0.15)


def frame(text: str, rng: random.Random) -> str:
    """A stretch of the text of `FRAME_CHARS`."""
    size = min(len(text), rng.randint(*FRAME_CHARS))
    start = rng.randrange(len(text) - size + 1)
    return text[start : start + size]


def pages(text: str, count: int, fresh: Iterator[str], rng: random.Random, language: str) -> list[str]:
    """Pages of one template around a stretch of `text`; `fresh` gives real text that no other page has."""
    whole = tokens(frame(text, rng), language)
    slots = sorted(rng.sample(range(len(whole)), rng.choice((1, 2))))
    made = []
    for _ in range(count):
        part = rng.uniform(*CONTENT)
        size = round(part / (1 - part) * sum(map(len, whole)) / len(slots))
        found = list(whole)
        for slot in reversed(slots):
            found.insert(slot, f"\n{_taken(fresh, size, language)}\n")
        made.append("".join(found))
    return made


def _taken(fresh: Iterator[str], size: int, language: str) -> str:
    """About `size` characters, in whole words."""
    held = ""
    while len(held) < size:
        held += (" " if held and language == "en" else "") + next(fresh)
    return held


def snippets(passages: list[str], language: str) -> Iterator[str]:
    """Real text in bits of about 25 characters, each given once. StopIteration when it is used up."""
    for text in passages:
        found = re.findall(r"\S+", text) if language == "en" else " ".join(text.split())
        step = 5 if language == "en" else 25
        for start in range(0, len(found) - step + 1, step):
            yield " ".join(found[start : start + step]) if language == "en" else str(found[start : start + step])


def forms(text: str, count: int, material: Material, rng: random.Random) -> list[str]:
    """One form, filled in `count` times."""
    whole = tokens(frame(text, rng), material.language)
    places = editable(whole, material.language)
    goal = rng.uniform(0.75, 0.93)
    width = 6 if material.language == "en" else 10
    fields = max(2, round(len(places) * (1 - goal) / (1 + goal) / width))
    chosen = [(at, rng.choice(_FIELDS[material.language])) for at in rng.sample(places, min(fields, len(places)))]
    made = []
    for _ in range(count):
        found = list(whole)
        for at, fill in chosen:
            found[at] = fill(material, rng)
        made.append("".join(found))
    return made


Fill = Callable[[Material, random.Random], str]


def _name(material: Material, rng: random.Random) -> str:
    if material.language == "en":
        return " ".join(rng.choice(material.vocabulary).title() for _ in range(2))
    return "".join(rng.choice(material.vocabulary) for _ in range(3))


def _date(material: Material, rng: random.Random) -> str:
    year, month, day = rng.randint(1950, 2026), rng.randint(1, 12), rng.randint(1, 28)
    return f"{day}.{month}.{year}" if material.language == "en" else f"{year}年{month}月{day}日"


def _sum(material: Material, rng: random.Random) -> str:
    value = rng.randint(100, 10**8)
    return f"${value:,}" if material.language == "en" else f"{value}元"


def _number(material: Material, rng: random.Random) -> str:
    return str(rng.randint(10**5, 10**11))


def _place(material: Material, rng: random.Random) -> str:
    if material.language == "en":
        return f"{rng.randint(1, 400)} {rng.choice(material.vocabulary).title()} Street"
    return "".join(rng.choice(material.vocabulary) for _ in range(4)) + f"路{rng.randint(1, 400)}号"


_FIELDS: dict[str, tuple[Fill, ...]] = dict.fromkeys(("en", "zh"), (_name, _name, _date, _sum, _number, _place))
