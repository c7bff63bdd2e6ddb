"""Check of one shard: three files by their digests, then against each other.

The index must fit the tokens, every token id the vocabulary, every document must end in the end-of-document token, and
the side table must name, for each document in turn, where it is and in which order it must stand. Documents are summed
up by partition (see `checks.Sum`), to be compared with the survivors of the last stage.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import numpy as np

from corpus import tables
from corpus.checks import packed_entries, problem, token_hashes
from corpus.errors import InputError, VerifyError
from corpus.findings import Finding
from corpus.id_order import halves, order_of
from corpus.pack import Shard, Vocabulary
from corpus.store import Blobs, is_local, local_path
from corpus.tokens import ShardReader

_SLICE_TOKENS = 16 << 20
_COPY_BYTES = 32 << 20


class ShardTask(msgspec.Struct, frozen=True):
    out: Blobs
    shard: Shard
    number: int
    shards: int  # of this source and split
    seed: int
    vocabulary: Vocabulary


class ShardResult(msgspec.Struct):
    """`sums`: partition key -> (documents, sum of their hashes). `damaged` are files with wrong bytes."""

    findings: list[Finding]
    damaged: list[str]
    sums: dict[int, tuple[int, int]] = {}
    bytes: int = 0


def check_shard(task: ShardTask) -> ShardResult:
    result = ShardResult([], [])
    for file in (task.shard.bin, task.shard.idx, task.shard.docs):
        wrong = problem(task.out, file.path, file.bytes, file.sha256)
        if wrong:
            result.findings.append(Finding(file.path, wrong))
            result.damaged.append(file.path)
        else:
            result.bytes += file.bytes
    if not result.damaged:
        with _local_prefix(task) as prefix:
            try:
                reader = ShardReader(prefix)
                reader.check()
            except (VerifyError, InputError) as error:
                result.findings.append(Finding(task.shard.idx.path, str(error)))
            else:
                _contents(task, reader, result)
    return result


@contextmanager
def _local_prefix(task: ShardTask) -> Iterator[Path]:
    """The shard where it can be mapped: in place, or copied from an object store."""
    if is_local(task.out.root):
        yield local_path(task.out.root) / task.shard.path
        return
    with tempfile.TemporaryDirectory(prefix="corpus-verify-") as folder:
        for file, suffix in ((task.shard.bin, ".bin"), (task.shard.idx, ".idx")):
            with open(Path(folder) / f"shard{suffix}", "wb") as copy:
                for start in range(0, file.bytes, _COPY_BYTES):
                    copy.write(task.out.get(file.path, start, min(start + _COPY_BYTES, file.bytes)))
        yield Path(folder) / "shard"


def _contents(task: ShardTask, reader: ShardReader, result: ShardResult) -> None:
    shard = task.shard
    bin_wrong, docs_wrong = [], []
    if (len(reader), reader.total_tokens) != (shard.documents, shard.tokens):
        bin_wrong.append(
            f"holds {len(reader):,} documents and {reader.total_tokens:,} tokens, the manifest says "
            f"{shard.documents:,} and {shard.tokens:,}"
        )
    if reader.dtype != np.dtype(shard.dtype):
        bin_wrong.append(f"holds {reader.dtype}, the manifest says {shard.dtype}")
    docs = {name: tables.combine(column) for name, column in _columns(task).items()}
    start, tokens, partition, row = (docs[name].to_numpy() for name in ("start", "tokens", "partition", "row"))
    lengths = np.asarray(reader.lengths)
    if not np.array_equal(tokens, lengths) or not np.array_equal(start, np.cumsum(tokens, dtype=np.int64) - tokens):
        docs_wrong.append("its documents do not lie where the index says")
    hi, lo = halves(docs["id"])
    order = order_of(hi, lo, task.seed)
    if not np.array_equal(np.lexsort((lo, hi, order)), np.arange(len(order))):
        docs_wrong.append("its documents are not in the order of their hashes")
    if ((order >> np.uint64(52)) * np.uint64(task.shards) >> np.uint64(12) != np.uint64(task.number)).any():
        docs_wrong.append("holds documents of another shard")
    if not docs_wrong:
        hashes = np.empty(len(lengths), dtype=np.uint64)
        for a, b in _runs(lengths):
            first = int(start[a])
            held = np.asarray(reader.tokens(first, int(start[b - 1] + lengths[b - 1])))
            bin_wrong += _token_problems(task, held, start[a:b] - first, lengths[a:b])
            hashes[a:b] = token_hashes(held, start[a:b] - first, lengths[a:b] - 1)
        if len(lengths):
            _sum_up(result, partition, packed_entries(docs["id"], row, hashes))
    result.findings += [Finding(shard.bin.path, text) for text in dict.fromkeys(bin_wrong)]
    result.findings += [Finding(shard.docs.path, text) for text in docs_wrong]


def _columns(task: ShardTask) -> dict[str, object]:
    table = tables.read(task.out.get(task.shard.docs.path))
    return {name: table[name] for name in ("start", "tokens", "id", "partition", "row")}


def _runs(lengths: np.ndarray) -> Iterator[tuple[int, int]]:
    """Ranges of documents that hold about a slice of tokens together."""
    ends = np.cumsum(lengths, dtype=np.int64)
    a = 0
    while a < len(lengths):
        before = int(ends[a - 1]) if a else 0
        b = max(a + 1, int(np.searchsorted(ends, before + _SLICE_TOKENS, side="right")))
        yield a, b
        a = b


def _token_problems(task: ShardTask, tokens: np.ndarray, start: np.ndarray, lengths: np.ndarray) -> list[str]:
    found = []
    size, eod = task.vocabulary.vocab_size, task.vocabulary.eod
    if len(tokens) and not 0 <= int(tokens.min()) <= int(tokens.max()) < size:
        found.append(f"holds token ids outside the vocabulary of {size:,}")
    if (lengths < 1).any() or (tokens[start + lengths - 1] != eod).any():
        found.append(f"holds documents that do not end in the end-of-document token {eod}")
    return found


def _sum_up(result: ShardResult, partition: np.ndarray, hashes: np.ndarray) -> None:
    order = np.argsort(partition, kind="stable")
    keys, first, count = np.unique(partition[order], return_index=True, return_counts=True)
    sums = np.add.reduceat(hashes[order], first)
    for key, documents, value in zip(keys.tolist(), count.tolist(), sums.tolist(), strict=True):
        result.sums[key] = (documents, value)
