"""How a tokenizer is to be trained: the table `[tokenizer]` of a dataset manifest. It decides nothing of a build.

    [tokenizer]
    model        = "bpe"             # or "unigram"
    vocab_size   = 32_000
    sample_bytes = 20_000_000        # of text, taken from the sources in the proportions of the mixture
    threads      = 1                 # another number may give another model

What is not here is not for choosing, because text would not come back as it was: no normalisation, no space put in
front or taken away, bytes for what has no piece, every digit a piece of its own.
"""

from typing import Literal

import msgspec

from corpus.errors import RecipeError

LEVEL_1, PUNCTUATION = "gb2312-level-1", "cjk-punctuation"
_REQUIRED = (LEVEL_1, PUNCTUATION)
_CONTROL, _BYTES = 2, 256  # <unk> and the end of a document; a piece for each byte
_MOST_CHARS = 4192 // 4  # SentencePiece leaves out sentences over 4,192 bytes, and says nothing


class Training(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """model           kind of SentencePiece model
    vocab_size       pieces, all told
    sample_bytes     of text learned from; less where there is less
    document_bytes   of a longer document, a window of that size is taken
    sentence_chars   longer lines are cut
    distinct         a sentence counts once, however often it is there
    han_chars        runs of ideographs are shown so many at a time; 0: whole
    required         sets of characters that are pieces whatever the text: gb2312-level-1, cjk-punctuation
    coverage         share of the characters of the sample that become pieces
    symbols          pieces of their own, wherever they stand
    eod, marks       control symbols, which no text becomes: the end of a document, others
    threads          of the trainer
    """

    model: Literal["bpe", "unigram"] = "bpe"
    vocab_size: int = 32_000
    sample_bytes: int = 20_000_000
    document_bytes: int = 1 << 16
    sentence_chars: int = 1000
    distinct: bool = True
    han_chars: int = 0
    required: tuple[str, ...] = (LEVEL_1, PUNCTUATION)
    coverage: float = 0.9995
    symbols: tuple[str, ...] = ("\n", "\t")
    eod: str = "<eod>"
    marks: tuple[str, ...] = ()
    threads: int = 1

    def __post_init__(self) -> None:
        for name in ("sample_bytes", "document_bytes", "sentence_chars", "threads"):
            if getattr(self, name) < 1:
                raise RecipeError(f".{name}: got {getattr(self, name)}. Expected 1 or more.")
        if self.sentence_chars > _MOST_CHARS:
            raise RecipeError(f".sentence_chars: got {self.sentence_chars}. Expected {_MOST_CHARS} at most.")
        least = _CONTROL + _BYTES + len(self.symbols) + len(self.marks)
        if self.vocab_size <= least:
            raise RecipeError(
                f".vocab_size: got {self.vocab_size}. Expected more than {least}, which it takes at least."
            )
        if self.han_chars < 0:
            raise RecipeError(
                f".han_chars: got {self.han_chars}. Expected 0 for whole runs, or a number of characters."
            )
        if not 0.9 <= self.coverage <= 1:
            raise RecipeError(f".coverage: got {self.coverage}. Expected a share from 0.9 to 1.")
        for name in self.required:
            if name not in _REQUIRED:
                raise RecipeError(f".required: got {name!r}. Valid names: {', '.join(_REQUIRED)}.")
        if not self.eod or len({self.eod, *self.marks, *self.symbols}) != 1 + len(self.marks) + len(self.symbols):
            raise RecipeError(f".eod: got {self.eod!r}, with marks {list(self.marks)!r}. Expected names that differ.")
