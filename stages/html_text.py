"""The block of text that is being written: white space collapsed, character references resolved, widths counted.

A block is what stands in the text between two flushes. What its first visible character stands in says what the block
is; how wide it is, of that in links and in bold, is added up character by character.
"""

import numpy as np
from numba import njit

from stages.characters import decode
from stages.html_entities import put, reference
from stages.html_state import (
    AFTER_BR,
    ALL,
    BLOCKS,
    BOLD_WIDTH,
    ELEMENT,
    FLAGS,
    FROM,
    IN_ALL,
    IN_DEPTH,
    IN_ELEMENT,
    IN_FLAGS,
    IN_NEAR,
    IN_ROW,
    INDENT,
    LAST,
    LINK_WIDTH,
    LINKS,
    NEAR,
    OPEN,
    PENDING,
    ROW,
    TO,
    WIDTH,
)
from stages.html_tags import IN_BOLD, IN_LINK, IN_PRE, is_space

# Columns of a block, int32. Widths count a wide character as 3: about the Latin letters that say as much.
COLUMNS = (
    "start", "end",  # bytes in the text
    "tag", "element",  # the nearest element that is a block
    "flags", "near", "all",  # html_tags.IN_...; categories of the nearest class or id that has any; of all above
    "depth", "row",  # open elements; number of the table row, -1 = none
    "width", "link_width", "bold_width", "links",
    "after_br",  # begins behind a <br>
)  # fmt: skip
(_START, _END, _TAG, _ELEMENT, _FLAGS, _NEAR, _ALL, _DEPTH, _ROW, _WIDTH, _LINK, _BOLD, _LINKS, _AFTER_BR) = range(14)


@njit(cache=True, nogil=True, inline="always")
def _is_wide(code):  # type: ignore[no-untyped-def]
    """Characters that a line break may stand between without being a space: Han, kana, their punctuation."""
    return (0x2E80 <= code <= 0xA4CF) or (0xF900 <= code <= 0xFAFF) or (0xFE30 <= code <= 0xFFEF) or code >= 0x20000


@njit(cache=True, nogil=True, inline="always")
def _width(code):  # type: ignore[no-untyped-def]
    return 3 if (0x3041 <= code <= 0xD7AF) or (0xF900 <= code <= 0xFAFF) or (code >= 0x20000) else 1


@njit(cache=True, nogil=True)
def append(code, state, stack, text):  # type: ignore[no-untyped-def]
    """Add a visible character to the block, and the white space that stands before it."""
    top = state[OPEN]
    flags = stack[top, FLAGS]
    if state[TO] == state[FROM]:  # the block begins here
        state[IN_FLAGS] = flags
        state[IN_NEAR] = stack[top, NEAR]
        state[IN_ALL] = stack[top, ALL]
        state[IN_ELEMENT] = stack[top, ELEMENT]
        state[IN_DEPTH] = top
        state[IN_ROW] = stack[top, ROW]
        for _ in range(min(state[INDENT], 64)):
            text[state[TO]] = 0x20
            state[TO] += 1
    elif state[PENDING] and (state[PENDING] == 1 or not (_is_wide(code) and _is_wide(state[LAST]))):
        text[state[TO]] = 0x20
        state[TO] += 1
        state[WIDTH] += 1
        if flags & IN_LINK:
            state[LINK_WIDTH] += 1
    state[PENDING] = 0
    state[INDENT] = 0
    state[LAST] = code
    state[TO] = put(text, state[TO], np.uint32(code))
    width = _width(code)
    state[WIDTH] += width
    if flags & IN_LINK:
        state[LINK_WIDTH] += width
    if flags & IN_BOLD:
        state[BOLD_WIDTH] += width


@njit(cache=True, nogil=True)
def copy(html, start, end, state, stack, text, names):  # type: ignore[no-untyped-def]
    """Append html[start:end], which holds no tag, to the block. `names` are `html_entities.entities()`."""
    at = start
    preformatted = stack[state[OPEN], FLAGS] & IN_PRE
    while at < end:
        byte = html[at]
        if byte <= 0x20 or byte == 0x7F:
            if not is_space(byte):
                at += 1
                continue
            newline = byte == 0x0A or (byte == 0x0D and not (at + 1 < end and html[at + 1] == 0x0A))
            if preformatted:
                if state[TO] == state[FROM]:
                    state[INDENT] = 0 if newline else state[INDENT] + 1
                elif byte != 0x0D or newline:
                    text[state[TO]] = 0x0A if newline else byte
                    state[TO] += 1
                    state[LAST] = 0x20
            elif newline or byte == 0x0D:
                state[PENDING] = max(state[PENDING], 2) if state[PENDING] != 1 else 1
            else:
                # Indentation behind a line break belongs to it.
                state[PENDING] = 2 if state[PENDING] == 2 else 1
            at += 1
            continue
        second = np.uint32(0)
        if byte == 0x26:
            code, second, size = reference(html, at, end, names)
            if size == 0:
                code, size = np.uint32(0x26), 1
        elif byte < 0x80:
            code, size = np.uint32(byte), 1
        else:
            code, size = decode(html, at, end)
        at += size
        if code == 0xA0 or code <= 0x20:
            if preformatted and state[TO] > state[FROM]:
                text[state[TO]] = 0x20
                state[TO] += 1
            elif preformatted:
                state[INDENT] += 1
            else:
                state[PENDING] = 1
            continue
        if code == 0xFEFF or code == 0x200B or (code == 0x3000 and state[TO] == state[FROM]) or 0x7F <= code < 0xA0:
            continue
        append(np.int64(code), state, stack, text)
        if second != 0:
            append(np.int64(second), state, stack, text)


@njit(cache=True, nogil=True)
def flush(state, text, table, elements, by_br):  # type: ignore[no-untyped-def]
    """End the block. Trailing white space goes; a block of nothing is none."""
    to, start = state[TO], state[FROM]
    while to > start and (
        is_space(text[to - 1])
        or (to - start > 2 and text[to - 1] == 0x80 and text[to - 2] == 0x80 and text[to - 3] == 0xE3)
    ):
        to -= 3 if text[to - 1] == 0x80 else 1
    if to > start:
        row = state[BLOCKS]
        table[row, _START] = start
        table[row, _END] = to
        table[row, _TAG] = elements[state[IN_ELEMENT], 1]
        table[row, _ELEMENT] = state[IN_ELEMENT]
        table[row, _FLAGS] = state[IN_FLAGS]
        table[row, _NEAR] = state[IN_NEAR]
        table[row, _ALL] = state[IN_ALL]
        table[row, _DEPTH] = state[IN_DEPTH]
        table[row, _ROW] = state[IN_ROW]
        table[row, _WIDTH] = state[WIDTH]
        table[row, _LINK] = min(state[LINK_WIDTH], state[WIDTH])
        table[row, _BOLD] = min(state[BOLD_WIDTH], state[WIDTH])
        table[row, _LINKS] = state[LINKS]
        table[row, _AFTER_BR] = state[AFTER_BR]
        state[BLOCKS] = row + 1
        state[AFTER_BR] = by_br
    elif not by_br:
        state[AFTER_BR] = 0
    state[TO] = to
    state[FROM] = to
    state[PENDING] = 0
    state[INDENT] = 0
    state[WIDTH] = 0
    state[LINK_WIDTH] = 0
    state[BOLD_WIDTH] = 0
    state[LINKS] = 0
