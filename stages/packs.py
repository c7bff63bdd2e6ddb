"""Rule packs: thresholds on signals, each with the source of its value. Data, no code.

A rule is named `min_<signal>` or `max_<signal>`; a document breaks it where its value is below or above the threshold.
Rules of a pack are tried in order and the first one broken is the reason for the drop.

Published rules count characters, repetition and lines in slightly different ways (see `stages/signals.py` for ours), so
a threshold is taken over where the definitions are close and is wider where ours counts more.
"""

from typing import Literal

import msgspec


class Rule(msgspec.Struct, frozen=True):
    """A document is dropped where `signal` is below (`min`) or above (`max`) `threshold`."""

    op: Literal["min", "max"]
    signal: str
    threshold: float
    source: str

    @property
    def name(self) -> str:
        return f"{self.op}_{self.signal}"


class Pack(msgspec.Struct, frozen=True):
    """`languages` whose documents it judges; none = all."""

    languages: tuple[str, ...]
    rules: tuple[Rule, ...]


_GOPHER = "Rae et al. 2021, A.1"
_FINEWEB = "Penedo et al. 2024, 3.6"
_CODEX = "Chen et al. 2021, 3.1"
_OWN = "this project: damage, not style"

_UNDAMAGED = (
    Rule("max", "replacement_per_1000", 5.0, _OWN),
    Rule("max", "mojibake_per_1000", 5.0, _OWN),
)

# English prose, as Gopher, C4 and FineWeb judge it.
_EN = Pack(
    ("en",),
    (
        *_UNDAMAGED,
        Rule("min", "words", 50, _GOPHER),
        Rule("min", "mean_word_chars", 3.0, _GOPHER),
        Rule("max", "mean_word_chars", 10.0, _GOPHER),
        Rule("max", "hash_per_word", 0.1, _GOPHER),
        Rule("max", "ellipsis_per_word", 0.1, _GOPHER),
        Rule("max", "bullet_line_share", 0.9, _GOPHER),
        Rule("max", "ellipsis_line_share", 0.3, _GOPHER),
        Rule("min", "alpha_word_share", 0.7, f"{_GOPHER} (0.8 there: rejects text whose punctuation stands apart)"),
        Rule("min", "stop_words_en", 2, _GOPHER),
        Rule("max", "dup_line_share", 0.5, f"{_GOPHER} (0.3 there: rejects TeX and debates for lines like $$ or <P>)"),
        Rule("max", "dup_line_char_share", 0.2, _GOPHER),
        Rule("max", "top_ngram_char_share", 0.2, f"{_GOPHER}, n = 2"),
        Rule("max", "dup_ngram_char_share", 0.3, f"{_GOPHER}, n = 5 (0.15 there, without overlaps)"),
        Rule("max", "lines_per_word", 0.3, "FineWeb code: line feeds per word"),
        Rule("min", "line_end_share", 0.12, _FINEWEB),
    ),
)

# Chinese. A statute repeats formulas, a poem has twenty characters, a review ends in dots, classical prose has none of
# the modern stop characters: this first set asks only for what all of them have.
_ZH = Pack(
    ("zh", "yue", "wuu"),
    (
        *_UNDAMAGED,
        Rule("min", "chars", 10, "Yuan 1.0, preprocess_data_cn.py"),
        Rule("min", "han_word_share", 0.3, "ChineseWebText, preprocess.py (of all characters there)"),
        Rule("max", "digit_share", 0.3, "Chinese Tiny LLM, filter.py"),
        Rule("max", "hash_per_word", 0.1, _GOPHER),
        Rule("max", "bullet_line_share", 0.9, _GOPHER),
        Rule("min", "char_entropy", 1.5, "Chinese Tiny LLM, filter.py (3 there: rejects every poem of 20 characters)"),
        Rule("max", "dup_line_share", 0.4, "FineWeb2 cmn_Hani (0.287: rejects texts with code blocks)"),
        Rule("max", "dup_line_char_share", 0.3, f"{_GOPHER} (0.2)"),
        Rule("max", "top_ngram_char_share", 0.35, "FineWeb2 cmn_Hani (0.256 for 2 words: rejects short verse)"),
        Rule("max", "dup_ngram_char_share", 0.6, "Chinese Tiny LLM, filter.py"),
        Rule("max", "urls_per_1000", 20.0, "this project: lists of links"),
    ),
)

# Source code: prose rules make no sense, generated and packed files do harm.
_CODE = Pack(
    (),
    (
        *_UNDAMAGED,
        Rule("max", "mean_line_chars", 100.0, _CODEX),
        Rule("max", "longest_line_chars", 1000, _CODEX),
        Rule("min", "letter_share", 0.25, f"{_CODEX} (a small share of alphanumeric characters)"),
    ),
)

# Spam, in every language: for chains that hold the stage `spam`, whose columns these are.
_SPAM = Pack(
    (),
    (
        Rule("max", "spam_score", 0.4, "this project: bench spam"),
        Rule("max", "spam_url", 150, "this project: two terms in host and path"),
        Rule("max", "spam_host", 0, "the lists that the stage `spam` was given"),
    ),
)

# Web pages, in every language: for chains that hold the stage `extract`.
_PAGES = Pack((), (Rule("max", "undecodable", 0, _OWN), Rule("min", "blocks_kept", 1, "this project: menus alone")))

# Nothing, for every language: a base for a manifest's own rules.
_NONE = Pack((), ())

PACKS: dict[str, Pack] = {"en": _EN, "zh": _ZH, "code": _CODE, "spam": _SPAM, "pages": _PAGES, "none": _NONE}
