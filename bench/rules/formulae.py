"""The value of every rule of datatrove's filters, by its own functions, of a text whose words are given.

Its filters answer with the first rule that is broken; the values here are those which they compare. What they do
inside a comparison is written out; what is a function there is called (`Peer`), so this module imports nothing of it.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple


class Peer(NamedTuple):
    """Functions and constants of datatrove, by their names there."""

    find_duplicates: Callable[[list[str]], tuple[int, int]]
    find_top_duplicate: Callable[[list[str]], int]
    find_all_duplicate: Callable[[list[str], int], int]
    get_n_grams: Callable[[list[str], int], list[str]]
    paragraphs: Callable[[str], list[str]]  # of the repetition filter: `paragraph_exp.split`
    lines: Callable[[str], list[str]]  # `_line_splitter.split`
    without_citations: Callable[[str], str]
    punctuation: Collection[str]
    stops: tuple[str, ...]
    policies: Sequence[str]
    stop_words: Collection[str]


@dataclass(frozen=True)
class Rule:
    """`name` of its value, whose documents are dropped below `min` or above `max`, beside our column."""

    name: str
    filter: str
    op: str
    threshold: float
    ours: str
    differs: str = ""

    def breaks(self, value: float) -> bool:
        return value < self.threshold if self.op == "min" else value > self.threshold


def values(text: str, words: list[str], sentences: Callable[[int, str], int], peer: Peer) -> dict[str, float]:
    """sentences   of a line by its number among `text.splitlines()` and its text as C4 leaves it

    No text: nothing that is divided by is 0 but what the filters themselves divide by.
    """
    return _gopher(text, words, peer) | _repetition(text, words, peer) | _c4(text, sentences, peer) | _fineweb(
        text, words, peer
    )  # fmt: skip


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def _gopher(text: str, words: list[str], peer: Peer) -> dict[str, float]:
    spoken = [word for word in words if any(char not in peer.punctuation for char in word)]
    lines = text.splitlines()
    bullets = sum(line.lstrip().startswith(("•", "-")) for line in lines)
    ellipses = sum(line.rstrip().endswith(("...", "…")) for line in lines)
    return {
        "words": len(spoken),
        "mean_word": _share(sum(map(len, spoken)), len(spoken)),
        "hash": _share(text.count("#"), len(words)),
        "ellipsis": _share(text.count("...") + text.count("…"), len(words)),
        "bullet_lines": _share(bullets, len(lines)),
        "ellipsis_lines": _share(ellipses, len(lines)),
        "alpha_words": _share(sum(any(char.isalpha() for char in word) for word in words), len(words)),
        "stop_words": len(set(peer.stop_words) & set(words)),
    }


def _repetition(text: str, words: list[str], peer: Peer) -> dict[str, float]:
    found: dict[str, float] = {}
    for name, parts in (("para", peer.paragraphs(text.strip())), ("line", peer.lines(text))):
        times, chars = peer.find_duplicates(parts)
        found[f"dup_{name}"] = _share(times, len(parts))
        found[f"dup_{name}_char"] = _share(chars, len(text))
    for n in (2, 3, 4):
        grams = peer.get_n_grams(words, n)
        found[f"top_{n}"] = _share(peer.find_top_duplicate(grams), len(text)) if grams else 0.0
    for n in range(5, 11):
        found[f"dup_{n}"] = _share(peer.find_all_duplicate(words, n), len(text))
    return found


def _c4(text: str, sentences: Callable[[int, str], int], peer: Peer) -> dict[str, float]:
    """With the rule on the end of lines (`c4`) and without (`c4_any`). A page is dropped for a phrase or brace only in
    a line that the rules before have kept."""
    found = dict.fromkeys(
        [f"{kind}_{value}" for kind in ("c4", "c4_any") for value in ("sentences", "lorem", "brace")], 0
    )
    for number, line in enumerate(text.splitlines()):
        line = line.strip()
        words = line.split()
        if any(len(word) > 1000 for word in words):
            continue
        line = peer.without_citations(line)
        if len(words) < 3:
            continue
        small = line.lower()
        closed = line.endswith((".", "?", "!", '"', "'")) and not line.endswith("...")
        kinds = ("c4", "c4_any") if closed else ("c4_any",)
        kept = "javascript" not in small and not any(phrase in small for phrase in peer.policies)
        for kind in kinds:
            found[f"{kind}_lorem"] += "lorem ipsum" in small
            found[f"{kind}_brace"] += "{" in line and "javascript" not in small
            found[f"{kind}_sentences"] += sentences(number, line) if kept else 0
    third = sorted((len(line) for line in text.split("\n")), reverse=True)[2:3]
    return {**found, "third_line": third[0] if third else 0}


def _fineweb(text: str, words: list[str], peer: Peer) -> dict[str, float]:
    lines = [line for line in text.split("\n") if line.strip()]
    return {
        "line_punct": _share(sum(line.endswith(peer.stops) for line in lines), len(lines)),
        "short_line": _share(sum(len(line) <= 30 for line in lines), len(lines)),
        "char_dup": _share(peer.find_duplicates(lines)[1], len(text.replace("\n", ""))),
        "line_feeds": _share(text.count("\n"), len(words)),
    }


_MARKS = "symbols such as $ + → are words there; seven Han characters are four words here"
_HAN = "equal, but that seven Han characters are four words here"
_JOINED = "equal, but that words are joined without spaces there"
_TRIMMED = "lines are compared word by word here; there white space tells them apart, and blank lines count"
_ONCE = "an n-gram that occurs once counts there"
_BETWEEN = "a line of white space parts paragraphs here; they are compared word by word"
_OF_LINES = "as above; of characters of lines, not of the text"
_CITATIONS = "citations such as [1] are taken off there before the end is looked at"
_AROUND = "white space around a line counts there"
_INITIAL = "…… is one here; in I... the first full stop belongs to the word"
_BLANK = "blank lines count there"
_BRACES = "} counts here, and so does every line; there lines of three words and more that are kept"
ENGLISH = (
    Rule("words", "gopher", "min", 50, "words", _MARKS),
    Rule("words", "gopher", "max", 100_000, "words", _MARKS),
    Rule("mean_word", "gopher", "min", 3, "mean_word_chars", _MARKS),
    Rule("mean_word", "gopher", "max", 10, "mean_word_chars", _MARKS),
    Rule("hash", "gopher", "max", 0.1, "hash_per_word", _HAN),
    Rule("ellipsis", "gopher", "max", 0.1, "ellipsis_per_word", _INITIAL),
    Rule("bullet_lines", "gopher", "max", 0.9, "bullet_line_share", f"*, ·, – are bullets here; {_BLANK}"),
    Rule("ellipsis_lines", "gopher", "max", 0.3, "ellipsis_line_share", _BLANK),
    Rule("alpha_words", "gopher", "min", 0.8, "alpha_word_share", _HAN),
    Rule("stop_words", "gopher", "min", 2, "stop_words_en", "equal"),
    Rule("dup_para", "repetition", "max", 0.3, "dup_paragraph_share", _BETWEEN),
    Rule("dup_para_char", "repetition", "max", 0.2, "dup_paragraph_char_share", _OF_LINES),
    Rule("dup_line", "repetition", "max", 0.3, "dup_line_share", _TRIMMED),
    Rule("dup_line_char", "repetition", "max", 0.2, "dup_line_char_share", _OF_LINES),
    *(Rule(f"top_{n}", "repetition", "max", limit, f"top_{n}gram_char_share", _ONCE)
      for n, limit in ((2, 0.2), (3, 0.18), (4, 0.16))),
    *(Rule(f"dup_{n}", "repetition", "max", round(0.2 - n / 100, 2), f"dup_{n}gram_char_share", _JOINED)
      for n in range(5, 11)),
    Rule("c4_sentences", "c4", "min", 5, "c4_sentences", _CITATIONS),
    Rule("c4_lorem", "c4", "max", 0, "lorem_ipsum", "every line counts here"),
    Rule("c4_brace", "c4", "max", 0, "braces", _BRACES),
    Rule("c4_any_sentences", "c4_any", "min", 5, "c4_any_end_sentences", "equal"),
    Rule("c4_any_lorem", "c4_any", "max", 0, "lorem_ipsum", "every line counts here"),
    Rule("c4_any_brace", "c4_any", "max", 0, "braces", _BRACES),
    Rule("third_line", "c4_paragraph", "min", 200, "third_line_chars", _AROUND),
    Rule("line_punct", "fineweb", "min", 0.12, "line_stop_share", "white space behind the mark hides it there"),
    Rule("short_line", "fineweb", "max", 0.67, "short_line_share", f"{_AROUND}; wide characters count twice here"),
    Rule("char_dup", "fineweb", "max", 0.01, "dup_line_char_share", "as dup_line_char"),
    Rule("line_feeds", "fineweb", "max", 0.3, "line_feeds_per_word", _HAN),
)  # fmt: skip
