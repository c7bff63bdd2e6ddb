"""English words that the signals know: stop words, abbreviations, and the words of phrases that rules look for.

A word is looked up by its first eight letters in lower case, packed into 64 bits, and its length, in a small table
without collisions: one multiplication and one comparison for each word of a text.
"""

from functools import cache

import numpy as np
from numba import njit

STOP_WORDS = ("the", "be", "to", "of", "and", "that", "have", "with")  # Rae et al. 2021, A.1.1
# Words that keep their full stop, so that it ends no sentence: spaCy's English exceptions, the commonest of them.
ABBREVIATIONS = (
    "mr", "mrs", "ms", "dr", "prof", "jr", "sr", "st", "inc", "ltd", "co", "corp", "vs", "gen", "gov", "sen", "rep",
    "jan", "feb", "apr", "jun", "jul", "aug", "sep", "sept", "oct", "nov", "dec",
)  # fmt: skip
# Words of phrases; (first, last) say what a line holds once they follow each other.
PHRASE_WORDS = (
    "javascript", "lorem", "ipsum", "terms", "use", "uses", "privacy", "cookie", "cookies", "policy",
    "read", "more", "items", "in", "cart", "sign",
    "likes", "shares", "comments", "retweets", "reposts", "quotes", "bookmarks", "upvotes", "downvotes", "downloads",
    "views", "followers",
)  # fmt: skip
WORDS = STOP_WORDS + ABBREVIATIONS + PHRASE_WORDS

NONE = 0  # the number of an unknown word; others are numbered from 1 in the order of WORDS
NUMBER = {word: number for number, word in enumerate(WORDS, 1)}
STOPS = len(STOP_WORDS)  # 1 to STOPS are stop words
FIRST_ABBREVIATION, LAST_ABBREVIATION = NUMBER[ABBREVIATIONS[0]], NUMBER[ABBREVIATIONS[-1]]
OF = NUMBER["of"]
JAVASCRIPT, LOREM, IPSUM, TERMS, USE, USES = (
    NUMBER[w] for w in ("javascript", "lorem", "ipsum", "terms", "use", "uses")
)
PRIVACY, COOKIE, COOKIES, POLICY = (NUMBER[w] for w in ("privacy", "cookie", "cookies", "policy"))
READ, MORE, ITEMS, IN, CART, SIGN = (NUMBER[w] for w in ("read", "more", "items", "in", "cart", "sign"))
FIRST_COUNTER, LAST_COUNTER = NUMBER["likes"], NUMBER["followers"]

_BITS = 12  # of the table's size: 32 kB, and a multiplier without collisions is found at once


def _key(word: str) -> int:
    return int.from_bytes(word.encode()[:8], "little") ^ len(word) << 59


@cache
def table() -> tuple[np.ndarray, np.ndarray, np.uint64]:
    """(4096,) uint64 keys of words, (4096,) uint8 numbers, and the multiplier that places them."""
    multiplier = 0x9E3779B97F4A7C15
    while True:
        slots = {(_key(word) * multiplier & (1 << 64) - 1) >> 64 - _BITS: word for word in WORDS}
        if len(slots) == len(WORDS):
            break
        multiplier += 2
    keys = np.zeros(1 << _BITS, np.uint64)
    numbers = np.zeros(1 << _BITS, np.uint8)
    for slot, word in slots.items():
        keys[slot], numbers[slot] = _key(word), NUMBER[word]
    return keys, numbers, np.uint64(multiplier)


@njit(cache=True, nogil=True, inline="always")
def number_of(eight, length, keys, numbers, multiplier):  # type: ignore[no-untyped-def]
    """The number of the ASCII word of `length` letters, 1 to 16, whose first eight bytes are `eight`, little-endian and
    zeros behind, in any case; NONE where it is unknown."""
    small = eight | (np.uint64(0x2020202020202020) >> np.uint64(64 - 8 * min(length, 8)))
    key = small ^ (np.uint64(length) << np.uint64(59))
    slot = (key * multiplier) >> np.uint64(64 - _BITS)
    return np.int64(numbers[slot]) if keys[slot] == key else np.int64(NONE)
