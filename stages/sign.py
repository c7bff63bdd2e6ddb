"""Sign: a fingerprint of each document, for exact and for near duplicates.

reads text    adds exact (16 bytes: xxh3_128 of the key, null where the key is empty),
                   minhash (4 * permutations bytes: little-endian uint32, null where the key is empty),
                   shingles (int32: shingles hashed, repeats counted)

**What is compared** is the key (`stages/key.py`): words in lower case, single Han and kana characters in one of their
forms, nothing else. So a page meets its mirror in the other Chinese script: of 4,079 documents of fourteen Chinese
collections, OpenCC's conversions to traditional (general, Taiwan, Hong Kong) left all with an equal key, and of 1,571
traditional ones the conversion to simplified did. Where the conversion also exchanges words (s2twp: 软件 to 軟體), the
similarity stays above 0.9 for 58% of the documents and above 0.8 for 69%, the mean being 0.85.

**A shingle** is a run of units of the key. A word weighs `han`, a Han or kana character weighs `words`, and from each
unit starts the least run that weighs at least `words * han`: 5 words, 8 characters, or a mixture in proportion. A
document of mixed text so has one kind of shingle, and no segmenter or dictionary decides what a duplicate is.

**Why 5 and 8.** Five words is the usual choice for English (Lee et al. 2022; FineWeb; Gopher). For Chinese, published
pipelines take 5 to 24 characters without choosing the threshold anew. Eight is what makes one threshold mean the same
in both languages: similarity falls to 0.8 at 2.54 edits for 100 words with five words, and with eight characters at
2.53 for what 100 English words say (1.62 Chinese units a word in parallel paragraphs); seven give 2.87, nine 2.25.
Unrelated documents of formulaic sources stay below 0.8 at every length from 4 to 13 (`bench/dedup/shingle_size.py`).

**Short documents.** Where the whole key weighs less than one shingle, the key is the one shingle: such documents have
similarity 1 where their keys are equal and 0 where they are not, save for one pair in four billion whose hashes share
32 bits. An empty key (no letter, digit or ideograph) gives null in place of digest and signature: two such
documents have nothing in common that could be compared.

**Very long documents** do not saturate the signature. It takes 32 bits of each hash, of which a document of n different
shingles uses the share d = n / 2**32. Two unrelated ones agree in a position where the minimum is in both, with
probability d / (2 - d): 0.0012 for ten million shingles each (60 MB of English), 0.012 for a hundred million. That
seven positions of a band agree has probability 3e-21, in one of 18 bands 5e-20; and the estimate of their similarity
is 0.0012, far below any threshold.
"""

from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import ClassVar, NamedTuple

import numpy as np
import pyarrow as pa
import xxhash

from corpus.errors import RecipeError
from corpus.stage import Columns, Map
from stages import characters, key, minhash, shingles

# Documents are signed in groups of this much text: their keys are digested while they are in the cache, and the same
# memory serves all groups: one byte of key for each byte of the largest group or document.
_GROUP_BYTES = 1 << 19


class Signer(NamedTuple):
    """What a worker keeps: the key's table, and the permutations."""

    table: np.ndarray
    a: np.ndarray
    b: np.ndarray


class Sign(Map, frozen=True, kw_only=True, tag="sign"):
    """Parameters: `permutations` (18 bands of 7 rows by default), `seed` of the permutations, and the shingle size in
    `words` and in `han` characters. RecipeError where one is out of range."""

    revision: ClassVar[int] = 3
    reads: ClassVar[tuple[str, ...]] = ("text",)

    permutations: int = 126
    seed: int = 1
    words: int = 5
    han: int = 8

    def __post_init__(self) -> None:
        limits = {"permutations": 4096, "words": shingles.MAX_UNITS, "han": shingles.MAX_UNITS}
        for field, most in limits.items():
            if not 1 <= getattr(self, field) <= most:
                raise RecipeError(f".{field}: got {getattr(self, field)}. Expected 1 to {most}.")
        if not 0 <= self.seed < 2**32:
            raise RecipeError(f".seed: got {self.seed}. Expected 0 to 2**32 - 1.")

    @property
    def adds(self) -> dict[str, pa.DataType]:  # type: ignore[override]
        return {
            "exact": pa.binary(16),
            "minhash": pa.binary(4 * self.permutations),
            "shingles": pa.int32(),
        }

    def load(self, assets: Mapping[str, Path]) -> Signer:
        return Signer(key.table(), *minhash.permutations(self.permutations, self.seed))

    def apply(self, batch: pa.RecordBatch, model: Signer) -> Columns:
        text, bounds = characters.utf8(batch.column("text"))
        count = len(bounds) - 1
        longest = max(_GROUP_BYTES, int(np.diff(bounds).max(initial=0)))
        keys = np.empty(longest + shingles.SLACK, np.uint8)
        windows = shingles.windows()
        view = keys.data
        signatures = np.empty((count, self.permutations), np.uint32)
        counts = np.empty(count, np.int32)
        exact: list[bytes] = []
        for first, last in _groups(bounds):
            key_bounds = np.empty(last - first + 1, np.int64)
            group = slice(first, last)
            minhash.sign(
                text, bounds[first : last + 1], model.table, self.words, self.han, windows, model.a, model.b,
                keys, key_bounds, signatures[group], counts[group],
            )  # fmt: skip
            # A library call of about 0.3 us per document: a kernel of our own would save a hundredth of the time.
            exact += [xxhash.xxh3_128_digest(view[start:end]) for start, end in pairwise(key_bounds.tolist())]
        empty = counts == 0
        signatures[empty] = 0  # one value under every null
        return {
            "exact": _binary(b"".join(exact), 16, empty),
            "minhash": _binary(signatures, 4 * self.permutations, empty),
            "shingles": pa.array(counts),
        }


def _groups(bounds: np.ndarray) -> Iterator[tuple[int, int]]:
    """Runs of documents of up to `_GROUP_BYTES`, or of one document."""
    first, count = 0, len(bounds) - 1
    while first < count:
        last = int(np.searchsorted(bounds, int(bounds[first]) + _GROUP_BYTES, side="right")) - 1
        last = max(last, first + 1)
        yield first, last
        first = last


def _binary(values: bytes | np.ndarray, width: int, null: np.ndarray) -> pa.Array:
    """Fixed-size binary column over the bytes of `values`."""
    valid = pa.py_buffer(np.packbits(~null, bitorder="little").tobytes()) if null.any() else None
    return pa.FixedSizeBinaryArray.from_buffers(pa.binary(width), len(null), [valid, pa.py_buffer(values)])
