"""Records of families: shingle sets on their way to where a family is decided, and what is decided of each document."""

from collections.abc import Iterator
from itertools import chain

import numpy as np

from corpus.exchange import Fields, records_of
from stages import shingle_sets
from stages.leaders import TILE_HASHES, Decided, Members
from stages.shingle_sets import CHUNK

NEW = 1 << 31  # in a rank: documents that lead stand before all others
RANK: Fields = (("rank", "<u4"), ("quality", "<u8"), ("content", "<u8"), ("id_hi", "<u8"), ("id_lo", "<u8"))
RANKED = ("rank", "quality", "content", "id_hi", "id_lo")
SETS: Fields = (
    ("key", "<u8"), *RANK, ("part", "<u4"), ("count", "<u4"), ("doc", "<u8"), ("limit", "<u8"),
    ("hashes", f"V{8 * CHUNK}"),
)  # fmt: skip
SHIPPED = ("key", *RANKED, "part")
VERDICT: Fields = (
    ("key", "<u8"), ("kind", "u1"), ("doc", "<u8"), ("leader", "<u8"), ("cluster_hi", "<u8"), ("cluster_lo", "<u8"),
    ("id_hi", "<u8"), ("id_lo", "<u8"), ("partner_hi", "<u8"), ("partner_lo", "<u8"), ("similarity", "<f4"),
    ("rare", "<f4"), ("size", "<u4"), ("relation", "u1"), ("dropped", "u1"), ("leads", "u1"), ("content", "<u8"),
)  # fmt: skip
BY_KIND = ("key", "kind", "doc")


def tiles(blocks: Iterator[np.ndarray]) -> Iterator[tuple[np.ndarray, bool]]:
    """Chunks of whole families, and of larger ones in tiles: (records, whether the last family goes on). Where a family
    is cut follows from its own records, not from where blocks end."""
    most = TILE_HASHES // CHUNK
    held = np.empty(0, np.dtype(list(SETS)))

    def cut(begin: int, end: int) -> int:
        """Where the last set ends that fits into a tile; the end of the first, where that alone does not."""
        starts = np.append(np.flatnonzero(held["part"][begin + 1 : end] == 0) + 1, end - begin)
        return begin + int(starts[max(0, int(np.searchsorted(starts, most, "right")) - 1)])

    for block in chain(blocks, [None]):
        if block is not None:
            held = np.concatenate([held, block])
        if not len(held):
            continue
        ends = np.flatnonzero(held["key"][1:] != held["key"][:-1]) + 1
        if block is None:
            ends = np.append(ends, len(held))
        sizes = np.diff(ends, prepend=0)
        begin = 0
        for end, size in zip(ends[sizes > most].tolist(), sizes[sizes > most].tolist(), strict=True):
            if end - size > begin:
                yield held[begin : end - size], False
            begin = end - size
            while (at := cut(begin, end)) < end:
                yield held[begin:at], True
                begin = at
            yield held[begin:end], False
            begin = end
        whole = int(ends[-1]) if len(ends) else 0
        if whole > begin:
            yield held[begin:whole], False
        begin = whole
        while len(held) - begin > most and (at := cut(begin, len(held))) < len(held):
            yield held[begin:at], True
            begin = at
        held = held[begin:]


def members_of(records: np.ndarray) -> Members:
    """Chunks of whole sets, in order."""
    chunks = np.ascontiguousarray(records["hashes"]).view("<u8").reshape(-1, CHUNK)
    hashes, bounds = shingle_sets.unpack(records["part"], records["count"], chunks)
    begin = records[records["part"] == 0]
    nothing = np.zeros(len(begin), np.uint64)
    columns = (begin[name].copy() for name in ("key", "doc", "id_hi", "id_lo", "limit"))
    standing = (begin["rank"] < NEW).astype(np.uint8)
    return Members(*columns, standing, nothing, nothing, nothing, hashes, bounds)


def verdicts(decided: Decided, records: np.ndarray) -> np.ndarray:
    """What was decided of the documents whose sets begin in `records`."""
    members = decided.members
    return records_of(
        VERDICT,
        key=members.doc,
        kind=0,
        doc=members.doc,
        leader=members.leader,
        cluster_hi=members.leader_hi,
        cluster_lo=members.leader_lo,
        id_hi=members.hi,
        id_lo=members.lo,
        partner_hi=decided.partner_hi,
        partner_lo=decided.partner_lo,
        similarity=decided.similarity,
        rare=decided.rare,
        relation=decided.relation,
        dropped=decided.kept == 0,
        leads=members.standing,
        content=records["content"][records["part"] == 0],
    )
