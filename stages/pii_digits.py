"""What a run of digits begins: an address, an identity number, a phone number or a card, by what it is
(`pii_numbers.py`) and by what stands around it (`pii_context.py`). For the kernel of `pii`.
"""

import numpy as np
from numba import njit

from stages.pii_context import (
    CARD_WORDS,
    IP_WORDS,
    ORDER_WORDS,
    PHONE_WORDS,
    VERSION_WORDS,
    free_after,
    free_before,
    is_amount,
    near,
    spoken_of,
)
from stages.pii_numbers import (
    BARS_AFTER,
    CLASS,
    LOCAL,
    card,
    folded,
    folded_before,
    identity,
    ipv4,
    ipv6,
    is_digit,
    is_letter,
    is_public,
    landline,
    mobile,
    read_groups,
)

EMAIL, IP, PHONE, ID, CARD = 0, 1, 2, 3, 4
KINDS = 5
_LARGE_OCTET = 20


@njit(cache=True, nogil=True)
def _looks_like_one(data, at, end, digits, sizes, stops):  # type: ignore[no-untyped-def]
    """Whether a number of any kind may begin at byte `at`, whatever stands around it; or none, as letters follow."""
    groups = read_groups(data, at, end, False, digits, sizes, stops)
    if groups == 0:
        return False
    code, _ = folded(data, stops[0], end)
    if is_letter(code) or CLASS[code] & (LOCAL | BARS_AFTER) or code == 58:
        return True
    if (
        sizes[0] == 6
        or sizes[0] == 17
        or sizes[0] == 18
        or mobile(digits, 0, sizes, 0, groups) > 0
        or card(digits, sizes, groups) > 0
    ):
        return True
    if landline(digits, 0, sizes, 0, groups, True) > 0 or sizes[0] == 13 or sizes[0] == 15:
        return True
    return (sizes[0] == 2 and digits[0] == 8 and digits[1] == 6) or (sizes[0] == 4 and digits[2] == 8)


