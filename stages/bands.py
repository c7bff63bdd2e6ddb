"""Bands propose: which documents are worth a comparison.

Documents that share a band of their signatures form a group. With b bands of r rows two documents of similarity s share
one with probability 1 - (1 - s**r)**b (Leskovec, Rajaraman and Ullman, Mining of Massive Datasets, 3.4.3): 0.986 at 0.8
for 18 bands of 7.

`Meeting` turns sorted (band key, document) records into members of groups. What is alone in its band is left out. A
group of up to WINDOW members is named by a hash of its members, so that the many bands in which the same few
documents meet count once. A larger one keeps the name of its band; its members stand in the order of the hash of
their *next* band, so that documents that share two bands stand side by side.

`Screen` compares the full signatures inside a group: each member with the first WINDOW / 2 members and with the
WINDOW / 2 - 1 before it, and in a group of up to WINDOW with every other. A pair counts where the share of equal
positions is at least the threshold less a margin; pairs that others connect already are left out (a forest, not a
clique).

Everything here follows from signatures and keys, not from document numbers: those only name the result.
"""

import numba as nb
import numpy as np

from stages.mix import mix

WINDOW = 64


@nb.njit(cache=True, nogil=True)
def _end_group(state, held_doc, held_order, out, made):  # type: ignore[no-untyped-def]
    """Name a small group by its members, and put them out."""
    count = np.int64(state[1])
    if 2 <= count <= held_doc.size:
        name = np.uint64(count)
        for i in range(count):
            name += mix(held_doc[i] + np.uint64(0x9E3779B97F4A7C15))
        for i in range(count):
            out[0, made], out[1, made], out[2, made] = held_doc[i], name, np.uint64(0)
            made += 1
    return made


@nb.njit(cache=True, nogil=True)
def _meet(key, order, check, doc, state, held_doc, held_order, out):  # type: ignore[no-untyped-def]
    """state: key of the group, members so far, order and check of the last member, members of large groups."""
    made = 0
    for i in range(key.size):
        if state[1] == 0 or key[i] != state[0]:
            made = _end_group(state, held_doc, held_order, out, made)
            state[0], state[1] = key[i], 0
        elif np.uint64(order[i]) == state[2] and np.uint64(check[i]) == state[3]:
            continue  # the same document again, from another partition
        state[2], state[3] = np.uint64(order[i]), np.uint64(check[i])
        count = np.int64(state[1])
        state[1] = np.uint64(count + 1)
        if count < held_doc.size:
            held_doc[count], held_order[count] = np.uint64(doc[i]), np.uint64(order[i])
            continue
        if count == held_doc.size:
            for j in range(count):
                out[0, made], out[1, made], out[2, made] = held_doc[j], key[i], held_order[j]
                made += 1
            state[4] += np.uint64(count)
        out[0, made], out[1, made], out[2, made] = np.uint64(doc[i]), key[i], np.uint64(order[i])
        state[4] += np.uint64(1)
        made += 1
    return made


class Meeting:
    """Members of groups from blocks of records sorted by (key, order, check, doc): `order` is a hash of the next band,
    `check` tells texts apart (a hash of the key), equal in both means the same document again."""

    def __init__(self) -> None:
        self._state = np.zeros(5, np.uint64)
        self._held = np.zeros((2, WINDOW), np.uint64)

    def take(self, block: np.ndarray) -> np.ndarray:
        """-> uint64 (3, m): document, group, order"""
        out = np.empty((3, len(block) + WINDOW), np.uint64)
        columns = (np.ascontiguousarray(block[name]) for name in ("key", "order", "check", "doc"))
        return out[:, : _meet(*columns, self._state, *self._held, out)]

    def end(self) -> np.ndarray:
        out = np.empty((3, WINDOW), np.uint64)
        return out[:, : _end_group(self._state, *self._held, out, 0)]

    @property
    def crowded(self) -> int:
        """Members of groups that are larger than WINDOW: these are not compared with every other."""
        return int(self._state[4])


@nb.njit(cache=True, nogil=True)
def _find(parent, i):  # type: ignore[no-untyped-def]
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i


@nb.njit(cache=True, nogil=True)
def _screen(group, doc, signatures, least, state, kept, kept_doc, parent, out):  # type: ignore[no-untyped-def]
    """state: group, members so far. kept (WINDOW, p): the signatures that members are compared with."""
    made = 0
    window = kept.shape[0]
    half = window // 2
    positions = signatures.shape[1]
    for i in range(group.size):
        if state[1] == 0 or group[i] != state[0]:
            state[0], state[1] = group[i], 0
        count = np.int64(state[1])
        state[1] += np.uint64(1)
        slot = count if count < window else half + (count - window) % half
        held = min(count, window)
        tree = witness = np.int64(-1)
        for j in range(held):
            if j == slot and count >= window:
                continue  # it is about to leave; this member takes its place
            root = _find(parent, j)
            if root == tree:
                continue
            equal = 0
            for k in range(positions):
                equal += signatures[i, k] == kept[j, k]
            if equal >= least:
                out[0, made], out[1, made] = doc[i], kept_doc[j]
                made += 1
                witness = j
                if tree < 0:
                    tree = root
                else:
                    low, high = min(tree, root), max(tree, root)
                    parent[high] = low
                    tree = low
        if count >= window:
            _leave(parent, slot, half)
        kept[slot] = signatures[i]
        kept_doc[slot] = doc[i]
        parent[slot] = slot if witness < 0 else _find(parent, witness)
    return made


@nb.njit(cache=True, nogil=True)
def _leave(parent, slot, half):  # type: ignore[no-untyped-def]
    """Take a slot out of the trees it is in: what hung on it hangs on another of its tree."""
    root = _find(parent, slot)
    heir = np.int64(-1)
    for j in range(parent.size):
        if j != slot and _find(parent, j) == root:
            if heir < 0:
                heir = j if root == slot else root
            parent[j] = heir
    parent[slot] = slot


class Screen:
    """Pairs whose signatures agree, from blocks sorted by group. `positions` of a signature are compared, `least` of
    them must be equal."""

    def __init__(self, positions: int, least: int) -> None:
        self._least = least
        self._state = np.zeros(2, np.uint64)
        self._kept = np.zeros((WINDOW, positions), np.uint32)
        self._kept_doc = np.zeros(WINDOW, np.uint64)
        self._parent = np.arange(WINDOW)

    def take(self, group: np.ndarray, doc: np.ndarray, signatures: np.ndarray) -> np.ndarray:
        """(n,), (n,) uint64, (n, positions) uint32 -> uint64 (2, m): pairs of documents"""
        found = []
        step = 4096  # members at a time: each may find up to WINDOW pairs
        for begin in range(0, len(group), step):
            own = slice(begin, begin + step)
            count = min(step, len(group) - begin)
            out = np.empty((2, count * WINDOW), np.uint64)
            args = (self._least, self._state, self._kept, self._kept_doc, self._parent, out)
            found.append(out[:, : _screen(group[own], doc[own], signatures[own], *args)].copy())
        return np.concatenate(found, axis=1) if found else np.empty((2, 0), np.uint64)
