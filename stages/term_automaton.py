"""Many terms found in one pass over a text, compared as the key of a document is: full-width and bold letters, case
and traditional characters do not matter (`stages/key.py`).

An automaton (Aho and Corasick 1975) over folded characters. Its transitions lie in one array, where the children of a
state stand at its base plus their letters (double array, Aoe 1989): 43 kB for the terms of `spam`, which a processor's
cache holds, against 24 MB as a table of states x letters.
"""

from collections import deque
from functools import cache
from typing import NamedTuple

import numpy as np
from numba import njit

from stages import key
from stages.characters import TABLE_SIZE


class Automaton(NamedTuple):
    """Tables for kernels. Letters number the characters of all terms from 1; 0 is a character of none.

    moves    (slots,) uint32   at `base[state] + letter`: the state left, plus 1; in the low 16 bits the one entered
    base     (states,) int32
    fail     (states,) uint16  the state of the longest suffix
    depth    (states,) uint8   characters of it
    ends     (states,) int32   the longest term that ends in a state, -1 = none
    shorter  (states,) uint16  the next state by suffixes in which a term ends, 0 = none
    """

    moves: np.ndarray
    base: np.ndarray
    fail: np.ndarray
    depth: np.ndarray
    ends: np.ndarray
    shorter: np.ndarray


def folded(text: str) -> str:
    """Text as terms are compared."""
    table = folds()
    return "".join(chr(table[ord(char)]) if ord(char) < TABLE_SIZE else char for char in text.lower())


@cache
def folds() -> np.ndarray:
    """Folded code point of each code point below `TABLE_SIZE`; itself where the key drops it."""
    packed = key.table()[:TABLE_SIZE]
    codes = np.arange(TABLE_SIZE, dtype=np.int64)
    for code in np.flatnonzero(packed >> np.uint64(40)):
        size = int(packed[code]) >> 32 & 0xFF
        text = (int(packed[code]) & 0xFFFFFFFF).to_bytes(4, "little")[:size].decode()
        if len(text) == 1:
            codes[code] = ord(text)
    return codes


def letters(letter: dict[str, int]) -> np.ndarray:
    """(131072,) uint32: the letter of each code point, folded; white space other than a line feed is a space."""
    numbers = np.zeros(TABLE_SIZE, np.uint32)
    for char, number in letter.items():
        if ord(char) < TABLE_SIZE:
            numbers[ord(char)] = number
    table = numbers[folds()]
    table[[0x09, 0x3000]] = numbers[0x20]
    return table


def automaton(terms: list[str], letter: dict[str, int]) -> Automaton:
    """For some terms, each once, of characters that have a letter. ValueError for more than 65,535 states."""
    children: list[dict[int, int]] = [{}]
    ending: list[int] = [-1]
    depth = [0]
    for number, term in enumerate(terms):
        state = 0
        for char in term:
            if letter[char] not in children[state]:
                children[state][letter[char]] = len(children)
                children.append({})
                ending.append(-1)
                depth.append(depth[state] + 1)
            state = children[state][letter[char]]
        ending[state] = number
    states = len(children)
    if states > 0xFFFF:
        raise ValueError(f"the terms need {states} states; 65,535 is the most. Leave terms out.")
    fail = [0] * states
    shorter = [0] * states
    queue = deque(children[0].values())
    while queue:
        state = queue.popleft()
        for at, child in children[state].items():
            suffix = fail[state]
            while suffix and at not in children[suffix]:
                suffix = fail[suffix]
            fail[child] = children[suffix].get(at, 0)
            queue.append(child)
        shorter[state] = fail[state] if ending[fail[state]] >= 0 else shorter[fail[state]]
    moves, base = _placed(children, len(letter))
    numbers = np.array(fail, np.uint16), np.array(depth, np.uint8), np.array(ending, np.int32)
    return Automaton(moves, base, *numbers, np.array(shorter, np.uint16))


def _placed(children: list[dict[int, int]], letters: int) -> tuple[np.ndarray, np.ndarray]:
    """-> moves, base: each state, those with most children first, at the first base where their slots are free."""
    taken = 0  # bit i: slot i
    base = np.zeros(len(children), np.int32)
    found: dict[int, int] = {}
    for state in sorted(range(len(children)), key=lambda one: (one != 0, -len(children[one]), one)):
        blocked = 0
        for at in children[state]:
            blocked |= taken >> at
        place = (~blocked & blocked + 1).bit_length() - 1 if state else 0
        base[state] = place
        for at, child in children[state].items():
            taken |= 1 << place + at
            # A state is written one higher: 0 is a free slot.
            found[place + at] = state + 1 << 16 | child
    moves = np.zeros(int(base.max()) + letters + 1, np.uint32)
    moves[list(found)] = list(found.values())
    return moves, base


@njit(cache=True, nogil=True, inline="always")
def move_on(moves, base, fail, state, letter):  # type: ignore[no-untyped-def]
    """The state behind one more letter."""
    while True:
        move = moves[base[state] + letter]
        if move >> np.uint32(16) == state + 1:
            return np.int64(move & np.uint32(0xFFFF))
        if state == 0:
            return np.int64(0)
        state = np.int64(fail[state])
