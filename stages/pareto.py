"""Keeping by chance, the likelier the better the score: the rule of GPT-3 (Brown et al. 2020, appendix A: alpha 9), and
with alpha 3 that of MT-NLG (Smith et al. 2022) and the Pile (Gao et al. 2020).

Published as: keep where numpy.random.pareto(alpha) > 1 - score. That draws u**(-1/alpha) - 1 of a uniform u, so it
keeps where u * (2 - score)**alpha < 1, with probability (2 - score)**-alpha: a score of 1 always, one of 0 in 1 of 512
(alpha 9) or 1 of 8 (alpha 3). Here u comes from a hash of the document's id, the column and a seed, so a document meets
the same fate in every run, partition and order; and the power is a product of doubles in a fixed order, which gives the
same bits on every machine.
"""

import numpy as np
import pyarrow as pa
import xxhash

from corpus.id_order import halves, order_of

MOST_ALPHA = 64


def drawn(ids: pa.Array, column: str, seed: int) -> np.ndarray:
    """(n,) float64, uniform in [0, 1) in steps of 2**-53: one for each id (binary(16)), another for each column."""
    own = xxhash.xxh3_64_intdigest(f"pareto\0{column}\0{seed}".encode())
    return (order_of(*halves(ids), own) >> np.uint64(11)).astype(np.float64) * 2.0**-53


def odds(score: np.ndarray, alpha: int) -> np.ndarray:
    """(2 - score)**alpha of float64 scores: one in how many such documents is kept."""
    base = 2.0 - score
    power = base.copy()
    for _ in range(alpha - 1):  # not `**`, whose last bit depends on the machine's library
        power *= base
    return power
