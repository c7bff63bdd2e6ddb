"""Pairs of Han characters that stand in words: half of all neighbours in a text, a tenth in shuffled characters.

The order of characters is what counts of characters cannot see. `scripts/han_pairs.py` made the table of a dictionary
of modern Chinese, 80,394 pairs; forms of a character that conversion exchanges (`han_classes.txt`) are one. A pair is
known, or it is not: 2 MB of bits, of which the commonest characters, side by side, take a tenth.
"""

from functools import cache

import numpy as np

from stages.characters import stored

CODES = 0x10000
RANKED = 4096  # characters that have a rank; 0 is none


@cache
def table() -> tuple[np.ndarray, np.ndarray]:
    """(65536,) uint16 and (4096, 512) uint8.

    The rank of each code point, 0 where it is in no word, or not of U+4E00 to U+9FFF; and a bit for each pair: that of
    ranks (a, b) is `bits[a, b >> 3] >> (b & 7) & 1`.
    """
    return (
        stored("han_ranks", np.dtype(np.uint16), CODES),
        stored("han_pairs", np.dtype(np.uint8), RANKED * RANKED // 8).reshape(RANKED, RANKED // 8),
    )
