"""Blocks of a web page: runs of text between the elements that break lines, each with what stands around it.

One pass over the UTF-8 bytes of a page, linear in them whatever they are: the stack of open elements is cut at a depth,
and each tag looks at no more than that stack. Tags that close by themselves, misnested and missing ones are treated as
HTML's tree construction does where that tells blocks apart (Standard, 13.2.6); no tree is built.

A text is what a reader sees: white space collapsed (kept in `pre`), character references resolved, `<br>` a new block,
table cells blocks of one row. A line break between two wide characters is no space. Scripts, styles, forms' choices,
ruby annotations, line numbers of listings and what is marked as hidden from readers aloud are left out. Formulas become
TeX between dollar signs where the page has TeX: annotations of MathML, MathJax scripts, images with a TeX `alt`.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from stages import html_tags as tags
from stages.characters import decode
from stages.html_entities import entities, put, reference
from stages.html_tags import (
    BLOCK,
    DOES,
    ENDS_P,
    FLAT,
    ID,
    IN_BOLD,
    IN_HIDDEN,
    IN_LINK,
    IN_PRE,
    INLINE,
    PUTS_IN,
    RAW,
    SKIP,
    VOID,
    element_id,
    hash_of,
    is_letter,
    name_hash,
    stems_at,
)

MAX_DEPTH = 256  # of open elements; deeper ones break blocks, and are not remembered
MARKS = 96  # titles, metas, times and data blocks that are noted

# Columns of a block, int32. Widths count a wide character as 3: about the Latin letters that say as much.
COLUMNS = (
    "start", "end",  # bytes in the text
    "tag", "element",  # the nearest element that is a block
    "flags", "near", "all",  # html_tags.IN_...; categories of the nearest class or id that has any; of all above
    "depth", "row",  # open elements; number of the table row, -1 = none
    "width", "link_width", "bold_width", "links",
    "after_br",  # begins behind a <br>
)  # fmt: skip
COLUMN = {name: number for number, name in enumerate(COLUMNS)}
(_START, _END, _TAG, _ELEMENT, _FLAGS, _NEAR, _ALL, _DEPTH, _ROW, _WIDTH, _LINK, _BOLD, _LINKS, _AFTER_BR) = range(14)

# Kinds of marks.
TITLE, META, TIME, DATA = 1, 2, 3, 4

_GUTTER = 1 << tags.CATEGORIES.index("gutter")
_NOTHING = np.uint8(0)
_UNKNOWN = len(tags.NAMES)  # stands for an unknown element that is left out
_P, _LI, _A, _BR, _PRE, _SPAN, _UL, _OL, _DL, _DT, _DD, _MENU, _DIR = (
    ID[name] for name in ("p", "li", "a", "br", "pre", "span", "ul", "ol", "dl", "dt", "dd", "menu", "dir")
)
_RT, _RP = ID["rt"], ID["rp"]
_TABLE, _TR, _TD, _TH, _TBODY, _THEAD, _TFOOT, _CAPTION = (
    ID[name] for name in ("table", "tr", "td", "th", "tbody", "thead", "tfoot", "caption")
)
_HTML, _HEAD, _BODY, _SCRIPT, _STYLE, _TITLE, _META, _TIME, _TEXTAREA, _IMG, _MATH, _ANNOTATION = (
    ID[name]
    for name in (
        "html", "head", "body", "script", "style", "title", "meta", "time", "textarea", "img", "math", "annotation",
    )
)  # fmt: skip

_CLASS, _ID_, _ROLE, _ITEMPROP, _HIDDEN, _STYLE_ATTR, _ARIA, _HREF, _ALT, _TYPE, _ENCODING = (
    np.uint64(hash_of(name))
    for name in (
        "class", "id", "role", "itemprop", "hidden", "style", "aria-hidden", "href", "alt", "type", "encoding",
    )
)  # fmt: skip

# Slots of what a tag's attributes say.
(
    _HINTS,
    _IS_HIDDEN,
    _HAS_HREF,
    _ALT_START,
    _ALT_END,
    _CLOSED,
    _UNSEEN,
    _IS_TEX,
    _IS_DATA,
    _TEX_IMAGE,
    _DISPLAY,
    _LOOKS,
) = range(12)
_SLOTS = 12


class Blocks(NamedTuple):
    """A page in blocks.

    text       (bytes,) uint8: the texts of all blocks, one after the other
    table      (blocks, 14) int32: `COLUMNS`
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
    counts = _segment(
        html,
        max_tags,
        tags.element_slots(),
        DOES,
        PUTS_IN,
        tags.class_stems(),
        entities(),
        text,
        table,
        elements,
        marks,
    )
    return Blocks(text[: counts[0]], table[: counts[1]], elements[: counts[2]], marks[: counts[3]], bool(counts[4]))


