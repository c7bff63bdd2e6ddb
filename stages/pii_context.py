"""What stands around digits that look like a number of a person: whether they may begin and end there, and whether they
are spoken of as one. For the kernels of `pii`; every look takes a bounded number of steps.
"""

import numpy as np
from numba import njit

from stages.pii_numbers import (
    BARS_AFTER,
    BARS_BEFORE,
    CLASS,
    OTHER,
    folded,
    folded_before,
    is_digit,
    is_letter,
)

_NEAR_BYTES = 24  # how far back a word that decides may stand
# Counters behind an amount: 元 人 个 個 吨 位 股 万 萬 亿 億 块 美 次 倍 年.
_UNITS = np.array(sorted(ord(char) for char in "元人个個吨位股万萬亿億块美次倍年"), np.int64)


def _words(*texts: str) -> np.ndarray:
    """Words of up to 16 bytes, padded with 0."""
    return np.array([list(text.encode().ljust(16, b"\0")) for text in texts], np.uint8)


IP_WORDS = _words("ip", "地址", "address")
VERSION_WORDS = _words("version", "ver.", "版本", "release", "固件", "firmware", "驱动", "build")
CARD_WORDS = _words(
    "card", "卡", "visa", "credit", "debit", "bank", "account", "amex", "pay", "账号", "帐号", "账户",
)  # fmt: skip
PHONE_WORDS = _words(
    "tel", "phone", "mobile", "call", "cell", "fax", "sms", "whatsapp", "wechat", "contact", "text", "number:",
    "number is", "m:", "t:",
)  # fmt: skip
ORDER_WORDS = _words("单号", "單號", "订单", "訂單", "编号", "編號", "流水号")


@njit(cache=True, nogil=True)
def near(data, begin, at, words):  # type: ignore[no-untyped-def]
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
def spoken_of(data, begin, at, stop, end, words):  # type: ignore[no-untyped-def]
    """Whether bare digits may be what they look like: one of `words` or a Han character stands near, on the line, or no
    ASCII letter does. In English, code and mathematics eleven digits are seldom a number of China, and of 19 digits
    one in ten has a right check digit."""
    if near(data, begin, at, words):
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
def free_before(data, begin, at, last):  # type: ignore[no-untyped-def]
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
def free_after(data, at, end):  # type: ignore[no-untyped-def]
    """Whether a number may end at byte `at`."""
    code, size = folded(data, at, end)
    if CLASS[code] & BARS_AFTER:
        return False
    if code == 46 or code == 45:  # . -
        after, _ = folded(data, at + size, end)
        return not is_digit(after)
    return True


@njit(cache=True, nogil=True)
def is_amount(data, at, end):  # type: ignore[no-untyped-def]
    if at + 2 >= end or data[at] & 0xF0 != 0xE0:
        return False
    code = (np.int64(data[at] & 15) << 12) | (np.int64(data[at + 1] & 63) << 6) | np.int64(data[at + 2] & 63)
    for unit in _UNITS:  # noqa: SIM110
        if code == unit:
            return True
    return False
