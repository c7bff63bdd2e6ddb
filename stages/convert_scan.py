"""One pass over the text that finds the documents in which traditional characters occur."""

import numpy as np
from numba import njit

from stages.characters import decode
from stages.han_script import CODES, TRADITIONAL

_BOTH_KANA_AND_HANGUL = 3


def kinds(classes: np.ndarray) -> np.ndarray:
    """TRADITIONAL and kana or hangul (3) by code point, from `han_script.script_classes`: (262144,) uint8."""
    table = np.where(classes == TRADITIONAL, classes, 0)
    for first, last in ((0x3041, 0x30FA), (0x31F0, 0x31FF), (0xFF66, 0xFF9F), (0xAC00, 0xD7A3)):
        table[first : last + 1] = _BOTH_KANA_AND_HANGUL
    return table


@njit(cache=True, nogil=True)
def scan(data, bounds, table, found, foreign_per_han):  # type: ignore[no-untyped-def]
    """`found` (n,) bool: whether a document has a traditional character, and kana and hangul are fewer than
    `foreign_per_han` of its Han characters."""
    for document in range(bounds.size - 1):
        at = np.int64(bounds[document])
        end = np.int64(bounds[document + 1])
        traditional = foreign = han = 0
        while at < end:
            first = data[at]
            if first < 0x80:
                at += 1
                continue
            if 0xE3 <= first < 0xEE:  # Arrow promises valid UTF-8
                code = np.int64(first & 0x0F) << 12 | np.int64(data[at + 1] & 0x3F) << 6 | np.int64(data[at + 2] & 0x3F)
                at += 3
            else:
                wide, size = decode(data, at, end)
                code = np.int64(wide)
                at += size
            han += 0x3400 <= code < 0xA000
            if code < CODES:
                kind = table[code]
                traditional += kind == TRADITIONAL
                foreign += kind == _BOTH_KANA_AND_HANGUL
        found[document] = traditional > 0 and foreign <= foreign_per_han * han
