"""What one line adds to the counts of its document, told by the facts that the walk over its characters gathered.

The rules of C4, FineWeb and RefinedWeb about lines. A line is counted where it has a
visible character; it reaches from the first to the last of these.

C4 (Raffel et al. 2020, section 2.2; and its code) removes a line without a closing mark, of fewer than 3 words, with
a word of over 1000 characters, with the word javascript, or with a phrase about policies; `c4_sentences` counts the
sentences of what stays. RefinedWeb (Penedo et al. 2023, G.2, as in the code of DCLM) removes a line of which more than
half the letters are capitals, of digits alone, of one word, that counts something ("3 likes"), and one of up to ten
words that begins with "sign in", ends with "read more" or has "items in cart".
"""

import numpy as np
from numba import njit

from stages.characters import decode
from stages.signal_counts import (
    BULLET_LINES,
    C4_ANY_END_SENTENCES,
    C4_SENTENCES,
    ELLIPSIS_LINES,
    ENDED_LINES,
    JAVASCRIPT_LINES,
    LINE_CHARS,
    LINE_WORDS,
    LINES,
    LONGEST_LINE_CHARS,
    POLICY_LINES,
    READMORE_LINES,
    REFINEDWEB_WORDS,
    SECOND_LINE_CHARS,
    SENTENCES,
    SHORT_LINES,
    STOPPED_LINES,
    THIRD_LINE_CHARS,
)

SHORT_COLUMNS = 30
C4_LINE_WORDS = 3
C4_WORD_CHARS = 1000
REFINEDWEB_PHRASE_WORDS = 10
MAX_LINES = 1 << 20  # equal lines are looked for among the first 2**20: memory is bounded

# Facts about a line: positions in the array that the walk fills.
FACTS = (
    "chars",  # from the first to the last visible character
    "wide",  # of these, two columns wide
    "visible",
    "letters",
    "upper",
    "digits",
    "words",  # between white space
    "longest_word",  # of these, in characters
    "sentences",
    "last",  # code point of the last visible character
    "dots",  # full stops in a row at the end
    "found",  # bits, below
)
(
    CHARS_AT, WIDE_AT, VISIBLE_AT, LETTERS_AT, UPPER_AT, DIGITS_AT, WORDS_AT, LONGEST_WORD_AT, SENTENCES_AT, LAST_AT,
    DOTS_AT, FOUND_AT,
) = range(len(FACTS))  # fmt: skip
IS_BULLET, HAS_JAVASCRIPT, HAS_POLICY, HAS_CART, IS_SIGN_IN, HAS_READ_MORE, IS_COUNTER = (1 << i for i in range(7))

# What a character says as the last one of a line, and as its first: bits of a table over the code points below 2**16.
STOPS_LINE = 1
ENDS_LINE = 2
ENDS_C4_LINE = 4
BULLET = 8

STOPPING = frozenset(".?!。！？．｡")
ENDING = STOPPING | frozenset("\"')；：…”’」』）》】")
C4_ENDING = frozenset(".?!\"'")
BULLETS = frozenset("•‣◦▪▫■□●○◆◇▶►·-*–－")
STOP_CHARACTERS_ZH = "的年在月是和日了於·為有被人中为他與後也而由"  # FineWeb2, configs/cmn_Hani.yml
STOP_CODES_ZH = tuple(map(ord, STOP_CHARACTERS_ZH))


def marks() -> np.ndarray:
    """(65536,) uint8: the bits above."""
    table = np.zeros(1 << 16, np.uint8)
    for bit, characters in (
        (STOPS_LINE, STOPPING),
        (ENDS_LINE, ENDING),
        (ENDS_C4_LINE, C4_ENDING),
        (BULLET, BULLETS),
    ):
        for character in characters:
            table[ord(character)] |= bit
    return table


@njit(cache=True, nogil=True, inline="always")
def reads_more_zh(text, begin, at):  # type: ignore[no-untyped-def]
    """Whether 更多 or 展开 stands before byte `at`."""
    if at - begin < 6 or text[at - 6] < 0xE5 or text[at - 6] > 0xE6:
        return False
    first = decode(text, at - 6, at)[0]
    second = decode(text, at - 3, at)[0]
    return (first == 0x66F4 and second == 0x591A) or (first == 0x5C55 and second == 0x5F00)


@njit(cache=True, nogil=True, inline="always")
def character_before(text, begin, at):  # type: ignore[no-untyped-def]
    """Where the character starts that ends before byte `at`."""
    at -= 1
    while at > begin and (text[at] & 0xC0) == 0x80:
        at -= 1
    return at


@njit(cache=True, nogil=True)
def count_line(line, marks, out):  # type: ignore[no-untyped-def]
    """Count one line that has a visible character.

    line    (len(FACTS),) int64;  marks: `marks()`
    out     (len(COUNTS),) int64
    """
    chars, words, last, dots, found = line[CHARS_AT], line[WORDS_AT], line[LAST_AT], line[DOTS_AT], line[FOUND_AT]
    mark = marks[last] if last < 0x10000 else 0
    out[LINES] += 1
    out[LINE_CHARS] += chars
    out[LINE_WORDS] += words
    out[SENTENCES] += line[SENTENCES_AT]
    out[SHORT_LINES] += chars + line[WIDE_AT] <= SHORT_COLUMNS
    out[STOPPED_LINES] += mark & STOPS_LINE != 0
    out[ENDED_LINES] += mark & ENDS_LINE != 0
    out[BULLET_LINES] += found & IS_BULLET != 0
    out[ELLIPSIS_LINES] += last == 0x2026 or dots >= 3
    out[READMORE_LINES] += found & HAS_READ_MORE != 0
    out[JAVASCRIPT_LINES] += found & HAS_JAVASCRIPT != 0
    out[POLICY_LINES] += found & HAS_POLICY != 0
    if chars > out[THIRD_LINE_CHARS]:
        out[THIRD_LINE_CHARS] = min(chars, out[SECOND_LINE_CHARS])
        out[SECOND_LINE_CHARS] = min(max(chars, out[SECOND_LINE_CHARS]), out[LONGEST_LINE_CHARS])
        out[LONGEST_LINE_CHARS] = max(chars, out[LONGEST_LINE_CHARS])

    if words >= C4_LINE_WORDS and line[LONGEST_WORD_AT] <= C4_WORD_CHARS and found & (HAS_JAVASCRIPT | HAS_POLICY) == 0:
        out[C4_ANY_END_SENTENCES] += line[SENTENCES_AT]
        if mark & ENDS_C4_LINE != 0 and dots < 3:
            out[C4_SENTENCES] += line[SENTENCES_AT]

    if (
        line[UPPER_AT] * 2 > line[LETTERS_AT]
        or line[DIGITS_AT] == line[VISIBLE_AT]
        or words == 1
        or found & IS_COUNTER != 0
        or (words <= REFINEDWEB_PHRASE_WORDS and found & (HAS_CART | IS_SIGN_IN | HAS_READ_MORE) != 0)
    ):
        out[REFINEDWEB_WORDS] += words
