"""E-mail addresses around an @, with a top-level domain that exists. For the kernels of `pii`."""

import numpy as np
from numba import njit

from stages.pii_numbers import CLASS, LOCAL, folded, folded_before, is_digit, is_letter

_LOCAL_CHARS = 64  # RFC 5321, 4.5.3.1
_DOMAIN_CHARS = 253


@njit(cache=True, nogil=True)
def _is_local(code):  # type: ignore[no-untyped-def]
    return CLASS[code] & LOCAL > 0


@njit(cache=True, nogil=True)
def email(data, floor, at, end, domains):  # type: ignore[no-untyped-def]
    """-> (start, end) of the e-mail address whose @ is at byte `at`, not before `floor`; (0, 0) where there is none.
    `domains`: top-level domains of at most 8 letters, packed in uint64 and sorted."""
    start = at
    chars = 0
    while chars <= _LOCAL_CHARS:
        code, size = folded_before(data, floor, start)
        if size == 0 or not _is_local(code):
            break
        start -= size
        chars += 1
    if chars > _LOCAL_CHARS:
        return 0, 0
    while start < at:
        code, size = folded(data, start, end)
        if is_letter(code) or is_digit(code) or code == 95:
            break
        start += size
    if start == at or (at - start == 3 and data[start] == 103 and data[start + 1] == 105 and data[start + 2] == 116):
        return 0, 0  # git@host is a machine's
    place = at + folded(data, at, end)[1]
    first = place
    labels = 0
    found = 0
    while place - first <= _DOMAIN_CHARS:
        packed = np.uint64(0)
        letters = True
        length = 0
        capital = 65 <= folded(data, place, end)[0] <= 90
        while True:
            code, size = folded(data, place, end)
            if not (is_letter(code) or is_digit(code) or (code == 45 and length > 0)):
                break
            letters = letters and is_letter(code)
            packed = (packed << np.uint64(8)) | np.uint64(code | 32)
            length += 1
            place += size
        if length == 0:
            break
        labels += 1
        if labels > 1 and letters and 2 <= length <= 8 and _is_domain(domains, packed):
            found = place
        elif found == 0 or not capital:
            found = 0  # the domain goes on
        else:
            break  # a sentence that follows without a space
        code, size = folded(data, place, end)
        if code != 46:
            break
        place += size
    return (start, found) if found > 0 else (0, 0)


@njit(cache=True, nogil=True)
def _is_domain(domains, packed):  # type: ignore[no-untyped-def]
    low, high = 0, domains.size
    while low < high:
        middle = (low + high) // 2
        if domains[middle] < packed:
            low = middle + 1
        else:
            high = middle
    return low < domains.size and domains[low] == packed
