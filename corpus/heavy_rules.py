"""Rules that drop much of a source: a warning by name, and documents to read before the rule is believed.

A stage that drops row for row may have a parameter `warn_share`, a share of the documents of a source that reach it: a
reason that drops more is named, at the end of a build and by `corpus status`. It changes no row and stops nothing, so
it stands in the stage's `guards`. A reason with fewer than LEAST_DROPPED documents is let pass: a share of a handful
says nothing. Examples are the ids with the smallest hashes in the first partition that has any, so one or two small
columns are read for a warning, and no text.
"""

from collections import Counter

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from corpus.build import Builder
from corpus.graph import Partition
from corpus.id_order import halves, order_of
from corpus.opened import Tables
from corpus.store import Blobs

LEAST_DROPPED = 20
EXAMPLES = 2
_SEED = 0x5741524E  # of the hash that chooses examples


class Heavy(msgspec.Struct, frozen=True):
    """A drop reason above its limit: how many of how many documents of a source, and ids of some."""

    stage: str
    source: str
    code: str
    dropped: int
    rows: int
    limit: float
    build: str
    ids: tuple[str, ...]

    @property
    def told(self) -> str:
        """A sentence with the command that shows one of them."""
        read = " and ".join(f"corpus explain {self.build} --id {one}" for one in self.ids)
        return (
            f"{self.stage}: {self.code} drops {self.dropped / self.rows:.1%} of {self.source} ({self.dropped:,} of "
            f"{self.rows:,} documents; limit {self.limit:.1%}). Read some: {read}"
        )


def heavy_rules(builder: Builder, out: Blobs) -> list[Heavy]:
    """Of all steps that have a record, by source and in the order of the chain, the heaviest reason first."""
    found = []
    for source, steps in builder.graph.chains.items():
        for k, step in enumerate(steps):
            limit = getattr(step.stage, "warn_share", None)
            if limit is None:
                continue
            own = [p for p in builder.partitions[source] if k < len(p.records)]
            rows = sum(p.records[k].rows for p in own)
            dropped: Counter[str] = Counter()
            for partition in own:
                dropped.update(partition.records[k].dropped)
            for code, count in sorted(dropped.items(), key=lambda item: (-item[1], item[0])):
                if count >= LEAST_DROPPED and count > limit * rows:
                    ids = _examples(builder.store, own, k, code)
                    found.append(Heavy(step.label, source, code, count, rows, limit, out.root, ids))
    return found


def _examples(store: Blobs, partitions: list[Partition], k: int, code: str) -> tuple[str, ...]:
    first = min((p for p in partitions if code in p.records[k].dropped), key=lambda p: p.key)
    seen = Tables(store, first)
    rows = seen.rows(k)[np.asarray(pc.fill_null(pc.equal(seen.column(k, "drop"), code), False))]
    ids = seen.column(seen.level(k), "id").take(pa.array(rows))
    chosen = np.argsort(order_of(*halves(ids), _SEED), kind="stable")[:EXAMPLES]
    return tuple(ids[int(i)].as_py().hex() for i in chosen)
