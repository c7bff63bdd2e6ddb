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
from stages.characters import DIGIT, HAN, LATIN_UPPER, TABLE_SIZE, decode, far_kind, kinds
from stages.html_blocks import COLUMN, Blocks
from stages.html_tags import CATEGORIES, FLAGS, ID, WORDS

SHORT = 240  # width of a block whose words are looked at
_TITLE_SLOTS = 512

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

_GROUPS = np.full(len(tags.NAMES), -1, dtype=np.int8)
for _number, _group in enumerate(_TAG_GROUPS):
    for _name in _group:
        if _name in ID or _name == "":
            _GROUPS[ID.get(_name, 0)] = _number

# Marks, by what they do in a text.
_ENDS, _COMMAS, _COLONS, _SIGNS, _BARS = 1, 2, 3, 4, 5


def _roles() -> np.ndarray:
    roles = np.zeros(0x10000, dtype=np.uint8)
    for role, marks in (
        (_ENDS, ".!?;。！？；…．"), (_COMMAS, ",，、"), (_COLONS, ":："), (_SIGNS, "·•»›>▪■◆●○→*+-–—【[(（《©"),
        (_BARS, "|｜/\\"),
    ):  # fmt: skip
        roles[[ord(mark) for mark in marks]] = role
    return roles


_ROLES = _roles()

# Counts of a block.
_CHARS, _SPACES, _ENDINGS, _COMMA, _DIGITS, _UPPER, _HAN, _LAST, _FIRST, _BAR, _SAYS, _REPEATED = range(12)


class Told(NamedTuple):
    """Features of the blocks, and which categories of words each has."""

    values: np.ndarray
    says: np.ndarray


def features(blocks: Blocks, title: np.ndarray) -> Told:
    """`title` is what the page calls itself, (bytes,) uint8, empty where it has none. Memory: 1 kB a block."""
    table = blocks.table
    counts = np.zeros((len(table), 12), dtype=np.int64)
    _count(blocks.text, table, kinds(), _ROLES, tags.block_words(), counts)
    overlap = np.zeros((len(table), 2), dtype=np.float32)
    _against_title(blocks.text, table, title, overlap)
    values = np.zeros((len(table), FEATURES), dtype=np.float32)
    if len(table):
        _fill(table, blocks.elements, counts, overlap, _GROUPS, values)
    return Told(values, counts[:, _SAYS])


@njit(cache=True, nogil=True)
def _count(text, table, kind_of, roles, words, counts):  # type: ignore[no-untyped-def]
    seen = np.zeros(1024, dtype=np.uint64)
    for row in range(table.shape[0]):
        start, end = table[row, 0], table[row, 1]
        at = start
        first = True
        value = np.uint64(0xCBF29CE484222325)
        short = table[row, COLUMN_WIDTH] <= SHORT
        says = 0
        before = np.uint32(0x20)
        while at < end:
            code, size = decode(text, at, end)
            kind = kind_of[code] if code < TABLE_SIZE else far_kind(code)
            role = roles[code] if code < 0x10000 else 0
            value = (value ^ np.uint64(code)) * np.uint64(0x100000001B3)
            counts[row, _CHARS] += 1
            if code == 0x20 or code == 0x0A:
                counts[row, _SPACES] += 1
            elif role == _ENDS:
                counts[row, _ENDINGS] += 1
            elif role == _COMMAS:
                counts[row, _COMMA] += 1
            elif role == _BARS:
                counts[row, _BAR] += 1
            elif kind == HAN:
                counts[row, _HAN] += 1
            elif kind == DIGIT:
                counts[row, _DIGITS] += 1
            elif kind == LATIN_UPPER:
                counts[row, _UPPER] += 1
            if first:
                counts[row, _FIRST] = role
                first = False
            counts[row, _LAST] = role
            if short:
                says |= np.int64(tags.stems_at(text, at, end, not tags.is_letter(before), words))
            before = code
            at += size
        counts[row, _SAYS] = says
        slot = value & np.uint64(1023)
        # A page of over a thousand blocks may miss some that repeat.
        for _ in range(8):
            if seen[slot] == value:
                counts[row, _REPEATED] = 1
                break
            if seen[slot] == 0:
                seen[slot] = value
                break
            slot = (slot + np.uint64(1)) & np.uint64(1023)


