"""Numbers and addresses that name a person: what they look like, by their own digits. For the kernel of `pii`.

Characters are folded as they are read: full-width forms count as their ASCII ones, U+3000 and the no-break space as a
space. None of these functions looks at what stands around a match; `pii_context.py` does.
"""

import numpy as np
from numba import njit

OTHER = 128  # what a character that does not fold to ASCII is read as
MOST_DIGITS, MOST_GROUPS = 24, 7

# What folded characters are, in bits.
DIGIT, LETTER, LOCAL, BARS_BEFORE, BARS_AFTER = 1, 2, 4, 8, 16


def _classes() -> np.ndarray:
    table = np.zeros(OTHER + 1, np.uint8)
    table[[*range(48, 58)]] |= DIGIT
    table[[*range(65, 91), *range(97, 123)]] |= LETTER
    table[(table & (DIGIT | LETTER)) > 0] |= LOCAL | BARS_BEFORE | BARS_AFTER
    table[[ord(char) for char in "._%+-"]] |= LOCAL
    table[[ord(char) for char in "_#$%&*/\\^@"]] |= BARS_BEFORE
    table[[ord(char) for char in "_%@+"]] |= BARS_AFTER
    return table


CLASS = _classes()


@njit(cache=True, nogil=True)
def folded(data, at, end):  # type: ignore[no-untyped-def]
    """ASCII of the character at byte `at`, OTHER where it has none, and the bytes it takes; (0, 0) at the end."""
    if at >= end:
        return 0, 0
    first = data[at]
    if first < 0x80:
        return np.int64(first), 1
    if first == 0xEF and at + 2 < end:
        if data[at + 1] == 0xBC and data[at + 2] >= 0x81:
            return np.int64(data[at + 2]) - 0x60, 3
        if data[at + 1] == 0xBD and data[at + 2] <= 0x9E:
            return np.int64(data[at + 2]) - 0x20, 3
    if first == 0xE3 and at + 2 < end and data[at + 1] == 0x80 and data[at + 2] == 0x80:
        return 32, 3
    if first == 0xC2 and at + 1 < end and data[at + 1] == 0xA0:
        return 32, 2
    size = 2 if first < 0xE0 else 3 if first < 0xF0 else 4
    return OTHER, min(size, end - at)


@njit(cache=True, nogil=True)
def folded_before(data, begin, at):  # type: ignore[no-untyped-def]
    """The same of the character that ends at byte `at`; (0, 0) at the beginning."""
    if at <= begin:
        return 0, 0
    start = at - 1
    while start > begin and data[start] & 0xC0 == 0x80 and at - start < 4:
        start -= 1
    return folded(data, start, at)


@njit(cache=True, nogil=True)
def is_digit(code):  # type: ignore[no-untyped-def]
    return CLASS[code] & DIGIT > 0


@njit(cache=True, nogil=True)
def is_letter(code):  # type: ignore[no-untyped-def]
    return CLASS[code] & LETTER > 0


@njit(cache=True, nogil=True)
def read_groups(data, at, end, in_brackets, digits, sizes, stops):  # type: ignore[no-untyped-def]
    """Groups of digits from byte `at` on, one space or hyphen apart; after the first a closing bracket may stand, too.

    Written: `digits` (MOST_DIGITS), `sizes` and `stops` (MOST_GROUPS): digits of each group and the byte behind it. ->
    how many groups were read whole, before one of these is full."""
    count = groups = 0
    while groups < MOST_GROUPS:
        size = 0
        while True:
            code, bytes_ = folded(data, at, end)
            if not is_digit(code):
                break
            if count == MOST_DIGITS:
                return groups
            digits[count] = code - 48
            count += 1
            size += 1
            at += bytes_
        if size == 0:
            break
        sizes[groups] = size
        stops[groups] = at
        groups += 1
        code, bytes_ = folded(data, at, end)
        if code == 41 and groups == 1 and in_brackets:
            at += bytes_
            code, bytes_ = folded(data, at, end)
        if code == 32 or code == 45:
            at += bytes_
        elif not is_digit(code):
            break
    return groups


@njit(cache=True, nogil=True)
def _is(sizes, at, groups, a, b, c, d, e):  # type: ignore[no-untyped-def]
    """How many groups from `at` on have these sizes, 0 ends them; 0 where they have not."""
    wanted = a | b << 5 | c << 10 | d << 15 | e << 20
    step = 0
    while wanted > 0:
        if at + step >= groups or sizes[at + step] != wanted & 31:
            return 0
        wanted >>= 5
        step += 1
    return step


