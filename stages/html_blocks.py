"""Blocks of a web page: runs of text between the elements that break lines, each with what stands around it.

One pass over the UTF-8 bytes of a page, linear in them whatever they are: the stack of open elements is cut at a depth,
and each tag looks at no more than that stack. Tags that close by themselves, misnested and missing ones are treated as
HTML's tree construction does where that tells blocks apart (Standard, 13.2.6); no tree is built.

A text is what a reader sees: white space collapsed (kept in `pre`), character references resolved, `<br>` a new block,
table cells blocks of one row. A line break between two wide characters is no space. Scripts, styles, forms' choices,
ruby annotations, line numbers of listings and what is marked as hidden from readers aloud are left out. Formulas become
TeX between dollar signs where the page has TeX: annotations of MathML, MathJax scripts, images with a TeX `alt`.

The walk over the tags is here; what it walks with, in `html_attributes.py`, `html_text.py` (the block that is being
written), `html_open.py` (the stack), `html_skipped.py` and `html_formulas.py`.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from stages import html_tags as tags
from stages.html_attributes import (
    ALT_END,
    ALT_START,
    CLOSED,
    DISPLAY,
    HINTS,
    IS_DATA,
    IS_HIDDEN,
    IS_TEX,
    SAYS,
    TEX_IMAGE,
    UNSEEN,
    attributes,
)
from stages.html_entities import entities
from stages.html_formulas import DISPLAY_TEX, INLINE_TEX, begin_formula, put_annotation, put_tex
from stages.html_names import name_hash, slot_of
from stages.html_open import closed_by_end, closed_by_start, is_one_of, pop, push
from stages.html_skipped import behind, behind_declaration, end_of_raw, skip, skips_end, skips_start
from stages.html_state import (
    BLOCKS,
    ELEMENTS,
    ENTRY,
    FLAGS,
    FORMULA,
    FROM,
    LOST,
    MARKED,
    MAX_DEPTH,
    OPEN,
    ROW,
    SKIPPED,
    STATE,
    TO,
)
from stages.html_tags import BLOCK, DOES, ID, IN_PRE, RAW, SKIP, VOID, is_letter, is_space
from stages.html_text import COLUMNS, append, copy, flush

COLUMN = {name: number for number, name in enumerate(COLUMNS)}

MARKS = 96  # titles, metas, times and data blocks that are noted
TITLE, META, TIME, DATA = 1, 2, 3, 4  # kinds of marks

_GUTTER = 1 << tags.CATEGORIES.index("gutter")
_P, _BR, _PRE, _SPAN, _TD, _IMG, _MATH, _ANNOTATION = (
    ID[name] for name in ("p", "br", "pre", "span", "td", "img", "math", "annotation")
)
_HTML, _HEAD, _BODY, _SCRIPT, _STYLE, _TITLE, _META, _TIME, _TEXTAREA = (
    ID[name] for name in ("html", "head", "body", "script", "style", "title", "meta", "time", "textarea")
)


class Blocks(NamedTuple):
    """A page in blocks.

    text       (bytes,) uint8: the texts of all blocks, one after the other
    table      (blocks, 14) int32: `html_text.COLUMNS`
    elements   (elements, 4) int32: parent, tag, categories and a hash of the class of each element that is a block;
               number 0 stands for the page
    marks      (marks, 3) int64: kind, first and last byte in the page
    whole      False where the page has more tags than were looked at
    """

    text: np.ndarray
    table: np.ndarray
    elements: np.ndarray
    marks: np.ndarray
    whole: bool


def segment(html: np.ndarray, max_tags: int) -> Blocks:
    """(bytes,) uint8, valid UTF-8 -> its blocks, up to the tag `max_tags`. Memory: 1.3 times the page, and 70 bytes a
    tag."""
    room = min(int(np.count_nonzero(html == 0x3C)), max_tags) + 2
    text = np.empty(html.size + html.size // 4 + 64, dtype=np.uint8)
    table = np.empty((room, len(COLUMNS)), dtype=np.int32)
    elements = np.zeros((room, 4), dtype=np.int32)
    marks = np.zeros((MARKS, 3), dtype=np.int64)
    state = np.zeros(STATE, dtype=np.int64)
    whole = _walk(
        html, max_tags, tags.element_slots(), tags.class_stems(), entities(), state, text, table, elements, marks
    )
    return Blocks(text[: state[TO]], table[: state[BLOCKS]], elements[: state[ELEMENTS]], marks[: state[MARKED]], whole)


@njit(cache=True, nogil=True)
def _walk(html, max_tags, slots, stems, names, state, text, table, elements, marks):  # type: ignore[no-untyped-def]
    """-> whether the page was read to its end; the counts are in `state`."""
    hashes, ids = slots
    size = html.size
    stack = np.zeros((MAX_DEPTH + 1, ENTRY), dtype=np.int64)
    stack[0, ROW] = -1
    state[ELEMENTS] = 1
    state[FORMULA] = -1
    says = np.zeros(SAYS, dtype=np.int64)
    no_end = np.zeros(256, dtype=np.bool_)  # raw elements for which no end tag is left
    n_tags = 0
    whole = True
    at = np.int64(0)  # a plain 0 is a type of its own: every kernel that gets it would be compiled twice
    while at < size:
        if html[at] != 0x3C:
            start = at
            while at < size and html[at] != 0x3C:
                at += 1
            if state[SKIPPED] == 0:
                copy(html, start, at, state, stack, text, names)
            continue
        following = html[at + 1] if at + 1 < size else 0
        if following == 0x21 or following == 0x3F:  # "<!", "<?"
            at = behind_declaration(html, at)
            continue
        ends = following == 0x2F  # "</"
        opened = at
        name = at + 2 if ends else at + 1
        if name >= size or not is_letter(html[name]):
            if ends:
                at = behind(html, at)
            else:
                if state[SKIPPED] == 0:
                    append(np.int64(0x3C), state, stack, text)
                at += 1
            continue
        stop = name
        while stop < size and not is_space(html[stop]) and html[stop] != 0x3E and html[stop] != 0x2F:
            stop += 1
        tag = ids[slot_of(name_hash(html, name, stop), hashes)]
        at = behind(html, stop) if ends else attributes(html, stop, tag, stems, says)
        n_tags += 1
        if n_tags > max_tags:
            whole = False
            break
        if ends:
            _end(tag, state, stack, text, table, elements)
        elif DOES[tag] & RAW:
            end, after = -1, -1
            if not no_end[tag]:
                end, after = end_of_raw(html, at, name, stop)
                no_end[tag] = end < 0
            if end >= 0:
                _raw(html, tag, at, end, says, state, stack, text, names, marks)
                at = after
            elif tag in (_SCRIPT, _STYLE, _TEXTAREA):
                at = size
        elif not skips_start(tag, says[CLOSED], state):
            at = _start(html, tag, opened, at, says, state, stack, text, table, elements, names, marks)
    flush(state, text, table, elements, 0)
    return whole


# What is done once a tag is inlined by force, here and in the other files: to hand over the arrays took a tenth of the
# time.
@njit(cache=True, nogil=True, forceinline=True)
def _end(tag, state, stack, text, table, elements):  # type: ignore[no-untyped-def]
    """What an end tag does; 0 is an unknown one."""
    if skips_end(tag, state):
        return
    what = DOES[tag]
    if state[LOST] > 0 and tag != 0 and not what & VOID:
        state[LOST] -= 1
        if what & BLOCK:
            flush(state, text, table, elements, 0)
        return
    if tag == _BR or (tag == _P and closed_by_end(tag, state, stack) < 0):
        flush(state, text, table, elements, 0)
        return
    if tag == _MATH:
        state[FORMULA] = -1
    if tag == 0 or what & (VOID | RAW):
        return
    if tag in (_BODY, _HTML, _HEAD):
        flush(state, text, table, elements, 0)
        return
    depth = closed_by_end(tag, state, stack)
    if depth >= 0:
        pop(depth, state, stack, text, table, elements)
    elif what & BLOCK:
        flush(state, text, table, elements, 0)


@njit(cache=True, nogil=True)
def _raw(html, tag, start, end, says, state, stack, text, names, marks):  # type: ignore[no-untyped-def]
    """An element whose content html[start:end] is no markup: a title, data, or TeX in a script."""
    skipped = state[SKIPPED] != 0
    if state[MARKED] < MARKS and ((tag == _TITLE and not skipped) or says[IS_DATA]):
        _mark(TITLE if tag == _TITLE and not skipped else DATA, start, end, state, marks)
    elif tag == _SCRIPT and says[IS_TEX] and not skipped:
        put_tex(html, start, end, DISPLAY_TEX if says[DISPLAY] else INLINE_TEX, state, stack, text, names)


@njit(cache=True, nogil=True, inline="always")
def _mark(kind, start, end, state, marks):  # type: ignore[no-untyped-def]
    row = state[MARKED]
    if row < MARKS:
        marks[row, 0], marks[row, 1], marks[row, 2] = kind, start, end
        state[MARKED] = row + 1


@njit(cache=True, nogil=True, forceinline=True)
def _start(html, tag, opened, at, says, state, stack, text, table, elements, names, marks):  # type: ignore[no-untyped-def]
    """What the start tag html[opened:at] does, outside of what is left out -> where the page goes on."""
    what = DOES[tag]
    if tag == _META:
        _mark(META, opened, at, state, marks)
        return at
    if tag == _TIME:
        _mark(TIME, opened, min(at + 64, html.size), state, marks)
    if what & SKIP or (
        (says[UNSEEN] or (says[HINTS] & _GUTTER and is_one_of(tag, _TD, _SPAN, _PRE)))
        and not what & VOID
        and tag != _BODY
        and tag != _HTML
    ):
        if what & BLOCK:
            flush(state, text, table, elements, 0)
        if not says[CLOSED]:
            skip(tag, state)
        return at
    if tag == _BR:
        if not stack[state[OPEN], FLAGS] & IN_PRE:
            flush(state, text, table, elements, 1)
        elif state[TO] > state[FROM]:
            text[state[TO]] = 0x0A
            state[TO] += 1
        return at
    if tag == _IMG and says[TEX_IMAGE] and says[ALT_END] > says[ALT_START]:
        put_tex(html, says[ALT_START], says[ALT_END], INLINE_TEX, state, stack, text, names)
        return at
    if what & VOID:
        if what & BLOCK:
            flush(state, text, table, elements, 0)
        return at
    if tag in (_HTML, _BODY, _HEAD):
        return at
    if tag == _ANNOTATION:
        if says[IS_TEX] and state[FORMULA] >= 0 and state[FORMULA] >= state[FROM]:
            return put_annotation(html, at, state, stack, text, names)
        skip(tag, state)
        return at
    if tag == _MATH:
        begin_formula(state, text)
    depth = closed_by_start(tag, state, stack)
    if depth < state[OPEN]:
        pop(depth, state, stack, text, table, elements)
    if what & BLOCK:
        flush(state, text, table, elements, 0)
    if tag != 0 or says[HINTS] != 0 or says[IS_HIDDEN] != 0:  # other unknown elements change nothing
        push(tag, says, state, stack, elements)
    return at