@njit(cache=True, nogil=True, inline="always")
def _is_space(byte):  # type: ignore[no-untyped-def]
    return byte == 0x20 or 0x09 <= byte <= 0x0D


@njit(cache=True, nogil=True)
def _categories(html, start, end, stems):  # type: ignore[no-untyped-def]
    """Categories of the stems in a value of class, id or role."""
    found = np.uint32(0)
    for first in range(start, min(end, start + 256)):
        byte = html[first]
        if not is_letter(byte):
            continue
        before = html[first - 1] if first > start else 0
        capital = 0x41 <= byte <= 0x5A
        begins = not is_letter(before) or (capital and not 0x41 <= before <= 0x5A)
        found |= stems_at(html, first, end, begins, stems)
    return found


@njit(cache=True, nogil=True)
def _contains(html, start, end, word):  # type: ignore[no-untyped-def]
    """True where html[start:end] holds `word` (bytes of small letters), capitals or not."""
    for first in range(start, end - len(word) + 1):
        hit = True
        for step in range(len(word)):
            byte = html[first + step]
            if 0x41 <= byte <= 0x5A:
                byte |= 0x20
            if byte != word[step]:
                hit = False
                break
        if hit:
            return True
    return False


_NONE_WORD = np.frombuffer(b"none", np.uint8)
_DISPLAY_WORD = np.frombuffer(b"display", np.uint8)
_TEX_WORD = np.frombuffer(b"tex", np.uint8)
_MODE_WORD = np.frombuffer(b"mode=display", np.uint8)
_JSON_WORD = np.frombuffer(b"ld+json", np.uint8)
_TRUE_WORD = np.frombuffer(b"true", np.uint8)
_MATHJAX_WORD = np.frombuffer(b"mathjax", np.uint8)
_KATEX_WORD = np.frombuffer(b"katex-html", np.uint8)
_LATEX_WORD = np.frombuffer(b"latex", np.uint8)


@njit(cache=True, nogil=True)
def _attributes(html, at, tag, stems, says):  # type: ignore[no-untyped-def]
    """Read the attributes of a start tag, from behind its name -> where the tag ends, behind its ">"."""
    size = html.size
    for slot in range(_SLOTS):
        says[slot] = 0
    while True:
        while at < size and (_is_space(html[at]) or html[at] == 0x2F):
            at += 1
        if at >= size:
            return size
        if html[at] == 0x3E:
            if html[at - 1] == 0x2F:
                says[_CLOSED] = 1
            return at + 1
        name = at
        at += 1  # a name may begin with "="
        while at < size and not _is_space(html[at]) and html[at] != 0x3D and html[at] != 0x3E and html[at] != 0x2F:
            at += 1
        name_end = at
        while at < size and _is_space(html[at]):
            at += 1
        start = end = at
        if at < size and html[at] == 0x3D:
            at += 1
            while at < size and _is_space(html[at]):
                at += 1
            if at < size and (html[at] == 0x22 or html[at] == 0x27):
                quote = html[at]
                at += 1
                start = at
                while at < size and html[at] != quote:
                    at += 1
                end = at
                at += 1
            else:
                start = at
                while at < size and not _is_space(html[at]) and html[at] != 0x3E:
                    at += 1
                end = at
        if name_end - name > 11 or name_end - name < 2:
            continue
        what = name_hash(html, name, name_end)
        if what in (_CLASS, _ID_, _ROLE, _ITEMPROP):
            says[_HINTS] |= np.int64(_categories(html, start, end, stems))
            if what == _CLASS:
                says[_LOOKS] = np.int64(name_hash(html, start, min(end, size)) >> np.uint64(33))
                if tag == _IMG:
                    if end - start < 40 and (
                        _contains(html, start, end, _LATEX_WORD)
                        or (end - start == 3 and _contains(html, start, end, _TEX_WORD))
                    ):
                        says[_TEX_IMAGE] = 1
                elif tag != _SCRIPT and (
                    _contains(html, start, min(end, start + 64), _MATHJAX_WORD)
                    or _contains(html, start, min(end, start + 64), _KATEX_WORD)
                ):
                    says[_UNSEEN] = 1
        elif what == _HIDDEN:
            says[_IS_HIDDEN] = 1
        elif what == _STYLE_ATTR:
            stop = min(end, start + 512)
            if _contains(html, start, stop, _DISPLAY_WORD) and _contains(html, start, stop, _NONE_WORD):
                says[_IS_HIDDEN] = 1
        elif what == _ARIA:
            if _contains(html, start, min(end, start + 8), _TRUE_WORD):
                says[_UNSEEN] = 1
        elif what == _HREF:
            says[_HAS_HREF] = 1
        elif what == _ALT:
            says[_ALT_START] = start
            says[_ALT_END] = min(end, size)
        elif what in (_TYPE, _ENCODING):
            stop = min(end, start + 64)
            if _contains(html, start, stop, _TEX_WORD) and (tag in (_ANNOTATION, _SCRIPT)):
                # "text/javascript" holds "tex" too.
                if tag == _ANNOTATION or not _contains(html, start, min(stop, start + 5), _TEX_WORD):
                    says[_IS_TEX] = 1
                if _contains(html, start, stop, _MODE_WORD):
                    says[_DISPLAY] = 1
            if _contains(html, start, stop, _JSON_WORD):
                says[_IS_DATA] = 1