@njit(cache=True, nogil=True)
def number(data, begin, at, end, last, wanted, scratch):  # type: ignore[no-untyped-def]
    """-> (start, end, kind) of what the run of digits at byte `at` begins, kind -1 for nothing."""
    digits, sizes, stops, digits2, sizes2, stops2, octets = scratch
    code, size = folded(data, at, end)
    # Addresses: a run of one to three digits and a dot; four hexadecimal digits and a colon.
    stop = ipv4(data, at, end, octets) if wanted[IP] else 0
    if stop > 0:
        if is_public(octets) and _is_address(data, begin, at, stop, end, last, octets):
            return at, stop, IP
        return at, stop, -1
    if wanted[IP] and (code == 50 or code == 51) and size == 1:
        stop = ipv6(data, at, end)
        if stop > 0:
            before, _ = folded_before(data, begin, at)
            after, _ = folded(data, stop, end)
            alone = not CLASS[before] & LOCAL
            if before == 58 and at - 2 >= begin and data[at - 1] == 58:
                # A colon of text, as in `IP:`, or one within a longer row of groups.
                hexadecimal = np.int64(data[at - 2]) | 32
                alone = data[at - 2] != 58 and not (is_digit(np.int64(data[at - 2])) or 97 <= hexadecimal <= 102)
            if after == 46:
                after, _ = folded(data, stop + 1, end)
            if alone and not (is_letter(after) or is_digit(after) or after == 95):
                return at, stop, IP
    before, before_size = folded_before(data, begin, at)
    bracket = before == 40 or (before == 43 and folded_before(data, begin, at - before_size)[0] == 40)
    groups = read_groups(data, at, end, bracket, digits, sizes, stops)
    if groups == 0:
        return at, at, -1
    start = at
    used = 0
    kind = -1
    checked = 0
    if 17 <= sizes[0] <= 18 or (sizes[0] == 6 and groups >= 3 and sizes[1] == 8 and 3 <= sizes[2] <= 4):
        used = 1 if sizes[0] > 6 else 3
        stop = stops[used - 1]
        check = np.int64(digits[17])
        if sizes[0] == 17 or (used == 3 and sizes[2] == 3):
            code, size = folded(data, stop, end)
            check = np.int64(10) if code == 88 or code == 120 else np.int64(99)
            stop += size
        if wanted[ID] and check < 11 and identity(digits, check):
            kind = ID
            checked = stop
    if kind < 0 and wanted[PHONE]:
        used = 0
        country = 0
        if (sizes[0] == 2 and digits[0] == 8 and digits[1] == 6) or (
            sizes[0] == 4 and digits[0] == 0 and digits[1] == 0 and digits[2] == 8 and digits[3] == 6
        ):
            country = np.int64(sizes[0])
            if groups > 1:
                used = mobile(digits, country, sizes, 1, groups)
                if used == 0:
                    used = landline(digits, country, sizes, 1, groups, True)
                if used == 0 and (before == 43 or country == 4):
                    used = landline(digits, country, sizes, 1, groups, False)
                used += 1 if used > 0 else 0
        elif sizes[0] == 13 or sizes[0] == 15:
            country = np.int64(sizes[0]) - 11
            prefix = digits[country - 2] == 8 and digits[country - 1] == 6
            if prefix and (country == 2 or (digits[0] == 0 and digits[1] == 0)):
                sizes[0] = 11
                used = mobile(digits, country, sizes, 0, groups)
                sizes[0] = 11 + country
        else:
            used = mobile(digits, 0, sizes, 0, groups)
            if used == 0:
                used = landline(digits, 0, sizes, 0, groups, True)
        if used > 0:
            kind = PHONE
            checked = stops[used - 1]
            if country > 0 and before == 43:
                start = at - before_size
            opens, opens_size = folded_before(data, begin, start)
            if opens == 40 and stops[0] < checked and _closes(data, stops[0], end):
                start -= opens_size
            if is_amount(data, checked, end):
                return at, stops[0], -1
            bare = country == 0 and used == 1 and stops[0] - at == 11
            if bare and near(data, begin, at, ORDER_WORDS):
                return at, stops[0], -1
            if bare and not spoken_of(data, begin, at, checked, end, PHONE_WORDS):
                return at, stops[0], -1
    if kind < 0 and wanted[CARD]:
        used = card(digits, sizes, groups)
        if used == 1 and sizes[0] == 13 and not near(data, begin, at, CARD_WORDS):
            used = 0
        if used == 1 and not spoken_of(data, begin, at, stops[0], end, CARD_WORDS):
            used = 0
        if used > 0:
            kind = CARD
            checked = stops[used - 1]
    if kind < 0 or not free_before(data, begin, start, last) or not free_after(data, checked, end):
        return at, stops[0], -1
    if used > 1:
        # Groups may not be part of a longer row of numbers.
        sign, sign_size = folded_before(data, begin, start)
        if sign == 32 and start - sign_size != last and is_digit(folded_before(data, begin, start - sign_size)[0]):
            return at, stops[0], -1
        sign, sign_size = folded(data, checked, end)
        follows = sign == 32 and is_digit(folded(data, checked + sign_size, end)[0])
        if follows and not _looks_like_one(data, checked + sign_size, end, digits2, sizes2, stops2):
            return at, stops[0], -1
    return start, checked, kind


@njit(cache=True, nogil=True)
def _closes(data, at, end):  # type: ignore[no-untyped-def]
    return folded(data, at, end)[0] == 41


@njit(cache=True, nogil=True)
def _is_address(data, begin, at, stop, end, last, octets):  # type: ignore[no-untyped-def]
    """Whether four numbers with dots are an address and not a version, a section or a part of something longer."""
    code, size = folded_before(data, begin, at)
    before, _ = folded_before(data, begin, at - size)
    listed = size > 0 and at - size == last
    if is_letter(code) or is_digit(code) or code == 46 or code == 95:
        return False
    if code == 47 and before != 47 and not listed:
        return False
    if code == 45 and (is_letter(before) or is_digit(before)) and not listed:
        return False
    code, size = folded(data, stop, end)
    if is_letter(code) or is_digit(code) or code == 95 or code == 37:
        return False
    if code == 45 or code == 46:
        after, _ = folded(data, stop + size, end)
        if is_letter(after) or (is_digit(after) and (code == 46 or ipv4(data, stop + size, end, octets) == 0)):
            return False
    bracketed = folded_before(data, begin, at)[0] == 91
    large = 0
    ipv4(data, at, end, octets)
    for part in range(4):
        large += 1 if octets[part] >= _LARGE_OCTET else 0
    if large < 2 and not bracketed and not near(data, begin, at, IP_WORDS):
        return False
    return not near(data, begin, at, VERSION_WORDS)
