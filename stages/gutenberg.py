"""Project Gutenberg's own words around a book: where they end before it, and where they begin behind it.

Before it stands all up to the line `*** START OF THE (THIS) PROJECT GUTENBERG EBOOK … ***`, over as many as three
lines, or, in texts of before 2003, up to the line `*END*THE SMALL PRINT! … *END*`; the later of both, within the first
64 KB. Behind it stands all from the line `*** END OF THE (THIS) PROJECT GUTENBERG EBOOK`, with the line `End of (the)
Project Gutenberg('s) EBook …` that precedes it, or from that line alone where nothing else marks the end. A file with a
second start behind an end holds several books: only what is before the first and behind the last of them is found.

No other line is looked at: who made the text, titles and contents belong to the book.
"""

from numba import njit

from stages.byte_words import blanks_end, find, line_end, phrases, which_at

HEAD_BYTES = 64 << 10
MARK_LINES = 3
TAIL_LINES = 3  # of `End of Project Gutenberg's …`, which may be wrapped

_NAME = phrases(["project gutenberg"])
_NAME_LETTERS, _NAME_ENDS, _NAME_FIRSTS = _NAME
_MARKS = phrases(
    ["start of the project gutenberg", "start of this project gutenberg", "end of the project gutenberg",
     "end of this project gutenberg", "start of project gutenberg", "end of project gutenberg"]
)  # fmt: skip
_MARK_LETTERS, _MARK_ENDS, _MARK_FIRSTS = _MARKS
_PLAIN = phrases(["end of the project gutenberg", "end of project gutenberg", "end of this project gutenberg"])
_PLAIN_LETTERS, _PLAIN_ENDS, _PLAIN_FIRSTS = _PLAIN
_SMALL = phrases(["*end*the small print", "*end the small print"])
_SMALL_LETTERS, _SMALL_ENDS, _SMALL_FIRSTS = _SMALL

_NONE, _START, _END, _SMALL_END, _PLAIN_END = 0, 1, 2, 3, 4


@njit(cache=True, nogil=True)
def _what(text, at, stop):  # type: ignore[no-untyped-def]
    """What the line text[at:stop] marks."""
    first = blanks_end(text, at, stop)
    if first >= stop:
        return _NONE
    if text[first] != 42:  # *
        return _PLAIN_END if which_at(text, first, stop, _PLAIN_LETTERS, _PLAIN_ENDS, _PLAIN_FIRSTS) >= 0 else _NONE
    if which_at(text, first, stop, _SMALL_LETTERS, _SMALL_ENDS, _SMALL_FIRSTS) >= 0:
        return _SMALL_END
    while first < stop and (text[first] == 42 or text[first] == 32):
        first += 1
    number = which_at(text, first, stop, _MARK_LETTERS, _MARK_ENDS, _MARK_FIRSTS)
    if number < 0:
        return _NONE
    return _START if number == 0 or number == 1 or number == 4 else _END


@njit(cache=True, nogil=True)
def _mark_end(text, stop, end):  # type: ignore[no-untyped-def]
    """Where the lines of a mark end, the first of which ends at `stop`: with the line that ends in `***`."""
    at = stop
    for _ in range(MARK_LINES):
        last = at
        while last > 0 and (text[last - 1] == 32 or text[last - 1] == 13):
            last -= 1
        if last > 2 and text[last - 1] == 42 and text[last - 2] == 42:
            return min(at + 1, end)
        if at >= end:
            break
        at = line_end(text, at + 1, end)
    return min(stop + 1, end)


@njit(cache=True, nogil=True)
def mentions(text, begin, end):  # type: ignore[no-untyped-def]
    """How many lines of text[begin:end] name Project Gutenberg."""
    count = 0
    at = begin
    while at < end:
        found = find(text, at, end, _NAME_LETTERS, _NAME_ENDS, _NAME_FIRSTS)
        if found < 0:
            break
        count += 1
        at = line_end(text, found, end) + 1
    return count


@njit(cache=True, nogil=True)
def frame(text, begin, end):  # type: ignore[no-untyped-def]
    """-> where the book begins in text[begin:end] and where it ends; `begin` and `end` where nothing is marked."""
    head = begin
    tail = end
    plain = -1  # where `End of Project Gutenberg's …` stands, and how many lines ago
    age = 0
    at = begin
    while at < end:
        stop = line_end(text, at, end)
        # A line is looked into by its first letter.
        first = blanks_end(text, at, stop)
        what = _NONE
        if first < stop and (text[first] == 42 or text[first] | 32 == 101):
            what = _what(text, at, stop)
        if what == _START:
            if head == begin or (at - begin < HEAD_BYTES and tail == end):
                head = _mark_end(text, stop, end)
            tail = end
            plain = -1
        elif what == _SMALL_END:
            if tail == end and at - begin < HEAD_BYTES:
                head = min(stop + 1, end)
        elif what == _END and tail == end:
            tail = plain if plain >= 0 and age <= TAIL_LINES else at
        elif what == _PLAIN_END and tail == end:
            plain = at
            age = 0
        if plain >= 0 and first < stop:
            age += 1
        at = stop + 1
    if tail == end and plain >= 0 and head > begin:
        tail = plain
    if head > begin and head - begin > HEAD_BYTES:
        head = begin
    return head, max(head, tail)