@njit(cache=True, nogil=True)
def _end_of_raw(html, at, name, name_end):  # type: ignore[no-untyped-def]
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
            if same and (_is_space(after) or after == 0x3E or after == 0x2F):
                stop = at + 2 + length
                while stop < size and html[stop] != 0x3E:
                    stop += 1
                return at, min(stop + 1, size)
        at += 1
    return -1, -1


@njit(cache=True, nogil=True, inline="always")
def _is_wide(code):  # type: ignore[no-untyped-def]
    """Characters that a line break may stand between without being a space: Han, kana, their punctuation."""
    return (0x2E80 <= code <= 0xA4CF) or (0xF900 <= code <= 0xFAFF) or (0xFE30 <= code <= 0xFFEF) or code >= 0x20000


@njit(cache=True, nogil=True, inline="always")
def _width(code):  # type: ignore[no-untyped-def]
    return 3 if (0x3041 <= code <= 0xD7AF) or (0xF900 <= code <= 0xFAFF) or (code >= 0x20000) else 1


# Slots of the state.
_TO, _FROM, _PENDING, _LAST, _CUR_WIDTH, _CUR_LINK, _CUR_BOLD, _CUR_LINKS, _BLOCKS, _OPEN, _BROKEN, _INDENT, _LOST = (
    range(13)
)
_AT_FLAGS, _AT_NEAR, _AT_ALL, _AT_ELEMENT, _AT_DEPTH, _AT_ROW = range(13, 19)


@njit(cache=True, nogil=True)
def _append(code, state, stack, text):  # type: ignore[no-untyped-def]
    """Add a visible character to the block, and the white space that stands before it."""
    top = state[_OPEN]
    flags = stack[top, 1]
    if state[_TO] == state[_FROM]:  # the block begins here
        state[_AT_FLAGS] = flags
        state[_AT_NEAR] = stack[top, 2]
        state[_AT_ALL] = stack[top, 3]
        state[_AT_ELEMENT] = stack[top, 4]
        state[_AT_DEPTH] = top
        state[_AT_ROW] = stack[top, 5]
        for _ in range(min(state[_INDENT], 64)):
            text[state[_TO]] = 0x20
            state[_TO] += 1
    elif state[_PENDING] and (state[_PENDING] == 1 or not (_is_wide(code) and _is_wide(state[_LAST]))):
        text[state[_TO]] = 0x20
        state[_TO] += 1
        state[_CUR_WIDTH] += 1
        if flags & IN_LINK:
            state[_CUR_LINK] += 1
    state[_PENDING] = 0
    state[_INDENT] = 0
    state[_LAST] = code
    state[_TO] = put(text, state[_TO], np.uint32(code))
    width = _width(code)
    state[_CUR_WIDTH] += width
    if flags & IN_LINK:
        state[_CUR_LINK] += width
    if flags & IN_BOLD:
        state[_CUR_BOLD] += width


