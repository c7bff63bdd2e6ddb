"""HTML elements and the words of class names, as tables for kernels.

Which elements break lines, hold no text or close others: HTML Standard, sections 13.1.2.4 (optional tags), 13.2.6 (tree
construction) and 15.3 (rendering). What a class or an id is called says what a block is for: "nav", "sidebar",
"xiangguan". The words are in `html_words.txt`; what they are worth is learned (`scripts/train_blocks.py`).
"""

from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numba import njit

from stages.html_names import open_table

# What an element does.
BLOCK = 1  # begins and ends a block of text
VOID = 2  # has no content
SKIP = 4  # its content is no text of the page
RAW = 8  # its content is no markup, up to its own end tag
ENDS_P = 16  # ends an open paragraph
INLINE = 32  # formatting: its end tag never closes a block
FLAT = 64  # left out, and holds no blocks: where one begins or ends, it was not closed

# What stands above a block, as a set of bits.
IN_NAV, IN_HEADER, IN_FOOTER, IN_ASIDE, IN_FORM, IN_TABLE, IN_LIST = (1 << bit for bit in range(7))
IN_ARTICLE, IN_MAIN, IN_SECTION, IN_QUOTE, IN_FIGURE, IN_PRE, IN_LINK = (1 << bit for bit in range(7, 14))
IN_HEADING, IN_CODE, IN_HIDDEN, IN_BOLD, IN_CONTROL, IN_DETAILS = (1 << bit for bit in range(14, 20))
FLAGS = 20

_B = BLOCK | ENDS_P
# name -> (what it does, what it puts its content in)
_ELEMENTS: dict[str, tuple[int, int]] = {
    "p": (_B, 0), "div": (_B, 0), "li": (_B, IN_LIST), "ul": (_B, IN_LIST), "ol": (_B, IN_LIST),
    "menu": (_B, IN_LIST), "dir": (_B, IN_LIST), "dl": (_B, IN_LIST), "dt": (_B, IN_LIST), "dd": (_B, IN_LIST),
    "table": (_B, IN_TABLE), "tr": (BLOCK, IN_TABLE), "td": (BLOCK, IN_TABLE), "th": (BLOCK, IN_TABLE),
    "thead": (BLOCK, IN_TABLE), "tbody": (BLOCK, IN_TABLE), "tfoot": (BLOCK, IN_TABLE), "caption": (BLOCK, IN_TABLE),
    "h1": (_B, IN_HEADING), "h2": (_B, IN_HEADING), "h3": (_B, IN_HEADING), "h4": (_B, IN_HEADING),
    "h5": (_B, IN_HEADING), "h6": (_B, IN_HEADING), "pre": (_B, IN_PRE), "blockquote": (_B, IN_QUOTE),
    "article": (_B, IN_ARTICLE), "main": (_B, IN_MAIN), "section": (_B, IN_SECTION), "nav": (_B, IN_NAV),
    "header": (_B, IN_HEADER), "footer": (_B, IN_FOOTER), "aside": (_B, IN_ASIDE), "form": (_B, IN_FORM),
    "fieldset": (_B, IN_FORM), "legend": (BLOCK, IN_FORM), "figure": (_B, IN_FIGURE), "figcaption": (_B, IN_FIGURE),
    "address": (_B, 0), "center": (_B, 0), "details": (_B, IN_DETAILS), "summary": (_B, IN_DETAILS),
    "dialog": (_B, IN_HIDDEN), "hgroup": (_B, 0), "search": (_B, IN_FORM), "body": (BLOCK, 0), "html": (BLOCK, 0),
    "head": (BLOCK, 0), "frameset": (BLOCK, 0), "marquee": (BLOCK, 0), "listing": (_B, IN_PRE),
    "hr": (_B | VOID, 0), "br": (VOID, 0), "wbr": (VOID, 0), "img": (VOID, 0), "input": (VOID, 0),
    "link": (VOID, 0), "meta": (VOID, 0), "area": (VOID, 0), "base": (VOID, 0), "col": (VOID, 0),
    "embed": (VOID, 0), "param": (VOID, 0), "source": (VOID, 0), "track": (VOID, 0), "frame": (VOID, 0),
    "script": (SKIP | RAW, 0), "style": (SKIP | RAW, 0), "noscript": (SKIP | RAW, 0), "iframe": (SKIP | RAW, 0),
    "noframes": (SKIP | RAW, 0), "noembed": (SKIP | RAW, 0), "textarea": (SKIP | RAW, 0), "title": (SKIP | RAW, 0),
    "xmp": (SKIP | RAW, 0), "template": (SKIP, 0), "svg": (SKIP, 0), "object": (SKIP, 0), "audio": (SKIP, 0),
    "video": (SKIP, 0), "canvas": (SKIP, 0), "select": (SKIP | FLAT, 0), "datalist": (SKIP | FLAT, 0), "map": (SKIP, 0),
    "rt": (SKIP | FLAT, 0), "rp": (SKIP | FLAT, 0), "applet": (SKIP, 0), "button": (INLINE, IN_CONTROL),
    "label": (INLINE, IN_CONTROL), "a": (INLINE, IN_LINK), "b": (INLINE, IN_BOLD), "strong": (INLINE, IN_BOLD),
    "em": (INLINE, 0), "i": (INLINE, 0), "u": (INLINE, 0), "s": (INLINE, 0), "strike": (INLINE, 0),
    "font": (INLINE, 0), "span": (INLINE, 0), "big": (INLINE, 0), "small": (INLINE, 0), "tt": (INLINE, IN_CODE),
    "code": (INLINE, IN_CODE), "kbd": (INLINE, IN_CODE), "samp": (INLINE, IN_CODE), "sub": (INLINE, 0),
    "sup": (INLINE, 0), "q": (INLINE, 0), "cite": (INLINE, 0), "abbr": (INLINE, 0), "time": (INLINE, 0),
    "ruby": (INLINE, 0), "nobr": (INLINE, 0), "mark": (INLINE, 0), "ins": (INLINE, 0), "del": (INLINE, 0),
    "math": (INLINE, 0), "annotation": (INLINE, 0), "annotation-xml": (SKIP, 0), "semantics": (INLINE, 0),
    "option": (SKIP | FLAT, 0),
}  # fmt: skip

