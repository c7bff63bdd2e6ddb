"""Text in GBK that was read as Big5, and the reverse.

Both sets write a Han character as two bytes, so each wrong character is one right character, and encoding again always
succeeds: the exact test says little, and plausibility must decide. Judged are runs of characters that are not ASCII, by
what their characters cost in Chinese (`charset_letters.py`, in bits): right text costs 9 to 10 a character in either
script, what the wrong set shows 15 and more. Greek, Cyrillic and kana cost as much and are right: what stands there
must hold Han characters, more of them than hiragana.
"""

import re
from functools import cache

import numpy as np

from stages.byte_pairs import HAN, SIGN, characters, pairs, traits
from stages.charset_letters import languages

_RUN = re.compile("[^\x00-\x7f\ufffd]+")
_SIGN_BITS = 7
_OTHER_BITS = 20  # whatever Chinese text hardly has
_READ_BITS = 12.5  # a character of right text, at most: classical verse costs 12
GAIN_BITS = 3  # what the right reading saves a character, at least
GAIN_ALL_BITS = 30  # and together
_MOST = 0.9  # of the characters in runs that gain: then the rest is read again with them
_MIN_DISTINCT = 4  # different characters: one that is repeated says no more than once


def repaired(text: str, wrong: str, right: str) -> tuple[str, int]:
    """-> (text with its runs of `right` that were read as `wrong` read again, how many). Each is a codec of
    `byte_pairs.pairs`. All runs of the text are judged together, then those of each line, then each for itself, and
    where they pass those are read again that gain by it, or all where nearly all do."""
    codes = np.frombuffer(text.encode("utf-32-le"), np.uint32)
    again, possible = _read(codes, wrong, right)
    gains = costs()[np.minimum(codes, 0xFFFF)].astype(np.int64) - costs()[again]
    total = np.concatenate(([0], np.cumsum(gains)))
    spans = [found.span() for found in _RUN.finditer(text)]
    ends = np.flatnonzero(codes == 0x0A)
    lines = np.searchsorted(ends, [start for start, _ in spans]).tolist()
    chosen: set[tuple[int, int]] = set()
    by_line: dict[int, list[tuple[int, int]]] = {}
    for span, line in zip(spans, lines, strict=True):
        by_line.setdefault(line, []).append(span)
    for groups in ([spans], by_line.values(), [[span] for span in spans]):
        for group in groups:
            left = [span for span in group if span not in chosen]
            if sum(int(total[end] - total[start]) for start, end in left) < GAIN_ALL_BITS:
                continue
            where = np.concatenate([np.arange(*span) for span in left])
            if possible[where].all() and _better(codes[where], again[where], gains[where]):
                better = [span for span in left if total[span[1]] > total[span[0]]]
                most = sum(end - start for start, end in better) >= _MOST * len(where)
                chosen.update(left if most else better)
    parts, at = [], 0
    for start, end in sorted(chosen):
        parts += [text[at:start], again[start:end].astype("<u4").tobytes().decode("utf-32-le")]
        at = end
    return "".join((*parts, text[at:])), len(chosen)


def _read(codes: np.ndarray, wrong: str, right: str) -> tuple[np.ndarray, np.ndarray]:
    """-> what each character is when read again (0 for none), and whether there is one."""
    pair = np.where(codes < 0x10000, pairs(wrong)[np.minimum(codes, 0xFFFF)], 0)
    back = characters(right)[pair]
    return back, back > 0


def _better(wrong: np.ndarray, right: np.ndarray, gains: np.ndarray) -> bool:
    private = (wrong >= 0xE000) & (wrong < 0xF900)  # where GB18030 puts pairs that GBK leaves free
    han = np.count_nonzero((traits()[np.minimum(wrong, 0xFFFF)] & HAN != 0) | private)
    hiragana = np.count_nonzero((wrong >= 0x3041) & (wrong < 0x30A0))
    if 4 * han < len(wrong) or hiragana > han or len(np.unique(wrong)) < _MIN_DISTINCT:
        return False
    gain = int(gains.sum())
    cheap = int(costs()[right].sum()) <= _READ_BITS * len(right)
    return cheap and gain >= max(GAIN_ALL_BITS, GAIN_BITS * len(right))


@cache
def costs() -> np.ndarray:
    """What each character of the basic plane costs in Chinese: (65536,) uint8."""
    bits = np.full(0x10000, _OTHER_BITS, np.uint8)
    bits[traits() & SIGN != 0] = _SIGN_BITS
    for char, cost in languages()["zh"].alone.items():
        bits[ord(char)] = min(cost, _OTHER_BITS)
    return bits


def bits_of(text: str) -> int:
    """What `text` costs in Chinese."""
    return sum(int(costs()[min(ord(char), 0xFFFF)]) for char in text)