@njit(cache=True, nogil=True)
def _flush(state, text, table, elements, by_br):  # type: ignore[no-untyped-def]
    """End the block. Trailing white space goes; a block of nothing is none."""
    to, start = state[_TO], state[_FROM]
    while to > start and (
        _is_space(text[to - 1])
        or (to - start > 2 and text[to - 1] == 0x80 and text[to - 2] == 0x80 and text[to - 3] == 0xE3)
    ):
        to -= 3 if text[to - 1] == 0x80 else 1
    if to > start:
        row = state[_BLOCKS]
        table[row, _START] = start
        table[row, _END] = to
        table[row, _TAG] = elements[state[_AT_ELEMENT], 1]
        table[row, _ELEMENT] = state[_AT_ELEMENT]
        table[row, _FLAGS] = state[_AT_FLAGS]
        table[row, _NEAR] = state[_AT_NEAR]
        table[row, _ALL] = state[_AT_ALL]
        table[row, _DEPTH] = state[_AT_DEPTH]
        table[row, _ROW] = state[_AT_ROW]
        table[row, _WIDTH] = state[_CUR_WIDTH]
        table[row, _LINK] = min(state[_CUR_LINK], state[_CUR_WIDTH])
        table[row, _BOLD] = min(state[_CUR_BOLD], state[_CUR_WIDTH])
        table[row, _LINKS] = state[_CUR_LINKS]
        table[row, _AFTER_BR] = state[_BROKEN]
        state[_BLOCKS] = row + 1
        state[_BROKEN] = by_br
    elif not by_br:
        state[_BROKEN] = 0
    state[_TO] = to
    state[_FROM] = to
    state[_PENDING] = 0
    state[_INDENT] = 0
    state[_CUR_WIDTH] = 0
    state[_CUR_LINK] = 0
    state[_CUR_BOLD] = 0
    state[_CUR_LINKS] = 0


@njit(cache=True, nogil=True)
def _copy(html, start, end, state, stack, text, table):  # type: ignore[no-untyped-def]
    """Append html[start:end], which holds no tag, to the block."""
    at = start
    preformatted = stack[state[_OPEN], 1] & IN_PRE
    while at < end:
        byte = html[at]
        if byte <= 0x20 or byte == 0x7F:
            if not _is_space(byte):
                at += 1
                continue
            newline = byte == 0x0A or (byte == 0x0D and not (at + 1 < end and html[at + 1] == 0x0A))
            if preformatted:
                if state[_TO] == state[_FROM]:
                    state[_INDENT] = 0 if newline else state[_INDENT] + 1
                elif byte != 0x0D or newline:
                    text[state[_TO]] = 0x0A if newline else byte
                    state[_TO] += 1
                    state[_LAST] = 0x20
            elif newline or byte == 0x0D:
                state[_PENDING] = max(state[_PENDING], 2) if state[_PENDING] != 1 else 1
            else:
                # Indentation behind a line break belongs to it.
                state[_PENDING] = 2 if state[_PENDING] == 2 else 1
            at += 1
            continue
        second = np.uint32(0)
        if byte == 0x26:
            code, second, size = reference(html, at, end, table)
            if size == 0:
                code, size = np.uint32(0x26), 1
        elif byte < 0x80:
            code, size = np.uint32(byte), 1
        else:
            code, size = decode(html, at, end)
        at += size
        if code == 0xA0 or code <= 0x20:
            if preformatted and state[_TO] > state[_FROM]:
                text[state[_TO]] = 0x20
                state[_TO] += 1
            elif preformatted:
                state[_INDENT] += 1
            else:
                state[_PENDING] = 1
            continue
        if code == 0xFEFF or code == 0x200B or (code == 0x3000 and state[_TO] == state[_FROM]) or 0x7F <= code < 0xA0:
            continue
        _append(np.int64(code), state, stack, text)
        if second != 0:
            _append(np.int64(second), state, stack, text)


@njit(cache=True, nogil=True)
def _pop(state, stack, does, depth, text, table, elements):  # type: ignore[no-untyped-def]
    """Close open elements until `depth` are left (the page itself is number 0)."""
    for entry in range(depth + 1, state[_OPEN] + 1):
        if does[stack[entry, 0]] & BLOCK:
            _flush(state, text, table, elements, 0)
            break
    state[_OPEN] = depth


