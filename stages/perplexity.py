"""Perplexity: how surprising the words of a text are to an n-gram model of good text.

reads text (string)
adds  perplexity (float32)        2 to the power of 3 C / B, C bits for its words and characters of B bytes: that of a
                                  Han character, or of three Latin letters. 0 where it has none
      perplexity_worst (float32)  the same of its worst run of `run_bytes` of these bytes; that of the whole where the
                                  text has less than one and a half of them

It measures and drops nothing. The model is one that `corpus perplexity train` writes: n-grams of the tokens that
`stages/plain_tokens.py` makes, with probabilities by modified Kneser-Ney smoothing (`corpus/kneser_ney.py`). All
tokens are context. Counted are words and characters beyond ASCII, by their bytes. Digits, line ends and marks of ASCII
are not: they are cheap, and would make lists of links look like good text. A word of a language that the model does not
know costs as any unknown one, about 20 bits: ask it of languages that it has learned.

Of a text of more than `windows` * `window_bytes` bytes only so many windows are read, evenly spread; each begins
without context. Exponents are rounded to 2**-12; sums are of whole numbers and powers are looked up, so the columns are
the same on every machine. Memory is the model, mapped and shared between processes, and some kilobytes a task.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa

from corpus import ngram_file
from corpus.errors import InputError
from corpus.logarithms import power_of_two
from corpus.ngram_file import Ngrams
from corpus.stage import Columns, Map
from stages.characters import utf8
from stages.perplexity_kernel import (
    ALL_COST,
    BYTES,
    COLUMNS,
    COST,
    UNITS,
    UNKNOWN,
    WORST_BYTES,
    WORST_COST,
    score,
    write_samples,
    write_units,
)
from stages.plain_tokens import tables

PERPLEXITY_SIGNALS: dict[str, pa.DataType] = {"perplexity": pa.float32(), "perplexity_worst": pa.float32()}
_STEPS = 4096
_HAN_BYTES = 3
_EDGE_BYTES = 72  # that a window may be longer than it is asked to be


class Perplexity(Map, frozen=True, kw_only=True, tag="perplexity"):
    """`model`: asset, what `corpus perplexity train` wrote. ValueError where `windows` is below 2, or `window_bytes` or
    `run_bytes` below 1; InputError where the model is of other units."""

    revision: ClassVar[int] = 1
    reads: ClassVar[tuple[str, ...]] = ("text",)
    adds: ClassVar[dict[str, pa.DataType]] = PERPLEXITY_SIGNALS
    made_of: ClassVar[dict[str, int]] = {"plain_tokens": 1}  # another number where `plain_tokens.py` makes other tokens

    model: str
    windows: int = 8
    window_bytes: int = 512
    run_bytes: int = 384

    def __post_init__(self) -> None:
        for name, least in (("windows", 2), ("window_bytes", 1), ("run_bytes", 1)):
            if getattr(self, name) < least:
                raise ValueError(f"{name} must be at least {least} (got {getattr(self, name)})")

    @property
    def assets(self) -> tuple[str, ...]:
        return (self.model,)

    def load(self, assets: Mapping[str, Path]) -> Ngrams:
        header, ngrams = ngram_file.load(assets[self.model])
        if header.units != self.made_of:
            raise InputError(
                f"model `{self.model}` is of units {header.units}. Expected {self.made_of}: train it anew with "
                "`corpus perplexity train`."
            )
        return ngrams

    def apply(self, batch: pa.RecordBatch, model: Any) -> Columns:
        sums = self.sums(batch["text"], model)
        return {
            "perplexity": pa.array(perplexity(sums[:, COST], sums[:, BYTES])),
            "perplexity_worst": pa.array(perplexity(sums[:, WORST_COST], sums[:, WORST_BYTES])),
        }

    def sums(self, text: pa.Array, model: Ngrams) -> np.ndarray:
        """Of each text the sums that `perplexity_kernel.py` names: (n, COLUMNS) int64."""
        data, bounds = utf8(text)
        out = np.zeros((len(text), COLUMNS), np.int64)
        score(data, bounds, tables(), model, self.windows, self.window_bytes, self.run_bytes, out)
        return out

    def measure(self, text: pa.Array, model: Ngrams) -> dict[str, np.ndarray]:
        """Of each text `perplexity`, and of all its units (int64) `units`, `all_cost` in steps, and `unknown`."""
        sums = self.sums(text, model)
        named = {"units": UNITS, "all_cost": ALL_COST, "unknown": UNKNOWN}
        return {"perplexity": perplexity(sums[:, COST], sums[:, BYTES])} | {k: sums[:, v] for k, v in named.items()}

    def samples(self, text: pa.Array) -> list[bytes]:
        """Of each text what is read of it, its windows as paragraphs."""
        data, bounds = utf8(text)
        sizes = np.minimum(np.diff(bounds).astype(np.int64), self.windows * (self.window_bytes + _EDGE_BYTES))
        out, ends = np.empty(int(sizes.sum()) + self.windows * len(text), np.uint8), np.zeros(len(text), np.int64)
        write_samples(data, bounds, self.windows, self.window_bytes, out, ends)
        whole = out[: ends[-1] if len(ends) else 0].tobytes()
        return [whole[begin:end].strip() for begin, end in zip([0, *ends[:-1].tolist()], ends.tolist(), strict=True)]

    def units(self, text: pa.Array) -> np.ndarray:
        """Units of whole texts, uint64, a 0 before those of each."""
        data, bounds = utf8(text)
        out = np.empty(2 * int(bounds[-1] - bounds[0]) + 9 * len(text), np.uint64)
        return out[: write_units(data, bounds, tables(), out)].copy()


def perplexity(cost: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Of words that cost `cost` steps and have `size` bytes: float32, at most 2**64."""
    n = np.maximum(size, 1) * ngram_file.STEPS
    exponent = (2 * _HAN_BYTES * _STEPS * cost + n) // (2 * n)
    exponent = np.minimum(exponent, 64 * _STEPS)
    return np.where(size > 0, power_of_two(exponent, _STEPS), 0.0).astype(np.float32)
