"""The tables that are kept are those that the rules give."""

import numpy as np

from scripts import character_tables
from stages import characters, key


def test_kept_tables_are_the_derived_ones() -> None:
    assert np.array_equal(characters.kinds(), character_tables.kinds())
    assert np.array_equal(key.table(), character_tables.keys())
    assert (characters.kinds().dtype, key.table().dtype) == (np.uint8, np.uint64)
