"""Two texts side by side: what they share, and where they differ.

Texts are compared by words; a Han character or kana is a word. What they share is a longest common subsequence, by a
table whose rows are integers of one bit per word (Hyyrö, "Bit-parallel LCS-length computation revisited", 2004). So no
pair of texts, however made, takes more than MOST_WORDS steps on integers of MOST_WORDS bits: 30 ms and 2 MB.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

import msgspec

from corpus.progress import printable

MOST_WORDS = 4096
MOST_CHARACTERS = 20_000  # of each text that are looked at
_HAN = "\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_WORD = re.compile(rf"\s*(?:[{_HAN}]|[^\W{_HAN}]+|[^\w\s]|\Z)")
_CHANCE = 2  # words that are equal by chance, between others that differ

SAME, OWN, GAP = "same", "own", "gap"


class Piece(msgspec.Struct, frozen=True):
    """A piece of one side: `same` as in the other, its `own`, or a `gap` for what is left out: so many
    characters that both have, or 0 where the side is cut."""

    kind: str
    text: str = ""
    left_out: int = 0


class Run(msgspec.Struct, frozen=True):
    """Words that are the same on both sides, or differ."""

    same: bool
    left: tuple[str, ...]
    right: tuple[str, ...]


def clean(text: str) -> str:
    """Text of a document as it may be shown: no empty lines, any blank as a blank, no control characters."""
    lines = (line.replace("\t", " ").replace("\u3000", " ").replace("\xa0", " ").rstrip() for line in text.split("\n"))
    return "\n".join(printable(line) for line in lines if line)


def split_words(text: str) -> list[str]:
    """Words with the blanks before them, MOST_WORDS at most."""
    found = (match.group() for match in _WORD.finditer(text[:MOST_CHARACTERS]))
    return [word for word, _ in zip(found, range(MOST_WORDS), strict=False) if word]


def compare(left: str, right: str) -> list[Run]:
    """Runs of words, same and differing in turn; of each side in order they make up its words."""
    one, other = split_words(left), split_words(right)
    steps = [*_matches([w.strip() for w in one], [w.strip() for w in other]), (len(one), len(other))]
    runs: list[tuple[bool, int, int]] = []  # (same, end on the left, end on the right)
    i = j = 0
    for a, b in steps:
        if (a, b) != (i, j):
            runs.append((False, a, b))
        if (a, b) != (len(one), len(other)):
            if runs and runs[-1][0]:
                runs.pop()
            runs.append((True, a + 1, b + 1))
        i, j = a + 1, b + 1
    return [
        Run(same, tuple(one[a:c]), tuple(other[b:d]))
        for (_, a, b), (same, c, d) in pairwise([(True, 0, 0), *_without_chance(runs)])
    ]


def _without_chance(runs: Sequence[tuple[bool, int, int]]) -> list[tuple[bool, int, int]]:
    """Short runs that are the same, between two that are not, count as differing."""
    made: list[tuple[bool, int, int]] = []
    begin = 0
    for n, (same, a, b) in enumerate(runs):
        chance = same and 0 < n < len(runs) - 1 and a - begin <= _CHANCE
        begin = a
        if made and not made[-1][0] and (chance or not same):
            made.pop()
        made.append((same and not chance, a, b))
    return made


def _matches(one: Sequence[str], other: Sequence[str]) -> list[tuple[int, int]]:
    """Positions of a longest common subsequence, ascending."""
    masks: dict[str, int] = {}
    for i, word in enumerate(one):
        masks[word] = masks.get(word, 0) | 1 << i
    every = (1 << len(one)) - 1
    row, rows = every, []
    for word in other:
        fits = row & masks.get(word, 0)
        row = (row + fits | row - fits) & every
        rows.append(row)  # bit i is 0 where one word more of one[: i + 1] than of one[:i] is matched
    found = []
    i, j = len(one), len(other)
    while i and j:
        if rows[j - 1] >> i - 1 & 1:
            i -= 1
        elif j > 1 and not rows[j - 2] >> i - 1 & 1:
            j -= 1
        else:
            i, j = i - 1, j - 1
            found.append((i, j))
    return found[::-1]


def sides(left: str, right: str, characters: int, around: int = 12) -> tuple[list[Piece], list[Piece]]:
    """Both sides as they are shown: at most about `characters` of each, and of long runs that are the same `around`
    words at either end. Where nothing differs, the beginning."""
    runs = compare(left, right)
    if all(run.same for run in runs):
        around = characters
    both = ([(run.same, run.left) for run in runs], [(run.same, run.right) for run in runs])
    one, other = (_side(own, characters, around, len(text)) for own, text in zip(both, (left, right), strict=True))
    return one, other


def _side(runs: Sequence[tuple[bool, Sequence[str]]], characters: int, around: int, whole: int) -> list[Piece]:
    """`whole`: characters of the text."""
    pieces: list[Piece] = []
    passed = shown = 0  # characters, of the text and on the page
    for kind, words in _folded(runs, around):
        text = "".join(words)
        if kind != GAP:
            text = text[: characters - shown]
            shown += len(text)
        if kind == GAP:
            pieces.append(Piece(GAP, left_out=len(text)))
        else:
            blank = len(text) - len(text.lstrip()) if kind == OWN else 0  # part of the word, and not shown as one
            pieces += [Piece(SAME, text[:blank]), Piece(kind, text[blank:])]
        passed += len(text)
        if shown >= characters:
            break
    if passed < whole:
        pieces.append(Piece(GAP))
    return [piece for piece in pieces if piece.text or piece.kind == GAP]


def _folded(runs: Sequence[tuple[bool, Sequence[str]]], around: int) -> Iterator[tuple[str, Sequence[str]]]:
    for same, words in runs:
        if not same or len(words) <= 2 * around + 8:
            yield (SAME if same else OWN), words
        else:
            yield SAME, words[:around]
            yield GAP, words[around:-around]
            yield SAME, words[-around:]
