"""The header of a message: lines `Name: value` at the top of a text, up to the first blank line.

It is one where the first line is a field or mbox's `From `, and at least three fields stand there, two of them of those
that every message has (From, To, Subject, Date, Message-ID, Received …; RFC 5322, 3.6). A field goes on in lines that
begin with a blank. Of such a header nothing but the subject is said by its author.
"""

from numba import njit

from stages.byte_words import is_at, line_end, phrases, which_at

MOST_LINES = 400
LEAST_FIELDS = 3
LEAST_KNOWN = 2

_KNOWN = phrases(
    ["from:", "to:", "subject:", "date:", "message-id:", "received:", "return-path:", "delivered-to:", "reply-to:",
     "cc:", "bcc:", "in-reply-to:", "references:", "mime-version:", "content-type:", "sender:", "x-mailer:"]
)  # fmt: skip
_KNOWN_LETTERS, _KNOWN_ENDS, _KNOWN_FIRSTS = _KNOWN
_SUBJECT = 2  # among them
_MBOX = phrases(["from "])
_MBOX_LETTERS, _MBOX_ENDS, _MBOX_FIRSTS = _MBOX


@njit(cache=True, nogil=True)
def is_field(text, at, stop):  # type: ignore[no-untyped-def]
    """Whether text[at:stop] begins with the name of a field and a colon: printable ASCII without blanks."""
    first = at
    while at < stop and 33 <= text[at] <= 126 and text[at] != 58:
        at += 1
    return at > first and at < stop and text[at] == 58 and (at + 1 == stop or text[at + 1] <= 32)


@njit(cache=True, nogil=True)
def header(text, begin, end):  # type: ignore[no-untyped-def]
    """-> lines of the header of text[begin:end] (0 = there is none), where the text behind it begins (the blank line
    belongs to the header), and where the lines of the subject begin and end."""
    at = begin
    lines = 0
    fields = 0
    known = 0
    subject = begin
    subject_end = begin
    inside = False  # the lines of the subject
    while at < end and lines < MOST_LINES:
        stop = line_end(text, at, end)
        blank = stop == at or (stop == at + 1 and text[at] == 13)
        if blank:
            at = min(stop + 1, end)
            break
        goes_on = text[at] == 32 or text[at] == 9
        if not (goes_on and lines > 0):
            number = which_at(text, at, stop, _KNOWN_LETTERS, _KNOWN_ENDS, _KNOWN_FIRSTS)
            mbox = lines == 0 and is_at(text, at, stop, _MBOX_LETTERS, _MBOX_ENDS[0], _MBOX_ENDS[1])
            if number < 0 and not mbox and not is_field(text, at, stop):
                return 0, begin, begin, begin  # no blank line parts it from the text
            inside = number == _SUBJECT
            fields += not mbox
            known += number >= 0
            if inside:
                subject = at
        if inside:
            subject_end = min(stop + 1, end)
        lines += 1
        at = min(stop + 1, end)
    if fields < LEAST_FIELDS or known < LEAST_KNOWN:
        return 0, begin, begin, begin
    return lines, at, subject, subject_end
