"""Shapes of lines by which code, logs, chat, mail, questions and books are told.

A line is counted where it has a visible character; blanks around it are not looked at. One line may have several
shapes.
"""

import numpy as np
from numba import njit

from stages.byte_words import blanks_end, phrases, which_at
from stages.licence import opens

COUNTS = (
    "lines",
    "indented_lines",  # begin with a tab or two spaces
    "comment_lines",
    "number_lines",  # at least half of their visible characters are digits
    "stamped_lines",  # begin with a time or a date
    "chat_lines",  # [12:34] <name> …, or <name> …
    "system_lines",  # of chat: === …, *** …, -!- …, * name …, --> …, <-- …
    "quoted_lines",  # begin with >
    "caps_lines",  # four letters or more, all capitals
    "contents_lines",  # end in dots and a number
    "chapter_lines",  # begin with chapter, book, part, canto, act, scene and a number
    "questions",  # Q: alone, or before the text of a question
    "answers",
    "abstract_heads",  # background:, methods:, results:, conclusions: …
    "signature_lines",  # behind a line of `--`
)
(
    LINES, INDENTED, COMMENTS, NUMBERS, STAMPED, CHAT, SYSTEM, QUOTED, CAPS, CONTENTS, CHAPTERS, QUESTIONS, ANSWERS,
    HEADS, SIGNATURE,
) = range(len(COUNTS))  # fmt: skip

SIGNATURE_LINES = 30  # of a signature at most

_HEADS = phrases(
    ["background:", "objective:", "objectives:", "aim:", "aims:", "purpose:", "introduction:", "methods:", "method:",
     "materials and methods:", "patients and methods:", "methods and results:", "design:", "setting:", "results:",
     "findings:", "conclusion:", "conclusions:", "interpretation:", "discussion:", "significance:"]
)  # fmt: skip
_HEAD_LETTERS, _HEAD_ENDS, _HEAD_FIRSTS = _HEADS
_CHAPTERS = phrases(["chapter ", "book ", "part ", "canto ", "act ", "scene ", "volume "])
_CHAPTER_LETTERS, _CHAPTER_ENDS, _CHAPTER_FIRSTS = _CHAPTERS
_MONTHS = phrases(["jan ", "feb ", "mar ", "apr ", "may ", "jun ", "jul ", "aug ", "sep ", "oct ", "nov ", "dec "])
_MONTH_LETTERS, _MONTH_ENDS, _MONTH_FIRSTS = _MONTHS

_SPACE, _OTHER, _DIGIT, _UPPER, _LOWER, _HIGH = 0, 1, 2, 3, 4, 5


def _kinds() -> np.ndarray:
    table = np.full(256, _OTHER, np.uint8)
    table[[9, 11, 12, 13, 32]] = _SPACE
    table[ord("0") : ord("9") + 1] = _DIGIT
    table[ord("A") : ord("Z") + 1] = _UPPER
    table[ord("a") : ord("z") + 1] = _LOWER
    table[128:] = _HIGH
    return table


_KINDS = _kinds()


@njit(cache=True, nogil=True, inline="always")
def _is_digit(byte):  # type: ignore[no-untyped-def]
    return 48 <= byte <= 57


@njit(cache=True, nogil=True)
def _digits(text, at, end):  # type: ignore[no-untyped-def]
    """How many digits stand at `at`."""
    first = at
    while at < end and _is_digit(text[at]):
        at += 1
    return at - first


@njit(cache=True, nogil=True)
def stamp_end(text, at, end):  # type: ignore[no-untyped-def]
    """End of the time or date that begins at `at`, perhaps in brackets; `at` itself where there is none.

    12:34, 12:34:56.789; 2024-01-31, 2024/01/31, with a time behind T, a space or a colon; 31/Jan/2024; Jan 31 12:34.
    """
    begin = at
    if at < end and (text[at] == 91 or text[at] == 40):  # [ (
        at += 1
    size = _digits(text, at, end)
    after = text[at + size] if at + size < end else np.uint8(0)
    found = False
    if (size == 1 or size == 2) and after == 58 and _digits(text, at + size + 1, end) == 2:  # 12:34
        found = True
        at += size + 3
    elif size == 4 and (after == 45 or after == 47) and _digits(text, at + 5, end) == 2:  # 2024-01
        found = at + 7 < end and text[at + 7] == after and _digits(text, at + 8, end) == 2
        at += 10
    elif size == 2 and (after == 45 or after == 47) and at + 6 < end and text[at + 6] == after:  # 31/Jan/
        found = _digits(text, at + 7, end) >= 2 and not _is_digit(text[at + 3])
        at += 11
    elif size == 0 and which_at(text, at, end, _MONTH_LETTERS, _MONTH_ENDS, _MONTH_FIRSTS) >= 0:
        day = blanks_end(text, at + 3, end)
        size = _digits(text, day, end)
        found = (size == 1 or size == 2) and _digits(text, day + size + 1, end) == 2
        found = found and day + size + 3 < end and text[day + size + 3] == 58
        at = day + size
    if not found:
        return begin
    while at < end and (_KINDS[text[at]] == _DIGIT or text[at] in (58, 46, 44, 45, 43, 84, 90, 47)):  # : . , - + T Z /
        at += 1
    if at < end and (text[at] == 93 or text[at] == 41):
        at += 1
    return min(at, end)


