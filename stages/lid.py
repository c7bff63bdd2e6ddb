"""Language identification: the likeliest language of each document, by fastText.

reads text (string)
adds  lang (string)         the model's label (ISO 639-1 where there is one), "und" where there is too little text
      lang_score (float32)  probability the model gives it, 0 for "und"; in 0..1, rounded to 2**-12

What lid.176.ftz can and cannot do (measured; share right):
- Whole documents, Chinese and English: 0.976 judging the first 4 KB, 0.954 the first 1 KB, 0.978 the first 16 KB. A
  glance at 1 KB that is believed at 0.9 or more, and 4 KB for the rest (12% of 12,086 documents), gives the label of
  4 KB in 0.9996 of cases, at 1.7 times the speed (more on long documents: the model is what costs).
- By letters of Chinese: 10 letters 0.77, 20 letters 0.89, 50 letters 0.97, errors going to "ja"; of English: 20 letters
  0.89, 40 letters 0.97. Below some 50 letters a score over 0.5 is wrong in 3 to 25 of 100 cases: never judge lines.
- Ideographs alone do not tell Chinese from Japanese: a fifth of classical poems in traditional script are called "ja".
  Who needs to know looks for kana.
- "zh" stands for both scripts and mostly for Cantonese; "yue" and "wuu" are chance. It is no judge of spam or mojibake.

Labels and scores of one document do not depend on the others in its batch. The score passes through the C library's
exponential function, hence the rounding; a value within 2**-24 of a rounding boundary could differ between CPUs.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import fasttext
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numba import njit

from corpus.stage import Columns, Map
from stages.characters import HAN, HANGUL, KANA, LATIN, LATIN_UPPER, LETTER, TABLE_SIZE, decode, far_kind, kinds, utf8

UNDETERMINED = "und"
_PREFIX = len("__label__")
_STEPS = 4096


class Lid(Map, frozen=True, kw_only=True, tag="lid"):
    """`model`: asset, a fastText classifier whose labels are languages. It judges the first `glance_bytes` of a text,
    and where it gives less than `sure` to what it finds there, the first `max_bytes`; nothing where fewer than
    `min_letter_bytes` of `max_bytes` are letters (24: eight ideographs or 24 Latin letters)."""

    revision: ClassVar[int] = 1
    uses: ClassVar[tuple[str, ...]] = ("fasttext-community",)
    reads: ClassVar[tuple[str, ...]] = ("text",)
    adds: ClassVar[dict[str, pa.DataType]] = {"lang": pa.string(), "lang_score": pa.float32()}

    model: str = "lid.176.ftz"
    max_bytes: int = 4096
    glance_bytes: int = 1024
    sure: float = 0.9
    min_letter_bytes: int = 24

    def __post_init__(self) -> None:
        if self.max_bytes < 1:
            raise ValueError(f"max_bytes must be at least 1 (got {self.max_bytes})")
        if not 1 <= self.min_letter_bytes <= self.max_bytes:
            got = f"(got {self.min_letter_bytes}, max_bytes {self.max_bytes})"
            raise ValueError(f"min_letter_bytes must lie between 1 and max_bytes {got}")

        if not self.glance_bytes >= 1:
            raise ValueError(f"glance_bytes must be at least 1 (got {self.glance_bytes})")

    @property
    def assets(self) -> tuple[str, ...]:
        return (self.model,)

    def load(self, assets: Mapping[str, Path]) -> Any:
        return fasttext.load_model(str(assets[self.model]))

    def apply(self, batch: pa.RecordBatch, model: Any) -> Columns:
        """`model` is anything with fastText's `predict(list of lines) -> (list of labels, list of probabilities)`."""
        text, letter_bytes = heads(batch["text"], self.max_bytes)
        enough = np.flatnonzero(letter_bytes >= self.min_letter_bytes)
        lang = np.full(len(text), UNDETERMINED, dtype=object)
        score = np.zeros(len(text), dtype=np.float64)
        glance, _ = heads(text, self.glance_bytes)
        _judge(model, glance, enough, lang, score)
        longer = pc.binary_length(text).to_numpy(zero_copy_only=False) > self.glance_bytes
        _judge(model, text, enough[(longer & (score < self.sure))[enough]], lang, score)
        # fastText adds 1e-5 to what it takes the logarithm of: certainty comes back as slightly more than 1.
        rounded = (np.rint(np.clip(score, 0, 1) * _STEPS) / _STEPS).astype(np.float32)
        return {"lang": pa.array(lang, type=pa.string()), "lang_score": pa.array(rounded)}


def _judge(model: Any, text: pa.Array, rows: np.ndarray, lang: np.ndarray, score: np.ndarray) -> None:
    """Ask the model about some rows, and note label and probability; where it knows nothing there is no label."""
    if len(rows):
        labels, scores = model.predict(text.take(pa.array(rows)).to_pylist())
        lang[rows] = [found[0][_PREFIX:] if len(found) else UNDETERMINED for found in labels]
        score[rows] = [found[0] if len(found) else 0.0 for found in scores]


def heads(column: pa.Array, max_bytes: int) -> tuple[pa.Array, np.ndarray]:
    """-> the first `max_bytes` of each text on one line, cut between characters (n strings), and how many of these
    bytes belong to letters ((n,) int64). Line ends become spaces."""
    data, bounds = utf8(column)
    out = np.empty(int(np.minimum(np.diff(bounds), max_bytes).sum()), dtype=np.uint8)
    offsets = np.zeros(len(bounds), dtype=np.int32)
    letter_bytes = np.zeros(len(column), dtype=np.int64)
    _heads(data, bounds, max_bytes, kinds(), out, offsets, letter_bytes)
    cut = pa.StringArray.from_buffers(len(column), pa.py_buffer(offsets), pa.py_buffer(out[: offsets[-1]]))
    return cut, letter_bytes


@njit(cache=True, nogil=True)
def _heads(data, bounds, max_bytes, table, out, offsets, letter_bytes):  # type: ignore[no-untyped-def]
    to = 0
    for document in range(bounds.size - 1):
        at = bounds[document]
        end = min(bounds[document + 1], at + max_bytes)
        letters = 0
        while at < end:
            code, size = decode(data, at, bounds[document + 1])
            if at + size > end:
                break
            kind = table[code] if code < TABLE_SIZE else far_kind(code)
            if kind in (HAN, KANA, HANGUL, LETTER, LATIN, LATIN_UPPER):
                letters += size
            for step in range(size):
                out[to + step] = data[at + step]
            if code == 0x0A:
                out[to] = 0x20
            to += size
            at += size
        offsets[document + 1] = to
        letter_bytes[document] = letters
