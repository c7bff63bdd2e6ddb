"""Open elements: what a start tag puts on the stack, and what tags take from it.

Tags that pages leave out, misnest or repeat are treated as HTML's tree construction does where that tells blocks apart
(Standard, 13.2.6). A tag looks at no more than the stack, which is cut at a depth.
"""

import numpy as np
from numba import njit

from stages.html_attributes import HAS_HREF, HINTS, IS_HIDDEN, LOOKS
from stages.html_state import ALL, ELEMENT, ELEMENTS, FLAGS, LINKS, LOST, MAX_DEPTH, NEAR, OPEN, ROW, TAG
from stages.html_tags import BLOCK, DOES, ENDS_P, ID, IN_HIDDEN, INLINE, PUTS_IN
from stages.html_text import flush

_P, _LI, _A, _UL, _OL, _DL, _DT, _DD, _MENU, _DIR = (
    ID[name] for name in ("p", "li", "a", "ul", "ol", "dl", "dt", "dd", "menu", "dir")
)
_TABLE, _TR, _TD, _TH, _TBODY, _THEAD, _TFOOT, _CAPTION = (
    ID[name] for name in ("table", "tr", "td", "th", "tbody", "thead", "tfoot", "caption")
)


@njit(cache=True, nogil=True, inline="always")
def is_one_of(tag, first, second, third):  # type: ignore[no-untyped-def]
    return tag in (first, second, third)


@njit(cache=True, nogil=True, forceinline=True)
def push(tag, says, state, stack, elements):  # type: ignore[no-untyped-def]
    """Open an element. One deeper than MAX_DEPTH is only counted, so that its end tag closes no other."""
    top = state[OPEN]
    if top >= MAX_DEPTH:
        state[LOST] += 1
        return
    entry = top + 1
    flags = stack[top, FLAGS]
    if not (tag == _A and not says[HAS_HREF]):
        flags |= np.int64(PUTS_IN[tag])
    if says[IS_HIDDEN]:
        flags |= IN_HIDDEN
    if tag == _A and says[HAS_HREF]:
        state[LINKS] += 1
    number = state[ELEMENTS]
    stack[entry, TAG] = tag
    stack[entry, FLAGS] = flags
    stack[entry, NEAR] = says[HINTS] if says[HINTS] else stack[top, NEAR]
    stack[entry, ALL] = stack[top, ALL] | says[HINTS]
    stack[entry, ROW] = number if tag == _TR else -1 if tag == _TABLE else stack[top, ROW]
    if DOES[tag] & BLOCK:
        elements[number, 0] = stack[top, ELEMENT]
        elements[number, 1] = tag
        elements[number, 2] = says[HINTS]
        elements[number, 3] = says[LOOKS]
        stack[entry, ELEMENT] = number
        state[ELEMENTS] = number + 1
    else:
        stack[entry, ELEMENT] = stack[top, ELEMENT]
    state[OPEN] = entry


@njit(cache=True, nogil=True)
def pop(depth, state, stack, text, table, elements):  # type: ignore[no-untyped-def]
    """Close open elements until `depth` are left (the page itself is number 0)."""
    for entry in range(depth + 1, state[OPEN] + 1):
        if DOES[stack[entry, TAG]] & BLOCK:
            flush(state, text, table, elements, 0)
            break
    state[OPEN] = depth


@njit(cache=True, nogil=True)
def closed_by_start(tag, state, stack):  # type: ignore[no-untyped-def]
    """-> to which depth a start tag closes what is open: end tags that pages leave out."""
    top = state[OPEN]
    if DOES[tag] & ENDS_P:
        for entry in range(top, 0, -1):
            open_tag = stack[entry, TAG]
            if open_tag == _P:
                top = entry - 1
                break
            if DOES[open_tag] & BLOCK:
                break
    if tag in (_LI, _DT, _DD):
        for entry in range(top, 0, -1):
            open_tag = stack[entry, TAG]
            if (tag == _LI and open_tag == _LI) or (tag != _LI and (open_tag in (_DT, _DD))):
                return entry - 1
            if (
                is_one_of(open_tag, _UL, _OL, _DL)
                or is_one_of(open_tag, _TD, _TH, _TABLE)
                or is_one_of(open_tag, _MENU, _DIR, _TABLE)
            ):
                break
    elif is_one_of(tag, _TD, _TH, _CAPTION) or is_one_of(tag, _TR, _TBODY, _THEAD) or tag == _TFOOT:
        for entry in range(top, 0, -1):
            open_tag = stack[entry, TAG]
            if open_tag == _TABLE:
                return entry
            if open_tag == _TR and (tag in (_TD, _TH)):
                return entry
            if tag == _TR and (is_one_of(open_tag, _TBODY, _THEAD, _TFOOT)):
                return entry
        # A row or a cell without a table closes nothing.
    elif tag == _A:
        for entry in range(top, 0, -1):
            if stack[entry, TAG] == _A:
                return entry - 1
            if DOES[stack[entry, TAG]] & BLOCK:
                break
    return top


@njit(cache=True, nogil=True)
def closed_by_end(tag, state, stack):  # type: ignore[no-untyped-def]
    """-> to which depth an end tag closes what is open; -1 where it closes nothing. An inline element that was opened
    outside the innermost block is taken out of the stack where it lies."""
    top = state[OPEN]
    inline = DOES[tag] & INLINE
    crossed = False
    for entry in range(top, 0, -1):
        open_tag = stack[entry, TAG]
        if open_tag == tag:
            if not (inline and crossed):
                return entry - 1
            # <b><p></b>: the formatting ends, the paragraph does not.
            lost = PUTS_IN[tag]
            stack[entry, TAG] = 0
            for above in range(entry, top + 1):
                stack[above, FLAGS] &= ~np.int64(lost)
            return -1
        if DOES[open_tag] & BLOCK:
            crossed = True
            if inline and open_tag != _P:
                return -1
        if open_tag == _TABLE or (
            (open_tag in (_TD, _TH))
            and not is_one_of(tag, _TR, _TABLE, _TBODY)
            and not is_one_of(tag, _THEAD, _TFOOT, _TABLE)
        ):
            return -1
    return -1
