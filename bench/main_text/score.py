"""Precision, recall and F1 of character 4-grams, white space left out, each gram as often as it stands."""

import re
from collections import Counter
from typing import NamedTuple

_SPACE = re.compile(r"\s+")


class Score(NamedTuple):
    precision: float
    recall: float
    f1: float


def squeezed(text: str) -> str:
    return _SPACE.sub("", text)


def grams(text: str) -> Counter[str]:
    text = squeezed(text)
    return Counter(text[at : at + 4] for at in range(len(text) - 3))


def score(found: str, gold: str) -> Score:
    ours, theirs = grams(found), grams(gold)
    if not ours or not theirs:
        return Score(*(float(not ours and not theirs),) * 3)
    common = (ours & theirs).total()
    precision, recall = common / ours.total(), common / theirs.total()
    return Score(precision, recall, 2 * precision * recall / (precision + recall) if common else 0.0)


def mean(scores: list[Score]) -> Score:
    return Score(*(sum(values) / len(scores) for values in zip(*scores, strict=True)))
