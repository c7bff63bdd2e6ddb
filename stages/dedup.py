"""Dedup: of documents that say the same, keep one; nothing leaves without evidence.

reads exact, minhash (see `sign.py`), text, content, id, and the column named by `quality`
adds  cluster (id of its best document; null where a document stands alone), cluster_size,
      partner (id of the document that it was compared with), similarity (Jaccard, of all shingles),
      rare_similarity (of those that no template explains), relation (to the partner: exact, near, template, apart)
drops `exact_duplicate`, `near_duplicate`, with "0.9365 of <partner>" in `detail`

**Exact.** Documents of one 128-bit key are copies: the best of them stays, the others are copies of it.

**Near.** Documents are proposed and compared as `near.py` says. A document leaves where it reaches `threshold` against
a document that stays, and the two are no pages of one template (`leaders.py`); `partner` is that document. A page of a
template stays, with relation `template`; a document that is like one that left, but not like one that stays, stays with
relation `apart`: similarity does not travel along chains.

**Who stays.** Documents of the builds named by `against` stay, and lead. The others are ranked, with `quality` as their
measure.

**Scope.** `corpus`, `snapshot` or `source`: documents of different scopes do not meet.
"""

from typing import ClassVar, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from corpus.errors import RecipeError
from corpus.exchange import Group, Part, Round, Settle, records_of
from corpus.id_order import joined
from corpus.stage import Columns
from stages.groups import heads
from stages.leaders import ALONE
from stages.near import EXACT, RELATIONS, Blocks, Near, hexadecimal
from stages.near_records import BY_KIND, VERDICT


