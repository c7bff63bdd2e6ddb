"""What a character costs in bits, by language: the model behind charset detection (data: `charset_model.txt`).

Text in the right charset is made of letters that its language uses often, one after another as the language does;
read in a wrong charset it is made of rare ones. Costs of letters are counted (`scripts/charset_model.py`); what stands
between letters is costed by kind below, in the same bits: a kind that makes up one character in 2^n of running text
costs about n. Everything is a small whole number, so sums are exact.
"""

import unicodedata
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

ERROR = 30  # bytes that a charset does not define
CONTROL = 24  # U+0080 to U+009F, private use: never meant
FOREIGN, FOREIGN_SCRIPT = 14, 18  # letters that the language does not use
UNSEEN = 5  # what a pair of letters that was not counted costs more than its second letter, FOREIGN at most
_QUOTES = dict.fromkeys("\xa0’–—", 7) | dict.fromkeys("“”„‘‚…", 8) | dict.fromkeys("«»", 9) | dict.fromkeys("‹›", 11)
_QUOTING = (frozenset(_QUOTES), frozenset("’”"), frozenset("‘„‚"))  # all, those that end a word, those that begin one
_COMMON_SIGNS = frozenset("·•°©®€£")
_SIGNS = frozenset("§™№¿¡ªº´²³½¼×±¬\xad\u200c\u200d\u200e\u200f،؛؟·฿₪")
_AFTER_LETTERS = frozenset("´²³™®°ªº¬\xad")

# Of East Asian text, beside its letters.
_WIDE = {
    **dict.fromkeys("，、。", 5),
    **dict.fromkeys("：；？！“”（）", 8),
    **dict.fromkeys("「」『』《》【】‘’…—·・〈〉～　", 9),
}


@dataclass(frozen=True)
class Language:
    """`alone` and `after` give bits by letter and by (letter, following letter), lower case."""

    alone: dict[str, int]
    after: dict[str, int]
    script: str  # the first word of the Unicode names of most of its letters


@cache
def languages() -> dict[str, Language]:
    found: dict[str, tuple[dict[str, int], dict[str, int]]] = {}
    path = Path(__file__).with_name("charset_model.txt")
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            continue
        name, order, bits, grams = line.split(" ")
        width = int(order)
        own = found.setdefault(name, ({}, {}))[width - 1]
        own.update((grams[at : at + width], int(bits)) for at in range(0, len(grams), width))
    return {name: Language(alone, after, _script(alone)) for name, (alone, after) in found.items()}


def _script(alone: dict[str, int]) -> str:
    return unicodedata.name(min(alone, key=lambda letter: alone[letter])).split(" ")[0]