@njit(cache=True, nogil=True)
def mobile(digits, first, sizes, at, groups):  # type: ignore[no-untyped-def]
    """Groups that a mobile number of mainland China takes from group `at`, whose digits begin at `first`: 11 digits
    from 13 to 19, whole, or as 3-4-4 or 4-3-4. 0: none."""
    if sizes[at] < 3 or digits[first] != 1 or digits[first + 1] < 3:
        return 0
    used = _is(sizes, at, groups, 11, 0, 0, 0, 0)
    if used == 0:
        used = _is(sizes, at, groups, 3, 4, 4, 0, 0)
    return used if used > 0 else _is(sizes, at, groups, 4, 3, 4, 0, 0)


@njit(cache=True, nogil=True)
def landline(digits, first, sizes, at, groups, with_zero):  # type: ignore[no-untyped-def]
    """Groups of a landline number of mainland China: area code (010, 02x, 0xxx; the 0 missing unless `with_zero`), then
    7 or 8 digits that do not begin with 0, 1 or 9, which may stand in two groups. 0: none."""
    area = sizes[at] - (1 if with_zero else 0)
    if with_zero:
        if digits[first] != 0:
            return 0
        first += 1
    if area == 2:
        if not (digits[first] == 2 or (digits[first] == 1 and digits[first + 1] == 0)):
            return 0
    elif area != 3 or digits[first] < 3:
        return 0
    if at + 1 >= groups or not 2 <= digits[first + area] <= 8:
        return 0
    used = _is(sizes, at + 1, groups, 8, 0, 0, 0, 0)
    if used == 0:
        used = _is(sizes, at + 1, groups, 4, 4, 0, 0, 0)
    if used == 0 and area == 3:
        used = _is(sizes, at + 1, groups, 7, 0, 0, 0, 0)
        if used == 0:
            used = _is(sizes, at + 1, groups, 3, 4, 0, 0, 0)
    return 0 if used == 0 else used + 1


# First two digits of the first six: provinces, GB/T 2260, and 81 to 83 of the residence permits.
_PROVINCES = np.zeros(100, np.bool_)
for _first, _last in ((11, 15), (21, 23), (31, 37), (41, 46), (50, 54), (61, 65), (71, 71), (81, 83)):
    _PROVINCES[_first : _last + 1] = True
_WEIGHTS = np.array([pow(2, 17 - place, 11) for place in range(17)], np.int64)  # ISO 7064, MOD 11-2
_DAYS = np.array([31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31], np.int64)


@njit(cache=True, nogil=True)
def identity(digits, check):  # type: ignore[no-untyped-def]
    """Whether 17 digits and a check digit (10: X) are a number of an identity card (GB 11643): province, a date from
    1880 to 2039, and the check of ISO 7064 MOD 11-2."""
    if not _PROVINCES[digits[0] * 10 + digits[1]]:
        return False
    year = digits[6] * 1000 + digits[7] * 100 + digits[8] * 10 + digits[9]
    month = digits[10] * 10 + digits[11]
    day = digits[12] * 10 + digits[13]
    if not (1880 <= year < 2040 and 1 <= month <= 12 and 1 <= day <= _DAYS[month - 1]):
        return False
    total = np.int64(check)
    for place in range(17):
        total += digits[place] * _WEIGHTS[place]
    return total % 11 == 1


@njit(cache=True, nogil=True)
def issuer(digits, n):  # type: ignore[no-untyped-def]
    """Whether a card of `n` digits may begin so: UnionPay, Visa, Mastercard, American Express, Diners, Discover, JCB,
    and 955x, 4367, 4563, 6013 of Chinese banks."""
    two = digits[0] * 10 + digits[1]
    four = two * 100 + digits[2] * 10 + digits[3]
    if n == 13:
        return digits[0] == 4
    if n == 14:
        return (two == 36 or two == 38) or 3000 <= four <= 3059
    if n == 15:
        return two == 34 or two == 37
    if n == 16 and (digits[0] == 4 or 51 <= two <= 55 or 2221 <= four <= 2720):
        return True
    if n == 19 and (four == 9558 or four == 9559 or four == 4367 or four == 4563 or four == 6013):
        return True
    return two == 62 or ((n == 16 or n == 19) and (four == 6011 or 64 <= two <= 65 or 3528 <= four <= 3589))


