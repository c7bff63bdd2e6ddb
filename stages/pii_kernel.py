"""The pass of `pii` over the bytes of every document: find, look around, replace.

Clean text is passed at the speed of one table look-up a byte. A digit that begins a run, and an @, are looked at; each
look takes a bounded number of steps.
"""

import numpy as np
from numba import njit

from stages.pii_numbers import (
    BARS_AFTER,
    BARS_BEFORE,
    CLASS,
    LOCAL,
    MOST_DIGITS,
    MOST_GROUPS,
    OTHER,
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
_LOCAL_CHARS = 64  # RFC 5321, 4.5.3.1
_DOMAIN_CHARS = 253
_NEAR_BYTES = 24  # how far back a word that decides may stand
_LARGE_OCTET = 20

# Bytes that something may begin at: digits and @, and EF, which full-width ones begin with.
_TRIGGERS = np.zeros(256, np.bool_)
_TRIGGERS[[*range(0x30, 0x3A), 0x40, 0xEF]] = True
# Counters behind an amount: 元 人 个 個 吨 位 股 万 萬 亿 億 块 美 次 倍 年.
_UNITS = np.array(sorted(ord(char) for char in "元人个個吨位股万萬亿億块美次倍年"), np.int64)


def _words(*texts: str) -> np.ndarray:
    """Words of up to 16 bytes, padded with 0."""
    return np.array([list(text.encode().ljust(16, b"\0")) for text in texts], np.uint8)


_IP_WORDS = _words("ip", "地址", "address")
_VERSION_WORDS = _words("version", "ver.", "版本", "release", "固件", "firmware", "驱动", "build")
_CARD_WORDS = _words(
    "card", "卡", "visa", "credit", "debit", "bank", "account", "amex", "pay", "账号", "帐号", "账户",
)  # fmt: skip
_PHONE_WORDS = _words(
    "tel", "phone", "mobile", "call", "cell", "fax", "sms", "whatsapp", "wechat", "contact", "text", "number:",
    "number is", "m:", "t:",
)  # fmt: skip
_ORDER_WORDS = _words("单号", "單號", "订单", "訂單", "编号", "編號", "流水号")


@njit(cache=True, nogil=True)
def _near(data, begin, at, words):  # type: ignore[no-untyped-def]
    """Whether one of `words` (lower case) stands in the bytes just before `at`, on its line, not as a placeholder."""
    first = max(begin, at - _NEAR_BYTES)
    for place in range(at - 1, first - 1, -1):
        if data[place] == 10:
            first = place + 1
            break
    for place in range(first, at):
        if place > begin and data[place - 1] == 60:
            continue
        for word in range(words.shape[0]):
            step = 0
            while step < 16 and words[word, step] > 0 and place + step < at:
                byte = data[place + step]
                if (byte | 32 if 65 <= byte <= 90 else byte) != words[word, step]:
                    break
                step += 1
            if step == 16 or words[word, step] == 0:
                return True
    return False


@njit(cache=True, nogil=True)
def _spoken_of(data, begin, at, stop, end, words):  # type: ignore[no-untyped-def]
    """Whether bare digits may be what they look like: one of `words` or a Han character stands near, on the line, or no
    ASCII letter does. In English, code and mathematics eleven digits are seldom a number of China, and of 19 digits
    one in ten has a right check digit."""
    if _near(data, begin, at, words):
        return True
    if at - 2 >= begin and data[at - 1] == 61 and is_letter(np.int64(data[at - 2])):
        return False  # a parameter in a URL
    letters = False
    for side in range(2):
        place = at - 1 if side == 0 else stop
        for _ in range(2 * _NEAR_BYTES):
            if place < begin or place >= end or data[place] == 10:
                break
            byte = data[place]
            if 0xE4 <= byte <= 0xE9:
                return True
            letters = letters or 97 <= (byte | 32) <= 122
            place += -1 if side == 0 else 1
    return not letters


@njit(cache=True, nogil=True)
def _free_before(data, begin, at, last):  # type: ignore[no-untyped-def]
    """Whether a number may begin at byte `at`; `last` is the end of the replaced part before it.

    It may not stand behind a letter or digit, within a decimal, an amount, a path or a hyphenated code."""
    code, size = folded_before(data, begin, at)
    if at - size == last and size > 0 and 44 <= code <= 47:
        return True  # , - . / behind one just replaced: a list of them
    if CLASS[code] & BARS_BEFORE:
        return False
    before, _ = folded_before(data, begin, at - size)
    if code == 45:  # -
        return not (is_digit(before) or is_letter(before))
    if code == 46:  # .
        return not is_digit(before)
    if code == OTHER:
        # ¥ £ and €: C2 A5, C2 A3, E2 82 AC.
        if size == 2 and data[at - 2] == 0xC2 and (data[at - 1] == 0xA3 or data[at - 1] == 0xA5):
            return False
        if (
            size == 3
            and data[at - 3] == 0xEF
            and data[at - 2] == 0xBF
            and (data[at - 1] == 0xA5 or data[at - 1] == 0xA1)
        ):
            return False
        if size == 3 and data[at - 3] == 0xE2 and data[at - 2] == 0x82:
            return False
    return True


@njit(cache=True, nogil=True)
def _free_after(data, at, end):  # type: ignore[no-untyped-def]
    """Whether a number may end at byte `at`."""
    code, size = folded(data, at, end)
    if CLASS[code] & BARS_AFTER:
        return False
    if code == 46 or code == 45:  # . -
        after, _ = folded(data, at + size, end)
        return not is_digit(after)
    return True


@njit(cache=True, nogil=True)
def _is_amount(data, at, end):  # type: ignore[no-untyped-def]
    if at + 2 >= end or data[at] & 0xF0 != 0xE0:
        return False
    code = (np.int64(data[at] & 15) << 12) | (np.int64(data[at + 1] & 63) << 6) | np.int64(data[at + 2] & 63)
    for unit in _UNITS:  # noqa: SIM110
        if code == unit:
            return True
    return False


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
def _number(data, begin, at, end, last, wanted, scratch):  # type: ignore[no-untyped-def]
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
            if _is_amount(data, checked, end):
                return at, stops[0], -1
            bare = country == 0 and used == 1 and stops[0] - at == 11
            if bare and _near(data, begin, at, _ORDER_WORDS):
                return at, stops[0], -1
            if bare and not _spoken_of(data, begin, at, checked, end, _PHONE_WORDS):
                return at, stops[0], -1
    if kind < 0 and wanted[CARD]:
        used = card(digits, sizes, groups)
        if used == 1 and sizes[0] == 13 and not _near(data, begin, at, _CARD_WORDS):
            used = 0
        if used == 1 and not _spoken_of(data, begin, at, stops[0], end, _CARD_WORDS):
            used = 0
        if used > 0:
            kind = CARD
            checked = stops[used - 1]
    if kind < 0 or not _free_before(data, begin, start, last) or not _free_after(data, checked, end):
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
    if large < 2 and not bracketed and not _near(data, begin, at, _IP_WORDS):
        return False
    return not _near(data, begin, at, _VERSION_WORDS)


@njit(cache=True, nogil=True)
def _is_local(code):  # type: ignore[no-untyped-def]
    return CLASS[code] & LOCAL > 0


@njit(cache=True, nogil=True)
def _email(data, floor, at, end, domains):  # type: ignore[no-untyped-def]
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
def _copy(data, begin, end, out, to):  # type: ignore[no-untyped-def]
    """-> where the copy ends. Slices would do the same and take ten seconds to compile."""
    for step in range(end - begin):
        out[to + step] = data[begin + step]
    return to + end - begin


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


@njit(cache=True, nogil=True)
def redact(data, bounds, wanted, domains, marks, mark_ends, out, offsets, counts):  # type: ignore[no-untyped-def]
    """Write documents, with what was found replaced, one after the other into `out`, and where each ends into `offsets`
    (n + 1).

    wanted   (KINDS,) bool: kinds to look for
    domains  see `_email`
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
                    start, stop = _email(data, max(done, begin), at, end, domains)
                    kind = EMAIL if stop > 0 else -1
                if kind < 0:
                    at += size
                    continue
            elif is_digit(code):
                if is_digit(folded_before(data, begin, at)[0]):
                    at += size  # inside a run that was looked at
                    continue
                start, stop, kind = _number(data, begin, at, end, last, wanted, scratch)
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
