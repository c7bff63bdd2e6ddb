"""What is known about each block of a page when it is judged: (blocks, FEATURES) float32.

Of the block: how wide it is, how much of it is link, its marks (Chinese ones like Latin ones), digits and scripts, what
its element and its class names are, what words it has, whether it repeats the title or an earlier block. Of its place:
where it stands in the page, its neighbours, the elements around it and what else they hold, and the element that holds
most of the running text. Text and link density: Kohlschütter et al. 2010, 3.1; the element with most text: after
Arc90's Readability. All values are quotients and counts: trees compare, so no scale matters.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from stages import html_tags as tags
from stages.block_counts import (
    BAR_MARKS,
    BARS,
    CHARS,
    COLONS,
    COMMAS,
    DIGITS,
    ENDINGS,
    ENDS,
    FIRST,
    HAN_CHARS,
    LAST,
    REPEATED,
    SAYS,
    SIGNS,
    SPACES,
    UPPER,
    counts,
    overlap,
)
from stages.block_elements import holdings, top_element, twins_of
from stages.html_blocks import COLUMN, Blocks
from stages.html_tags import CATEGORIES, FLAGS, ID, WORDS

_TAG_GROUPS = (
    ("p",), ("li",), ("td", "th"), ("h1",), ("h2",), ("h3",), ("h4", "h5", "h6"), ("div",), ("pre", "listing"),
    ("blockquote",), ("dt", "dd"), ("figcaption", "caption"), ("section", "article", "main"), ("body", "", "html"),
)  # fmt: skip
_FLAG_NAMES = (
    "nav", "header", "footer", "aside", "form", "table", "list", "article", "main", "section", "quote", "figure", "pre",
    "link", "heading", "code", "hidden", "bold", "control", "details",
)  # fmt: skip

_OWN = (
    "width", "words", "link_share", "links", "bold_share", "end_marks", "commas", "digit_share", "upper_share",
    "han_share", "ends_with_mark", "ends_with_colon", "starts_with_sign", "bars", "repeated", "title_overlap",
    "title_cover", "after_br", "in_row", "marks_density",
)  # fmt: skip
_NEIGHBOURS = tuple(
    f"{side}_{what}"
    for side in ("before2", "before", "after", "after2")
    for what in ("width", "link_share", "end_marks", "same_parent", "same_tag")
)
_AROUND = tuple(
    f"{which}_{what}"
    for which in ("element", "parent", "grandparent")
    for what in ("width", "link_share", "blocks", "mean_width", "end_marks", "page_share", "begins", "ends")
)
# Nothing here tells one page from another, such as how long it is: with such features trees learn pages by heart, and
# on hosts that they have not seen F1 is up to 0.006 lower.
_PLACE = (
    "window_text", "window_links", "window_wide", "in_top", "before_top", "after_top", "top_distance", "longest_share",
    "twins", "twin_level", "twin_width", "wide_window_text", "wide_window_links",
)  # fmt: skip
NAMES = (
    *_OWN,
    *(f"tag_{group[0]}" for group in _TAG_GROUPS),
    *(f"in_{name}" for name in _FLAG_NAMES),
    *(f"near_{name}" for name in CATEGORIES),
    *(f"above_{name}" for name in CATEGORIES),
    *(f"says_{name}" for name in WORDS),
    *_NEIGHBOURS,
    *_AROUND,
    *_PLACE,
)
FEATURES = len(NAMES)

# Numba reads these as constants.
_TAG, _ELEMENT, _FLAGS, _NEAR, _ALL, _ROW, _WIDTH, _LINK_WIDTH, _BOLD_WIDTH, _LINKS, _AFTER_BR = (
    COLUMN[name]
    for name in (
        "tag", "element", "flags", "near", "all", "row", "width", "link_width", "bold_width", "links", "after_br",
    )
)  # fmt: skip
_GROUPS_COUNT, _CATEGORIES_COUNT, _WORDS_COUNT = len(_TAG_GROUPS), len(CATEGORIES), len(WORDS)

_GROUPS = np.full(len(tags.NAMES), -1, dtype=np.int8)
for _number, _group in enumerate(_TAG_GROUPS):
    for _name in _group:
        if _name in ID or _name == "":
            _GROUPS[ID.get(_name, 0)] = _number


class Told(NamedTuple):
    """Features of the blocks, and which categories of words each has."""

    values: np.ndarray
    says: np.ndarray


def features(blocks: Blocks, title: np.ndarray) -> Told:
    """`title` is what the page calls itself, (bytes,) uint8, empty where it has none. Memory: 1 kB a block."""
    said = counts(blocks)
    values = np.zeros((len(said), FEATURES), dtype=np.float32)
    if len(said):
        _fill(blocks.table, blocks.elements, said, overlap(blocks, title), _GROUPS, values)
    return Told(values, said[:, SAYS])


@njit(cache=True, nogil=True, inline="always")
def _share(part, whole):  # type: ignore[no-untyped-def]
    return part / whole if whole > 0 else 0.0


@njit(cache=True, nogil=True)
def _fill(table, elements, counts, overlap, groups, values):  # type: ignore[no-untyped-def]
    n = table.shape[0]
    m = elements.shape[0]
    held, first, last, last_element = holdings(table, elements, counts)
    twins = twins_of(elements, held)
    total = longest = 0
    for row in range(n):
        total += table[row, _WIDTH]
        longest = max(longest, table[row, _WIDTH] - table[row, _LINK_WIDTH])
    top = top_element(table, elements, counts)
    above_top = np.zeros(m, dtype=np.bool_)
    element = top
    while element != 0:
        above_top[element] = True
        element = elements[element, 0]
    above_top[0] = True
    for row in range(n):
        width, link = table[row, _WIDTH], table[row, _LINK_WIDTH]
        element = table[row, _ELEMENT]
        tag = table[row, _TAG]
        c = counts[row]
        letters = max(c[CHARS] - c[SPACES], 1)
        f = values[row]
        k = 0
        f[0] = width
        f[1] = c[SPACES] + 1
        f[2] = _share(link, width)
        f[3] = table[row, _LINKS]
        f[4] = _share(table[row, _BOLD_WIDTH], width)
        f[5] = c[ENDINGS]
        f[6] = c[COMMAS]
        f[7] = c[DIGITS] / letters
        f[8] = c[UPPER] / letters
        f[9] = c[HAN_CHARS] / letters
        f[10] = 1 if c[LAST] == ENDS else 0
        f[11] = 1 if c[LAST] == COLONS else 0
        f[12] = 1 if c[FIRST] == SIGNS or c[FIRST] == BARS else 0
        f[13] = c[BAR_MARKS]
        f[14] = c[REPEATED]
        f[15] = overlap[row, 0]
        f[16] = overlap[row, 1]
        f[17] = table[row, _AFTER_BR]
        f[18] = 1 if table[row, _ROW] >= 0 else 0
        f[19] = _share(c[ENDINGS] + c[COMMAS], width)
        k = 20
        for group in range(_GROUPS_COUNT):
            f[k] = 1 if groups[tag] == group else 0
            k += 1
        for bit in range(FLAGS):
            f[k] = (table[row, _FLAGS] >> bit) & 1
            k += 1
        for bit in range(_CATEGORIES_COUNT):
            f[k] = (table[row, _NEAR] >> bit) & 1
            k += 1
        for bit in range(_CATEGORIES_COUNT):
            f[k] = (table[row, _ALL] >> bit) & 1
            k += 1
        for bit in range(_WORDS_COUNT):
            f[k] = (c[SAYS] >> bit) & 1
            k += 1
        parent = elements[element, 0]
        for offset in (-2, -1, 1, 2):
            other = row + offset
            if 0 <= other < n:
                f[k] = table[other, _WIDTH]
                f[k + 1] = _share(table[other, _LINK_WIDTH], table[other, _WIDTH])
                f[k + 2] = counts[other, ENDINGS]
                f[k + 3] = (
                    1 if elements[table[other, _ELEMENT], 0] == parent or table[other, _ELEMENT] == element else 0
                )
                f[k + 4] = 1 if table[other, _TAG] == tag else 0
            else:
                f[k] = -1
            k += 5
        which = element
        for _ in range(3):
            f[k] = held[which, 0]
            f[k + 1] = _share(held[which, 1], held[which, 0])
            f[k + 2] = held[which, 2]
            f[k + 3] = _share(held[which, 0], held[which, 2])
            f[k + 4] = held[which, 3]
            f[k + 5] = _share(held[which, 0], total)
            f[k + 6] = row - first[which]
            f[k + 7] = last[which] - row
            k += 8
            which = elements[which, 0]
        window = window_links = wide = 0
        for other in range(max(row - 4, 0), min(row + 5, n)):
            window += table[other, _WIDTH]
            window_links += table[other, _LINK_WIDTH]
            wide += 1 if table[other, _WIDTH] - table[other, _LINK_WIDTH] >= 80 else 0
        distance = 0
        which = element
        while not above_top[which]:
            which = elements[which, 0]
            distance += 1
        inside = top <= element <= last_element[top]
        f[k] = window - window_links
        f[k + 1] = _share(window_links, window)
        f[k + 2] = wide
        f[k + 3] = 1 if inside else 0
        f[k + 4] = max(first[top] - row, 0)
        f[k + 5] = max(row - last[top], 0)
        f[k + 6] = distance
        f[k + 7] = _share(width - link, longest)
        which = element
        best = 1
        for level in range(6):
            if which == 0:
                break
            if twins[which, 0] > best and held[which, 0] > 0:
                best = twins[which, 0]
                f[k + 9] = level
                f[k + 10] = twins[which, 1] / twins[which, 0]
            which = elements[which, 0]
        f[k + 8] = best
        window = window_links = 0
        for other in range(max(row - 12, 0), min(row + 13, n)):
            window += table[other, _WIDTH]
            window_links += table[other, _LINK_WIDTH]
        f[k + 11] = window - window_links
        f[k + 12] = _share(window_links, window)
