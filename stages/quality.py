"""Quality: how likely a text is of each class that a classifier was trained to tell apart.

reads text (string)
adds  quality_<class> (float32)   for each of `classes`: the model's probability in 0..1, rounded to 2**-12

The model is a supervised fastText model as `corpus classifier train` writes it: a mean of vectors of tokens and of runs
of tokens, then a softmax. It sees the tokens of `stages/plain_tokens.py`, of a long text those of `windows` windows of
`window_bytes` bytes each. It measures and drops nothing: a rule of `judge` may compare the column, or keep by chance
where the score is low (`pareto`), as GPT-3 and MT-NLG did.

Probabilities are as good as the examples: the card of a model says how they fare on texts that it has not seen, and on
whole sources. A text without a token is what the line end alone makes of it. Values equal those of the library's
`predict` on the same tokens within 1e-5 before they are rounded; they pass through libm's exponential function, hence
the rounding. Memory is the model, and some kilobytes a task.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np
import pyarrow as pa
from numba import njit

from corpus.errors import InputError
from corpus.stage import Account, Columns, Map
from stages import fasttext_file
from stages.characters import utf8
from stages.fasttext_text import MOST_NGRAM, add_text, most_rows, probabilities
from stages.plain_tokens import room, tables, write_all, write_tokens
from stages.quality_account import accounts

_NAME = re.compile(r"[a-z][a-z0-9_]*\Z")
_STEPS = 4096


class Model(NamedTuple):
    """`labels`: the place of each class among the model's. `numbers`: a `FastText` without its labels."""

    labels: np.ndarray
    numbers: tuple[Any, ...]


class Quality(Map, frozen=True, kw_only=True, tag="quality"):
    """`model`: asset, a fastText classifier of up to `MOST_NGRAM` words an n-gram. `classes`: those of its classes that
    become columns, named `column`, `_` and the class. ValueError where a name is no name of a column, a class is named
    twice, `windows` is below 2 or `window_bytes` below 1; InputError where the model lacks a class."""

    revision: ClassVar[int] = 1
    reads: ClassVar[tuple[str, ...]] = ("text",)

    model: str
    classes: tuple[str, ...] = ("high",)
    column: str = "quality"
    windows: int = 8
    window_bytes: int = 512

    def __post_init__(self) -> None:
        for field, names in (("column", (self.column,)), ("classes", self.classes)):
            for name in names:
                if not _NAME.match(name):
                    raise ValueError(f"{field}: got {name!r}. Expected lower-case letters, digits and underscores")
        if not self.classes or len(set(self.classes)) < len(self.classes):
            raise ValueError(f"classes: got {list(self.classes)}. Expected one name or more, each once")
        for name, least in (("windows", 2), ("window_bytes", 1)):
            if getattr(self, name) < least:
                raise ValueError(f"{name} must be at least {least} (got {getattr(self, name)})")

    @property
    def adds(self) -> dict[str, pa.DataType]:  # type: ignore[override]
        return {f"{self.column}_{name}": pa.float32() for name in self.classes}

    @property
    def assets(self) -> tuple[str, ...]:
        return (self.model,)

    def load(self, assets: Mapping[str, Path]) -> Model:
        found = fasttext_file.load(assets[self.model], MOST_NGRAM)
        for name in self.classes:
            if name not in found.labels:
                raise InputError(
                    f"model `{self.model}` has no class {name!r}. Its classes: {', '.join(sorted(found.labels))}."
                )
        return Model(np.array([found.labels.index(name) for name in self.classes]), tuple(found[1:]))

    def apply(self, batch: pa.RecordBatch, model: Model) -> Columns:
        scores = self.scores(batch["text"], model)
        return {
            name: pa.array((np.rint(scores[:, place] * _STEPS) / _STEPS).astype(np.float32))
            for place, name in enumerate(self.adds)
        }

    def account(self, row: Mapping[str, Any], model: Model) -> list[Account]:
        """The tokens and n-grams that did most for and against each class."""
        text = pa.array([row["text"]], pa.string())
        every = self.scores(text, model._replace(labels=np.arange(len(model.numbers[6]))))[0]
        return accounts(self.tokens(text)[0], self.classes, model.labels, every, model.numbers)

    def scores(self, text: pa.Array, model: Model) -> np.ndarray:
        """Probability of each of `classes` for each text, not rounded: (n, classes) float64."""
        data, bounds = utf8(text)
        out = np.zeros((len(text), len(model.labels)))
        _score(data, bounds, tables(), model.numbers, model.labels, self.windows, self.window_bytes, out)
        return out

    def tokens(self, text: pa.Array) -> list[bytes]:
        """What the model sees of each text: tokens with single spaces between them."""
        data, bounds = utf8(text)
        size = sum(room(n, self.windows, self.window_bytes) for n in np.diff(bounds).tolist())
        out, ends = np.zeros(size, np.uint8), np.zeros(len(text), np.int64)
        write_all(data, bounds, self.windows, self.window_bytes, tables(), out, ends)
        whole = out[: ends[-1] if len(ends) else 0].tobytes()
        return [whole[begin:end].rstrip(b" ") for begin, end in zip([0, *ends[:-1].tolist()], ends.tolist())]


@njit(cache=True, nogil=True)
def _score(data, bounds, tables, model, labels, windows, window_bytes, out):  # type: ignore[no-untyped-def]
    """`out` (n, classes) float64: the probability of the classes at `labels` for each text."""
    rows, output, left, word_ngrams = model[0], model[6], model[7], model[13]
    n_labels = output.shape[0] if left.size == 0 else (left.size + 1) // 2
    longest = 0
    for document in range(bounds.size - 1):
        longest = max(longest, np.int64(bounds[document + 1]) - np.int64(bounds[document]))
    tokens = np.empty(room(longest, windows, window_bytes), np.uint8)
    running = np.zeros(MOST_NGRAM, np.uint64)
    rows_of = np.empty(most_rows(tokens.size, word_ngrams), np.int32)
    total = np.zeros(rows.shape[1], np.float32)
    sums = np.zeros(2 * n_labels, np.float64)
    found = np.zeros(n_labels, np.float64)
    for document in range(bounds.size - 1):
        begin, end = np.int64(bounds[document]), np.int64(bounds[document + 1])
        size = write_tokens(data, begin, end, windows, window_bytes, tables, tokens, 0)
        total[:] = 0
        added = add_text(tokens, 0, size, model, running, rows_of, total)
        probabilities(total, added, model, sums, found)
        for place in range(labels.size):
            out[document, place] = found[labels[place]]
