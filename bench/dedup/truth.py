"""What two documents have in common, counted exactly: sets of shingles, and the Jaccard similarity of two sets.

Units are words (lower case, no accents, no apostrophes) and single Han or kana characters, all in simplified
characters. From each unit starts the least run of units that weighs `words * han`, where a word weighs `han` and a
character `words`: five words, eight characters, or a mixture in proportion. A document that weighs less is one shingle.

Written for this benchmark in plain Python, apart from the code under test; `simplify` is OpenCC's (`mirror.py`).
"""

import re
import unicodedata
from collections.abc import Callable, Iterable
from functools import cache
from typing import NamedTuple

WORDS, HAN = 5, 8
THRESHOLD = 0.8

HAN_RANGES = (
    "\u2e80-\u2fdf\u3005\u3007\u3021-\u3029\u3038-\u303b\u3041-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
_UNIT = re.compile(f"[{HAN_RANGES}]|[^\\W_{HAN_RANGES}]+")
_SINGLE = re.compile(f"[{HAN_RANGES}]")
_DROPPED = re.compile("['\u2019\u2018\u02bc\u0300-\u036f\u200b-\u200f\u2060\ufeff\u00ad]+")

Simplify = Callable[[str], str]


class Pair(NamedTuple):
    """Two documents of a family, by id, and their similarity."""

    one: str
    other: str
    similarity: float


def as_is(text: str) -> str:
    return text


@cache
def _single(unit: str) -> bool:
    return _SINGLE.fullmatch(unit) is not None


def units(text: str, simplify: Simplify = as_is) -> list[str]:
    """The words and characters of a text, in order."""
    folded = text if text.isascii() else simplify(unicodedata.normalize("NFKD", text))
    folded = _DROPPED.sub("", folded.lower())
    return _UNIT.findall(folded if folded.isascii() else unicodedata.normalize("NFC", folded))


def shingles(found: list[str], words: int = WORDS, han: int = HAN) -> set[str]:
    """The set of runs; empty where there is no unit at all."""
    weights = [words if _single(unit) else han for unit in found]
    need = words * han
    runs = set()
    weight = start = 0
    for end, own in enumerate(weights, 1):
        weight += own
        while weight >= need:
            runs.add(" ".join(found[start:end]))
            weight -= weights[start]
            start += 1
    return runs or ({" ".join(found)} if found else set())


def jaccard(one: set[str], other: set[str]) -> float:
    """Shared shingles over all; 0 where both are empty: nothing was compared."""
    both = len(one & other)
    either = len(one) + len(other) - both
    return both / either if either else 0.0


def pairs(family: Iterable[tuple[str, str]], simplify: Simplify = as_is) -> list[Pair]:
    """All pairs of a family given as (id, text)."""
    sets = [(name, shingles(units(text, simplify))) for name, text in family]
    return [
        Pair(one, other, jaccard(mine, theirs))
        for at, (one, mine) in enumerate(sets)
        for other, theirs in sets[at + 1 :]
    ]