@njit(cache=True, nogil=True, inline="always")
def _is_one_of(tag, first, second, third):  # type: ignore[no-untyped-def]
    return tag in (first, second, third)


@njit(cache=True, nogil=True)
def _close_before(tag, state, stack, does):  # type: ignore[no-untyped-def]
    """-> to which depth a start tag closes what is open: end tags that pages leave out."""
    top = state[_OPEN]
    if does[tag] & ENDS_P:
        for entry in range(top, 0, -1):
            open_tag = stack[entry, 0]
            if open_tag == _P:
                top = entry - 1
                break
            if does[open_tag] & BLOCK:
                break
    if tag in (_LI, _DT, _DD):
        for entry in range(top, 0, -1):
            open_tag = stack[entry, 0]
            if (tag == _LI and open_tag == _LI) or (tag != _LI and (open_tag in (_DT, _DD))):
                return entry - 1
            if (
                _is_one_of(open_tag, _UL, _OL, _DL)
                or _is_one_of(open_tag, _TD, _TH, _TABLE)
                or _is_one_of(open_tag, _MENU, _DIR, _TABLE)
            ):
                break
    elif _is_one_of(tag, _TD, _TH, _CAPTION) or _is_one_of(tag, _TR, _TBODY, _THEAD) or tag == _TFOOT:
        for entry in range(top, 0, -1):
            open_tag = stack[entry, 0]
            if open_tag == _TABLE:
                return entry
            if open_tag == _TR and (tag in (_TD, _TH)):
                return entry
            if tag == _TR and (_is_one_of(open_tag, _TBODY, _THEAD, _TFOOT)):
                return entry
        # A row or a cell without a table closes nothing.
    elif tag == _A:
        for entry in range(top, 0, -1):
            if stack[entry, 0] == _A:
                return entry - 1
            if does[stack[entry, 0]] & BLOCK:
                break
    return top


@njit(cache=True, nogil=True)
def _close(tag, state, stack, does, flags_of):  # type: ignore[no-untyped-def]
    """-> to which depth an end tag closes what is open; -1 where it closes nothing. An inline element that was opened
    outside the innermost block is taken out of the stack where it lies."""
    top = state[_OPEN]
    inline = does[tag] & INLINE
    crossed = False
    for entry in range(top, 0, -1):
        open_tag = stack[entry, 0]
        if open_tag == tag:
            if not (inline and crossed):
                return entry - 1
            # <b><p></b>: the formatting ends, the paragraph does not.
            lost = flags_of[tag]
            stack[entry, 0] = 0
            for above in range(entry, top + 1):
                stack[above, 1] &= ~np.int64(lost)
            return -1
        if does[open_tag] & BLOCK:
            crossed = True
            if inline and open_tag != _P:
                return -1
        if open_tag == _TABLE or (
            (open_tag in (_TD, _TH))
            and not _is_one_of(tag, _TR, _TABLE, _TBODY)
            and not _is_one_of(tag, _THEAD, _TFOOT, _TABLE)
        ):
            return -1
    return -1


