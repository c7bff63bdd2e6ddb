"""Signals: measures of a document's quality, for `judge` to compare with thresholds. It drops nothing.

reads text    adds the columns of `SIGNALS` below

Counts are int32. Shares and rates are float32, rounded to multiples of 2**-12 so that they carry no noise; a share
whose denominator is 0 is 0. `visible` characters are code points, neither white space nor control or format
characters. What a word, mark and sentence is says `stages/signals_kernel.py`; a line has a visible character and
reaches from the first to the last of them (`stages/line_counts.py`).

Scripts without spaces have no words to count without a dictionary, and a dictionary costs what a hundred of these
measures cost. Seven Han or kana characters count as four words: 1.75 characters each, the middle of what jieba makes
of sixteen sets of Chinese text (1.6 in dialogues to 2.1 in statutes). So thresholds on words, n-grams of words and
lines per word mean the same in both scripts.

To add a signal made of counts that exist, add a line to the table. For a new count see `stages/signal_counts.py`.
"""

import math
from functools import cache
from typing import ClassVar, NamedTuple

import numpy as np
import pyarrow as pa

from corpus.stage import Columns, Map
from stages import characters, han_pairs, known_words, line_counts, signals_kernel
from stages.repetition import CHARACTER_WEIGHT, WORD_WEIGHT
from stages.signal_counts import COUNTS


class Signal(NamedTuple):
    """One column: `counts[part] * scale / counts[whole]`, or `counts[part]` itself where there is no whole."""

    part: str
    whole: str
    scale: int
    meaning: str
    source: str


