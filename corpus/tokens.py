"""Token shards on disk: the IndexedDataset layout of Megatron-core 0.16, two little-endian files per shard.

prefix.bin   the tokens of all documents, one after another, uint16 or int32, nothing else
prefix.idx   bytes 0-8    magic, b"MMIDIDX" and two zero bytes
             9-16         version 1, u64
             17           type code, u8: 4 = int32, 8 = uint16 (their meaning is the same in gpt-neox; codes 6 and 7 are
                          float types that the two readers swap, so they are refused here)
             18-25        N, number of sequences, u64
             26-33        D, number of document bounds, u64, always N + 1: a sequence is a whole document
             34-          i32[N] length of each sequence, in tokens
                          i64[N] start of each sequence, in BYTES from the start of prefix.bin
                          i64[D] document bounds, in sequences: 0, 1, ..., N

Lengths are signed 32-bit, so a document holds fewer than 2**31 tokens. Nothing in the format marks the end of a
document inside the stream: whoever packs appends the end-of-document token to each one.
"""

import hashlib
import struct
import sys
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from corpus.errors import InputError, TaskError, VerifyError

MAGIC = b"MMIDIDX\x00\x00"
VERSION = 1
HEADER = struct.Struct("<9sQBQQ")
DTYPES: dict[int, np.dtype[Any]] = {4: np.dtype("<i4"), 8: np.dtype("<u2")}
CODES = {dtype: code for code, dtype in DTYPES.items()}
MAX_DOCUMENT_TOKENS = 2**31 - 1

_BLOCK = 1 << 16  # entries of the index written or checked at a time


def optimal_dtype(vocab_size: int) -> np.dtype[Any]:
    """uint16 for fewer than 65,500 token ids, else int32: the rule of Megatron-core, which has no uint32."""
    return np.dtype("<u2") if vocab_size < 65_500 else np.dtype("<i4")


@dataclass(frozen=True)
class FileDigest:
    """Size and sha256 (hex) of one written file."""

    bytes: int
    sha256: str


@dataclass(frozen=True)
class ShardFiles:
    """What was written: number of documents and tokens, `uint16` or `int32`, and both files."""

    documents: int
    tokens: int
    dtype: str
    bin: FileDigest
    idx: FileDigest