@njit(cache=True, nogil=True)
def _segment(html, max_tags, slots, does, flags_of, stems, names, text, table, elements, marks):  # type: ignore[no-untyped-def]
    hashes, ids = slots
    size = html.size
    state = np.zeros(19, dtype=np.int64)
    # tag, flags, nearest categories, all categories, nearest block element, row
    stack = np.zeros((MAX_DEPTH + 1, 6), dtype=np.int64)
    stack[0, 5] = -1
    says = np.zeros(_SLOTS, dtype=np.int64)
    no_end = np.zeros(256, dtype=np.bool_)  # raw elements for which no end tag is left
    n_elements = 1
    n_marks = 0
    n_tags = 0
    whole = True
    skipped = _NOTHING  # element whose content is left out
    inside = 0  # elements open within it
    same = 0  # of these, of its own name
    math = np.int64(-1)  # where the formula that we are in begins in the text
    math_width = np.int64(0)
    at = 0
    while at < size:
        if html[at] != 0x3C:
            start = at
            while at < size and html[at] != 0x3C:
                at += 1
            if skipped == 0:
                _copy(html, start, at, state, stack, text, names)
            continue
        following = html[at + 1] if at + 1 < size else 0
        if following == 0x21 or following == 0x3F:  # "<!", "<?"
            if at + 3 < size and html[at + 2] == 0x2D and html[at + 3] == 0x2D:
                stop = at + 2 if at + 4 < size else size
                while stop + 2 < size and not (
                    html[stop] == 0x2D and html[stop + 1] == 0x2D and html[stop + 2] == 0x3E and stop + 2 > at + 3
                ):
                    stop += 1
                at = min(stop + 3, size)
            else:
                while at < size and html[at] != 0x3E:
                    at += 1
                at += 1
            continue
        if following == 0x2F:  # "</"
            name = at + 2
            if name >= size or not is_letter(html[name]):
                if name >= size:
                    break
                while at < size and html[at] != 0x3E:
                    at += 1
                at += 1
                continue
            stop = name
            while stop < size and not _is_space(html[stop]) and html[stop] != 0x3E and html[stop] != 0x2F:
                stop += 1
            tag = element_id(name_hash(html, name, stop), hashes, ids)
            while stop < size and html[stop] != 0x3E:
                stop += 1
            at = stop + 1
            n_tags += 1
            if n_tags > max_tags:
                whole = False
                break
            if skipped != 0:
                if tag == skipped:
                    if same == 0:
                        skipped = _NOTHING
                    else:
                        same -= 1
                        inside -= 1
                    continue
                if not (does[skipped] & FLAT and does[tag] & BLOCK):
                    if inside > 0:
                        inside -= 1
                        continue
                    if tag == 0:
                        continue
                skipped = _NOTHING  # it was never closed, but what it lies in is
            if state[_LOST] > 0 and tag != 0 and not does[tag] & VOID:
                state[_LOST] -= 1
                if does[tag] & BLOCK:
                    _flush(state, text, table, elements, 0)
                continue
            if tag == _BR or (tag == _P and _close(tag, state, stack, does, flags_of) < 0):
                _flush(state, text, table, elements, 0)
                continue
            if tag == _MATH:
                math = -1
            if tag == 0 or does[tag] & (VOID | RAW):
                continue
            if tag in (_BODY, _HTML, _HEAD):
                _flush(state, text, table, elements, 0)
                continue
            depth = _close(tag, state, stack, does, flags_of)
            if depth >= 0:
                _pop(state, stack, does, depth, text, table, elements)
            elif does[tag] & BLOCK:
                _flush(state, text, table, elements, 0)
            continue
        if not is_letter(following):
            if skipped == 0:
                _append(np.int64(0x3C), state, stack, text)
            at += 1
            continue

        # A start tag.
        name = at + 1
        stop = name
        while stop < size and not _is_space(html[stop]) and html[stop] != 0x3E and html[stop] != 0x2F:
            stop += 1
        tag = element_id(name_hash(html, name, stop), hashes, ids)
        opened = at
        at = _attributes(html, stop, tag, stems, says)
        n_tags += 1
        if n_tags > max_tags:
            whole = False
            break
        what = does[tag]
        if what & RAW:
            end, after = -1, -1
            if not no_end[tag]:
                end, after = _end_of_raw(html, at, name, stop)
                if end < 0:
                    no_end[tag] = True
            if end < 0:
                if tag in (_SCRIPT, _STYLE, _TEXTAREA):
                    at = size
                continue
            if tag == _TITLE and n_marks < MARKS and skipped == 0:
                marks[n_marks, 0], marks[n_marks, 1], marks[n_marks, 2] = TITLE, at, end
                n_marks += 1
            elif says[_IS_DATA] and n_marks < MARKS:
                marks[n_marks, 0], marks[n_marks, 1], marks[n_marks, 2] = DATA, at, end
                n_marks += 1
            elif tag == _SCRIPT and says[_IS_TEX] and skipped == 0:
                if says[_DISPLAY]:
                    _append(np.int64(0x24), state, stack, text)
                _append(np.int64(0x24), state, stack, text)
                _copy(html, at, end, state, stack, text, names)
                state[_PENDING] = 0
                _append(np.int64(0x24), state, stack, text)
                if says[_DISPLAY]:
                    _append(np.int64(0x24), state, stack, text)
            at = after
            continue
        if skipped != 0 and (
            (does[skipped] & FLAT and (what & BLOCK or tag in (_RT, _RP)))
            or (skipped == _TD and inside == 0 and tag in (_TD, _TH, _TR))
        ):
            skipped = _NOTHING
        if skipped != 0:
            if not what & VOID and not says[_CLOSED]:
                inside += 1
                if tag == skipped:
                    same += 1
            continue
        if tag in (_META, _TIME):
            if n_marks < MARKS:
                marks[n_marks, 0] = META if tag == _META else TIME
                marks[n_marks, 1] = opened
                marks[n_marks, 2] = at if tag == _META else min(at + 64, size)
                n_marks += 1
            if tag == _META:
                continue
        if what & SKIP or (
            (says[_UNSEEN] or (says[_HINTS] & _GUTTER and _is_one_of(tag, _TD, _SPAN, _PRE)))
            and not what & VOID
            and tag != _BODY
            and tag != _HTML
        ):
            if what & BLOCK:
                _flush(state, text, table, elements, 0)
            if not says[_CLOSED]:
                skipped = tag
                inside = 0
                same = 0
                if tag == 0:
                    skipped = np.uint8(_UNKNOWN)
            continue
        if tag == _BR:
            if stack[state[_OPEN], 1] & IN_PRE:
                if state[_TO] > state[_FROM]:
                    text[state[_TO]] = 0x0A
                    state[_TO] += 1
            else:
                _flush(state, text, table, elements, 1)
            continue
        if tag == _IMG and says[_TEX_IMAGE] and says[_ALT_END] > says[_ALT_START]:
            _append(np.int64(0x24), state, stack, text)
            _copy(html, says[_ALT_START], says[_ALT_END], state, stack, text, names)
            state[_PENDING] = 0
            _append(np.int64(0x24), state, stack, text)
            continue
        if what & VOID:
            if what & BLOCK:
                _flush(state, text, table, elements, 0)
            continue
        if tag in (_HTML, _BODY, _HEAD):
            continue
        if tag == _ANNOTATION:
            if says[_IS_TEX] and math >= 0 and math >= state[_FROM]:
                # The TeX stands for the formula that was written before it.
                end = at
                while end < size and html[end] != 0x3C:
                    end += 1
                state[_TO] = math
                state[_CUR_WIDTH] = math_width
                _append(np.int64(0x24), state, stack, text)
                _copy(html, at, end, state, stack, text, names)
                state[_PENDING] = 0
                _append(np.int64(0x24), state, stack, text)
                at = end
            else:
                skipped = np.uint8(tag)
                inside = 0
                same = 0
            continue
        if tag == _MATH:
            if state[_PENDING] and state[_TO] > state[_FROM]:
                text[state[_TO]] = 0x20
                state[_TO] += 1
                state[_PENDING] = 0
            math = state[_TO]
            math_width = state[_CUR_WIDTH]
        depth = _close_before(tag, state, stack, does)
        if depth < state[_OPEN]:
            _pop(state, stack, does, depth, text, table, elements)
        if what & BLOCK:
            _flush(state, text, table, elements, 0)
        if tag == 0 and says[_HINTS] == 0 and says[_IS_HIDDEN] == 0:
            continue  # unknown elements change nothing
        if state[_OPEN] >= MAX_DEPTH:
            state[_LOST] += 1
            continue
        top = state[_OPEN]
        entry = top + 1
        flags = stack[top, 1]
        if not (tag == _A and not says[_HAS_HREF]):
            flags |= np.int64(flags_of[tag])
        if says[_IS_HIDDEN]:
            flags |= IN_HIDDEN
        if tag == _A and says[_HAS_HREF]:
            state[_CUR_LINKS] += 1
        stack[entry, 0] = tag
        stack[entry, 1] = flags
        stack[entry, 2] = says[_HINTS] if says[_HINTS] else stack[top, 2]
        stack[entry, 3] = stack[top, 3] | says[_HINTS]
        stack[entry, 5] = n_elements if tag == _TR else -1 if tag == _TABLE else stack[top, 5]
        if what & BLOCK:
            elements[n_elements, 0] = stack[top, 4]
            elements[n_elements, 1] = tag
            elements[n_elements, 2] = says[_HINTS]
            elements[n_elements, 3] = says[_LOOKS]
            stack[entry, 4] = n_elements
            n_elements += 1
        else:
            stack[entry, 4] = stack[top, 4]
        state[_OPEN] = entry
    _flush(state, text, table, elements, 0)
    return state[_TO], state[_BLOCKS], n_elements, n_marks, 1 if whole else 0