def pair_costs(characters: list[str | None], language: Language) -> np.ndarray:
    """`characters` are what the 256 bytes of a charset stand for, None where undefined.
    -> (256, 256) uint8, bits of the second byte after the first, 0 where both are ASCII."""
    folded = [_fold(c) for c in characters]
    known = {letter: at for at, letter in enumerate(language.alone)}
    at = np.array([known.get(c, -1) for c in folded])
    letter = at >= 0
    foreign = np.array([c.isalpha() for c in folded]) & ~letter
    mark = np.array([c != "" and unicodedata.category(c).startswith("M") for c in folded])
    upper = np.array([c is not None and c.isupper() for c in characters]) & (letter | foreign)
    word = letter | foreign | mark
    sign = np.array([_is_sign(c) for c in characters])
    quote, closing, opening = (np.array([c is not None and c in some for c in characters]) for some in _QUOTING)
    dash = np.array([c in ("–", "—") for c in characters])
    digit = np.array([c.isascii() and c.isdigit() for c in folded])
    mid = np.array([c in _AFTER_LETTERS for c in folded])

    own = np.array([_alone(c, f, language) for c, f in zip(characters, folded, strict=True)])
    cost = np.broadcast_to(own, (256, 256)).copy()
    cost[np.ix_(~word, mark)] = FOREIGN  # a mark stands on a letter
    cost[np.ix_(sign | dash, letter)] += 3  # letters begin words behind space, and seldom behind a sign
    cost[np.ix_(word, sign & ~mid)] += 3
    cost[np.ix_(~word & ~quote, closing)] += 4
    cost[np.ix_(word, opening)] += 5
    cost[np.ix_(word, digit)] += 5
    counted = np.full((len(known) + 1, len(known) + 1), -1)
    for pair, bits in language.after.items():
        counted[known[pair[0]], known[pair[1]]] = bits
    counted = counted[np.ix_(at, at)]
    both = letter[:, None] & letter[None, :]
    unseen = np.minimum(own + UNSEEN, FOREIGN)[None, :]
    cost = np.where(both, np.where(counted >= 0, counted, unseen), cost)
    ascii_letter = np.array([c.isascii() and c.isalpha() for c in folded])
    if language.script != "LATIN":
        cost[np.ix_(word & ~ascii_letter, ascii_letter)] = FOREIGN
        cost[np.ix_(ascii_letter, word & ~ascii_letter)] += 4
    cost[np.ix_(word & ~upper, upper)] += 10
    cost[np.ix_(upper, upper)] += 3
    cost[np.ix_(~word, upper)] += 3
    cost[:128, :128] = 0
    return np.minimum(cost, ERROR).astype(np.uint8)


def ascii_costs(language: Language) -> np.ndarray:
    """-> (128, 128) uint8, bits of an ASCII letter after another, whatever their case; 0 of everything else."""
    cost = np.zeros((128, 128), dtype=np.uint8)
    letters = [code for code in range(128) if chr(code).isalpha()]
    for first in letters:
        for second in letters:
            pair = (chr(first) + chr(second)).lower()
            unseen = min(language.alone.get(pair[1], FOREIGN) + UNSEEN, FOREIGN)
            cost[first, second] = language.after.get(pair, unseen)
    return cost


def _fold(character: str | None) -> str:
    """Lower case, "" where undefined. Of İ the letter alone."""
    return "" if character is None else character.lower()[:1]


def _is_sign(character: str | None) -> bool:
    return character is not None and not character.isascii() and not character.isalnum() and character not in _QUOTES


def _alone(character: str | None, folded: str, language: Language) -> int:
    """Bits of a character that does not follow a letter."""
    if character is None:
        return ERROR
    if folded in language.alone:
        return language.alone[folded] + 1
    category = unicodedata.category(character)
    if category in ("Cc", "Co", "Cn") and not character.isascii():
        return CONTROL
    if category.startswith("M"):
        return 4 if unicodedata.name(character).startswith(language.script) else FOREIGN_SCRIPT
    if character.isalpha():
        return FOREIGN if unicodedata.name(character).startswith(language.script) else FOREIGN_SCRIPT
    if character.isascii():
        return 2 if character == " " else 4
    if character in _QUOTES:
        return _QUOTES[character]
    if character in _COMMON_SIGNS:
        return 10
    if character == "¤":
        return 16
    return 11 if character in _SIGNS or category == "Nd" else 13 if 0x2500 <= ord(character) < 0x25A0 else 14


def wide_cost(character: str, language: Language) -> int:
    """Bits of a character of Chinese, Japanese or Korean text."""
    if (bits := language.alone.get(character)) is not None:
        return bits
    if (bits := _WIDE.get(character)) is not None:
        return bits
    code = ord(character)
    if 0xFF01 <= code <= 0xFF5E:  # letters and digits of full width
        return 10
    if unicodedata.category(character) in ("Cc", "Co", "Cn"):
        return CONTROL
    if 0x3041 <= code <= 0x30FE:  # kana
        return 13
    if 0xFF61 <= code <= 0xFF9F:  # kana of half width
        return 13
    return FOREIGN if code < 0x2E80 or 0x3000 <= code < 0x3400 else FOREIGN_SCRIPT
