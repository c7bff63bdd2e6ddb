"""Which documents are held out: chosen by a hash of their content, so that equal texts are never on both sides."""

import numpy as np
import pyarrow as pa

from corpus.id_order import halves, order_of

_SALT = 0x48454C44  # the choice is no part of the shuffled order


def is_heldout(content: pa.Array, seed: int, share: float) -> np.ndarray:
    """(n,) bool. A larger `share` holds out what a smaller one does, and more."""
    if not share:
        return np.zeros(len(content), bool)
    return order_of(*halves(content), seed ^ _SALT) < np.uint64(int(share * 2.0**64))
