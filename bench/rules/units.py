"""Words and sentences as the walk of `signals` cuts them, in Python: for formulae that others wrote, on our units.

The walk itself is asked, so these are its units and no second reading of them.
"""

from itertools import pairwise

import numpy as np
import pyarrow as pa

from stages import characters, han_pairs, known_words, line_counts, signals_walk
from stages.line_counts import FACTS
from stages.signal_counts import COUNTS
from stages.signals import counted

UNSEEN = (characters.SPACE, characters.IGNORED)


def words(texts: list[str]) -> list[list[str]]:
    """Words and marks of each text; Han and kana one by one."""
    text, bounds = characters.utf8(pa.array(texts, pa.string()))
    tables = (characters.kinds(), line_counts.marks(), known_words.table(), han_pairs.table())
    longest = int(np.diff(bounds).max(initial=1))
    cut = tuple(np.zeros(longest + 1, kind) for kind in (np.uint64, np.int8, np.int32, np.int32))
    lines = tuple(np.zeros(longest + 1, np.int32) for _ in range(4))
    frequency, met = np.zeros(0x110000, np.int32), np.zeros(longest + 2, np.int32)
    found = []
    for i, string in enumerate(texts):
        units, _, distinct = signals_walk.walk(
            text, np.int64(bounds[i]), np.int64(bounds[i + 1]), *tables, cut, lines, frequency, met,
            np.zeros(characters.KINDS, np.int64), np.zeros(len(FACTS), np.int64), np.zeros(len(COUNTS), np.int64),
        )  # fmt: skip
        frequency[met[:distinct]] = 0
        shown = "".join(char for char in string if kind(ord(char)) not in UNSEEN)
        ends = cut[2][: units + 1].tolist()
        found.append([shown[a:b] for a, b in pairwise(ends)])
    return found


def kind(code: int) -> int:
    """Of a code point: see `stages/characters.py`."""
    return int(characters.kinds()[code] if code < characters.TABLE_SIZE else characters.far_kind(code))


def sentences(lines: list[str]) -> list[int]:
    """How many each line has."""
    return counted(*characters.utf8(pa.array(lines, pa.string())))["sentences"].tolist()