NAMES = ("", *_ELEMENTS)
ID = {name: number for number, name in enumerate(NAMES)}
DOES = np.array([INLINE, *(does for does, _ in _ELEMENTS.values()), 0], dtype=np.uint8)  # the last: see html_skipped
PUTS_IN = np.array([0, *(flags for _, flags in _ELEMENTS.values())], dtype=np.uint32)

CATEGORIES = (
    "article", "content", "title", "meta", "comment", "nav", "header", "footer", "side", "related", "share", "ad",
    "user", "search", "image", "legal", "tool", "list", "hidden", "code", "summary", "forum", "gutter",
)  # fmt: skip

# Words of short blocks that say what the block is for.
WORDS = ("rights", "share", "related", "comments", "pages", "byline", "account", "tools", "filed")


def _listed(kind: str) -> dict[str, str]:
    """What `html_words.txt` lists under each category."""
    lines = (Path(__file__).parent / "html_words.txt").read_text(encoding="utf-8").splitlines()
    entries = [line.split(" ", 2) for line in lines if line.startswith(f"{kind} ")]
    return {category: words for _, category, words in entries}


class Trie(NamedTuple):
    """Stems as a trie over classes of bytes. Node 0 is the root, and stands for "no child"."""

    classes: np.ndarray  # (256,) uint8: class of a byte, 0 = in no stem
    next: np.ndarray  # (nodes, classes) int16
    anywhere: np.ndarray  # (nodes,) uint32: categories of the stems that end here, by where they may stand
    begins: np.ndarray
    whole: np.ndarray


def _trie(stems: list[tuple[bytes, int, str]]) -> Trie:
    """Of (stem, category, one of anywhere, begins, whole)."""
    letters = sorted({byte for stem, _, _ in stems for byte in stem})
    classes = np.zeros(256, dtype=np.uint8)
    classes[letters] = np.arange(1, len(letters) + 1)
    children: list[dict[int, int]] = [{}]
    ends: dict[str, dict[int, int]] = {"anywhere": {}, "begins": {}, "whole": {}}
    for stem, category, where in stems:
        node = 0
        for byte in stem:
            if classes[byte] not in children[node]:
                children[node][classes[byte]] = len(children)
                children.append({})
            node = children[node][classes[byte]]
        ends[where][node] = ends[where].get(node, 0) | 1 << category
    table = np.zeros((len(children), len(letters) + 1), dtype=np.int16)
    for node, row in enumerate(children):
        for letter, child in row.items():
            table[node, letter] = child
    masks = []
    for where in ("anywhere", "begins", "whole"):
        mask = np.zeros(len(children), dtype=np.uint32)
        for node, bits in ends[where].items():
            mask[node] = bits
        masks.append(mask)
    return Trie(classes, table, *masks)


@cache
def class_stems() -> Trie:
    """Stems of class names, over small letters, digits and "_"."""
    stems, listed = [], _listed("class")
    for category, name in enumerate(CATEGORIES):
        for stem in listed[name].split():
            where = "anywhere" if not stem.startswith("^") else "whole" if stem.endswith("$") else "begins"
            stems.append((stem.strip("^$").encode(), category, where))
    return _trie(stems)


@cache
def block_words() -> Trie:
    """Words of short blocks: words of letters stand where a word begins, others anywhere."""
    stems, listed = [], _listed("text")
    for category, name in enumerate(WORDS):
        for word in listed[name].split("|"):
            stems.append((word.encode(), category, "begins" if word[0].isascii() and word[0].isalpha() else "anywhere"))
    return _trie(stems)


@njit(cache=True, nogil=True, inline="always")
def is_letter(byte):  # type: ignore[no-untyped-def]
    return 0x61 <= (byte | 0x20) <= 0x7A


@njit(cache=True, nogil=True, inline="always")
def is_space(byte):  # type: ignore[no-untyped-def]
    return byte == 0x20 or 0x09 <= byte <= 0x0D


@njit(cache=True, nogil=True)
def stems_at(data, at, end, begins, stems):  # type: ignore[no-untyped-def]
    """Categories of the stems of a `Trie` that stand at data[at], capitals or not; `begins` says that a part of a name
    begins there."""
    found = np.uint32(0)
    node = 0
    while at < end:
        byte = data[at]
        if 0x41 <= byte <= 0x5A:
            byte |= 0x20
        letter = stems.classes[byte]
        if letter == 0:
            break
        node = stems.next[node, letter]
        if node == 0:
            break
        at += 1
        found |= stems.anywhere[node]
        if begins:
            found |= stems.begins[node]
            if stems.whole[node] != 0:
                after = data[at] if at < end else 0
                if not is_letter(after) or (0x41 <= after <= 0x5A and not 0x41 <= data[at - 1] <= 0x5A):
                    found |= stems.whole[node]
    return found


@cache
def element_slots() -> tuple[np.ndarray, np.ndarray]:
    """Element names: an open table of 1,024 hashes, and the (1024,) uint8 ids of the elements, 0 = empty."""
    hashes, places = open_table(NAMES[1:], 1024)
    ids = np.zeros(1024, dtype=np.uint8)
    for name, slot in places.items():
        ids[slot] = ID[name]
    return hashes, ids
