"""What a block of a page says, counted: its characters by kind, its marks (Chinese ones like Latin ones), its words;
and how much of the page's title it has.
"""

import numpy as np
from numba import njit

from stages import html_tags as tags
from stages.characters import DIGIT, HAN, LATIN_UPPER, TABLE_SIZE, decode, far_kind, kinds
from stages.html_blocks import COLUMN, Blocks

SHORT = 240  # width of a block whose words are looked at
_TITLE_SLOTS = 512

_WIDTH = COLUMN["width"]

# Marks, by what they do in a text.
ENDS, COMMA, COLONS, SIGNS, BARS = 1, 2, 3, 4, 5


def _roles() -> np.ndarray:
    roles = np.zeros(0x10000, dtype=np.uint8)
    for role, marks in (
        (ENDS, ".!?;。！？；…．"), (COMMA, ",，、"), (COLONS, ":："), (SIGNS, "·•»›>▪■◆●○→*+-–—【[(（《©"),
        (BARS, "|｜/\\"),
    ):  # fmt: skip
        roles[[ord(mark) for mark in marks]] = role
    return roles


_ROLES = _roles()

# Counts of a block; LAST and FIRST are what its last and first character do, SAYS its categories of words.
CHARS, SPACES, ENDINGS, COMMAS, DIGITS, UPPER, HAN_CHARS, LAST, FIRST, BAR_MARKS, SAYS, REPEATED = range(12)
COUNTS = 12


def counts(blocks: Blocks) -> np.ndarray:
    """(blocks, COUNTS) int64."""
    found = np.zeros((len(blocks.table), COUNTS), dtype=np.int64)
    _count(blocks.text, blocks.table, kinds(), _ROLES, tags.block_words(), found)
    return found


def overlap(blocks: Blocks, title: np.ndarray) -> np.ndarray:
    """(blocks, 2) float32: how much of a block's pairs of characters `title`, (bytes,) uint8, has; and of the title's
    pairs the block."""
    found = np.zeros((len(blocks.table), 2), dtype=np.float32)
    _against_title(blocks.text, blocks.table, title, found)
    return found


@njit(cache=True, nogil=True)
def _count(text, table, kind_of, roles, words, counts):  # type: ignore[no-untyped-def]
    seen = np.zeros(1024, dtype=np.uint64)
    for row in range(table.shape[0]):
        start, end = table[row, 0], table[row, 1]
        at = start
        first = True
        value = np.uint64(0xCBF29CE484222325)
        short = table[row, _WIDTH] <= SHORT
        says = 0
        before = np.uint32(0x20)
        while at < end:
            code, size = decode(text, at, end)
            kind = kind_of[code] if code < TABLE_SIZE else far_kind(code)
            role = roles[code] if code < 0x10000 else 0
            value = (value ^ np.uint64(code)) * np.uint64(0x100000001B3)
            counts[row, CHARS] += 1
            if code == 0x20 or code == 0x0A:
                counts[row, SPACES] += 1
            elif role == ENDS:
                counts[row, ENDINGS] += 1
            elif role == COMMA:
                counts[row, COMMAS] += 1
            elif role == BARS:
                counts[row, BAR_MARKS] += 1
            elif kind == HAN:
                counts[row, HAN_CHARS] += 1
            elif kind == DIGIT:
                counts[row, DIGITS] += 1
            elif kind == LATIN_UPPER:
                counts[row, UPPER] += 1
            if first:
                counts[row, FIRST] = role
                first = False
            counts[row, LAST] = role
            if short:
                says |= np.int64(tags.stems_at(text, at, end, not tags.is_letter(before), words))
            before = code
            at += size
        counts[row, SAYS] = says
        slot = value & np.uint64(1023)
        # A page of over a thousand blocks may miss some that repeat.
        for _ in range(8):
            if seen[slot] == value:
                counts[row, REPEATED] = 1
                break
            if seen[slot] == 0:
                seen[slot] = value
                break
            slot = (slot + np.uint64(1)) & np.uint64(1023)


@njit(cache=True, nogil=True, inline="always")
def _folded(text, at, end):  # type: ignore[no-untyped-def]
    code, size = decode(text, at, end)
    if 0x41 <= code <= 0x5A:
        code |= np.uint32(0x20)
    return code, size


@njit(cache=True, nogil=True)
def _against_title(text, table, title, overlap):  # type: ignore[no-untyped-def]
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
        if table[row, _WIDTH] > 600:
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
