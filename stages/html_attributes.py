"""Attributes of a start tag, read for what tells blocks apart: names of classes, links, what is hidden, and TeX.

Tokens are cut as in the HTML Standard, 13.2.5.32 to 13.2.5.40. Only names of 2 to 11 bytes are looked at; of values,
the first 8 to 512 bytes.
"""

import numpy as np
from numba import njit

from stages.html_names import hash_of, name_hash
from stages.html_tags import ID, is_letter, is_space, stems_at

# Slots of what the attributes of a tag say.
(
    HINTS,  # categories of its classes, id, role and itemprop
    LOOKS,  # a hash of its class
    IS_HIDDEN,
    UNSEEN,  # hidden from readers aloud, or a second rendering of a formula
    HAS_HREF,
    ALT_START, ALT_END,  # bytes of its `alt`
    IS_TEX, DISPLAY,  # its content is TeX, of a formula on a line of its own
    TEX_IMAGE,  # its `alt` is TeX
    IS_DATA,  # its content is JSON-LD
    CLOSED,  # ends with "/>"
) = range(12)  # fmt: skip
SAYS = 12

_IMG, _SCRIPT, _ANNOTATION = ID["img"], ID["script"], ID["annotation"]

_CLASS, _ID, _ROLE, _ITEMPROP, _HIDDEN, _STYLE, _ARIA, _HREF, _ALT, _TYPE, _ENCODING = (
    np.uint64(hash_of(name))
    for name in (
        "class", "id", "role", "itemprop", "hidden", "style", "aria-hidden", "href", "alt", "type", "encoding",
    )
)  # fmt: skip

_NONE_WORD, _DISPLAY_WORD, _TEX_WORD, _MODE_WORD, _JSON_WORD, _TRUE_WORD, _MATHJAX_WORD, _KATEX_WORD, _LATEX_WORD = (
    np.frombuffer(word, np.uint8)
    for word in (
        b"none", b"display", b"tex", b"mode=display", b"ld+json", b"true", b"mathjax", b"katex-html", b"latex",
    )
)  # fmt: skip


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


@njit(cache=True, nogil=True)
def attributes(html, at, tag, stems, says):  # type: ignore[no-untyped-def]
    """Read the attributes of a start tag, from behind its name, into `says` -> where the tag ends, behind its ">"."""
    size = html.size
    for slot in range(SAYS):
        says[slot] = 0
    while True:
        while at < size and (is_space(html[at]) or html[at] == 0x2F):
            at += 1
        if at >= size:
            return size
        if html[at] == 0x3E:
            if html[at - 1] == 0x2F:
                says[CLOSED] = 1
            return at + 1
        name = at
        at += 1  # a name may begin with "="
        while at < size and not is_space(html[at]) and html[at] != 0x3D and html[at] != 0x3E and html[at] != 0x2F:
            at += 1
        name_end = at
        while at < size and is_space(html[at]):
            at += 1
        start = end = at
        if at < size and html[at] == 0x3D:
            at += 1
            while at < size and is_space(html[at]):
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
                while at < size and not is_space(html[at]) and html[at] != 0x3E:
                    at += 1
                end = at
        if 2 <= name_end - name <= 11:
            _read(html, name_hash(html, name, name_end), start, end, tag, stems, says)


@njit(cache=True, nogil=True, forceinline=True)
def _read(html, what, start, end, tag, stems, says):  # type: ignore[no-untyped-def]
    """What the attribute whose name has the hash `what` says with the value html[start:end]."""
    if what in (_CLASS, _ID, _ROLE, _ITEMPROP):
        says[HINTS] |= np.int64(_categories(html, start, end, stems))
        if what == _CLASS:
            says[LOOKS] = np.int64(name_hash(html, start, min(end, html.size)) >> np.uint64(33))
            if tag == _IMG:
                if end - start < 40 and (
                    _contains(html, start, end, _LATEX_WORD)
                    or (end - start == 3 and _contains(html, start, end, _TEX_WORD))
                ):
                    says[TEX_IMAGE] = 1
            elif tag != _SCRIPT and (
                _contains(html, start, min(end, start + 64), _MATHJAX_WORD)
                or _contains(html, start, min(end, start + 64), _KATEX_WORD)
            ):
                says[UNSEEN] = 1
    elif what == _HIDDEN:
        says[IS_HIDDEN] = 1
    elif what == _STYLE:
        stop = min(end, start + 512)
        if _contains(html, start, stop, _DISPLAY_WORD) and _contains(html, start, stop, _NONE_WORD):
            says[IS_HIDDEN] = 1
    elif what == _ARIA:
        if _contains(html, start, min(end, start + 8), _TRUE_WORD):
            says[UNSEEN] = 1
    elif what == _HREF:
        says[HAS_HREF] = 1
    elif what == _ALT:
        says[ALT_START] = start
        says[ALT_END] = min(end, html.size)
    elif what in (_TYPE, _ENCODING):
        stop = min(end, start + 64)
        if _contains(html, start, stop, _TEX_WORD) and (tag in (_ANNOTATION, _SCRIPT)):
            # "text/javascript" holds "tex" too.
            if tag == _ANNOTATION or not _contains(html, start, min(stop, start + 5), _TEX_WORD):
                says[IS_TEX] = 1
            if _contains(html, start, stop, _MODE_WORD):
                says[DISPLAY] = 1
        if _contains(html, start, stop, _JSON_WORD):
            says[IS_DATA] = 1
