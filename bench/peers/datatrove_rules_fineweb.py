"""datatrove's FineWebQualityFilter alone."""

from bench.given import Given, Job
from bench.peers.datatrove_rules import PACKAGES, single

__all__ = ["PACKAGES", "prepare"]


def prepare(given: Given) -> Job:
    return single(given, "FineWebQualityFilter")
