"""Which script of Chinese a Han character belongs to, where it belongs to one alone.

Of the Han characters of running text, 7 in 10 are the same in both scripts and say nothing; 3 in 10 are of its own
script and under 1 in 1,000 of the other (classical texts in simplified script apart, where editors keep some). The
table is `han_script.txt`, read off OpenCC's dictionaries by `scripts/han_script.py`. Japanese text holds both kinds
(国 beside 學 only where it is old or careless), so kana must be asked first.
"""

from functools import cache
from pathlib import Path

import numpy as np

BOTH = 0  # in both scripts, in neither (kana, letters), or unknown to OpenCC
SIMPLIFIED = 1  # 国 们 这
TRADITIONAL = 2  # 國 們 這, and variants of Taiwan and Hong Kong: 裡 裏 說 説
CODES = 0x40000  # planes 0 to 3: all ideographs


@cache
def script_classes() -> np.ndarray:
    """BOTH, SIMPLIFIED or TRADITIONAL for each code point below `CODES`: (262144,) uint8, read only."""
    table = np.zeros(CODES, np.uint8)
    for line in (Path(__file__).parent / "han_script.txt").read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            mark, chars = line.split(" ")
            table[[ord(char) for char in chars]] = int(mark)
    table.flags.writeable = False
    return table
