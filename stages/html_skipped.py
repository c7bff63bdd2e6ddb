"""What a page holds that is no text of it: comments, elements without markup in them, and elements that are left out.

An element whose content is left out ends with its own end tag, and with what shows that it was never closed: a block
inside a choice of a form, a cell behind one that is left out, the end of what it lies in.
"""

from numba import njit

from stages.html_state import INSIDE, SAME, SKIPPED
from stages.html_tags import BLOCK, DOES, FLAT, ID, NAMES, VOID, is_space

_UNKNOWN = len(NAMES)  # stands for an unknown element that is left out
_RT, _RP, _TD, _TH, _TR = (ID[name] for name in ("rt", "rp", "td", "th", "tr"))


@njit(cache=True, nogil=True)
def skip(tag, state):  # type: ignore[no-untyped-def]
    """Leave out the content of an element that has just begun."""
    state[SKIPPED] = tag if tag != 0 else _UNKNOWN
    state[INSIDE] = 0
    state[SAME] = 0


@njit(cache=True, nogil=True, forceinline=True)
def skips_start(tag, closed, state):  # type: ignore[no-untyped-def]
    """Whether a start tag belongs to what is left out; `closed` says that it ends with "/>"."""
    skipped = state[SKIPPED]
    if skipped == 0:
        return False
    if (DOES[skipped] & FLAT and (DOES[tag] & BLOCK or tag in (_RT, _RP))) or (
        skipped == _TD and state[INSIDE] == 0 and tag in (_TD, _TH, _TR)
    ):
        state[SKIPPED] = 0
        return False
    if not DOES[tag] & VOID and not closed:
        state[INSIDE] += 1
        if tag == skipped:
            state[SAME] += 1
    return True


@njit(cache=True, nogil=True, forceinline=True)
def skips_end(tag, state):  # type: ignore[no-untyped-def]
    """Whether an end tag belongs to what is left out."""
    skipped = state[SKIPPED]
    if skipped == 0:
        return False
    if tag == skipped:
        if state[SAME] == 0:
            state[SKIPPED] = 0
        else:
            state[SAME] -= 1
            state[INSIDE] -= 1
        return True
    if not (DOES[skipped] & FLAT and DOES[tag] & BLOCK):
        if state[INSIDE] > 0:
            state[INSIDE] -= 1
            return True
        if tag == 0:
            return True
    state[SKIPPED] = 0  # it was never closed, but what it lies in is
    return False


@njit(cache=True, nogil=True, forceinline=True)
def behind(html, at):  # type: ignore[no-untyped-def]
    """-> where the page goes on behind the next ">"."""
    while at < html.size and html[at] != 0x3E:
        at += 1
    return at + 1


@njit(cache=True, nogil=True)
def behind_declaration(html, at):  # type: ignore[no-untyped-def]
    """-> where the page goes on behind the comment, declaration or instruction at html[at] = "<"."""
    size = html.size
    if at + 3 < size and html[at + 2] == 0x2D and html[at + 3] == 0x2D:
        stop = at + 2 if at + 4 < size else size
        while stop + 2 < size and not (
            html[stop] == 0x2D and html[stop + 1] == 0x2D and html[stop + 2] == 0x3E and stop + 2 > at + 3
        ):
            stop += 1
        return min(stop + 3, size)
    return behind(html, at)


@njit(cache=True, nogil=True)
def end_of_raw(html, at, name, name_end):  # type: ignore[no-untyped-def]
    """-> (where the end tag begins, where it ends), of an element whose name stands at html[name:name_end]; (-1, -1)
    where there is none."""
    length = name_end - name
    size = html.size
    while at + length + 2 <= size:
        if html[at] == 0x3C and html[at + 1] == 0x2F:
            same = True
            for step in range(length):
                if (html[at + 2 + step] | 0x20) != (html[name + step] | 0x20):
                    same = False
                    break
            after = html[at + 2 + length] if at + 2 + length < size else 0x3E
            if same and (is_space(after) or after == 0x3E or after == 0x2F):
                return at, min(behind(html, at + 2 + length), size)
        at += 1
    return -1, -1
