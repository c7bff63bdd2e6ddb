"""Formulas become TeX between dollar signs where the page has TeX: in MathJax scripts, in `alt` texts of images, and in
annotations of MathML, which replace what the formula's own elements wrote."""

import numpy as np
from numba import njit

from stages.html_state import FORMULA, FORMULA_WIDTH, FROM, PENDING, TO, WIDTH
from stages.html_text import append, copy

_DOLLAR = np.int64(0x24)
INLINE_TEX, DISPLAY_TEX = np.int64(1), np.int64(2)  # dollar signs on either side


@njit(cache=True, nogil=True)
def put_tex(html, start, end, dollars, state, stack, text, names):  # type: ignore[no-untyped-def]
    """Append the TeX html[start:end] to the block, between so many dollar signs on either side."""
    for _ in range(dollars):
        append(_DOLLAR, state, stack, text)
    copy(html, start, end, state, stack, text, names)
    state[PENDING] = 0
    for _ in range(dollars):
        append(_DOLLAR, state, stack, text)


@njit(cache=True, nogil=True)
def begin_formula(state, text):  # type: ignore[no-untyped-def]
    """Note where the text of <math> begins."""
    if state[PENDING] and state[TO] > state[FROM]:
        text[state[TO]] = 0x20
        state[TO] += 1
        state[PENDING] = 0
    state[FORMULA] = state[TO]
    state[FORMULA_WIDTH] = state[WIDTH]


@njit(cache=True, nogil=True)
def put_annotation(html, at, state, stack, text, names):  # type: ignore[no-untyped-def]
    """The TeX from html[at] to the next tag stands for the formula that was written before it -> where that tag is."""
    end = at
    while end < html.size and html[end] != 0x3C:
        end += 1
    state[TO] = state[FORMULA]
    state[WIDTH] = state[FORMULA_WIDTH]
    put_tex(html, at, end, INLINE_TEX, state, stack, text, names)
    return end
