"""All signals, not those of this filter alone, then `judge` with one pack."""

from bench.given import Given, Job
from bench.ours.rules import CHINESE_PACK, PACKAGES, judged

__all__ = ["PACKAGES", "prepare"]


def prepare(given: Given) -> Job:
    return judged(given, ("fineweb",) if given.language == "en" else (CHINESE_PACK,))