class Dedup(Near, frozen=True, kw_only=True, tag="dedup"):
    """Parameters beside those of `near.py`:

    quality       a numeric column; of two duplicates the one with more of it stays ("" for none)
    scope         within what documents meet
    against       directories of sealed builds: their documents stand, and those of this build leave that are like them
    max_dropped_share, max_cluster, accept    when the build stops and asks: see `corpus/guard_rails.py`

    RecipeError where one is out of range."""

    revision: ClassVar[int] = 4
    adds: ClassVar[dict[str, pa.DataType]] = {
        "cluster": pa.binary(16),
        "cluster_size": pa.uint32(),
        "partner": pa.binary(16),
        "similarity": pa.float32(),
        "rare_similarity": pa.float32(),
        "relation": pa.string(),
    }
    guards: ClassVar[tuple[str, ...]] = ("max_dropped_share", "max_cluster", "accept")

    quality: str = ""
    scope: Literal["corpus", "snapshot", "source"] = "corpus"
    against: tuple[str, ...] = ()
    max_dropped_share: float = 0.5  # a crawl of which more leaves has more copies than pages
    max_cluster: int = 10_000  # a page that stands so often is worth a look, if only at its boilerplate
    accept: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.max_dropped_share <= 1:
            raise RecipeError(f".max_dropped_share: got {self.max_dropped_share}. Expected 0 to 1.")
        if self.max_cluster < 1:
            raise RecipeError(f".max_cluster: got {self.max_cluster}. Expected 1 or more documents.")

    @property
    def assets(self) -> tuple[str, ...]:
        return self.against

    @property
    def measure(self) -> str:
        return self.quality

    @property
    def rounds(self) -> tuple[Round, ...]:  # type: ignore[override]
        return (
            *self.comparison,
            Group("inherit", VERDICT, BY_KIND, of=("decide", "follow"), numbered=True),
            Group("size", VERDICT, BY_KIND, of=("inherit",), numbered=True),
            Group("tell_size", VERDICT, BY_KIND, of=("size", "inherit"), numbered=True),
            Settle("verdict", ()),
        )

    # -- verdicts ------------------------------------------------------------------------------------------------------

    def inherit(self, blocks: Blocks, tell: dict[str, int]) -> Blocks:
        """Copies get what was decided of the document that they are copies of. Keyed by leader from here."""
        for made, copies in self.with_copies(blocks):
            standing = copies & (made["dropped"] == 0)
            for name, value in (("similarity", 1), ("rare", 1), ("relation", EXACT)):
                made[name][standing] = value
            for half in ("hi", "lo"):
                made[f"partner_{half}"][standing] = made[f"id_{half}"][standing]
            made["dropped"][copies] = 1
            made["key"], made["kind"] = made["leader"], 1
            yield made

    def size(self, blocks: Blocks, tell: dict[str, int]) -> Blocks:
        """How many documents each cluster has."""
        tell |= dict.fromkeys(("clusters", "clustered_documents", "largest_cluster"), 0)
        key, count = 0, 0

        def put(keys: np.ndarray, sizes: np.ndarray) -> np.ndarray:
            many = sizes[sizes > 1]
            tell["clusters"] += len(many)
            tell["clustered_documents"] += int(many.sum())
            tell["largest_cluster"] = max([tell["largest_cluster"], *many.tolist()])
            return records_of(VERDICT, key=keys, kind=0, size=sizes)

        for block in blocks:
            keys, counts = np.unique(block["key"], return_counts=True)
            if count and int(keys[0]) == key:
                counts[0] += count
            elif count:
                yield put(np.array([key], np.uint64), np.array([count]))
            key, count = int(keys[-1]), int(counts[-1])
            yield put(keys[:-1], counts[:-1])
        if count:
            yield put(np.array([key], np.uint64), np.array([count]))

    def tell_size(self, blocks: Blocks, tell: dict[str, int]) -> Blocks:
        """The size of its cluster to each document. Keyed by document from here."""
        size = 0
        for block in blocks:
            sizes = heads(block["size"], block["kind"] == 0, size)
            size = int(sizes[-1])
            members = block["kind"] != 0
            made = block[members]
            made["size"], made["key"] = sizes[members], made["doc"]
            yield made

    def verdict(self, records: np.ndarray, position: np.ndarray, batch: pa.RecordBatch, part: Part) -> Columns:
        at = np.full(part.rows, -1)  # of each row, the place of its record
        at[position] = np.arange(len(position))
        where = pa.array(at, mask=at < 0)
        alone, single = records["relation"] == ALONE, records["size"] < 2
        partner = joined(records["partner_hi"], records["partner_lo"])
        code = pc.if_else(pa.array(records["relation"] == EXACT), "exact_duplicate", "near_duplicate")
        left = records["dropped"] != 0
        shares = pa.array([f"{value:.4f}" for value in records["similarity"][left].tolist()], pa.string())
        share = shares.take(pa.array(np.cumsum(left) - 1, mask=~left))
        detail = pc.binary_join_element_wise(share, hexadecimal(partner), " of ")

        def unless(null: np.ndarray, values: pa.Array) -> pa.Array:
            return pc.if_else(pa.array(null), pa.scalar(None, values.type), values).take(where)

        return {
            "cluster": unless(single, joined(records["cluster_hi"], records["cluster_lo"])),
            "cluster_size": unless(single, pa.array(records["size"])),
            "partner": unless(alone, partner),
            "similarity": unless(alone, pa.array(records["similarity"])),
            "rare_similarity": unless(alone, pa.array(records["rare"])),
            "relation": unless(alone, RELATIONS.take(pa.array(records["relation"]))),
            "drop": unless(~left, code),
            "detail": unless(~left, detail),
        }

    def summary(self, counts: dict[str, int], dropped: int) -> dict[str, int]:
        """What a build says of the stage."""
        names = (
            "compared",
            "clustered_documents",
            "clusters",
            "largest_cluster",
            "templates",
            "apart",
            "crowded",
            "evicted",
        )
        return {
            "copies": counts["equal"],
            **{name: counts.get(name, 0) for name in names},
            "dropped": dropped,
        }
