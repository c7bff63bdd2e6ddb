"""Families: documents that are connected by proposed pairs, found by union-find.

A family is no verdict. It says which documents must be compared with each other, and nothing that differs by more than
the screen allows is ever compared twice.

Memory: 4 bytes per document, 2**31 documents at most. One pass over the pairs joins, a second puts out members.
"""

from collections.abc import Callable, Iterator

import numba as nb
import numpy as np

MOST_DOCUMENTS = 1 << 31
_NEAR = np.uint32(1 << 31)  # at a root: some pair of the family is near, not equal


@nb.njit(cache=True, nogil=True)
def _root(parent, i):  # type: ignore[no-untyped-def]
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i


@nb.njit(cache=True, nogil=True)
def _unite(parent, one, other):  # type: ignore[no-untyped-def]
    """The root of a family is its smallest number, so labels do not depend on the order of pairs."""
    for i in range(one.size):
        a, b = _root(parent, one[i]), _root(parent, other[i])
        if a < b:
            parent[b] = a
        elif b < a:
            parent[a] = b


@nb.njit(cache=True, nogil=True)
def _settle(parent):  # type: ignore[no-untyped-def]
    """Point every document at its root: parents are smaller, and their turn was before."""
    for i in range(parent.size):
        parent[i] = parent[parent[i]]


@nb.njit(cache=True, nogil=True)
def _mark(parent, one, flag):  # type: ignore[no-untyped-def]
    for i in range(one.size):
        up = parent[one[i]] & ~flag
        parent[up] |= flag


@nb.njit(cache=True, nogil=True)
def _look_up(parent, one, flag, root, near):  # type: ignore[no-untyped-def]
    for i in range(one.size):
        up = parent[one[i]] & ~flag
        root[i] = up
        near[i] = (parent[up] & flag) != 0


class Families:
    """Union-find over document numbers 0..documents-1."""

    def __init__(self, documents: int) -> None:
        self._parent = np.arange(documents, dtype=np.uint32)

    def join(self, one: np.ndarray, other: np.ndarray) -> None:
        _unite(self._parent, one.astype(np.uint32), other.astype(np.uint32))

    def settle(self) -> None:
        """No more pairs will come."""
        _settle(self._parent)

    def mark_near(self, one: np.ndarray) -> None:
        _mark(self._parent, one.astype(np.uint32), _NEAR)

    def of(self, documents: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """-> (root of each document's family, uint64; whether the family has near pairs, bool)"""
        root, near = np.empty(len(documents), np.uint64), np.empty(len(documents), bool)
        _look_up(self._parent, documents.astype(np.uint32), _NEAR, root, near)
        return root, near


def members(pairs: Callable[[], Iterator[np.ndarray]], documents: int) -> Iterator[tuple[np.ndarray, ...]]:
    """Members of families from pairs (`key`, `other`, `near`), in blocks: document, root of its family, the document
    that it is an exact copy of (itself where it is none), whether the family has near pairs. A document comes as often
    as pairs name it."""
    families = Families(documents)
    for block in pairs():
        families.join(block["key"], block["other"])
    families.settle()
    for block in pairs():
        families.mark_near(block["key"][block["near"] != 0])
    for block in pairs():
        for one, head in (
            (block["key"], np.where(block["near"] != 0, block["key"], block["other"])),
            (block["other"], block["other"]),
        ):
            root, near = families.of(one)
            yield one, root, head, near
