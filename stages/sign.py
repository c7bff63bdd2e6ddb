"""Sign: a fingerprint of each document, for exact and for near duplicates.

reads text    adds exact (16 bytes: xxh3_128 of the key, null where the key is empty),
                   minhash (4 * permutations bytes: little-endian uint32, null where the key is empty),
                   shingles (int32: shingles hashed, repeats counted)

**What is compared** is the key (`stages/key.py`): words in lower case, single Han and kana characters, nothing else.

**A shingle** is a run of key bytes. A word weighs `han`, a Han or kana character weighs `words`, and from each unit
starts the least run that weighs at least `words * han`: 5 words, 8 characters, or a mixture in proportion. A document
of mixed text so has one kind of shingle, and no segmenter or dictionary decides what a duplicate is.

**Why 5 and 8.** Five words is the usual choice for English (Lee et al. 2022; FineWeb; Gopher). For Chinese, published
pipelines take 5 to 24 characters without choosing the threshold anew, although the similarity that remains after the
same edits differs widely: on 40 statutes, 3% of substituted characters leave a Jaccard similarity of 0.73 with 5
characters, 0.63 with 8, 0.57 with five dictionary words and 0.49 with 13. Eight is the whole number nearest to five
words (a Chinese word is about two characters, but words vary in length), so one threshold means about the same in both
languages; five characters would join statutes and notices that share formulas alone, and 13 would miss copies with
one edited character in a hundred.

**Short documents.** Where the whole key weighs less than one shingle, the key is the one shingle. An empty key (no
letter, digit or ideograph) gives null twice: two such documents have nothing in common that could be compared.
"""

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import ClassVar, NamedTuple

import numpy as np
import pyarrow as pa
import xxhash

from corpus.errors import RecipeError
from corpus.stage import Columns, Map
from stages import characters, key, minhash


class Signer(NamedTuple):
    """What a worker keeps: the key's table, and the permutations."""

    table: np.ndarray
    a: np.ndarray
    b: np.ndarray


class Sign(Map, frozen=True, kw_only=True, tag="sign"):
    """Parameters: `permutations` (18 bands of 7 rows by default), `seed` of the permutations, and the shingle size in
    `words` and in `han` characters. RecipeError where one is out of range."""

    reads: ClassVar[tuple[str, ...]] = ("text",)

    permutations: int = 126
    seed: int = 1
    words: int = 5
    han: int = 8

    def __post_init__(self) -> None:
        limits = {"permutations": 4096, "words": minhash.MAX_UNITS, "han": minhash.MAX_UNITS}
        for field, most in limits.items():
            if not 1 <= getattr(self, field) <= most:
                raise RecipeError(f".{field}: got {getattr(self, field)}. Expected 1 to {most}.")
        if not 0 <= self.seed < 2**32:
            raise RecipeError(f".seed: got {self.seed}. Expected 0 to 2**32 - 1.")

    @property
    def adds(self) -> dict[str, pa.DataType]:  # type: ignore[override]
        return {"exact": pa.binary(16), "minhash": pa.binary(4 * self.permutations), "shingles": pa.int32()}

    def load(self, assets: Mapping[str, Path]) -> Signer:
        return Signer(key.table(), *minhash.permutations(self.permutations, self.seed))

    def apply(self, batch: pa.RecordBatch, model: Signer) -> Columns:
        text, bounds = characters.utf8(batch.column("text"))
        count = len(bounds) - 1
        keys = np.empty(int(bounds[-1]) - int(bounds[0]), np.uint8)
        key_bounds = np.empty(count + 1, np.int64)
        signatures = np.empty((count, self.permutations), np.uint32)
        shingles = np.empty(count, np.int32)
        minhash.sign(
            text, bounds, model.table, self.words, self.han, model.a, model.b, keys, key_bounds, signatures, shingles
        )
        empty = key_bounds[1:] == key_bounds[:-1]
        signatures[empty] = 0  # one value under every null
        view = keys.data
        edges = key_bounds.tolist()
        # A library call of about 0.3 us per document: a kernel of our own would save a hundredth of the time.
        exact = b"".join(
            xxhash.xxh3_128_digest(view[start:end]) if start < end else bytes(16) for start, end in pairwise(edges)
        )
        return {
            "exact": _binary(exact, 16, empty),
            "minhash": _binary(signatures, 4 * self.permutations, empty),
            "shingles": pa.array(shingles),
        }


def _binary(values: bytes | np.ndarray, width: int, null: np.ndarray) -> pa.Array:
    """Fixed-size binary column over the bytes of `values`."""
    valid = pa.py_buffer(np.packbits(~null, bitorder="little").tobytes()) if null.any() else None
    return pa.FixedSizeBinaryArray.from_buffers(pa.binary(width), len(null), [valid, pa.py_buffer(values)])
