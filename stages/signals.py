"""Signals: measures of a document's quality, for `judge` to compare with thresholds. It drops nothing.

reads text    adds the columns of `SIGNALS` below

Counts are int32. Shares and rates are float32, rounded to multiples of 2**-12 so that they carry no noise; a share
whose denominator is 0 is 0. `visible` characters are code points, neither white space nor control or format
characters. `words` are words of scripts that are written with spaces, and single Han and kana characters: a document
is measured in one pass without a segmenter. A `line` has a visible character, is trimmed, and counts each run of white
space as one character.

To add a signal made of counts that exist, add a line to the table. For a new count see `stages/signals_kernel.py`.
"""

from typing import ClassVar, NamedTuple

import numpy as np
import pyarrow as pa

from corpus.stage import Columns, Map
from stages import characters, signals_kernel


class Signal(NamedTuple):
    """One column: `counts[part] * scale / counts[whole]`, or `counts[part]` itself where there is no whole."""

    part: str
    whole: str
    scale: int
    meaning: str
    source: str

    @property
    def type(self) -> pa.DataType:
        return pa.float32() if self.whole else pa.int32()


# Sources, by short name:
#   gopher    Rae et al. 2021, appendix A.1          c4        Raffel et al. 2020, section 2.2
#   fineweb   Penedo et al. 2024, section 3.6        fineweb2  FineWeb2 configuration cmn_Hani
#   map-cc    Du et al. 2024 (Chinese Tiny LLM)      cwt       Chen et al. 2023 (ChineseWebText), section 3
#   rpv2      RedPajama-v2 signal list               codex     Chen et al. 2021, section 3.1
_COUNTED = {
    name: Signal(name, "", 1, meaning, source)
    for name, meaning, source in (
        ("bytes", "UTF-8 bytes", ""),
        ("chars", "code points", "cwt"),
        ("words", "words", "gopher"),
        ("lines", "lines", "rpv2"),
        ("stop_words_en", "how many of: the be to of and that have with", "gopher"),
        ("stop_chars_zh", "how many of: 的是在了和一不有", "fineweb2, with eight characters common to both scripts"),
        ("longest_line_chars", "characters of the longest line", "codex"),
        ("replacement", "characters U+FFFD", ""),
        ("mojibake_zh", "锟斤拷, 烫烫烫, 屯屯屯", ""),
        ("mojibake_latin", "accented letters whose UTF-8 was read as Latin-1, such as Ã©", ""),
    )
}
_SHARES = {
    name: Signal(part, whole, 1, meaning, source)
    for name, part, whole, meaning, source in (
        ("han_share", "han", "visible", "Han characters among visible ones", "cwt"),
        ("han_word_share", "han", "words", "Han characters among words: code and links in a text weigh less", ""),
        ("kana_share", "kana", "visible", "kana among visible characters", ""),
        ("hangul_share", "hangul", "visible", "hangul among visible characters", ""),
        ("latin_share", "latin", "visible", "Latin letters among visible characters", ""),
        ("upper_share", "upper", "latin", "capitals among Latin letters", "rpv2"),
        ("letter_share", "letters", "visible", "letters of any script among visible characters", ""),
        ("digit_share", "digits", "visible", "numbers among visible characters", "map-cc"),
        ("punct_share", "punct", "visible", "punctuation among visible characters", "map-cc"),
        ("symbol_share", "symbols", "visible", "symbols among visible characters", ""),
        ("mean_word_chars", "spaced_word_chars", "spaced_words", "letters, digits, marks per spaced word", "gopher"),
        ("alpha_word_share", "alpha_words", "tokens", "words with a letter, among words and lone marks", "gopher"),
        ("hash_per_word", "hashes", "tokens", "characters # per word or lone mark", "gopher"),
        ("ellipsis_per_word", "ellipses", "tokens", "ellipses per word or lone mark", "gopher"),
        ("stop_word_share_en", "stop_hits_en", "spaced_words", "English stop words among words with spaces", "rpv2"),
        ("stop_char_share_zh", "stop_hits_zh", "han", "Chinese stop characters among Han", ""),
        ("mean_line_chars", "line_chars", "lines", "characters per line", "cwt; codex"),
        ("lines_per_word", "lines", "words", "lines per word", "fineweb"),
        ("line_end_share", "terminated_lines", "lines", "lines that end with a closing mark", "c4; fineweb"),
        ("short_line_share", "short_lines", "lines", "lines under 30 columns; wide characters take two", "fineweb"),
        ("bullet_line_share", "bullet_lines", "lines", "lines that start with a bullet", "gopher"),
        ("ellipsis_line_share", "ellipsis_lines", "lines", "lines that end with an ellipsis", "gopher"),
        ("dup_line_share", "dup_lines", "lines", "lines equal to an earlier one", "gopher"),
        ("dup_line_char_share", "dup_line_chars", "line_chars", "their characters", "gopher"),
        ("dup_ngram_char_share", "dup_ngram_chars", "unit_chars",
         "characters of words in 5 words (10 Han) seen before", "gopher, with one n"),
        ("top_ngram_char_share", "top_ngram_chars", "unit_chars",
         "characters of words in the 2 words (4 Han) that cover most, once or more repeated", "gopher, with one n"),
        ("distinct_char_share", "distinct_chars", "visible", "distinct among visible characters", "map-cc"),
    )
}  # fmt: skip
_RATES = {
    name: Signal(part, "chars", 1000, meaning, source)
    for name, part, meaning, source in (
        ("urls_per_1000", "urls", "`://` per 1000 characters", ""),
        ("braces_per_1000", "braces", "{ and } per 1000 characters", "c4"),
        ("replacement_per_1000", "replacement", "U+FFFD per 1000 characters", ""),
        ("mojibake_per_1000", "mojibake", "both kinds of mojibake per 1000 characters", ""),
    )
}
_ENTROPY = Signal("entropy", "nats", 1, "entropy of visible characters, in nats", "map-cc")

