"""Pack: every survivor once, per source and split, into token shards, in a uniform order and bounded memory.

The order of a document is a hash of (seed, id). Its first bits name the shard, all of it the place inside: so a shard
is a range of hashes, any worker count gives the same bytes, and a document that leaves touches one shard.

Two passes. A *run* holds the tokens of a bundle of partitions (bundled by the first bits of their keys, so that a new
partition touches one bundle), sorted by order, with an index of 4,096 equal ranges of the order and a digest of each. A
*shard* then reads its range of every run, a slice of the range at a time. A bundle holds about 32M tokens and a slice
about 16M, which is what bounds the memory of a task (0.5 GB); the side table of a shard takes 52 bytes per document.

The side table names a document by its id and by the reader's row that it comes from, also where it is a part: rows of
parts count up anew, so one document that leaves would change the side tables of every shard.
"""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, ClassVar, NamedTuple

import msgspec
import numba as nb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import xxhash

from corpus import tables
from corpus.chain import Walk
from corpus.errors import RecipeError, StoreError
from corpus.identity import canonical, sha256
from corpus.record import Record, folder, publish
from corpus.runs import chosen, rows_of, sort_order, together
from corpus.stage import Stage
from corpus.steps import Origin, Step, columns_read
from corpus.store import Blobs
from corpus.tokens import FileDigest, ShardWriter, Sink, optimal_dtype
from corpus.work import load_model

BUCKETS = 4096
BUNDLE_TOKENS = 32 << 20
SLICE_TOKENS = 16 << 20
SPLITS = ("train", "heldout")

_SIDE_ROWS = 32 * tables.ROW_GROUP_ROWS  # of a side table, written at a time
_HEAD_BYTES = 256  # of a run: JSON, padded with spaces

_DOCUMENT = np.dtype(
    [
        ("order", "<u8"),
        ("hi", "<u8"),
        ("lo", "<u8"),
        ("partition", "<u8"),
        ("row", "<u4"),
        ("tokens", "<u4"),
        ("cluster", "<u4"),
    ]
)


class Pack(Stage, frozen=True, kw_only=True, tag="pack"):
    """Token shards in Megatron-core's IndexedDataset format, each with a side table of its documents.

    shard_tokens     aimed size of a shard; the number of shards per source and split is a power of two
    shard_documents  most documents of a shard, about: what verify and trace hold of one grows with them
    clusters       say in the side tables how large the cluster of each document was; a mixture by cluster sets it

    Where a stage before it adds `split`, it says which documents are `heldout`; without one all are `train`."""

    revision: ClassVar[int] = 3
    reads: ClassVar[tuple[str, ...]] = ("tokens", "n_tokens", "id")

    shard_tokens: int = 1 << 30
    shard_documents: int = 8 << 20
    clusters: bool = False

    def __post_init__(self) -> None:
        if self.shard_tokens < 1024:
            raise RecipeError(f".shard_tokens: got {self.shard_tokens}. Expected 1024 or more.")
        if self.shard_documents < 1024:
            raise RecipeError(f".shard_documents: got {self.shard_documents}. Expected 1024 or more.")

    @property
    def may_read(self) -> tuple[str, ...]:  # type: ignore[override]
        return ("split", "cluster_size") if self.clusters else ("split",)


class Vocabulary(msgspec.Struct, frozen=True):
    """What a shard must know of the tokenizer: `eod` ends every document."""

    name: str
    sha256: str
    vocab_size: int
    eod: int


class RunTask(msgspec.Struct, frozen=True):
    store: Blobs
    steps: tuple[Step, ...]
    members: tuple[tuple[Origin, tuple[Record, ...]], ...]  # partitions of the bundle, by key
    seed: int
    vocabulary: Vocabulary
    names: tuple[str, ...]  # of the run, by split


class ShardTask(msgspec.Struct, frozen=True):
    store: Blobs
    out: Blobs
    source: str
    split: str
    number: int
    shards: int
    runs: tuple[str, ...]
    definition: dict[str, Any]
    seed: int
    vocabulary: Vocabulary
    clusters: bool
    generation: int = 0


class FileInfo(msgspec.Struct, frozen=True):
    path: str
    bytes: int
    sha256: str


