"""A supervised fastText model read from its file (`.bin` or `.ftz`) into arrays that a kernel can walk.

The library's own `predict` takes one Python string a call, holds the interpreter's lock and looks every n-gram up in a
map of the C++ library; `fasttext_kernel.py` does the same sums over Arrow buffers, 3 to 5 times as fast.

The format is fastText's (src/fasttext.cc, dictionary.cc, quantmatrix.cc, productquantizer.cc of
facebookresearch/fastText, version 12): arguments, dictionary, input matrix, output matrix, little-endian. Rows of a
quantized matrix are unpacked. Losses other than hierarchical softmax and softmax are refused, and so are models with
longer n-grams of words than the caller can follow.
"""

import struct
from pathlib import Path
from typing import NamedTuple

import numpy as np

from corpus.errors import InputError

_MAGIC, _VERSION = 793712314, 12
_HIERARCHICAL, _SOFTMAX = 1, 3
_LABEL = "__label__"


class FastText(NamedTuple):
    """W words, G n-grams with a row of their own, L labels, D dimensions.

    labels     without their prefix, most frequent first
    rows       (1 + W + G, D) float32. Row 0 is zero; then words; then n-grams by their bucket
    buckets    (ceil(number of buckets / 64),) uint64: which buckets have a row
    before     the same shape, int32: row of the first bucket of each word of `buckets`
    heads      (slots, a power of two) int32: a word's number + 1 at the slot of its hash or the next free one; 0: free
    word_ends  (W + 1,) int32, word_bytes (total,) uint8: the words
    output     (L or L - 1, D) float32: of labels (softmax) or of inner nodes (tree)
    left, right  (2 L - 1,) int32: children of the nodes of the tree, -1 for labels; empty for softmax
    minn, maxn   code points of an n-gram
    n_buckets    at least 1
    end_of_line  the row of fastText's token for a line end, 0 where it has none
    word_ngrams  words of an n-gram of words, which share the buckets
    """

    labels: tuple[str, ...]
    rows: np.ndarray
    buckets: np.ndarray
    before: np.ndarray
    heads: np.ndarray
    word_ends: np.ndarray
    word_bytes: np.ndarray
    output: np.ndarray
    left: np.ndarray
    right: np.ndarray
    minn: int
    maxn: int
    n_buckets: int
    end_of_line: int
    word_ngrams: int


class _File:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.data = path.read_bytes()
        self.at = 0

    def unpack(self, form: str) -> tuple[int, ...]:
        size = struct.calcsize("<" + form)
        if self.at + size > len(self.data):
            raise self.wrong(f"ends at byte {len(self.data)}, in the middle of its tables")
        values = struct.unpack_from("<" + form, self.data, self.at)
        self.at += size
        return values

    def array(self, kind: str, count: int) -> np.ndarray:
        dtype = np.dtype(kind)
        if self.at + count * dtype.itemsize > len(self.data):
            raise self.wrong(f"ends at byte {len(self.data)}, in the middle of its tables")
        values = np.frombuffer(self.data, dtype, count, self.at)
        self.at += count * dtype.itemsize
        return values

    def word(self) -> bytes:
        end = self.data.find(b"\0", self.at)
        if end < 0:
            raise self.wrong(f"ends at byte {len(self.data)}, in the middle of its tables")
        word, self.at = self.data[self.at : end], end + 1
        return word

    def wrong(self, what: str) -> InputError:
        return InputError(f"model `{self.path.name}` {what}. Expected a supervised fastText model, version {_VERSION}.")


