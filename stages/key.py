"""The key of a document: its text in the form in which documents are compared. It is never stored.

Two copies of a page differ in case, width, quotation marks, line breaks and spacing long before they differ in words,
so the key keeps words and drops the rest:

- compatibility forms are folded (NFKC, one character at a time): full-width ASCII and half-width katakana to their
  usual width, ligatures to letters, 𝐛𝐨𝐥𝐝 to bold;
- Latin, Greek, Cyrillic and Armenian letters are lower-case and lose their accents, so composed and decomposed forms
  of a text give one key;
- apostrophes, accents and format characters vanish; other punctuation, symbols and white space end a word;
- words of spaced scripts stand one space apart; each Han or kana character is a unit by itself, without spaces.

Digits stay: pages that differ in their numbers alone (tables, exercises, forms) are different documents. Traditional
characters stay traditional. Scripts without spaces other than Han and kana (Thai, Khmer) give one word per phrase.
"""

import unicodedata
from functools import cache

import numpy as np

from stages import characters
from stages.characters import DIGIT, HAN, HANGUL, IGNORED, KANA, LATIN, LATIN_UPPER, LETTER, MARK, SPACE, TABLE_SIZE

_UNICODE = unicodedata.ucd_3_2_0

# What a character does to the key.
GAP = 0  # ends a word
NOTHING = 1  # leaves no trace
LETTERS = 2  # adds its bytes to a word
SINGLE = 3  # adds its bytes as a unit of its own

_APOSTROPHES = frozenset("'\u2018\u2019\u02bc\uff07")
_LETTER_KINDS = frozenset({HANGUL, LATIN, LATIN_UPPER, LETTER, DIGIT, MARK})


def _cased(code: int) -> bool:
    """Latin, Greek, Cyrillic and Armenian: scripts whose case pairs no longer change between Unicode versions."""
    return code < 0x590 or 0x1E00 <= code < 0x2000


def _fold(char: str) -> str:
    """One character as the key shows it: itself where folding would add bytes or bring in a separator."""
    kind = characters.kinds()
    folded = ""
    for part in _UNICODE.normalize("NFKC", char):
        if _cased(ord(part)):
            base = _UNICODE.normalize("NFD", part.lower())
            part = "".join(c for c in base if not 0x300 <= ord(c) < 0x370)
        folded += part
    fits = 0 < len(folded.encode()) <= min(4, len(char.encode()))
    alike = all(kind[ord(c)] in _LETTER_KINDS if ord(c) < TABLE_SIZE else False for c in folded)
    single = len(folded) == 1 and ord(folded) < TABLE_SIZE and kind[ord(folded)] in (HAN, KANA)
    return folded if fits and (alike or single) else char


@cache
def table() -> np.ndarray:
    """For each code point below `TABLE_SIZE`, packed in a uint64: what the key takes from it.

    bits 0-31   up to four UTF-8 bytes, the first lowest
    bits 32-39  how many
    bits 40-47  GAP, NOTHING, LETTERS or SINGLE
    """
    kind = characters.kinds()
    packed = np.zeros(TABLE_SIZE, np.uint64)
    for code in range(TABLE_SIZE):
        char = chr(code)
        if kind[code] == IGNORED or char in _APOSTROPHES or (0x300 <= code < 0x370 and kind[code] == MARK):
            packed[code] = NOTHING << 40
            continue
        if kind[code] == SPACE or 0xD800 <= code < 0xE000:
            continue
        folded = _fold(char)
        first = kind[ord(folded[0])]
        if first in _LETTER_KINDS:
            action = LETTERS
        elif first in (HAN, KANA):
            action = SINGLE
        else:
            continue
        data = folded.encode()
        packed[code] = int.from_bytes(data, "little") | len(data) << 32 | action << 40
    packed.flags.writeable = False
    return packed
