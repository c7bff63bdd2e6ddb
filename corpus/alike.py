"""What the report counts of deduplication: how alike documents are, how large clusters, and pairs worth looking at.

Of each of the largest clusters the pair is chosen that is least alike, of documents that stay though they are like
another one those of the smallest hashes: the same in every report of a build, in whatever order partitions are counted.
"""

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from corpus.id_order import halves, order_of
from corpus.opened import Tables

CLUSTERS = 8
STAYED = 4  # of each relation
STEPS = 100  # of similarity
RELATIONS = ("near", "template", "apart")
SMALLEST = np.array([2, 3, 4, 5] + [(1 << n) + 1 for n in range(3, 32)])  # of the sizes that are counted together
_SEED = 0x416C  # of the hash that chooses


class Likeness(msgspec.Struct, frozen=True, order=True):
    """A document and the one that it was compared with. The least alike sort first."""

    similarity: float
    hash: int
    id: str
    source: str
    root: int  # key of the partition
    step: int  # of the verdict
    row: int
    partner: str
    rare: float
    relation: str


class Cluster(msgspec.Struct, frozen=True, order=True):
    """Documents alike, and one that left. The largest sort first."""

    negative_size: int
    id: str  # of the best document
    least: Likeness


class Alike(msgspec.Struct):
    """Of one stage.

    similarities  int64 (3, STEPS): documents by similarity to their partner, in the order of RELATIONS
    sizes         int64 (2, n): clusters whose best document is in this build, and the documents of these, by SMALLEST
    clusters      the largest that a document left for
    stayed        relation -> documents that stay though they are like another one, by hash
    """

    similarities: np.ndarray
    sizes: np.ndarray
    clusters: list[Cluster] = []
    stayed: dict[str, list[Likeness]] = {}

    def add(self, other: "Alike") -> None:
        self.similarities = self.similarities + other.similarities
        self.sizes = self.sizes + other.sizes
        best: dict[str, Cluster] = {}
        for one in sorted([*self.clusters, *other.clusters]):
            best.setdefault(one.id, one)
        self.clusters = sorted(best.values())[:CLUSTERS]
        for relation, found in other.stayed.items():
            both = [*self.stayed.get(relation, ()), *found]
            self.stayed[relation] = sorted(both, key=lambda one: (one.hash, one.id))[:STAYED]


def has_likeness(names: list[str]) -> bool:
    """Whether a table with these columns is one of deduplication."""
    return {"cluster", "cluster_size", "partner", "similarity", "rare_similarity", "relation"} <= set(names)


def alike(seen: Tables, k: int) -> Alike:
    """What table k says."""
    relation = pc.fill_null(seen.column(k, "relation"), "")
    size = pc.fill_null(seen.column(k, "cluster_size"), 0).to_numpy().astype(np.int64)
    stays = np.asarray(seen.column(k, "drop").is_null())
    cluster = seen.column(k, "cluster")
    ids = seen.column(seen.level(k), "id").take(pa.array(seen.rows(k)))
    similarity = pc.fill_null(seen.column(k, "similarity"), 0).to_numpy()
    steps = np.minimum((similarity * STEPS).astype(np.int64), STEPS - 1)
    of = {name: np.asarray(pc.equal(relation, name)) for name in RELATIONS}
    leads = stays & np.asarray(pc.fill_null(pc.equal(cluster, ids), False))
    place = np.searchsorted(SMALLEST, size[leads], side="right") - 1
    found = Alike(
        np.stack([np.bincount(steps[chosen], minlength=STEPS) for chosen in of.values()]).astype(np.int64),
        np.stack([np.bincount(place, weights, minlength=len(SMALLEST)) for weights in (None, size[leads])]).astype(
            np.int64
        ),
    )
    chooser = _Chooser(seen, k, ids, similarity)
    left = np.flatnonzero(~stays & np.asarray(cluster.is_valid()))
    if len(left):
        hi, lo = halves(cluster.take(pa.array(left)))
        order = np.lexsort((chooser.hashes(left), similarity[left], lo, hi, -size[left]))
        begins = np.ones(len(order), np.bool_)
        begins[1:] = (hi[order][1:] != hi[order][:-1]) | (lo[order][1:] != lo[order][:-1])
        for i in left[order[begins][:CLUSTERS]].tolist():
            found.clusters.append(Cluster(-int(size[i]), cluster[i].as_py().hex(), chooser.likeness(i)))
    for name in RELATIONS[1:]:
        rows = np.flatnonzero(of[name] & stays)
        order = np.argsort(chooser.hashes(rows), kind="stable")[:STAYED]
        if len(rows):
            found.stayed[name] = [chooser.likeness(i) for i in rows[order].tolist()]
    return found


class _Chooser:
    def __init__(self, seen: Tables, k: int, ids: pa.Array, similarity: np.ndarray) -> None:
        self.seen, self.k, self.ids, self.similarity = seen, k, ids, similarity

    def hashes(self, places: np.ndarray) -> np.ndarray:
        return order_of(*halves(self.ids.take(pa.array(places))), _SEED)

    def likeness(self, i: int) -> Likeness:
        """Of the document at place i of the table."""
        row = int(self.seen.rows(self.k)[i])
        values = self.seen.values(self.k, row, ["partner", "rare_similarity", "relation"]) or {}
        return Likeness(
            float(self.similarity[i]),
            int(self.hashes(np.array([i]))[0]),
            self.ids[i].as_py().hex(),
            self.seen.partition.source,
            self.seen.partition.key,
            self.k,
            row,
            values["partner"].hex(),
            values["rare_similarity"],
            values["relation"],
        )