@njit(cache=True, nogil=True)
def luhn(digits, n):  # type: ignore[no-untyped-def]
    """The check of ISO/IEC 7812-1, annex B."""
    total = 0
    for place in range(n):
        value = np.int64(digits[n - 1 - place])
        if place % 2 == 1:
            value *= 2
            if value > 9:
                value -= 9
        total += value
    return total % 10 == 0


@njit(cache=True, nogil=True)
def card(digits, sizes, groups):  # type: ignore[no-untyped-def]
    """Groups of a bank card from the first group on: 13 to 19 digits, whole, 4-4-4-4, 4-4-4-4-3, 6-13 or 4-6-5, of a
    known issuer and with a right check digit. 0: none."""
    used = 1 if 13 <= sizes[0] <= 19 else 0
    if used == 0:
        used = _is(sizes, 0, groups, 4, 4, 4, 4, 3)
    if used == 0:
        used = _is(sizes, 0, groups, 4, 4, 4, 4, 0)
    if used == 0:
        used = _is(sizes, 0, groups, 6, 13, 0, 0, 0)
    if used == 0:
        used = _is(sizes, 0, groups, 4, 6, 5, 0, 0)
    if used == 0:
        return 0
    n = 0
    for step in range(used):
        n += sizes[step]
    return used if issuer(digits, n) and luhn(digits, n) else 0


@njit(cache=True, nogil=True)
def ipv4(data, at, end, octets):  # type: ignore[no-untyped-def]
    """The byte behind four numbers from 0 to 255 without leading zeros, dots between; 0: none. `octets` (4) int64."""
    for part in range(4):
        value = size = 0
        while size < 4:
            code, bytes_ = folded(data, at, end)
            if not is_digit(code):
                break
            if size > 0 and value == 0:
                return 0
            value = value * 10 + code - 48
            size += 1
            at += bytes_
        if size == 0 or size > 3 or value > 255:
            return 0
        octets[part] = value
        if part < 3:
            code, bytes_ = folded(data, at, end)
            if code != 46:
                return 0
            at += bytes_
    return at


@njit(cache=True, nogil=True)
def is_public(octets):  # type: ignore[no-untyped-def]
    """Whether an IPv4 address is global unicast (IANA's registry of special-purpose addresses)."""
    a, b, c = octets[0], octets[1], octets[2]
    if a == 0 or a == 10 or a == 127 or a >= 224:
        return False
    if (a == 100 and 64 <= b <= 127) or (a == 169 and b == 254) or (a == 172 and 16 <= b <= 31):
        return False
    if a == 192 and (b == 168 or (b == 0 and (c == 0 or c == 2)) or (b == 88 and c == 99)):
        return False
    return not ((a == 198 and (18 <= b <= 19 or (b == 51 and c == 100))) or (a == 203 and b == 0 and c == 113))


@njit(cache=True, nogil=True)
def ipv6(data, at, end):  # type: ignore[no-untyped-def]
    """The byte behind a global unicast address (2000::/3, not 2001:db8::/32) in ASCII; 0: none. Its first group has
    four digits; it has eight groups, or three or more and one `::`."""
    groups = size = 0
    gaps = 0
    first = np.int64(0)
    second = np.int64(0)
    value = np.int64(0)
    while True:
        byte = np.int64(data[at]) if at < end else np.int64(0)
        digit = -1
        if 48 <= byte <= 57:
            digit = byte - 48
        elif 97 <= (byte | 32) <= 102 and byte < 128:
            digit = (byte | 32) - 87
        if digit >= 0:
            value = value * 16 + digit
            size += 1
            at += 1
            if size > 4:
                return 0
            continue
        if size > 0:
            groups += 1
            if groups == 1:
                if size != 4:
                    return 0
                first = value
            elif groups == 2 and gaps == 0:
                second = value
        if byte != 58 or groups > 8:
            break
        if at + 1 < end and data[at + 1] == 58:
            gaps += 1
            at += 1
        elif size == 0:
            return 0
        size = 0
        value = 0
        at += 1
    if size == 0 and data[at - 1] == 58 and not (gaps == 1 and data[at - 2] == 58):
        at -= 1  # a colon behind it
    whole = (groups == 8 and gaps == 0) or (3 <= groups <= 7 and gaps == 1)
    return at if whole and first >> 13 == 1 and not (first == 0x2001 and second == 0xDB8) else 0
