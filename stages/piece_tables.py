"""Tables of a SentencePiece model for the kernels of `stages/segments.py`: characters by number, which of them stand
side by side in a piece, and the pieces as a trie.

Text comes as it is, with spaces; so pieces are held with a space for U+2581. A piece that holds a space of its own is
never found in a text whose spaces are written as U+2581, and is left out.
"""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numba import njit

from stages.pieces import BPE, NORMAL, SPACE_MARK, USER_DEFINED, Pieces, byte_ids, piece_scores
from stages.uncounted import uncounted

ROOT = 0  # of the trie; as the end of a path: an unknown character
BASE, PARENT, ID, SCORE = 0, 1, 2, 3  # columns of `nodes`
_PAIR_BITS_EACH = 16  # bits of `pairs` for each pair: 1 of 16 other pairs counts as joined, which costs time and no id
_CODES = 0x110000
_TRIES = 10_000  # places that are looked at for the children of a node before they go behind all others


class Tables(NamedTuple):
    """C characters in pieces, numbered from 1, the most frequent first; 0 is every other character.

    code_of  (0x110000,) uint16  number of a code point
    alone    (C + 1,) int32      the piece that is this character, -1 = none
    ascii    (256,) uint64       bit 128 a + b: some piece holds the characters a b, below 128, side by side
    pairs    (2**k / 64,) uint64 the same for numbers of characters, by their hash
    nodes    (nodes, 4) int32    trie over numbers of characters, a double array (Aoe 1989): the child of node n for
                                 character c is n's BASE + c if the PARENT there is n; ID -1 = no piece ends here
    scores   (nodes, 4) float32  the same memory: column SCORE is that of the piece
    chars, octets  (nodes,) int32  characters and bytes of text from the root
    weights  (V,) float32        what an id adds to the score of a path; that of a byte counts once a character
    bytes_of (256,) int32        id of each byte, -1 = no byte fallback
    unknown  id of the unknown piece;  unknown_score  float32
    longest  characters of the longest piece;  heaviest  most that a step adds to a score, by amount, float64
    """

    code_of: np.ndarray
    alone: np.ndarray
    ascii: np.ndarray
    pairs: np.ndarray
    nodes: np.ndarray
    scores: np.ndarray
    chars: np.ndarray
    octets: np.ndarray
    weights: np.ndarray
    bytes_of: np.ndarray
    unknown: int
    unknown_score: np.float32
    longest: int
    heaviest: float


class Merges(NamedTuple):
    """Of BPE. A symbol is a character by its number, or a longer piece by a number above them.

    pairs     (2**k,) uint64  two symbols that merge, left << 32 | right, by their hash; 0 = free
    merged    (2**k,) uint64  at the same place: rank << 32 | the symbol that they become. Of two, the lower rank merges
                              first, and of equal ranks the one on the left
    ids       (symbols,) int32  piece of a symbol, -1 = none
    fixed     whether there are user-defined symbols, which no merge touches: they are the trie's pieces
    """

    pairs: np.ndarray
    merged: np.ndarray
    ids: np.ndarray
    fixed: bool


