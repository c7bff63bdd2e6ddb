"""The evidence that `spam` knows by heart: terms with weights, and pairs of Han characters, as tables for the kernel.

`spam_terms.txt` lists terms by category, each with its weight; `spam_pairs.txt` lists Han characters and pairs of them
that spam is rich in. Weights are log-likelihood ratios in tenths of a bit ("points"): 100 points say that a term is
1,024 times as frequent in spam as elsewhere. `scripts/spam_model.py` writes both and says from what.

Terms and text are compared folded, and all terms are found in one pass (`stages/term_automaton.py`).
"""

from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from stages import characters
from stages.characters import DIGIT, LATIN, LATIN_UPPER, TABLE_SIZE
from stages.term_automaton import automaton, folded, folds, letters

CATEGORIES = ("porn", "gambling", "illicit", "seo", "ads", "obscene")

HASH = 0x9E3779B1  # 2**32 over the golden ratio
LONGEST = 60  # characters of a term: the kernel keeps as many positions

# Points of a Han character of which nothing is known. It is nearly as likely to stand in spam of words nobody listed.
PLAIN = -4

# Bits of a character's entry, above the 16 of its letter in the alphabet and the 4 of its kind.
FUNCTION = 1 << 20  # of the characters that sentences are held together with
STOP = 1 << 21  # ends a sentence or a clause: no term runs across it
JOINS = 1 << 22  # a mark that lists of terms are separated with

UNIT = 1 << 23  # stands behind a number in prices, sizes and reductions

_FUNCTION = (
    "的了是在和不有这那我他她它们你您与为之也就都而及其或以于到把被让使从对向但因所如若则着过得地吗呢吧啊并且又还将"
)
_STOP = "，。！？；：“”‘’（）《》「」『』,;:!?()\"'"
_JOINS = " \t\u3000|_/、·丨-—~+*★☆◆●■▲→【】[]#,，"
_UNIT = "元万折平㎡%％"

TERMS = Path(__file__).parent / "spam_terms.txt"
PAIRS = Path(__file__).parent / "spam_pairs.txt"


class Term(NamedTuple):
    text: str  # folded; words of spaced scripts one space apart
    category: int
    weight: int


class Lexicon(NamedTuple):
    """Tables for `spam_lines.measure`.

    chars    (131072,) uint32  of each code point: letter of the alphabet (0 = of none), kind, bits
    moves    (slots,) uint32   at `base[state] + letter`: the state left, plus 1; in the low 16 bits the one entered
    base     (states,) int32
    fail     (states,) uint16  the state of the longest suffix
    depth    (states,) uint8   characters of it
    ends     (states,) int32   the longest term that ends in a state, -1 = none
    shorter  (states,) uint16  the next state by suffixes in which a term ends, 0 = none
    terms    (n, 4) int32      length in characters, category, weight; 1 where it begins, +2 where it ends as a word
    singles  (letters,) int64  points of a Han character
    pairs    (slots,) uint32   letters of two of them in one number, 0 = free; open addressing
    points   (slots,) int8     of the pairs
    """

    chars: np.ndarray
    moves: np.ndarray
    base: np.ndarray
    fail: np.ndarray
    depth: np.ndarray
    ends: np.ndarray
    shorter: np.ndarray
    terms: np.ndarray
    singles: np.ndarray
    pairs: np.ndarray
    points: np.ndarray


def read_terms(text: str) -> list[Term]:
    """Terms of a file: lines `weight TAB term` under headings `## category | source`. ValueError where one is wrong."""
    found: dict[str, Term] = {}
    category = -1
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("## "):
            name = line[3:].split()[0]
            if name not in CATEGORIES:
                raise ValueError(f"line {number}: category {name!r}. Expected one of {', '.join(CATEGORIES)}.")
            category = CATEGORIES.index(name)
        elif line and not line.startswith("#"):
            weight, _, term = line.partition("\t")
            if category < 0 or not term or not weight.isdigit() or len(term) > LONGEST:
                raise ValueError(
                    f"line {number}: got {line!r}. Expected `weight TAB term` under a heading `## category`."
                )
            term = folded(term)
            found.setdefault(term, Term(term, category, int(weight)))
    return list(found.values())


def read_pairs(text: str) -> dict[str, int]:
    """Points of characters and pairs, of a file with lines `points TAB pair pair ...`."""
    points: dict[str, int] = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            number, _, pairs = line.partition("\t")
            points.update(dict.fromkeys(pairs.split(), int(number)))
    return points


@cache
def shipped() -> Lexicon:
    """The lexicon of the two files beside this one."""
    return built(read_terms(TERMS.read_text("utf-8")), read_pairs(PAIRS.read_text("utf-8")))


def built(terms: list[Term], pairs: dict[str, int]) -> Lexicon:
    """Tables for some terms and pairs. Terms of weight 0 are left out."""
    terms = sorted(term for term in terms if term.weight > 0)
    alphabet = sorted({char for term in terms for char in term.text} | {char for pair in pairs for char in pair})
    letter = {char: number for number, char in enumerate(alphabet, 1)}
    tables = automaton([term.text for term in terms], letter)
    kind = characters.kinds()
    rows = np.zeros((len(terms), 4), np.int32)
    for number, (text, category, weight) in enumerate(terms):
        edges = _is_word(text[0], kind) + 2 * _is_word(text[-1], kind)
        rows[number] = len(text), category, weight, edges
    singles = np.full(len(letter) + 1, PLAIN, np.int64)
    for char, number in letter.items():
        singles[number] = pairs.get(char, PLAIN)
    twos = {pair: points for pair, points in pairs.items() if len(pair) == 2}
    return Lexicon(_characters(letter), *tables, rows, singles, *_hashed(twos, letter))


def _is_word(char: str, kind: np.ndarray) -> bool:
    return ord(char) < TABLE_SIZE and kind[ord(char)] in (LATIN, LATIN_UPPER, DIGIT)


def _characters(letter: dict[str, int]) -> np.ndarray:
    table = letters(letter)
    table |= characters.kinds().astype(np.uint32) << np.uint32(16)
    for chars, bit in ((_FUNCTION, FUNCTION), (_STOP, STOP), (_JOINS, JOINS), (_UNIT, UNIT)):
        same = np.isin(folds(), [folds()[ord(char)] for char in chars])
        table[same] |= np.uint32(bit)
    return table


def _hashed(pairs: dict[str, int], letter: dict[str, int]) -> tuple[np.ndarray, np.ndarray]:
    slots = 1 << max(4, int(len(pairs) * 2).bit_length())
    numbers, values = np.zeros(slots, np.uint32), np.zeros(slots, np.int8)
    for pair, points in sorted(pairs.items()):
        number = letter[pair[0]] << 16 | letter[pair[1]]
        slot = (number * HASH & 0xFFFFFFFF) >> 12 & slots - 1
        while numbers[slot]:
            slot = slot + 1 & slots - 1
        numbers[slot], values[slot] = number, points
    return numbers, values
