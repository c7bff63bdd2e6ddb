"""datatrove's formulae with the differences that the page names taken out, on our units: what is left must be 0.

A rule that is not here has no difference of formula. Seven Han or kana characters count as four words, but as n-grams
they are taken one by one here, so texts with such characters may differ in `top_n`.
"""

import re
from collections import Counter
from typing import NamedTuple

from bench.rules import units
from stages.characters import HAN, HANGUL, KANA, WIDE_PUNCT
from stages.line_counts import BULLETS, STOPPING

_WIDE = (HAN, KANA, HANGUL, WIDE_PUNCT)


class _Line(NamedTuple):
    text: str  # from the first to the last visible character
    words: tuple[str, ...]


def values(text: str, words: list[str]) -> dict[str, float]:
    """By the names of `bench.rules.formulae`."""
    parts: list[list[_Line]] = [[]]
    shown = [_trimmed(line) for line in text.split("\n")]
    for line, cut in zip(shown, units.words(shown), strict=True):
        if line:
            parts[-1].append(_Line(line, tuple(cut)))
        elif parts[-1]:
            parts.append([])
    paragraphs = [part for part in parts if part]
    lines = [line for part in paragraphs for line in part]
    ideographs = [word for word in words if units.kind(ord(word[0])) in (HAN, KANA)]
    spoken = [word for word in words if any(map(str.isalnum, word)) and units.kind(ord(word[0])) not in (HAN, KANA)]
    chars = sum(len(line.text) for line in lines)
    found = {
        "words": len(spoken) + 4 * len(ideographs) // 7,
        "mean_word": _share(sum(map(len, spoken)), len(spoken)),
        "ellipsis": _share(_ellipses(text, words), len(words)),
        "bullet_lines": _share(sum(line.text[0] in BULLETS for line in lines), len(lines)),
        "ellipsis_lines": _share(sum(line.text.endswith(("...", "…")) for line in lines), len(lines)),
        "line_punct": _share(sum(line.text[-1] in STOPPING for line in lines), len(lines)),
        "short_line": _share(sum(_columns(line.text) <= 30 for line in lines), len(lines)),
        "third_line": ([0, 0, 0, *sorted(len(line.text) for line in lines)])[-3],
        "c4_brace": text.count("{") + text.count("}"),
    }
    found["c4_any_brace"] = found["c4_brace"]
    again = _repeated([line.words for line in lines])
    found["dup_line"] = _share(len(again), len(lines))
    found["dup_line_char"] = found["char_dup"] = _share(sum(len(lines[at].text) for at in again), chars)
    again = _repeated([tuple(word for line in part for word in line.words) for part in paragraphs])
    found["dup_para"] = _share(len(again), len(paragraphs))
    found["dup_para_char"] = _share(sum(len(line.text) for at in again for line in paragraphs[at]), chars)
    for n in (2, 3, 4):
        grams = Counter(" ".join(words[at : at + n]) for at in range(len(words) - n + 1))
        gram, times = grams.most_common(1)[0] if grams else ("", 0)
        found[f"top_{n}"] = _share(len(gram) * times, len(text)) if times > 1 else 0.0
    return found


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def _unseen(char: str) -> bool:
    return units.kind(ord(char)) in units.UNSEEN


def _trimmed(line: str) -> str:
    first, last = 0, len(line)
    while first < last and _unseen(line[first]):
        first += 1
    while last > first and _unseen(line[last - 1]):
        last -= 1
    return line[first:last]


def _columns(line: str) -> int:
    return len(line) + sum(units.kind(ord(char)) in _WIDE for char in line)


def _ellipses(text: str, words: list[str]) -> int:
    """Of whole marks: the first full stop of `I...` belongs to the word."""
    dots = sum(len(word) // 3 for word in words if not word.strip("."))
    return dots + len(re.findall("…+", text))


def _repeated(parts: list[tuple[str, ...]]) -> list[int]:
    """Which of the parts equal an earlier one."""
    met: set[tuple[str, ...]] = set()
    again = []
    for at, part in enumerate(parts):
        if part in met:
            again.append(at)
        met.add(part)
    return again
