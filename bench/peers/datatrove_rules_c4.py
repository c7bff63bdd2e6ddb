"""datatrove's C4QualityFilter alone."""

from bench.given import Given, Job
from bench.peers.datatrove_rules import PACKAGES, single

__all__ = ["PACKAGES", "prepare"]


def prepare(given: Given) -> Job:
    return single(given, "C4QualityFilter")