def build(pieces: Pieces) -> tuple[Tables, Merges]:
    """Of a model for which `pieces.why_not` says nothing."""
    mark = SPACE_MARK.encode()
    texts = [text.replace(mark, b" ").decode() if b" " not in text and _in_text(kind) else ""
             for text, kind in zip(pieces.texts, pieces.kinds, strict=True)]  # fmt: skip
    used = [number for number, text in enumerate(texts) if text]
    counts: dict[str, int] = {}
    for number in used:
        for char in texts[number]:
            counts[char] = counts.get(char, 0) + 1
    letters = {char: 1 + rank for rank, char in enumerate(sorted(counts, key=lambda one: (-counts[one], one)))}
    code_of = np.zeros(_CODES, np.uint16)
    alone = np.full(len(letters) + 1, -1, np.int32)
    for char, code in letters.items():
        code_of[ord(char)] = code
    for number in used:
        if len(texts[number]) == 1:
            alone[letters[texts[number]]] = number

    weights, unknown_score = piece_scores(pieces)
    unigram = pieces.model != BPE
    in_trie = [number for number in used if unigram or pieces.kinds[number] == USER_DEFINED]
    nodes, chars = _trie([[letters[char] for char in texts[number]] for number in in_trie], in_trie, len(letters))
    octets = np.zeros(len(nodes), np.int32)
    for node in np.flatnonzero(nodes[:, ID] >= 0):
        number = nodes[node, ID]
        octets[node] = len(texts[number].encode())
        nodes[node, SCORE : SCORE + 1].view(np.float32)[0] = weights[number]
    bytes_of = byte_ids(pieces)
    unknown = int(np.flatnonzero(pieces.kinds == 2)[0])
    heaviest = float(max(np.abs(weights[used]).max(), abs(unknown_score)))
    weights[unknown] = unknown_score
    for byte in range(256 if pieces.byte_fallback else 0):
        weights[bytes_of[byte]] = 0 if 0x80 <= byte < 0xC0 else unknown_score
    tables = Tables(
        code_of=code_of,
        alone=alone,
        ascii=_ascii_pairs([texts[number] for number in used]),
        pairs=_pairs([texts[number] for number in used], letters),
        nodes=nodes,
        scores=nodes.view(np.float32),
        chars=chars,
        octets=octets,
        weights=weights if unigram else np.zeros_like(weights),
        bytes_of=bytes_of,
        unknown=unknown,
        unknown_score=unknown_score if unigram else np.float32(0),
        longest=max(len(texts[number]) for number in used),
        heaviest=heaviest if unigram else 0.0,
    )
    return tables, _merges(pieces, texts, used, letters, alone) if not unigram else _no_merges()


def _in_text(kind: int) -> bool:
    return kind in (NORMAL, USER_DEFINED)


def _ascii_pairs(texts: list[str]) -> np.ndarray:
    bits = np.zeros(256, np.uint64)
    for a, b in {pair for text in texts for pair in pairwise(text)}:
        if a < "\x80" and b < "\x80":
            bits[ord(a) << 1 | ord(b) >> 6] |= np.uint64(1 << (ord(b) & 63))
    return bits


def _pairs(texts: list[str], letters: dict[str, int]) -> np.ndarray:
    found = {(letters[a], letters[b]) for text in texts for a, b in pairwise(text)}
    bits = max(12, (_PAIR_BITS_EACH * len(found)).bit_length())
    table = np.zeros(1 << (bits - 6), np.uint64)
    for a, b in found:
        place = int(pair_place(np.uint64(a), np.uint64(b), np.uint64(64 * table.size - 1)))
        table[place >> 6] |= np.uint64(1 << (place & 63))
    return table


@uncounted
def pair_place(left, right, last):  # type: ignore[no-untyped-def]
    """Bit of a pair of characters, by their numbers, in a table whose last bit is `last`; all uint64."""
    mixed = (left << np.uint64(16) | right) * np.uint64(0x9E3779B97F4A7C15)
    return (mixed >> np.uint64(32)) & last