def load(path: Path, most_word_ngrams: int = 1) -> FastText:
    """InputError where the file is no fastText model, or one of a kind that the kernels do not know: those of
    `fasttext_kernel.py` no n-grams of words, `fasttext_text.py` up to its `MOST_NGRAM`."""
    file = _File(path)
    magic, version = file.unpack("ii")
    if (magic, version) != (_MAGIC, _VERSION):
        raise file.wrong(f"begins with {magic:#x}, version {version}")
    dim, _, _, _, _, word_ngrams, loss, kind, n_buckets, minn, maxn, _ = file.unpack("12i")
    file.at += 8  # a float64 that only training uses
    if kind != 3 or word_ngrams > most_word_ngrams or loss not in (_HIERARCHICAL, _SOFTMAX):
        wanted = f"wanted: 3, at most {most_word_ngrams}, and 1 or 3"
        raise file.wrong(f"has model {kind}, wordNgrams {word_ngrams}, loss {loss} ({wanted})")
    words, labels, label_counts, pruned = _dictionary(file)
    rows = _matrix(file, dim, bool(file.unpack("?")[0]))
    output = _matrix(file, dim, bool(file.unpack("?")[0]))
    left, right = _tree(label_counts) if loss == _HIERARCHICAL else (np.zeros(0, np.int32), np.zeros(0, np.int32))

    if pruned is None:
        bucket_of = np.arange(len(rows) - len(words), dtype=np.int64)
        row_of = bucket_of
    else:
        order = np.argsort(pruned[:, 0], kind="stable")
        bucket_of, row_of = pruned[order, 0], pruned[order, 1]
    n_buckets = max(n_buckets, 1)  # a model without n-grams has none
    bits = np.zeros((n_buckets + 63) // 64 * 64, np.uint8)
    bits[bucket_of] = 1
    per_word = bits.reshape(-1, 64).sum(axis=1, dtype=np.int32)
    before = (1 + len(words) + np.cumsum(per_word) - per_word).astype(np.int32)
    zero = np.zeros((1, dim), np.float32)
    return FastText(
        labels=tuple(label.removeprefix(_LABEL) for label in labels),
        rows=np.concatenate([zero, rows[: len(words)], rows[len(words) + row_of]]),
        buckets=np.packbits(bits, bitorder="little").view(np.uint64),
        before=before,
        heads=_heads(words),
        word_ends=np.concatenate([[0], np.cumsum([len(word) for word in words])]).astype(np.int32),
        word_bytes=np.frombuffer(b"".join(words), np.uint8),
        output=output,
        left=left,
        right=right,
        minn=minn,
        maxn=maxn,
        n_buckets=n_buckets,
        end_of_line=1 + words.index(b"</s>") if b"</s>" in words else 0,
        word_ngrams=max(word_ngrams, 1),
    )


def _dictionary(file: _File) -> tuple[list[bytes], list[str], list[int], np.ndarray | None]:
    """-> words, labels, counts of the labels, and (bucket, row) of the n-grams that a pruned model keeps."""
    size, n_words, n_labels, _, n_pruned = file.unpack("iiiqq")
    words, labels, counts = [], [], []
    for _ in range(size):
        word = file.word()
        count, kind = file.unpack("qb")
        if kind == 0:
            words.append(word)
        else:
            labels.append(word.decode("utf-8"))
            counts.append(count)
    if (len(words), len(labels)) != (n_words, n_labels):
        raise file.wrong(f"names {n_words} words and {n_labels} labels and holds {len(words)} and {len(labels)}")
    pruned = file.array("<i4", 2 * n_pruned).reshape(-1, 2).astype(np.int64) if n_pruned >= 0 else None
    return words, labels, counts, pruned


def _matrix(file: _File, dim: int, quantized: bool) -> np.ndarray:
    if not quantized:
        rows, columns = file.unpack("qq")
        return file.array("<f4", rows * columns).reshape(rows, columns).copy()
    has_norms, rows, columns, n_codes = file.unpack("?qqi")
    codes = file.array("u1", n_codes)
    values = _unpacked(file, codes, rows)
    if has_norms:
        norm_codes = file.array("u1", rows)
        values *= _unpacked(file, norm_codes, rows)
    if values.shape[1] != columns or columns != dim:
        raise file.wrong(f"has rows of {values.shape[1]} values, not {dim}")
    return values


def _unpacked(file: _File, codes: np.ndarray, rows: int) -> np.ndarray:
    """A product quantizer's rows: for each part of a row one of 256 centroids."""
    dim, parts, width, last_width = file.unpack("4i")
    centroids = file.array("<f4", dim * 256)
    out = np.empty((rows, dim), np.float32)
    codes = codes.reshape(rows, parts)
    for part in range(parts):
        first = part * width
        own = last_width if part == parts - 1 else width
        out[:, first : first + own] = centroids[256 * first : 256 * (first + own)].reshape(256, own)[codes[:, part]]
    return out


def _tree(counts: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """The Huffman tree over labels, most frequent first, as fastText builds it: node -> children, -1 for none. The last
    node is the root; inner node `n` has row `n - len(counts)` of the output matrix."""
    leaves = len(counts)
    size = 2 * leaves - 1
    weight = [*counts, *[10**15] * (leaves - 1)]
    left, right = np.full(size, -1, np.int32), np.full(size, -1, np.int32)
    leaf, node = leaves - 1, leaves
    for at in range(leaves, size):
        pair = []
        for _ in range(2):
            if leaf >= 0 and weight[leaf] < weight[node]:
                pair.append(leaf)
                leaf -= 1
            else:
                pair.append(node)
                node += 1
        left[at], right[at] = pair
        weight[at] = weight[pair[0]] + weight[pair[1]]
    return left, right


def fnv(data: bytes) -> int:
    """fastText's hash of a word: FNV-1a over signed bytes."""
    value = 2166136261
    for byte in data:
        value = ((value ^ (byte if byte < 128 else byte | 0xFFFFFF00)) * 16777619) & 0xFFFFFFFF
    return value


def _heads(words: list[bytes]) -> np.ndarray:
    slots = 1 << max(2 * len(words), 1).bit_length()
    heads = np.zeros(slots, np.int32)
    for number, word in enumerate(words):
        slot = fnv(word) & (slots - 1)
        while heads[slot]:
            slot = (slot + 1) & (slots - 1)
        heads[slot] = number + 1
    return heads
