"""Heldout: documents for evaluation, and a training set in which nothing is like them.

reads exact, minhash (see `sign.py`), text, content, id
adds  split (train, heldout), partner (id of the held-out document that this one was compared with), similarity
      (Jaccard, of all shingles), rare_similarity (of those that no template explains), relation (to the partner: near,
      exact, template)
drops `like_heldout`, with "0.9365 of <partner>" in `detail`

It stands behind dedup. Before it, a cluster of a hundred near copies would leave training with probability
1 - 0.99**100 = 63% at a share of 1%, since one of them is enough; behind it the cluster is one document.

**Split.** A document is held out where a hash of (seed, `content`) says so. The shuffled order of a corpus has a seed
of its own: another order is not another evaluation.

**Inherited.** The list of what was held out is sealed in the build directory (`corpus/heldout.py`). A build that names
it in `inherit` holds out every document of the same `content`; and the documents of the list lead here, with their
texts, whether or not they are in this build. So what was held out once does not enter training later, nor does a near
copy of it that a later crawl brings, or that dedup chose in its place. A near copy does not replace it: a held-out set
that exchanges its texts is another measure.

**Who leaves.** Training documents are compared with held-out ones, and not with each other, as `near.py` says: copies
by their key; others leave that reach `threshold`, where the two are no pages of one template. The threshold is below
that of dedup and there are more bands, since a near copy in training spoils the figure and a document less in training
costs little. 25 bands of 5 rows propose a pair of similarity 0.7 with probability 0.990, of 0.6 with 0.868.
"""

from typing import ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from corpus.errors import RecipeError
from corpus.exchange import Group, Part, Round, Settle
from corpus.id_order import halves, joined
from corpus.pack import SPLITS
from corpus.split import is_heldout
from corpus.stage import Columns
from stages.leaders import ALONE
from stages.near import EXACT, RELATIONS, Blocks, Near, hexadecimal
from stages.near_records import BY_KIND, VERDICT

_SPLITS = pa.array(SPLITS)


class Heldout(Near, frozen=True, kw_only=True, tag="heldout"):
    """Parameters beside those of `near.py`:

    share    of the documents that reach the stage, held out; 0: what is inherited alone
    seed     of the choice: builds that share an evaluation share it
    inherit  directories of sealed builds whose held-out lists hold here too
    max_dropped_share, accept    when the build stops and asks: see `corpus/guard_rails.py`

    RecipeError where one is out of range."""

    revision: ClassVar[int] = 1
    adds: ClassVar[dict[str, pa.DataType]] = {
        "split": pa.string(),
        "partner": pa.binary(16),
        "similarity": pa.float32(),
        "rare_similarity": pa.float32(),
        "relation": pa.string(),
    }
    followers: ClassVar[bool] = True
    stands_on_lists: ClassVar[bool] = True
    guards: ClassVar[tuple[str, ...]] = ("max_dropped_share", "accept")

    share: float = 0.01
    seed: int = 0
    inherit: tuple[str, ...] = ()
    bands: int = 25
    rows: int = 5
    threshold: float = 0.7
    max_dropped_share: float = 0.1  # what is held out should not cost training many times as much
    accept: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.share < 1:
            raise RecipeError(f".share: got {self.share}. Expected a share from 0 up to, not including, 1.")
        if not 0 <= self.seed < 2**32:
            raise RecipeError(f".seed: got {self.seed}. Expected a whole number between 0 and 2**32 - 1.")
        if not 0 <= self.max_dropped_share <= 1:
            raise RecipeError(f".max_dropped_share: got {self.max_dropped_share}. Expected 0 to 1.")

    @property
    def assets(self) -> tuple[str, ...]:
        return self.inherit

    @property
    def stands_on(self) -> tuple[str, ...]:
        return self.inherit

    @property
    def rounds(self) -> tuple[Round, ...]:  # type: ignore[override]
        return (
            *self.comparison,
            Group("spread", VERDICT, BY_KIND, of=("decide", "follow"), numbered=True),
            Settle("verdict", ("content",)),
        )

    def leads(self, batch: pa.RecordBatch, part: Part) -> np.ndarray:
        return is_heldout(batch["content"], self.seed, self.share) | part.standing

    def spread(self, blocks: Blocks, tell: dict[str, int]) -> Blocks:
        """Copies of a document that leads are like it; of any other, they get what was decided of it. Keyed by document
        from here."""
        tell["copies"] = 0
        for made, copies in self.with_copies(blocks):
            made["key"] = made["doc"]
            copies &= made["leads"] != 0
            for name, value in (("similarity", 1), ("rare", 1), ("relation", EXACT), ("dropped", 1)):
                made[name][copies] = value
            for half in ("hi", "lo"):
                made[f"partner_{half}"][copies] = made[f"id_{half}"][copies]
            tell["copies"] += int(copies.sum())
            yield made

    def verdict(self, records: np.ndarray, position: np.ndarray, batch: pa.RecordBatch, part: Part) -> Columns:
        held = self.leads(batch, part)
        own = halves(batch["content"])[0][position]
        held[position] |= (records["relation"] == EXACT) & (records["content"] == own)  # a text of the list
        compared = (records["relation"] != ALONE) & ~held[position]
        at = np.full(part.rows, -1)  # of each row, the place of its record
        at[position[compared]] = np.flatnonzero(compared)
        where = pa.array(at, mask=at < 0)
        partner = joined(records["partner_hi"], records["partner_lo"])
        left = (records["dropped"] != 0) & compared
        shares = pa.array([f"{value:.4f}" for value in records["similarity"][left].tolist()], pa.string())
        share = shares.take(pa.array(np.cumsum(left) - 1, mask=~left))
        code = pa.array(np.zeros(len(records), np.int8), mask=~left)
        return {
            "split": _SPLITS.take(pa.array(held.astype(np.int8))),
            "partner": partner.take(where),
            "similarity": pa.array(records["similarity"]).take(where),
            "rare_similarity": pa.array(records["rare"]).take(where),
            "relation": RELATIONS.take(pa.array(records["relation"])).take(where),
            "drop": pa.array(["like_heldout"]).take(code).take(where),
            "detail": pc.binary_join_element_wise(share, hexadecimal(partner), " of ").take(where),
        }

    def told(self, columns: Columns) -> dict[str, int]:
        return {SPLITS[1]: int(pc.sum(pc.equal(columns["split"], SPLITS[1])).as_py() or 0)}

    def summary(self, counts: dict[str, int], dropped: int) -> dict[str, int]:
        """What a build says of the stage."""
        names = ("heldout", "compared", "templates", "crowded", "evicted", "copies")
        return {**{name: counts.get(name, 0) for name in names}, "dropped": dropped}