SIGNALS: dict[str, Signal] = {**_COUNTED, **_SHARES, **_RATES, "char_entropy": _ENTROPY}


class Signals(Map, frozen=True, kw_only=True, tag="signals"):
    """No parameters: thresholds belong to `judge`."""

    reads: ClassVar[tuple[str, ...]] = ("text",)
    adds: ClassVar[dict[str, pa.DataType]] = {name: signal.type for name, signal in SIGNALS.items()}

    def load(self, assets: object) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return characters.kinds(), signals_kernel.marks(), signals_kernel.packed_stop_words()

    def apply(self, batch: pa.RecordBatch, model: tuple[np.ndarray, np.ndarray, np.ndarray]) -> Columns:
        text, bounds = characters.utf8(batch.column("text"))
        table = np.zeros((len(bounds) - 1, len(signals_kernel.COUNTS)), np.int64)
        entropy = np.zeros(len(table), np.float64)
        signals_kernel.count(text, bounds, *model, table, entropy)
        counts = dict(zip(signals_kernel.COUNTS, table.T, strict=True))
        counts["mojibake"] = counts["mojibake_zh"] + counts["mojibake_latin"]
        columns: Columns = {}
        for name, signal in SIGNALS.items():
            if signal is _ENTROPY:
                columns[name] = pa.array(rounded(entropy))
            elif signal.whole:
                whole = counts[signal.whole]
                ratio = counts[signal.part] * signal.scale / np.maximum(whole, 1)
                columns[name] = pa.array(rounded(np.where(whole > 0, ratio, 0.0)))
            else:
                columns[name] = pa.array(counts[signal.part].astype(np.int32))
        return columns


def rounded(values: np.ndarray) -> np.ndarray:
    """float64 -> float32, to the nearest multiple of 2**-12, halves to even: exact operations, the same everywhere."""
    return (np.rint(values * 4096) / 4096).astype(np.float32)
