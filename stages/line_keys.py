"""Lines and paragraphs of documents, told apart by a hash of what they say.

What a line says is the sequence of its units (`stages/units.py`), digits as they are or all as 0: case, width,
punctuation and spacing make no difference. A paragraph is a run of two or more lines with units; a line without any,
such as a blank one or a rule of dashes, ends it. Of 96 bits of hash each, `key` and `check` are made in different ways.
"""

import numpy as np
from numba import njit

from stages.mix import mix
from stages.units import CHARACTER, LINE_END, SEED, find_units

LINE, PARAGRAPH = 0, 1
HAN_CHARS = 3  # a Han or kana character counts as so many: about as many letters as it takes to say the same

_BASE = 0x94D049BB133111EB
_PARAGRAPH_SEED = 0xD6E8FEB86659FD93


def most_lines(text: np.ndarray, documents: int) -> int:
    """Upper bound on the lines and paragraphs of n documents: half as many paragraphs as lines."""
    lines = int(np.count_nonzero(text == 10)) + documents
    return lines + lines // 2


@njit(cache=True, nogil=True)
def find_lines(text, bounds, table, min_chars, salts, room, key, check, doc, start, end, kind):  # type: ignore[no-untyped-def]
    """Lines and paragraphs with at least `min_chars` characters, digits not counted; a paragraph after its lines.

    text, bounds         uint8 and (n + 1,) int32: document i is text[bounds[i]:bounds[i + 1]]
    table                `units.digits_as_zero()` or `key.table()`
    room                 `units.room(bounds)`
    salts                (n,) uint64: lines of documents with different ones do not meet
    key, check           out, uint64 and uint32, all as long as `most_lines`
    doc                  out, int32: its document
    start, end           out, int64: its bytes in the document, without the line end
    kind                 out, uint8: LINE or PARAGRAPH
    -> how many were found
    """
    found = 0
    base = np.uint64(_BASE)
    for document in range(bounds.size - 1):
        count = find_units(text, np.int64(bounds[document]), np.int64(bounds[document + 1]), table, True, room)
        size = np.int64(bounds[document + 1]) - np.int64(bounds[document])
        line = np.int64(0)
        chars = 0
        h = np.uint64(SEED)
        other = np.uint64(0)
        paragraph = np.int64(0)
        paragraph_end = np.int64(0)
        paragraph_lines = 0
        paragraph_chars = 0
        paragraph_h = np.uint64(_PARAGRAPH_SEED)
        paragraph_other = np.uint64(0)
        for i in range(count + 1):
            if i < count and room.kind[i] != LINE_END:
                h = mix(h ^ room.unit[i])
                other = other * base + room.unit[i]
                chars += HAN_CHARS if room.kind[i] == CHARACTER else room.letters[i]
                continue
            going = i < count
            line_end = np.int64(room.start[i]) if going else size
            blank = other == 0 and h == np.uint64(SEED)
            if not blank:
                if chars >= min_chars:
                    key[found] = mix(h ^ salts[document])
                    check[found] = np.uint32(mix(other) >> np.uint64(32))
                    doc[found] = document
                    start[found] = line
                    end[found] = line_end
                    kind[found] = LINE
                    found += 1
                if paragraph_lines == 0:
                    paragraph = line
                paragraph_end = line_end
                paragraph_lines += 1
                paragraph_chars += chars
                paragraph_h = mix(paragraph_h ^ h)
                paragraph_other = paragraph_other * base + other
            if (blank or not going) and paragraph_lines:
                if paragraph_lines > 1 and paragraph_chars >= min_chars:
                    key[found] = mix(paragraph_h ^ salts[document])
                    check[found] = np.uint32(mix(paragraph_other) >> np.uint64(32))
                    doc[found] = document
                    start[found] = paragraph
                    end[found] = paragraph_end
                    kind[found] = PARAGRAPH
                    found += 1
                paragraph_lines = 0
                paragraph_chars = 0
                paragraph_h = np.uint64(_PARAGRAPH_SEED)
                paragraph_other = np.uint64(0)
            line = line_end + 1
            chars = 0
            h = np.uint64(SEED)
            other = np.uint64(0)
    return found