COLUMN_WIDTH = COLUMN["width"]


@njit(cache=True, nogil=True, inline="always")
def _folded(text, at, end):  # type: ignore[no-untyped-def]
    code, size = decode(text, at, end)
    if 0x41 <= code <= 0x5A:
        code |= np.uint32(0x20)
    return code, size


@njit(cache=True, nogil=True)
def _against_title(text, table, title, overlap):  # type: ignore[no-untyped-def]
    """How much of a block's pairs of characters the title has, and of the title's pairs the block."""
    slots = np.zeros(_TITLE_SLOTS, dtype=np.uint64)
    pairs = 0
    at = 0
    before = np.uint64(0)
    while at < title.size and pairs < _TITLE_SLOTS // 2:
        code, size = _folded(title, at, title.size)
        at += size
        if code <= 0x20:
            continue
        if before != 0:
            pair = (before << np.uint64(21)) | np.uint64(code)
            slot = (pair * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(55)
            while slots[slot] != 0 and slots[slot] != pair:
                slot = (slot + np.uint64(1)) & np.uint64(_TITLE_SLOTS - 1)
            if slots[slot] == 0:
                slots[slot] = pair
                pairs += 1
        before = np.uint64(code)
    if pairs == 0:
        return
    hit = np.zeros(_TITLE_SLOTS, dtype=np.int32)
    for row in range(table.shape[0]):
        if table[row, COLUMN_WIDTH] > 600:
            continue
        end = table[row, 1]
        at = table[row, 0]
        before = np.uint64(0)
        found = total = distinct = 0
        while at < end:
            code, size = _folded(text, at, end)
            at += size
            if code <= 0x20:
                continue
            if before != 0:
                total += 1
                pair = (before << np.uint64(21)) | np.uint64(code)
                slot = (pair * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(55)
                while slots[slot] != 0 and slots[slot] != pair:
                    slot = (slot + np.uint64(1)) & np.uint64(_TITLE_SLOTS - 1)
                if slots[slot] == pair:
                    found += 1
                    if hit[slot] != row + 1:
                        hit[slot] = row + 1
                        distinct += 1
            before = np.uint64(code)
        if total > 0:
            overlap[row, 0] = found / total
            overlap[row, 1] = distinct / pairs


@njit(cache=True, nogil=True, inline="always")
def _share(part, whole):  # type: ignore[no-untyped-def]
    return part / whole if whole > 0 else 0.0


@njit(cache=True, nogil=True)
def _twins(elements, held):  # type: ignore[no-untyped-def]
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


@njit(cache=True, nogil=True)
def _fill(table, elements, counts, overlap, groups, values):  # type: ignore[no-untyped-def]
    n = table.shape[0]
    m = elements.shape[0]
    # Of each element with all it holds: width, width of links, blocks, end marks, first and last block, last element.
    held = np.zeros((m, 4), dtype=np.int64)
    first = np.full(m, n, dtype=np.int64)
    last_block = np.full(m, -1, dtype=np.int64)
    last_element = np.arange(m)
    score = np.zeros(m, dtype=np.float64)
    total = longest = 0
    for row in range(n):
        width, link = table[row, 9], table[row, 10]
        element = table[row, 3]
        held[element, 0] += width
        held[element, 1] += link
        held[element, 2] += 1
        held[element, 3] += counts[row, _ENDINGS]
        if row < first[element]:
            first[element] = row
        last_block[element] = row
        total += width
        longest = max(longest, width - link)
        own = width - link
        if own >= 40 and link * 3 < width and not table[row, 4] & (IN_NAV_OR_FOOTER):
            worth = min(own, 600) * (1.0 + min(counts[row, _COMMA] + counts[row, _ENDINGS], 10) * 0.2)
            parent = elements[element, 0]
            score[element] += worth * (0.9 if groups[elements[element, 1]] == 7 else 0.3)
            if element != 0:
                score[parent] += worth
                if parent != 0:
                    score[elements[parent, 0]] += worth * 0.5
    for element in range(m - 1, 0, -1):
        parent = elements[element, 0]
        for column in range(4):
            held[parent, column] += held[element, column]
        first[parent] = min(first[parent], first[element])
        last_block[parent] = max(last_block[parent], last_block[element])
        last_element[parent] = max(last_element[parent], last_element[element])
    top = 0
    for element in range(1, m):
        if score[element] > score[top] or (top == 0 and score[element] > 0):
            top = element
    above_top = np.zeros(m, dtype=np.bool_)
    element = top
    while element != 0:
        above_top[element] = True
        element = elements[element, 0]
    above_top[0] = True

    twins = _twins(elements, held)
    for row in range(n):
        width, link = table[row, 9], table[row, 10]
        element = table[row, 3]
        tag = table[row, 2]
        c = counts[row]
        letters = max(c[_CHARS] - c[_SPACES], 1)
        f = values[row]
        k = 0
        f[0] = width
        f[1] = c[_SPACES] + 1
        f[2] = _share(link, width)
        f[3] = table[row, 12]
        f[4] = _share(table[row, 11], width)
        f[5] = c[_ENDINGS]
        f[6] = c[_COMMA]
        f[7] = c[_DIGITS] / letters
        f[8] = c[_UPPER] / letters
        f[9] = c[_HAN] / letters
        f[10] = 1 if c[_LAST] == _ENDS else 0
        f[11] = 1 if c[_LAST] == _COLONS else 0
        f[12] = 1 if c[_FIRST] == _SIGNS or c[_FIRST] == _BARS else 0
        f[13] = c[_BAR]
        f[14] = c[_REPEATED]
        f[15] = overlap[row, 0]
        f[16] = overlap[row, 1]
        f[17] = table[row, 13]
        f[18] = 1 if table[row, 8] >= 0 else 0
        f[19] = _share(c[_ENDINGS] + c[_COMMA], width)
        k = 20
        for group in range(N_GROUPS):
            f[k] = 1 if groups[tag] == group else 0
            k += 1
        for bit in range(FLAGS):
            f[k] = (table[row, 4] >> bit) & 1
            k += 1
        for bit in range(N_CATEGORIES):
            f[k] = (table[row, 5] >> bit) & 1
            k += 1
        for bit in range(N_CATEGORIES):
            f[k] = (table[row, 6] >> bit) & 1
            k += 1
        for bit in range(N_WORDS):
            f[k] = (c[_SAYS] >> bit) & 1
            k += 1
        parent = elements[element, 0]
        for offset in (-2, -1, 1, 2):
            other = row + offset
            if 0 <= other < n:
                f[k] = table[other, 9]
                f[k + 1] = _share(table[other, 10], table[other, 9])
                f[k + 2] = counts[other, _ENDINGS]
                f[k + 3] = 1 if elements[table[other, 3], 0] == parent or table[other, 3] == element else 0
                f[k + 4] = 1 if table[other, 2] == tag else 0
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
            f[k + 7] = last_block[which] - row
            k += 8
            which = elements[which, 0]
        window = window_links = wide = 0
        for other in range(max(row - 4, 0), min(row + 5, n)):
            window += table[other, 9]
            window_links += table[other, 10]
            wide += 1 if table[other, 9] - table[other, 10] >= 80 else 0
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
        f[k + 5] = max(row - last_block[top], 0)
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
            window += table[other, 9]
            window_links += table[other, 10]
        f[k + 11] = window - window_links
        f[k + 12] = _share(window_links, window)


N_GROUPS = len(_TAG_GROUPS)
N_CATEGORIES = len(CATEGORIES)
N_WORDS = len(WORDS)
IN_NAV_OR_FOOTER = tags.IN_NAV | tags.IN_FOOTER