class Shard(msgspec.Struct, frozen=True):
    """A finished shard: what `manifest.json` says about it, and the step that made it."""

    step: str
    source: str
    split: str
    generation: int
    path: str
    documents: int
    tokens: int
    dtype: str
    bin: FileInfo
    idx: FileInfo
    docs: FileInfo


def mix(values: np.ndarray) -> np.ndarray:
    """The finaliser of splitmix64 (Steele, Lea and Flood 2014): a bijection on u64 that spreads any input."""
    x = values.astype(np.uint64, copy=True)
    x ^= x >> np.uint64(30)
    x *= np.uint64(0xBF58476D1CE4E5B9)
    x ^= x >> np.uint64(27)
    x *= np.uint64(0x94D049BB133111EB)
    x ^= x >> np.uint64(31)
    return x


def halves(ids: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """Two u64 from each 128-bit id, big-endian: they sort as the id does."""
    pairs = np.frombuffer(ids.buffers()[1], dtype=">u8")[2 * ids.offset : 2 * (ids.offset + len(ids))].reshape(-1, 2)
    return pairs[:, 0].astype(np.uint64), pairs[:, 1].astype(np.uint64)


def joined(hi: np.ndarray, lo: np.ndarray) -> pa.Array:
    """The 128-bit ids of two halves."""
    pairs = np.empty((len(hi), 2), dtype=">u8")  # not np.stack: it would turn the bytes round to the machine's order
    pairs[:, 0], pairs[:, 1] = hi, lo
    return pa.FixedSizeBinaryArray.from_buffers(pa.binary(16), len(hi), [None, pa.py_buffer(pairs.tobytes())])


def order_of(hi: np.ndarray, lo: np.ndarray, seed: int) -> np.ndarray:
    """Place of each document in the shuffled order: u64, uniform."""
    start = mix(np.array([seed + 0x9E3779B97F4A7C15 & 0xFFFFFFFFFFFFFFFF], dtype=np.uint64))[0]
    return mix(mix(hi ^ start) + lo)


@nb.njit(cache=True, nogil=True)
def _scatter(values, starts, lengths, places, eod, out):  # type: ignore[no-untyped-def]
    """Documents of `values` to their places in `out`, `eod` behind each where it is one. Views are what lets the
    compiler use wide moves: two to four times as fast as counting both positions."""
    for i in range(starts.size):
        begin, size, place = starts[i], lengths[i], places[i]
        source, target = values[begin : begin + size], out[place : place + size]
        for j in range(size):
            target[j] = source[j]
        if eod >= 0:
            out[place + size] = eod


class _Piece(NamedTuple):
    """Documents, and the tokens that they have in `values`, from `starts` on, `lengths` of them."""

    documents: np.ndarray
    values: np.ndarray
    starts: np.ndarray
    lengths: np.ndarray


def _in_order(pieces: Sequence[_Piece], eod: int, dtype: np.dtype) -> tuple[np.ndarray, np.ndarray]:
    """The documents of all pieces by their hash, and their tokens, each copied once."""
    every = together([np.empty(0, _DOCUMENT), *(piece.documents for piece in pieces)])
    order = sort_order(every, ("order", "hi", "lo"))
    documents = rows_of(every, order)
    ends = np.cumsum(documents["tokens"], dtype=np.int64)
    places = np.empty(len(every), np.int64)
    places[order] = ends - documents["tokens"]
    tokens = np.empty(int(ends[-1]) if len(ends) else 0, dtype)
    begin = 0
    for piece in pieces:
        own = places[begin : begin + len(piece.documents)]
        _scatter(piece.values, piece.starts, piece.lengths, own, eod, tokens)
        begin += len(piece.documents)
    return documents, tokens


def write_runs(task: RunTask) -> tuple[tuple[int, int], ...]:
    """Make the runs of a bundle, one per split, unless they are there. -> (documents, tokens) of each."""
    if all(task.store.exists(name) for name in task.names):
        heads = [msgspec.json.decode(task.store.get(name, 0, _HEAD_BYTES)) for name in task.names]
        return tuple((head["documents"], head["tokens"]) for head in heads)
    pieces: list[list[_Piece]] = [[] for _ in SPLITS]
    dtype = optimal_dtype(task.vocabulary.vocab_size)
    for origin, records in task.members:
        walk = Walk(origin, task.steps, task.store, {}, lambda step: load_model(task.store, step), records=records)
        k = len(records)
        tokens, ids = walk.column("tokens", k), walk.column("id", k)
        hi, lo = halves(ids)
        documents = np.zeros(len(ids), dtype=_DOCUMENT)
        documents["order"] = order_of(hi, lo, task.seed)
        documents["hi"], documents["lo"] = hi, lo
        documents["partition"] = origin.key
        documents["row"] = walk.origins(k)
        lengths = pc.list_value_length(tokens).to_numpy(zero_copy_only=False)
        documents["tokens"] = lengths + 1
        there = columns_read(task.steps, k)
        if "cluster_size" in there:  # null where a document stood alone
            documents["cluster"] = pc.fill_null(walk.column("cluster_size", k), 1).to_numpy(zero_copy_only=False)
        heldout = np.zeros(len(ids), bool)
        if "split" in there:
            heldout = np.asarray(pc.equal(walk.column("split", k), SPLITS[1]))
        values, starts = tokens.values.to_numpy(zero_copy_only=False), tokens.offsets.to_numpy()[:-1]
        for split, own in enumerate((~heldout, heldout)):
            if own.any():
                pieces[split].append(_Piece(chosen(documents, own), values, starts[own], lengths[own]))
    counts = []
    for name, own in zip(task.names, pieces, strict=True):
        counts.append(_write_run(task.store, name, *_in_order(own, task.vocabulary.eod, dtype)))
    return tuple(counts)


def _write_run(store: Blobs, name: str, documents: np.ndarray, tokens: np.ndarray) -> tuple[int, int]:
    """`documents` in order, and their tokens."""
    bounds = np.searchsorted(documents["order"] >> np.uint64(52), np.arange(BUCKETS + 1, dtype=np.uint64))
    ends = np.concatenate([[0], np.cumsum(documents["tokens"], dtype=np.int64)])
    index = np.stack([bounds, ends[bounds]]).astype("<i8")
    digests = np.zeros(BUCKETS, dtype="<u8")
    for b in np.flatnonzero(np.diff(bounds)):
        digests[b] = _digest(documents[bounds[b] : bounds[b + 1]], tokens[index[1, b] : index[1, b + 1]])
    head = {"dtype": tokens.dtype.name, "documents": len(documents), "tokens": len(tokens)}
    pieces = [index.data, digests.data, documents.view(np.uint8).data, tokens.data]
    store.put(name, canonical(head).ljust(_HEAD_BYTES), *(piece.cast("B") for piece in pieces if piece.nbytes))
    return len(documents), len(tokens)


def _digest(documents: np.ndarray, tokens: np.ndarray) -> int:
    piece = xxhash.xxh3_64(documents.view(np.uint8))
    piece.update(tokens)
    return piece.intdigest()


class _Run:
    """A range of buckets of a run, and slices of it. What is held of its index is that range."""

    def __init__(self, store: Blobs, name: str, dtype: np.dtype, begin: int = 0, end: int = BUCKETS) -> None:
        self.store, self.name, self.dtype, self.begin = store, name, dtype, begin
        head = store.get(name, _HEAD_BYTES, _HEAD_BYTES + 24 * BUCKETS + 16)
        index = np.frombuffer(head, "<i8", 2 * (BUCKETS + 1)).reshape(2, -1)
        self.index = index[:, begin : end + 1].copy()
        self.digests = np.frombuffer(head, "<u8", BUCKETS, 16 * (BUCKETS + 1))[begin:end].copy()
        self.documents_at = _HEAD_BYTES + len(head)
        self.tokens_at = self.documents_at + int(index[0, -1]) * _DOCUMENT.itemsize

    def slice(self, begin: int, end: int) -> tuple[np.ndarray, np.ndarray]:
        begin, end = begin - self.begin, end - self.begin
        (a, b), (c, d) = self.index[0, [begin, end]], self.index[1, [begin, end]]
        size, wide = _DOCUMENT.itemsize, self.dtype.itemsize
        documents = self.store.get(self.name, self.documents_at + int(a) * size, self.documents_at + int(b) * size)
        tokens = self.store.get(self.name, self.tokens_at + int(c) * wide, self.tokens_at + int(d) * wide)
        one, two = np.frombuffer(documents, _DOCUMENT), np.frombuffer(tokens, self.dtype)
        bounds, ends = (part[begin : end + 1] - part[begin] for part in self.index)
        for i in np.flatnonzero(np.diff(bounds)):
            piece = _digest(one[bounds[i] : bounds[i + 1]], two[ends[i] : ends[i + 1]])
            if piece != self.digests[begin + i]:
                where = f"{self.store.url(self.name)}: damaged in range {self.begin + begin + i}"
                raise StoreError(f"{where}. Remove it and build again.")
        return one, two


def run_documents(store: Blobs, name: str) -> np.ndarray:
    """The documents of a run: order, id, partition, reader's row, tokens. StoreError where it is damaged."""
    try:
        head = msgspec.json.decode(store.get(name, 0, _HEAD_BYTES))
        run = _Run(store, name, np.dtype(head["dtype"]))
        end = run.documents_at + head["documents"] * _DOCUMENT.itemsize
        return np.frombuffer(store.get(name, run.documents_at, end), _DOCUMENT, head["documents"])
    except (msgspec.DecodeError, ValueError) as error:
        raise StoreError(f"{store.url(name)}: damaged ({error}). Remove it and build again.") from error


def mark(path: str) -> str:
    """Where it stands which step wrote the files of a shard. Gone while they are written."""
    return f"packed/{path.removeprefix('tokens/')}.step"


def is_there(shard: Shard, out: Blobs) -> bool:
    """Whether the files of a shard lie in the build directory, by their sizes and the mark that says which shard they
    are: another one of the same place may be as long. `corpus verify` reads them."""
    name = mark(shard.path)
    written = out.get(name) if out.exists(name) else b""
    return written == shard.step.encode() and all(
        out.exists(f.path) and out.size(f.path) == f.bytes for f in (shard.bin, shard.idx, shard.docs)
    )


def shard_step(task: ShardTask, runs: list[_Run]) -> str:
    """Identity of a shard: the definition, the seed, the tokenizer, and the digests of its range of every run."""
    ranges = [sha256(run.digests.tobytes()) for run in runs if run.index[0, 0] != run.index[0, -1]]
    inputs = [task.definition, task.seed, task.source, task.split, task.number, task.shards, ranges]
    return sha256(canonical([*inputs, task.vocabulary.sha256, *([task.generation] if task.generation else [])]))


def _range(number: int, shards: int) -> tuple[int, int]:
    return number * BUCKETS // shards, (number + 1) * BUCKETS // shards


def write_shard(task: ShardTask) -> Shard:
    """Make one shard, unless it is there already."""
    dtype = optimal_dtype(task.vocabulary.vocab_size)
    begin, end = _range(task.number, task.shards)
    runs = [_Run(task.store, name, dtype, begin, end) for name in task.runs]
    step = shard_step(task, runs)
    record = f"{folder(task.source, 'shard')}/{step}.json"
    if task.store.exists(record):
        shard = msgspec.json.decode(task.store.get(record), type=Shard)
        if is_there(shard, task.out):
            return shard
    prefix = f"tokens/{task.source}_{task.split}_{task.generation}_{task.number:05d}_text_document"
    with tempfile.TemporaryDirectory(prefix="corpus-shard-") as scratch:
        one, two, three = (Path(scratch) / name for name in ("bin", "idx", "docs"))
        with open(one, "wb") as bin_file, open(two, "wb") as idx_file, open(three, "wb") as docs_file:
            writer = ShardWriter(bin_file, idx_file, task.vocabulary.vocab_size)
            side = SideWriter(docs_file, task.clusters)
            for a, b in _slices(runs, begin, end):
                pieces = [_piece(*run.slice(a, b)) for run in runs]
                documents, tokens = _in_order(pieces, -1, dtype)
                del pieces
                writer.extend(tokens, documents["tokens"])
                side.extend(documents)
            done, docs = writer.finish(), side.finish()
        task.out.remove(mark(prefix))
        task.out.put_file(f"{prefix}.bin", one)
        task.out.put_file(f"{prefix}.idx", two)
        task.out.put_file(f"{prefix}.docs.parquet", three)
    shard = Shard(
        step=step,
        source=task.source,
        split=task.split,
        generation=task.generation,
        path=prefix,
        documents=done.documents,
        tokens=done.tokens,
        dtype=done.dtype,
        bin=FileInfo(f"{prefix}.bin", done.bin.bytes, done.bin.sha256),
        idx=FileInfo(f"{prefix}.idx", done.idx.bytes, done.idx.sha256),
        docs=FileInfo(f"{prefix}.docs.parquet", docs.bytes, docs.sha256),
    )
    publish(task.store, shard, task.source, "shard")
    task.out.put(mark(prefix), step.encode())
    return shard


def _slices(runs: list[_Run], begin: int, end: int) -> list[tuple[int, int]]:
    """Ranges of buckets that hold about SLICE_TOKENS together."""
    if not runs:
        return []
    sizes = np.sum([np.diff(run.index[1]) for run in runs], axis=0)
    cuts, first, held = [], begin, 0
    for offset, size in enumerate(sizes.tolist()):
        if held and held + size > SLICE_TOKENS:
            cuts.append((first, begin + offset))
            first, held = begin + offset, 0
        held += size
    return [*cuts, (first, end)]


def _piece(documents: np.ndarray, tokens: np.ndarray) -> _Piece:
    lengths = documents["tokens"].astype(np.int64)
    return _Piece(documents, tokens, np.cumsum(lengths) - lengths, lengths)


class SideWriter:
    """The side table of a shard, a block of rows at a time: the bytes of `tables.to_bytes`, in bounded memory."""

    def __init__(self, file: BinaryIO, clusters: bool) -> None:
        self._clusters = clusters
        self._sink = Sink(file)
        self._held: list[np.ndarray] = []
        self._start = 0
        self._written = False
        self._writer = tables.writer(pa.PythonFile(self._sink, "w"), self._table(np.empty(0, _DOCUMENT)).schema)

    def extend(self, documents: np.ndarray) -> None:
        self._held.append(documents)
        if sum(map(len, self._held)) >= _SIDE_ROWS:
            held = together(self._held)
            whole = len(held) // tables.ROW_GROUP_ROWS * tables.ROW_GROUP_ROWS
            self._write(held[:whole])
            self._held = [held[whole:].copy()]

    def _write(self, documents: np.ndarray) -> None:
        self._written = True
        self._writer.write_table(self._table(documents), row_group_size=tables.ROW_GROUP_ROWS)

    def _table(self, documents: np.ndarray) -> pa.Table:
        lengths = documents["tokens"].astype(np.int64)
        ends = self._start + np.cumsum(lengths)
        self._start = int(ends[-1]) if len(ends) else self._start
        columns = {
            "start": pa.array(ends - lengths),
            "tokens": pa.array(lengths.astype(np.int32)),
            "id": joined(documents["hi"], documents["lo"]),
            "partition": pa.array(documents["partition"].copy()),
            "row": pa.array(documents["row"].copy()),
        }
        if self._clusters:
            columns["cluster_size"] = pa.array(documents["cluster"].copy())
        return tables.canonical(columns)

    def finish(self) -> FileDigest:
        held = together([np.empty(0, _DOCUMENT), *self._held])
        if len(held) or not self._written:  # a table without rows has a row group, too
            self._write(held)
        self._writer.close()
        return self._sink.digest()


def power_of_two(value: float) -> int:
    """The least power of two that is at least `value`."""
    power = 1
    while power < value:
        power *= 2
    return power


def bundles(keys: Mapping[int, int], size: int) -> list[list[int]]:
    """Group partition keys (key -> weight) by their first bits into bundles of about `size`."""
    count = power_of_two(sum(keys.values()) / size)
    grouped: dict[int, list[int]] = {}
    for key in sorted(keys):
        grouped.setdefault(key * count >> 64, []).append(key)
    return [grouped[number] for number in sorted(grouped)]