class Sink:
    """A binary file that counts and hashes what goes through it. Whoever opened the file closes it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._hash = hashlib.sha256()
        self._bytes = 0

    def write(self, data: bytes | memoryview) -> None:
        view = memoryview(data).cast("B")
        self._hash.update(view)
        self._bytes += len(view)
        while view:
            # A raw file may take less than it is given; some object-store writers return nothing and take all.
            taken = self._file.write(view)
            view = view[len(view) if taken is None else taken :]

    @property
    def closed(self) -> bool:
        return False

    def flush(self) -> None:
        self._file.flush()

    def digest(self) -> FileDigest:
        return FileDigest(self._bytes, self._hash.hexdigest())


class ShardWriter:
    """Writes one shard to two binary files that the caller opened and will close.

    Holds four bytes per document and no token. Call `add` or `extend` for the documents in their final order, then
    `finish` once. TaskError on a token outside [0, vocab_size), on a document of 2**31 tokens or more, on arrays that
    are not one-dimensional integers, and on any call after `finish`.
    """

    def __init__(self, bin_file: BinaryIO, idx_file: BinaryIO, vocab_size: int) -> None:
        self.vocab_size = vocab_size
        self.dtype = optimal_dtype(vocab_size)
        self._bin = Sink(bin_file)
        self._idx = Sink(idx_file)
        self._lengths = array("i")
        self._tokens = 0
        self._finished = False

    @property
    def documents(self) -> int:
        return len(self._lengths)

    @property
    def tokens(self) -> int:
        return self._tokens

    def add(self, document: np.ndarray) -> None:
        """Append one document, int[tokens]."""
        self.extend(document, np.array([document.size], np.int64))

    def extend(self, tokens: np.ndarray, lengths: np.ndarray) -> None:
        """Append many documents at once: int[sum of lengths], int[documents]."""
        if self._finished:
            raise TaskError("shard: document added after finish()")
        for name, values in (("tokens", tokens), ("lengths", lengths)):
            if values.ndim != 1 or values.dtype.kind not in "iu":
                raise TaskError(
                    f"shard: {name} is {values.dtype}{list(values.shape)}, expected a 1-d array of integers"
                )
        if lengths.size and not 0 <= int(lengths.min()) <= int(lengths.max()) <= MAX_DOCUMENT_TOKENS:
            raise TaskError(
                f"shard: a document of {int(lengths.max())} tokens (least {int(lengths.min())}); the format holds "
                f"0 to {MAX_DOCUMENT_TOKENS}: split it first"
            )
        total = int(lengths.sum(dtype=np.int64))
        if total != tokens.size:
            raise TaskError(f"shard: lengths add up to {total}, but {tokens.size} tokens were given")
        if tokens.size and not 0 <= int(tokens.min()) <= int(tokens.max()) < self.vocab_size:
            raise TaskError(
                f"shard: token ids {int(tokens.min())} to {int(tokens.max())} do not fit a vocabulary of "
                f"{self.vocab_size}; was the text encoded with another tokenizer?"
            )
        if tokens.size:
            self._bin.write(np.ascontiguousarray(tokens, self.dtype).data)
        self._lengths.frombytes(lengths.astype(np.intc).tobytes())
        self._tokens += total

    def finish(self) -> ShardFiles:
        """Write the index and return what both files hold."""
        if self._finished:
            raise TaskError("shard: finish() called twice")
        self._finished = True
        n = len(self._lengths)
        lengths = np.frombuffer(self._lengths, np.intc) if n else np.empty(0, np.intc)
        self._idx.write(HEADER.pack(MAGIC, VERSION, CODES[self.dtype], n, n + 1))
        for start in range(0, n, _BLOCK):
            self._idx.write(lengths[start : start + _BLOCK].astype("<i4").tobytes())
        for starts in _starts(lengths, self.dtype.itemsize):
            self._idx.write(starts.astype("<i8").tobytes())
        for start in range(0, n + 1, _BLOCK):
            self._idx.write(np.arange(start, min(start + _BLOCK, n + 1), dtype="<i8").tobytes())
        name = "uint16" if self.dtype.itemsize == 2 else "int32"
        return ShardFiles(n, self._tokens, name, self._bin.digest(), self._idx.digest())


def _starts(lengths: np.ndarray, itemsize: int) -> Iterator[np.ndarray]:
    """Byte offset of each document, block by block: the exclusive running sum of `lengths`, times `itemsize`."""
    offset = 0
    for start in range(0, lengths.size, _BLOCK):
        sizes = lengths[start : start + _BLOCK].astype(np.int64) * itemsize
        ends = np.cumsum(sizes) + offset
        yield ends - sizes
        offset = int(ends[-1])


class ShardReader:
    """A shard, memory-mapped. `prefix` is the path without `.bin` / `.idx`.

    Opening checks the header and both file sizes, in constant time; `check` re-reads the whole index. InputError when
    a file is missing, VerifyError when it is not the format above. Returned arrays are read-only views of the map.
    """

    def __init__(self, prefix: Path | str) -> None:
        self.prefix = Path(prefix)
        self._idx_path = self.prefix.with_name(self.prefix.name + ".idx")
        self._bin_path = self.prefix.with_name(self.prefix.name + ".bin")
        index = _mapped(self._idx_path)
        if index.size < HEADER.size or index[: len(MAGIC)].tobytes() != MAGIC:
            raise self._broken("an IndexedDataset header", f"{index[: len(MAGIC)].tobytes()!r}")
        _, version, code, n, bounds = HEADER.unpack(index[: HEADER.size].tobytes())
        if version != VERSION:
            raise self._broken(f"version {VERSION}", str(version))
        if code not in DTYPES:
            raise self._broken("type code 4 (int32) or 8 (uint16)", str(code))
        if bounds != n + 1:
            raise self._broken(f"{n + 1} document bounds (one sequence per document)", str(bounds))
        expected_bytes = HEADER.size + 12 * n + 8 * bounds
        if index.size != expected_bytes:
            raise self._broken(f"{expected_bytes} bytes for {n} documents", f"{index.size} bytes")

        self.dtype = DTYPES[code]
        starts_at = HEADER.size + 4 * n
        bounds_at = starts_at + 8 * n
        self.lengths = index[HEADER.size : starts_at].view("<i4")
        self._starts = index[starts_at:bounds_at].view("<i8")
        self._bounds = index[bounds_at:].view("<i8")
        end = int(self._starts[-1]) + int(self.lengths[-1]) * self.dtype.itemsize if n else 0
        data = _mapped(self._bin_path)
        if data.size != end:
            raise VerifyError(
                f"{self._bin_path}: expected {end} bytes (from its index), got {data.size}; rebuild or copy it again"
            )
        self._tokens = data.view(self.dtype)

    def __len__(self) -> int:
        """Number of documents."""
        return int(self.lengths.size)

    @property
    def total_tokens(self) -> int:
        return int(self._tokens.size)

    def doc(self, i: int) -> np.ndarray:
        """Tokens of document `i`, 0 <= i < len. IndexError outside."""
        if not 0 <= i < len(self):
            raise IndexError(f"{self.prefix}: document {i} of {len(self)}")
        start = int(self._starts[i]) // self.dtype.itemsize
        return self._tokens[start : start + int(self.lengths[i])]

    def tokens(self, start: int, stop: int) -> np.ndarray:
        """Tokens [start, stop) of all documents laid end to end. IndexError outside [0, total_tokens]."""
        if not 0 <= start <= stop <= self.total_tokens:
            raise IndexError(f"{self.prefix}: tokens {start} to {stop} of {self.total_tokens}")
        return self._tokens[start:stop]

    def check(self) -> None:
        """Read the whole index: no negative length, starts are the running sum of lengths, bounds count up."""
        n = len(self)
        for block, starts in enumerate(_starts(self.lengths, self.dtype.itemsize)):
            at = slice(block * _BLOCK, block * _BLOCK + starts.size)
            if int(self.lengths[at].min()) < 0 or not np.array_equal(self._starts[at], starts):
                raise self._broken(
                    "starts that add up from the lengths", f"others in documents {at.start} to {at.stop}"
                )
        for start in range(0, n + 1, _BLOCK):
            stop = min(start + _BLOCK, n + 1)
            if not np.array_equal(self._bounds[start:stop], np.arange(start, stop)):
                raise self._broken("document bounds 0, 1, 2, ...", f"others between {start} and {stop}")

    def _broken(self, expected: str, got: str) -> VerifyError:
        return VerifyError(f"{self._idx_path}: expected {expected}, got {got}; rebuild or copy it again")


def _mapped(path: Path) -> np.ndarray:
    """uint8[file size], read-only. An empty file cannot be mapped and is an empty array."""
    try:
        if path.stat().st_size == 0:
            return np.empty(0, np.uint8)
        return np.asarray(np.memmap(path, np.uint8, mode="r"))
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); is the build complete?") from error


if sys.byteorder != "little" or array("i").itemsize != 4:  # both hold on every platform that the wheels support
    raise ImportError("corpus.tokens needs a little-endian platform with a 32-bit C int")