# Sources, by short name:
#   gopher      Rae et al. 2021, appendix A.1         c4         Raffel et al. 2020, section 2.2, and its code
#   mc4         Xue et al. 2021, section 3.1          refinedweb Penedo et al. 2023, G.2
#   fineweb     Penedo et al. 2024, section 3.6       fineweb2   FineWeb2 configuration cmn_Hani
#   map-cc      Du et al. 2024 (Chinese Tiny LLM)     cwt        Chen et al. 2023 (ChineseWebText), section 3
#   rpv2        RedPajama-v2 signal list              codex      Chen et al. 2021, section 3.1
_COUNTED = {
    name: Signal(name, "", 1, meaning, source)
    for name, meaning, source in (
        ("bytes", "UTF-8 bytes", ""),
        ("chars", "code points", "cwt; rpv2 ccnet_length"),
        ("words", "words; of scripts without spaces 4 for 7 characters", "gopher; rpv2 word_count"),
        ("words_and_marks", "words and marks", "gopher, as datatrove counts"),
        ("lines", "lines", "rpv2 ccnet_nlines"),
        ("paragraphs", "groups of lines between empty lines", "gopher"),
        ("sentences", "sentences; each line has one at least", "rpv2 num_sentences"),
        ("c4_sentences", "sentences in lines that C4's rules for lines keep", "c4"),
        ("c4_any_end_sentences", "the same without the rule on how lines end", "fineweb's use of c4"),
        ("stop_words_en", "how many of: the be to of and that have with", "gopher"),
        ("stop_words_zh", "how many of 22 stop characters, simplified or traditional", "fineweb2"),
        ("longest_line_chars", "characters of the longest line", "codex"),
        ("third_line_chars", "characters of the third longest line", "mc4"),
        ("longest_word_chars", "characters of the longest run without white space, Han and kana", "c4"),
        ("lorem_ipsum", "the phrase lorem ipsum", "c4; rpv2 lorem_ipsum"),
        ("braces", "{ and }", "c4; rpv2 curly_bracket"),
        ("replacement", "characters U+FFFD", ""),
        ("mojibake_zh", "锟斤拷, 烫烫烫, 屯屯屯", ""),
        ("mojibake_latin", "accented letters whose UTF-8 was read as Latin-1, such as Ã©", ""),
    )
}
_SHARES = {
    name: Signal(part, whole, 1, meaning, source)
    for name, part, whole, meaning, source in (
        ("han_share", "han", "visible", "Han characters among visible ones", "cwt"),
        ("han_word_share", "han", "units", "Han among words, each character as one: code and links weigh less", ""),
        ("kana_share", "kana", "visible", "kana among visible characters", ""),
        ("hangul_share", "hangul", "visible", "hangul among visible characters", ""),
        ("latin_share", "latin", "visible", "Latin letters among visible characters", ""),
        ("upper_share", "upper", "latin", "capitals among Latin letters", "rpv2"),
        ("letter_share", "letters", "visible", "letters of any script among visible characters", "codex"),
        ("digit_share", "digits", "visible", "numbers among visible characters", "map-cc"),
        ("punct_share", "punct", "visible", "punctuation among visible characters", "map-cc"),
        ("symbol_share", "symbols", "visible", "symbols among visible characters", ""),
        ("mean_word_chars", "spaced_word_chars", "spaced_words", "characters per word of scripts with spaces",
         "gopher; rpv2 mean_word_length"),
        ("alpha_word_share", "alpha_weight", "token_weight", "words with a letter among words and marks",
         "gopher; rpv2 frac_no_alph_words"),
        ("hash_per_word", "hash_weight", "token_weight", "characters # per word or mark",
         "gopher; rpv2 symbol_to_word_ratio"),
        ("ellipsis_per_word", "ellipsis_weight", "token_weight", "ellipses per word or mark",
         "gopher; rpv2 symbol_to_word_ratio"),
        ("caps_word_share", "caps_words", "spaced_words", "words in capitals", "rpv2 frac_all_caps_words"),
        ("unique_word_share", "unique_words", "measured_words", "distinct words among words with spaces",
         "rpv2 frac_unique_words"),
        ("stop_word_share_en", "stop_hits_en", "spaced_words", "English stop words among words with spaces",
         "rpv2 stop_word_fraction"),
        ("stop_char_share_zh", "stop_hits_zh", "han", "Chinese stop characters among Han", "fineweb2"),
        ("mean_line_chars", "line_chars", "lines", "characters per line", "cwt; codex"),
        ("lines_per_word", "line_weight", "word_weight", "lines per word", ""),
        ("line_feeds_per_word", "feed_weight", "token_weight", "line feeds per word or mark", "fineweb"),
        ("line_stop_share", "stopped_lines", "lines", "lines that end with a full stop, ? or !", "fineweb; rpv2"),
        ("line_end_share", "ended_lines", "lines", "or with a closing quotation mark, bracket, colon, ellipsis",
         "c4, with Chinese marks"),
        ("short_line_share", "short_lines", "lines", "lines of 30 columns or fewer; wide characters take two",
         "fineweb"),
        ("bullet_line_share", "bullet_lines", "lines", "lines that start with a bullet", "gopher; rpv2"),
        ("ellipsis_line_share", "ellipsis_lines", "lines", "lines that end with an ellipsis", "gopher; rpv2"),
        ("readmore_line_share", "readmore_lines", "lines", "lines that end with: read more, 更多, 展开", "map-cc"),
        ("javascript_line_share", "javascript_lines", "lines", "lines with the word javascript", "c4; rpv2"),
        ("policy_line_share", "policy_lines", "lines", "lines about cookies, privacy policies, terms of use", "c4"),
        ("refinedweb_word_share", "refinedweb_words", "line_words", "words in lines that its corrections remove",
         "refinedweb"),
        ("dup_line_share", "dup_lines", "lines", "lines equal to an earlier one", "gopher"),
        ("dup_line_char_share", "dup_line_chars", "line_chars", "their characters", "gopher; fineweb"),
        ("dup_paragraph_share", "dup_paragraphs", "paragraphs", "paragraphs equal to an earlier one", "gopher"),
        ("dup_paragraph_char_share", "dup_paragraph_chars", "line_chars", "their characters", "gopher"),
        *((f"top_{n}gram_char_share", f"top_{n}gram_chars", "chars", f"characters of the commonest {n} words",
           f"gopher; rpv2 frac_chars_top_{n}gram") for n in (2, 3, 4)),
        *((f"dup_{n}gram_char_share", f"dup_{n}gram_chars", "chars", f"characters of {n} words met before",
           f"gopher; rpv2 frac_chars_dupe_{n}grams") for n in (5, 6, 7, 8, 9, 10)),
        ("repeat_8gram_share", "repeated_8grams", "windows_8gram",
         "runs of 8 words (14 Han) that occur twice or more", "cwt, of 13 characters there"),
        ("distinct_char_share", "distinct_chars", "visible", "distinct among visible characters", "map-cc"),
        ("known_pair_share", "known_pairs", "ranked_pairs", "neighbours in a word, of neighbours that are Han", ""),
        ("bracketed_share", "bracketed", "chars", "characters between 【 and 】", "map-cc"),
    )
}  # fmt: skip
_RATES = {
    name: Signal(part, "chars", 1000, meaning, source)
    for name, part, meaning, source in (
        ("long_numbers_per_1000", "long_numbers", "numbers of 7 to 12 digits per 1000 characters: telephones", ""),
        ("urls_per_1000", "urls", "`://` per 1000 characters", ""),
        ("braces_per_1000", "braces", "{ and } per 1000 characters", ""),
        ("replacement_per_1000", "replacement", "U+FFFD per 1000 characters", ""),
        ("mojibake_per_1000", "mojibake", "both kinds of mojibake per 1000 characters", ""),
    )
}
_ENTROPY = {
    "char_entropy": Signal("char_nats", "", 1, "entropy of visible characters, in nats", "map-cc"),
    "unigram_entropy": Signal("word_nats", "", 1, "entropy of words with spaces, in nats", "rpv2 unigram_entropy"),
}