@uncounted
def merge_place(key, size):  # type: ignore[no-untyped-def]
    """Where the search for a pair of symbols begins in a table of `size` places."""
    mixed = (key ^ (key >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9)
    return np.int64((mixed >> np.uint64(32)) & np.uint64(size - 1))


def _no_merges() -> Merges:
    return Merges(np.zeros(1, np.uint64), np.zeros(1, np.uint64), np.full(1, -1, np.int32), False)


def _merges(pieces: Pieces, texts: list[str], used: list[int], letters: dict[str, int], alone: np.ndarray) -> Merges:
    symbols = dict(letters)
    ids = [int(number) for number in alone]
    for number in used:
        if len(texts[number]) > 1:
            symbols[texts[number]] = len(ids)
            ids.append(number)
    # Scores as the library compares them: as their bits, so that -0 is below 0.
    bits = pieces.scores.view(np.int32)
    order = np.where(bits < 0, bits ^ 0x7FFFFFFF, bits)
    levels = np.unique(order)
    ranks = len(levels) - 1 - np.searchsorted(levels, order)
    found: dict[int, int] = {}
    for number in used:
        text = texts[number]
        for cut in range(1, len(text)):
            left, right = symbols.get(text[:cut]), symbols.get(text[cut:])
            if left is not None and right is not None:
                found[left << 32 | right] = int(ranks[number]) << 32 | symbols[text]
    size = 1 << max(4, (2 * len(found)).bit_length())
    keys, merged = np.zeros(size, np.uint64), np.zeros(size, np.uint64)
    _fill(np.array(list(found), np.uint64), np.array(list(found.values()), np.uint64), keys, merged)
    fixed = bool((pieces.kinds == USER_DEFINED).any())
    return Merges(keys, merged, np.array(ids, np.int32), fixed)


@uncounted
def _fill(found, values, keys, merged):  # type: ignore[no-untyped-def]
    for number in range(found.size):
        place = merge_place(found[number], keys.size)
        while keys[place] != 0:
            place = (place + 1) & (keys.size - 1)
        keys[place] = found[number]
        merged[place] = values[number]


def _trie(words: list[list[int]], numbers: list[int], letters: int) -> tuple[np.ndarray, np.ndarray]:
    """-> nodes, chars. `words` are different; `numbers` are their ids."""
    order = sorted(range(len(words)), key=words.__getitem__)
    ends = np.cumsum([0, *(len(words[i]) for i in order)]).astype(np.int64)
    codes = np.array([code for i in order for code in words[i]], np.int32)
    return _placed(codes, ends, np.array([numbers[i] for i in order], np.int32), letters)


@njit(cache=True, nogil=True)
def _placed(codes, ends, ids, letters):  # type: ignore[no-untyped-def]
    """Nodes are placed level by level, each at the first base where the places of all its children are free."""
    words = ids.size
    room = 2 * (codes.size + letters) + 16
    nodes = np.full((room, 4), -1, np.int32)
    chars = np.zeros(room, np.int32)
    nodes[0] = 0
    nodes[0, ID] = -1
    # Waiting nodes: where each stands, and its words from first to last.
    places = np.zeros(codes.size + 1, np.int64)
    firsts = np.zeros(codes.size + 1, np.int64)
    lasts = np.zeros(codes.size + 1, np.int64)
    lasts[0] = words
    waiting = 1
    free = 1  # no place below is free
    top = letters + 1
    branches = np.zeros(letters + 1, np.int32)
    taken = 0
    while taken < waiting:
        place, word, last = places[taken], firsts[taken], lasts[taken]
        taken += 1
        depth = chars[place]
        if word < last and ends[word + 1] - ends[word] == depth:
            nodes[place, ID] = ids[word]
            word += 1
        nodes[place, BASE] = 0
        if word == last:
            continue
        count = 0
        previous = -1
        for one in range(word, last):
            code = codes[ends[one] + depth]
            if code != previous:
                branches[count] = code
                count += 1
                previous = code
        while nodes[free, PARENT] >= 0:
            free += 1
        slot = max(free, branches[0])
        tries = 0
        while True:
            base = slot - branches[0]
            if base + letters + 1 >= room:
                more = np.full((2 * room + letters, 4), -1, np.int32)
                more[:room] = nodes
                longer = np.zeros(more.shape[0], np.int32)
                longer[:room] = chars
                nodes, chars, room = more, longer, more.shape[0]
            fits = True
            for one in range(count):
                if nodes[base + branches[one], PARENT] >= 0:
                    fits = False
                    break
            if fits:
                break
            tries += 1
            slot = slot + 1 if tries < _TRIES else max(slot + 1, top)
        nodes[place, BASE] = base
        top = max(top, base + letters + 1)
        count = 0
        previous = -1
        for one in range(word, last):
            code = codes[ends[one] + depth]
            if code != previous:
                child = base + code
                nodes[child, PARENT] = place
                chars[child] = depth + 1
                places[waiting] = child
                firsts[waiting] = one
                if count:
                    lasts[waiting - 1] = one
                waiting += 1
                count += 1
                previous = code
        lasts[waiting - 1] = last
    return nodes[: top + 1].copy(), chars[: top + 1].copy()