@njit(cache=True, nogil=True)
def _is_nick(text, at, stop):  # type: ignore[no-untyped-def]
    """Whether `<name> ` and something behind it stand at `at`: 1 to 40 bytes without blanks, one before them."""
    if at >= stop or text[at] != 60:
        return False
    place = at + 1
    if place < stop and text[place] == 32:
        place += 1
    first = place
    while place < stop and place - first <= 40 and text[place] > 32 and text[place] != 62 and text[place] != 60:
        place += 1
    return place > first and place + 2 < stop and text[place] == 62 and text[place + 1] == 32


@njit(cache=True, nogil=True)
def _is_system(text, at, stop, stamped):  # type: ignore[no-untyped-def]
    """Whether a chat program speaks in text[at:stop]: === *** -!- --> <-- and, behind a time, `* name does`."""
    if stop - at < 5:
        return False
    a, b, c, d = text[at], text[at + 1], text[at + 2], text[at + 3]
    if d == 32 and a == b and b == c and (a == 61 or a == 42):
        return True
    if a == 45 and c == 45 and ((b == 33 and d == 32) or (b == 45 and d == 62)):
        return True
    if a == 60 and b == 45 and c == 45:
        return True
    return stamped and a == 42 and b == 32


@njit(cache=True, nogil=True)
def _has_number(text, at, stop):  # type: ignore[no-untyped-def]
    """Whether a number in digits or Roman capitals stands at `at`, and nothing but a word's end behind it."""
    first = at
    while at < stop and (_is_digit(text[at]) or text[at] in (73, 86, 88, 76, 67, 68, 77)):
        at += 1
    return at > first and (at == stop or _KINDS[text[at]] <= _OTHER)


@njit(cache=True, nogil=True)
def _is_contents(text, at, stop):  # type: ignore[no-untyped-def]
    """Whether text[at:stop] ends in a number behind two dots or more, or behind a run of blanks that dots are in."""
    place = stop
    while place > at and _is_digit(text[place - 1]):
        place -= 1
    if place == stop or stop - place > 4:
        return False
    dots = 0
    while place > at and (text[place - 1] == 46 or text[place - 1] == 32 or text[place - 1] == 9):
        place -= 1
        dots += text[place] == 46
    return dots >= 3 and place > at


@njit(cache=True, nogil=True)
def count(text, begin, end, out):  # type: ignore[no-untyped-def]
    """Add the lines of text[begin:end] to `out`, (len(COUNTS),) int64."""
    at = begin
    signature = 0  # lines that may still belong to one
    signed = 0
    kinds = np.zeros(6, np.int64)
    while at < end:
        kinds[:] = 0
        stop = at
        while stop < end and text[stop] != 10:
            kinds[_KINDS[text[stop]]] += 1
            stop += 1
        visible = stop - at - kinds[_SPACE]
        if visible == 0:
            at = stop + 1
            continue
        first = blanks_end(text, at, stop)
        last = stop
        while last > first and _KINDS[text[last - 1]] == _SPACE:
            last -= 1
        letters = kinds[_UPPER] + kinds[_LOWER] + kinds[_HIGH]
        out[LINES] += 1
        out[INDENTED] += text[at] == 9 or (text[at] == 32 and first - at >= 2)
        out[NUMBERS] += kinds[_DIGIT] * 2 >= visible
        out[CAPS] += kinds[_UPPER] >= 4 and kinds[_UPPER] == letters
        byte = text[first]
        kind = _KINDS[byte]
        if kind in (_OTHER, _DIGIT, _UPPER):
            opened = opens(text, first, last)
            star = byte == 42 and (first + 1 == last or text[first + 1] <= 32 or text[first + 1] == 47)
            out[COMMENTS] += opened != 0 or star
            out[QUOTED] += byte == 62
            stamped = first
            if kind == _DIGIT or byte == 91 or byte == 40 or (kind == _UPPER and _MONTH_FIRSTS[byte]):
                stamped = stamp_end(text, first, last)
                out[STAMPED] += stamped > first
            said = blanks_end(text, stamped, last)
            chat = _is_nick(text, said, last)
            out[CHAT] += chat
            out[SYSTEM] += not chat and _is_system(text, said, last, stamped > first)
            if kind == _UPPER:
                if first + 1 < last and text[first + 1] == 58:
                    out[QUESTIONS] += byte == 81 and (first + 2 == last or text[first + 2] == 32)
                    out[ANSWERS] += byte == 65 and (first + 2 == last or text[first + 2] == 32)
                number = which_at(text, first, last, _CHAPTER_LETTERS, _CHAPTER_ENDS, _CHAPTER_FIRSTS)
                if number >= 0:
                    said = first + _CHAPTER_ENDS[number + 1] - _CHAPTER_ENDS[number]
                    out[CHAPTERS] += _has_number(text, said, last)
                out[HEADS] += which_at(text, first, last, _HEAD_LETTERS, _HEAD_ENDS, _HEAD_FIRSTS) >= 0
        if _is_digit(text[last - 1]):
            out[CONTENTS] += _is_contents(text, first, last)
        if signature > 0:
            signature -= 1
            signed += 1
        if byte == 45 and last - first == 2 and text[first + 1] == 45:  # --
            signature = SIGNATURE_LINES
            signed = 0
        at = stop + 1
    out[SIGNATURE] += signed if signature > 0 else 0
