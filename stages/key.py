"""The key of a document: its text in the form in which documents are compared. It is never stored.

Two copies of a page differ in case, width, quotation marks, line breaks and spacing long before they differ in words,
so the key keeps words and drops the rest:

- compatibility forms are folded (NFKC, one character at a time): full-width ASCII and half-width katakana to their
  usual width, ligatures to letters, 𝐛𝐨𝐥𝐝 to bold;
- simplified, traditional and variant forms of a Han character become one of them (`han_classes.txt`, from OpenCC's
  dictionaries: 4,631 classes such as 发發髮, 后後, 乾干幹榦, 着著), so that a page and its mirror in the other script
  give one key wherever the mirror changed characters, not words;
- Latin, Greek, Cyrillic and Armenian letters are lower-case and lose their accents, so composed and decomposed forms
  of a text give one key;
- apostrophes, accents and format characters vanish; other punctuation, symbols and white space end a word;
- words of spaced scripts stand one space apart; each Han or kana character is a unit by itself, without spaces.

Digits stay: pages that differ in their numbers alone (tables, exercises, forms) are different documents. What a
class confuses (皇后 and 皇後) is confused in the key alone, which nobody reads. Scripts without spaces other than Han
and kana (Thai, Khmer) give one word per phrase.
"""

from functools import cache

import numpy as np

from stages import characters

CODES = 0x40000  # planes 0 to 3, all that hold letters and ideographs

# What a character does to the key.
GAP = 0  # ends a word
NOTHING = 1  # leaves no trace
LETTERS = 2  # adds its bytes to a word
SINGLE = 3  # adds its bytes as a unit of its own


@cache
def table() -> np.ndarray:
    """For each code point below `CODES`, packed in a uint64: what the key takes from it. Those beyond leave no trace.

    bits 0-31   up to four UTF-8 bytes, the first lowest
    bits 32-39  how many
    bits 40-47  GAP, NOTHING, LETTERS or SINGLE
    """
    return characters.stored("key", np.dtype(np.uint64), CODES)
