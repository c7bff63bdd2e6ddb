"""The rules of FineWeb2 for Chinese as datatrove is told them (huggingface/fineweb-2, configs/cmn_Hani.yml)."""

from typing import Any

from bench.rules.formulae import Rule

STOP_WORDS = "的年在月是和日了於·為有被人中为他與後也而由"
TOP = ((2, 0.256), (3, 0.201), (4, 0.171))
DUP = ((5, 0.198), (6, 0.182), (7, 0.167), (8, 0.154), (9, 0.14), (10, 0.127))
_JIEBA = "words of jieba there, 7 characters are 4 words here"
_ONCE = f"{_JIEBA}; an n-gram that occurs once counts there"
_LINES = "lines are compared word by word here; there blank ones count"


def settings() -> dict[str, Any]:
    """Parameters of the filters. Paragraphs, and the length of lines, are not asked."""
    return {
        "dup_line_frac": 0.287, "dup_para_frac": None, "dup_line_char_frac": None, "dup_para_char_frac": None,
        "top_n_grams": TOP, "dup_n_grams": DUP,
        "min_avg_word_length": 1, "max_avg_word_length": 5, "max_non_alpha_words_ratio": 0.735,
        "stop_words": list(STOP_WORDS),
        "line_punct_thr": 0.106, "short_line_thr": 999, "char_duplicates_ratio": 0.1, "new_line_ratio": 0.178,
    }  # fmt: skip


CHINESE = (
    Rule("words", "gopher", "min", 50, "words", _JIEBA),
    Rule("words", "gopher", "max", 100_000, "words", _JIEBA),
    Rule("mean_word", "gopher", "min", 1, "", "not asked here: it depends on jieba alone"),
    Rule("mean_word", "gopher", "max", 5, "", "not asked here: it depends on jieba alone"),
    Rule("hash", "gopher", "max", 0.1, "hash_per_word", _JIEBA),
    Rule("ellipsis", "gopher", "max", 0.1, "ellipsis_per_word", f"…… is one ellipsis here, two there; {_JIEBA}"),
    Rule("bullet_lines", "gopher", "max", 0.9, "bullet_line_share", "*, ·, – are bullets here"),
    Rule("ellipsis_lines", "gopher", "max", 0.3, "ellipsis_line_share", "。。。 is an ellipsis here"),
    Rule("alpha_words", "gopher", "min", 0.735, "alpha_word_share", _JIEBA),
    Rule("stop_words", "gopher", "min", 2, "stop_words_zh", "a character here, a whole word of jieba there"),
    Rule(
        "dup_line",
        "repetition",
        "max",
        0.287,
        "dup_line_share",
        "lines are compared word by word here; there blank ones count",
    ),
    *(
        Rule(
            f"top_{n}",
            "repetition",
            "max",
            limit,
            f"top_{n}gram_char_share",
            f"{_JIEBA}; an n-gram that occurs once counts there",
        )
        for n, limit in TOP
    ),
    *(Rule(f"dup_{n}", "repetition", "max", limit, f"dup_{n}gram_char_share", _JIEBA) for n, limit in DUP),
    Rule("line_punct", "fineweb", "min", 0.106, "line_stop_share", "white space behind the mark hides it there"),
    Rule("char_dup", "fineweb", "max", 0.1, "dup_line_char_share", "of characters in lines"),
    Rule("line_feeds", "fineweb", "max", 0.178, "line_feeds_per_word", _JIEBA),
)
