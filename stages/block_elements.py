"""What the elements around a block hold: text, links and blocks, children that are alike, and which of them holds most
of the running text (after Arc90's Readability).
"""

import numpy as np
from numba import njit

from stages.block_counts import COMMAS, ENDINGS
from stages.html_blocks import COLUMN
from stages.html_tags import ID, IN_FOOTER, IN_NAV

_ELEMENT, _FLAGS, _WIDTH, _LINK_WIDTH = (COLUMN[name] for name in ("element", "flags", "width", "link_width"))
_DIV = ID["div"]
_NAV_OR_FOOTER = IN_NAV | IN_FOOTER


@njit(cache=True, nogil=True)
def holdings(table, elements, counts):  # type: ignore[no-untyped-def]
    """-> (held, first, last, last_element) of each element with all it holds: (elements, 4) int64 of width, width of
    links, blocks and end marks; (elements,) int64 its first and last block, and the last element in it."""
    n = table.shape[0]
    m = elements.shape[0]
    held = np.zeros((m, 4), dtype=np.int64)
    first = np.full(m, n, dtype=np.int64)
    last = np.full(m, -1, dtype=np.int64)
    last_element = np.arange(m)
    for row in range(n):
        element = table[row, _ELEMENT]
        held[element, 0] += table[row, _WIDTH]
        held[element, 1] += table[row, _LINK_WIDTH]
        held[element, 2] += 1
        held[element, 3] += counts[row, ENDINGS]
        if row < first[element]:
            first[element] = row
        last[element] = row
    for element in range(m - 1, 0, -1):
        parent = elements[element, 0]
        for column in range(4):
            held[parent, column] += held[element, column]
        first[parent] = min(first[parent], first[element])
        last[parent] = max(last[parent], last[element])
        last_element[parent] = max(last_element[parent], last_element[element])
    return held, first, last, last_element


@njit(cache=True, nogil=True)
def top_element(table, elements, counts):  # type: ignore[no-untyped-def]
    """-> the element that holds most of the running text, 0 where none does."""
    score = np.zeros(elements.shape[0], dtype=np.float64)
    for row in range(table.shape[0]):
        width, link = table[row, _WIDTH], table[row, _LINK_WIDTH]
        own = width - link
        if own >= 40 and link * 3 < width and not table[row, _FLAGS] & _NAV_OR_FOOTER:
            worth = min(own, 600) * (1.0 + min(counts[row, COMMAS] + counts[row, ENDINGS], 10) * 0.2)
            element = table[row, _ELEMENT]
            parent = elements[element, 0]
            score[element] += worth * (0.9 if elements[element, 1] == _DIV else 0.3)
            if element != 0:
                score[parent] += worth
                if parent != 0:
                    score[elements[parent, 0]] += worth * 0.5
    top = 0
    for element in range(1, score.size):
        if score[element] > score[top] or (top == 0 and score[element] > 0):
            top = element
    return top


@njit(cache=True, nogil=True)
def twins_of(elements, held):  # type: ignore[no-untyped-def]
    """Of each element: how many of its parent's children have its tag and class, and how wide these are together."""
    m = elements.shape[0]
    size = 4
    while size < 2 * m:
        size *= 2
    slots = np.full(size, -1, dtype=np.int32)
    sums = np.zeros((m, 2), dtype=np.int64)  # in the row of the first of them
    first_of = np.zeros(m, dtype=np.int32)
    for element in range(1, m):
        value = np.uint64(elements[element, 0]) * np.uint64(0x9E3779B97F4A7C15)
        value ^= np.uint64(elements[element, 1]) * np.uint64(0xC2B2AE3D27D4EB4F)
        value ^= np.uint64(elements[element, 3]) * np.uint64(0x165667B19E3779F9)
        slot = np.int64((value >> np.uint64(17)) & np.uint64(size - 1))
        while slots[slot] >= 0:
            other = slots[slot]
            same = elements[other, 0] == elements[element, 0] and elements[other, 1] == elements[element, 1]
            if same and elements[other, 3] == elements[element, 3]:
                break
            slot = (slot + 1) & (size - 1)
        if slots[slot] < 0:
            slots[slot] = element
        first_of[element] = slots[slot]
        sums[slots[slot], 0] += 1
        sums[slots[slot], 1] += held[element, 0]
    result = np.zeros((m, 2), dtype=np.int64)
    for element in range(1, m):
        result[element] = sums[first_of[element]]
    return result