SIGNALS: dict[str, Signal] = {**_COUNTED, **_SHARES, **_RATES, **_ENTROPY}
TYPES: dict[str, pa.DataType] = {
    name: pa.float32() if signal.whole or name in _ENTROPY else pa.int32() for name, signal in SIGNALS.items()
}

_LOGS = 1 << 14


@cache
def _logs() -> np.ndarray:
    """(16384,) float64: n ln n."""
    return np.array([n * math.log(n) if n else 0.0 for n in range(_LOGS)])


def counted(text: np.ndarray, bounds: np.ndarray) -> dict[str, np.ndarray]:
    """All counts of each document, by name: (n,) int64, and float64 for the entropies `char_nats` and `word_nats`.

    text, bounds   as `stages.characters.utf8` gives them
    """
    n = len(bounds) - 1
    table = np.zeros((n, len(COUNTS)), np.int64)
    nats = np.zeros((2, n), np.float64)
    tables = (characters.kinds(), line_counts.marks(), known_words.table(), han_pairs.table(), _logs())
    signals_kernel.count(text, bounds, *tables, table, *nats)
    counts = dict(zip(COUNTS, table.T, strict=True))
    counts["char_nats"], counts["word_nats"] = nats
    counts["mojibake"] = counts["mojibake_zh"] + counts["mojibake_latin"]
    ideographs = counts["han"] + counts["kana"]
    counts["units"] = counts["spaced_words"] + ideographs
    counts["word_weight"] = WORD_WEIGHT * counts["spaced_words"] + CHARACTER_WEIGHT * ideographs
    counts["token_weight"] = counts["word_weight"] + WORD_WEIGHT * counts["marks"]
    counts["alpha_weight"] = WORD_WEIGHT * counts["alpha_spaced_words"] + CHARACTER_WEIGHT * ideographs
    counts["words"] = counts["word_weight"] // WORD_WEIGHT
    counts["words_and_marks"] = counts["token_weight"] // WORD_WEIGHT
    for name, part in (("hash", "hashes"), ("ellipsis", "ellipses"), ("line", "lines"), ("feed", "line_feeds")):
        counts[f"{name}_weight"] = WORD_WEIGHT * counts[part]
    return counts


class Signals(Map, frozen=True, kw_only=True, tag="signals"):
    """No parameters: thresholds belong to `judge`."""

    revision: ClassVar[int] = 3
    reads: ClassVar[tuple[str, ...]] = ("text",)
    adds: ClassVar[dict[str, pa.DataType]] = TYPES

    def apply(self, batch: pa.RecordBatch, model: None) -> Columns:
        counts = counted(*characters.utf8(batch.column("text")))
        columns: Columns = {}
        for name, signal in SIGNALS.items():
            part = counts[signal.part]
            if signal.whole:
                whole = counts[signal.whole]
                columns[name] = pa.array(rounded(np.where(whole > 0, part * signal.scale / np.maximum(whole, 1), 0.0)))
            elif TYPES[name] == pa.float32():
                columns[name] = pa.array(rounded(part))
            else:
                columns[name] = pa.array(part.astype(np.int32))
        return columns


def rounded(values: np.ndarray) -> np.ndarray:
    """float64 -> float32, to the nearest multiple of 2**-12, halves to even: exact operations, the same everywhere."""
    return (np.rint(values * 4096) / 4096).astype(np.float32)
