"""`c4_v2`, the faster one; bad words included."""

from dolma.taggers.c4 import FasterC4Tagger

from bench.given import Given, Job
from bench.peers.dolma_rules import PACKAGES, tagged

__all__ = ["PACKAGES", "prepare"]


def prepare(given: Given) -> Job:
    return tagged(given, FasterC4Tagger())
