"""`gopher_v2`: quality and repetition at once."""

from dolma.taggers.gopher import GopherTaggerV2

from bench.given import Given, Job
from bench.peers.dolma_rules import PACKAGES, tagged

__all__ = ["PACKAGES", "prepare"]


def prepare(given: Given) -> Job:
    return tagged(given, GopherTaggerV2())
