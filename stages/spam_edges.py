"""Which lines of a text are spam around it: the edges are judged, never what lies between them.

Points of lines are log-likelihood ratios (`spam_lines.py`), so the likeliest place where spam ends and the text begins
is where their sum from the edge is greatest. Up to there lines with points above zero go, others (a title between two
lines of keywords) stay. A line as plain as `GENUINE` ends the search: nothing behind it is looked at. What is left must
itself look like text, else the whole page is spam and is left to `judge`.
"""

from numba import njit

from stages import spam_lexicon
from stages.spam_lines import END, FORM, HITS, LETTERS, LINKS, POINTS, START

CATEGORIES = len(spam_lexicon.CATEGORIES)

EDGE_LINES = 40  # with letters, at each edge
EDGE_BYTES = 8192
GENUINE = -60
LEAST = 80  # points of the clearest line of an edge
UNNAMED = 25  # points more, where no term and no list of links speaks for an edge
UNFORMED = 50  # more, where no line of it has the form of spam: a title may be one word
SPAM = 30  # points of a line that goes with it
MIN_LETTERS_LEFT = 12
MIN_SHARE_LEFT = 0.1  # of the letters

KEPT, HEAD, TAIL = 0, 1, 2


@njit(cache=True, nogil=True)
def _edge(table, first, last, step, mark, threshold, marks):  # type: ignore[no-untyped-def]
    """Mark the spam lines from row `first` towards `last` (excluded)."""
    total = 0
    best = 0
    clearest = 0
    named = False
    formed = False
    needed = threshold
    reach = first
    lines = 0
    size = 0
    row = first
    while row != last:
        points = table[row, POINTS]
        size += table[row, END] - table[row, START]
        if table[row, LETTERS] > 0:
            lines += 1
        if points <= GENUINE or lines > EDGE_LINES or size > EDGE_BYTES:
            break
        total += points
        clearest = max(clearest, points)
        if points >= SPAM:
            for category in range(CATEGORIES):
                named |= table[row, HITS + category] > 0
            named |= table[row, LINKS] > 2
            formed |= table[row, FORM] > 0
        if total > best:
            best = total
            reach = row + step
            needed = threshold + (0 if named else UNNAMED) + (0 if formed else UNFORMED)
        row += step
    if best < needed or clearest < LEAST:
        return
    row = first
    while row != reach:
        # Blanks beside what goes, go with it.
        if table[row, POINTS] >= SPAM or (table[row, LETTERS] == 0 and table[row, POINTS] == 0):
            marks[row] = mark
        row += step
    while row != last and table[row, LETTERS] == 0 and table[row, END] - table[row, START] <= 2:
        marks[row] = mark
        row += step


@njit(cache=True, nogil=True)
def find(firsts, table, threshold, marks):  # type: ignore[no-untyped-def]
    """Set `marks` (one a line) to HEAD or TAIL where a line goes."""
    for document in range(firsts.size - 1):
        first = firsts[document]
        last = firsts[document + 1]
        if last - first < 2:
            continue
        _edge(table, first, last, 1, HEAD, threshold, marks)
        bound = first
        while bound < last and marks[bound] == HEAD:
            bound += 1
        _edge(table, last - 1, bound - 1, -1, TAIL, threshold, marks)
        points = 0
        letters = 0
        before = 0
        for row in range(first, last):
            before += table[row, LETTERS]
            if marks[row] == KEPT:
                points += table[row, POINTS]
                letters += table[row, LETTERS]
        if points > 0 or letters < MIN_LETTERS_LEFT or letters < MIN_SHARE_LEFT * before:
            marks[first:last] = KEPT


@njit(cache=True, nogil=True)
def write(text, bounds, firsts, table, marks, out, offsets):  # type: ignore[no-untyped-def]
    """Copy the lines that stay. `offsets`: (n + 1,) int32."""
    to = 0
    for document in range(bounds.size - 1):
        for row in range(firsts[document], firsts[document + 1]):
            if marks[row] == KEPT:
                for at in range(bounds[document] + table[row, START], bounds[document] + table[row, END]):
                    out[to] = text[at]
                    to += 1
        offsets[document + 1] = to
