"""Whole groups of sorted records, with their totals: how often something occurs in a scope.

Records have the fields `key` and `check`, which together say what was counted, and `count`. A group may straddle
blocks. Memory: a block, and the records of one group, of which a stage sends one for each partition.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from corpus.runs import differs, sorted_records

WHAT = ("key", "check")


class Counted(NamedTuple):
    records: np.ndarray  # of groups that reach the count, in order
    totals: np.ndarray  # (n,) int64: of each record's group
    first: np.ndarray  # (n,) bool: it begins its group


def counted(blocks: Iterator[np.ndarray], least: int, tell: dict[str, int], name: str) -> Iterator[Counted]:
    """Groups whose counts add up to `least` or more. `tell` learns how many there are (`distinct_name`), how many reach
    it (`repeated_name`) and the total of the largest (`largest_name`)."""
    tell |= dict.fromkeys((f"distinct_{name}", f"repeated_{name}", f"largest_{name}"), 0)
    held: list[np.ndarray] = []
    for block in blocks:
        last = int(np.flatnonzero(differs(block, WHAT))[-1])  # the first record of the last group, which may go on
        if held and last == 0 and all(held[0][field][0] == block[field][0] for field in WHAT):
            held.append(block.copy())
            continue
        whole = np.concatenate([*held, block[:last]])
        held = [block[last:].copy()]
        if len(whole):
            yield _reaching(whole, least, tell, name)
    if held:
        yield _reaching(np.concatenate(held), least, tell, name)


def _reaching(records: np.ndarray, least: int, tell: dict[str, int], name: str) -> Counted:
    fresh = differs(records, WHAT)
    begin = np.flatnonzero(fresh)
    totals = np.add.reduceat(records["count"].astype(np.int64), begin)
    many = totals >= least
    tell[f"distinct_{name}"] += len(begin)
    tell[f"repeated_{name}"] += int(many.sum())
    tell[f"largest_{name}"] = max(tell[f"largest_{name}"], int(totals.max()))
    size = np.diff(np.append(begin, len(records)))
    taken = np.repeat(many, size)
    return Counted(records[taken], np.repeat(totals, size)[taken], fresh[taken])


class Tally(NamedTuple):
    """Distinct things in order: their hash, how often each occurs, in how many places, and the least of these."""

    key: np.ndarray
    check: np.ndarray
    count: np.ndarray
    places: np.ndarray
    place: np.ndarray


def tally(key: np.ndarray, check: np.ndarray, place: np.ndarray) -> Tally:
    """What occurs where: (n,) uint64, uint32 and uint32, in any order."""
    records = np.empty(len(key), [("key", "<u8"), ("check", "<u4"), ("place", "<u4")])
    records["key"], records["check"], records["place"] = key, check, place
    records = sorted_records(records, ("key", "check", "place"))
    begin = np.flatnonzero(differs(records, WHAT))
    there = np.flatnonzero(differs(records, (*WHAT, "place")))
    first = records[begin]
    places = np.diff(np.searchsorted(there, np.append(begin, len(records))))
    return Tally(first["key"], first["check"], np.diff(np.append(begin, len(records))), places, first["place"])
