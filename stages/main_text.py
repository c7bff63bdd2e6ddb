"""The text of a page from those of its blocks that stay.

Blocks stand a blank line apart; lines of one element, items of one list and rows of one table, one under the other.
Items begin with "- ", of numbered lists with their number; cells of a row have " | " between them.
"""

import numpy as np
from numba import njit

from stages.html_blocks import COLUMN, Blocks
from stages.html_tags import ID

_LI, _OL, _TD, _TH, _DT, _DD = (ID[name] for name in ("li", "ol", "td", "th", "dt", "dd"))
_TAG, _ELEMENT, _ROW = COLUMN["tag"], COLUMN["element"], COLUMN["row"]
_ROOM = 16  # bytes that a separator and an item's number may take


def main_text(blocks: Blocks, kept: np.ndarray) -> str:
    """`kept` is (blocks,) bool."""
    table = blocks.table
    sizes = (table[:, 1] - table[:, 0])[kept]
    out = np.empty(int(sizes.sum()) + _ROOM * len(sizes), dtype=np.uint8)
    to = _join(blocks.text, table, blocks.elements, kept, out)
    return out[:to].tobytes().decode("utf-8")


@njit(cache=True, nogil=True, inline="always")
def _put(out, to, first, second, third):  # type: ignore[no-untyped-def]
    out[to] = first
    to += 1
    if second:
        out[to] = second
        to += 1
    if third:
        out[to] = third
        to += 1
    return to


@njit(cache=True, nogil=True)
def _join(text, table, elements, kept, out):  # type: ignore[no-untyped-def]
    numbers = np.zeros(elements.shape[0], dtype=np.int32)  # items of each list so far
    to = 0
    last = -1
    item = -1
    for row in range(table.shape[0]):
        tag = table[row, _TAG]
        element = table[row, _ELEMENT]
        parent = elements[element, 0]
        opens = tag == _LI and element != item
        if opens:
            item = element
            numbers[parent] += 1
        if not kept[row]:
            continue
        if last >= 0:
            before = table[last, _TAG]
            cell = tag in (_TD, _TH)
            same_row = table[row, _ROW] >= 0 and table[row, _ROW] == table[last, _ROW]
            above = elements[table[last, _ELEMENT], 0]
            if element == table[last, _ELEMENT]:
                to = _put(out, to, 0x0A, 0, 0)
            elif cell and same_row and (before in (_TD, _TH)):
                to = _put(out, to, 0x20, 0x7C, 0x20)
            elif (cell and (before in (_TD, _TH)) and elements[above, 0] == elements[parent, 0]) or (
                (tag in (_LI, _DT, _DD)) and above == parent
            ):
                to = _put(out, to, 0x0A, 0, 0)
            else:
                to = _put(out, to, 0x0A, 0x0A, 0)
        if opens:
            if elements[parent, 1] == _OL:
                number = numbers[parent]
                power = 1
                while power * 10 <= number:
                    power *= 10
                while power:
                    out[to] = 0x30 + number // power % 10
                    to += 1
                    power //= 10
                to = _put(out, to, 0x2E, 0x20, 0)
            else:
                to = _put(out, to, 0x2D, 0x20, 0)
        for at in range(table[row, 0], table[row, 1]):
            out[to] = text[at]
            to += 1
        last = row
    return to
