"""The pass of `pii` over the bytes of every document: find, look around, replace.

Clean text is passed at the speed of one table look-up a byte. A digit that begins a run, and an @, are looked at; each
look takes a bounded number of steps.
"""

import numpy as np
from numba import njit

from stages.pii_digits import EMAIL, number
from stages.pii_email import email
from stages.pii_numbers import MOST_DIGITS, MOST_GROUPS, folded, folded_before, is_digit

# Bytes that something may begin at: digits and @, and EF, which full-width ones begin with.
_TRIGGERS = np.zeros(256, np.bool_)
_TRIGGERS[[*range(0x30, 0x3A), 0x40, 0xEF]] = True


@njit(cache=True, nogil=True)
def _copy(data, begin, end, out, to):  # type: ignore[no-untyped-def]
    """-> where the copy ends. Slices would do the same and take ten seconds to compile."""
    for step in range(end - begin):
        out[to + step] = data[begin + step]
    return to + end - begin


@njit(cache=True, nogil=True)
def redact(data, bounds, wanted, domains, marks, mark_ends, out, offsets, counts):  # type: ignore[no-untyped-def]
    """Write documents, with what was found replaced, one after the other into `out`, and where each ends into `offsets`
    (n + 1).

    wanted   (KINDS,) bool: kinds to look for
    domains  see `email`
    marks    bytes of the placeholders, kind after kind; `mark_ends` (KINDS + 1,) int64: where each ends
    out      (total + total // 4 + 8,) uint8: an address of 6 bytes may become one of 7
    counts   (n, KINDS) int32, all 0 before"""
    scratch = (
        np.zeros(MOST_DIGITS, np.int64), np.zeros(MOST_GROUPS, np.int64), np.zeros(MOST_GROUPS, np.int64),
        np.zeros(MOST_DIGITS, np.int64), np.zeros(MOST_GROUPS, np.int64), np.zeros(MOST_GROUPS, np.int64),
        np.zeros(4, np.int64),
    )  # fmt: skip
    to = np.int64(0)
    for document in range(bounds.size - 1):
        begin = np.int64(bounds[document])
        end = np.int64(bounds[document + 1])
        at = begin
        done = begin  # what is written
        last = np.int64(-1)  # the end of what was replaced
        while True:
            while at < end and not _TRIGGERS[data[at]]:
                at += 1
            if at >= end:
                break
            code, size = folded(data, at, end)
            kind = -1
            start = stop = at
            if code == 64:
                if wanted[EMAIL]:
                    start, stop = email(data, max(done, begin), at, end, domains)
                    kind = EMAIL if stop > 0 else -1
                if kind < 0:
                    at += size
                    continue
            elif is_digit(code):
                if is_digit(folded_before(data, begin, at)[0]):
                    at += size  # inside a run that was looked at
                    continue
                start, stop, kind = number(data, begin, at, end, last, wanted, scratch)
                if kind < 0:
                    while is_digit(code):
                        at += size
                        code, size = folded(data, at, end)
                    continue
            else:
                at += size
                continue
            to = _copy(data, done, start, out, to)
            to = _copy(marks, mark_ends[kind], mark_ends[kind + 1], out, to)
            counts[document, kind] += 1
            at = done = last = stop
        to = _copy(data, done, end, out, to)
        offsets[document + 1] = to
