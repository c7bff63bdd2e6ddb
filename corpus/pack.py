"""Pack: every survivor once, per source and split, into token shards, in a uniform order and bounded memory.

The order of a document is a hash of (seed, id). Its first bits name the shard, all of it the place inside: so a shard
is a range of hashes, any worker count gives the same bytes, and a document that leaves touches one shard.

Two passes. A *run* holds the tokens of a bundle of partitions (bundled by the first bits of their keys, so that a new
partition touches one bundle), sorted by order, with an index of 4,096 equal ranges of the order and a digest of each. A
*shard* then reads its range of every run, a slice of the range at a time. A bundle holds about 32M tokens and a slice
about 16M, which is what bounds the memory of a task (0.5 GB); the side table of a shard takes 52 bytes per document.
"""

import tempfile
from pathlib import Path
from typing import Any, ClassVar

import msgspec
import numpy as np
import pyarrow.compute as pc

from corpus.chain import Walk
from corpus.errors import RecipeError
from corpus.id_order import halves, order_of
from corpus.identity import canonical, sha256
from corpus.packed_runs import BUCKETS, DOCUMENT, Piece, Run, in_order, known_counts, piece_of, write_run
from corpus.record import Record, folder, publish
from corpus.runs import chosen
from corpus.side_table import SideWriter
from corpus.stage import Stage
from corpus.steps import Origin, Step, columns_read
from corpus.store import Blobs
from corpus.tokens import ShardWriter, optimal_dtype
from corpus.work import load_model

BUNDLE_TOKENS = 32 << 20
SLICE_TOKENS = 16 << 20
SPLITS = ("train", "heldout")


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


def write_runs(task: RunTask) -> tuple[tuple[int, int], ...]:
    """Make the runs of a bundle, one per split, unless they are there. -> (documents, tokens) of each."""
    there = [counts for name in task.names if (counts := known_counts(task.store, name)) is not None]
    if len(there) == len(task.names):
        return tuple(there)
    pieces: list[list[Piece]] = [[] for _ in SPLITS]
    dtype = optimal_dtype(task.vocabulary.vocab_size)
    for origin, records in task.members:
        walk = Walk(origin, task.steps, task.store, {}, lambda step: load_model(task.store, step), records=records)
        k = len(records)
        tokens, ids = walk.column("tokens", k), walk.column("id", k)
        hi, lo = halves(ids)
        documents = np.zeros(len(ids), dtype=DOCUMENT)
        documents["order"] = order_of(hi, lo, task.seed)
        documents["hi"], documents["lo"] = hi, lo
        documents["partition"] = origin.key
        documents["row"] = walk.origins(k)
        lengths = pc.list_value_length(tokens).to_numpy(zero_copy_only=False)
        documents["tokens"] = lengths + 1
        columns = columns_read(task.steps, k)
        if "cluster_size" in columns:  # null where a document stood alone
            documents["cluster"] = pc.fill_null(walk.column("cluster_size", k), 1).to_numpy(zero_copy_only=False)
        heldout = np.zeros(len(ids), bool)
        if "split" in columns:
            heldout = np.asarray(pc.equal(walk.column("split", k), SPLITS[1]))
        values, starts = tokens.values.to_numpy(zero_copy_only=False), tokens.offsets.to_numpy()[:-1]
        for split, own in enumerate((~heldout, heldout)):
            if own.any():
                pieces[split].append(Piece(chosen(documents, own), values, starts[own], lengths[own]))
    counts = []
    for name, own in zip(task.names, pieces, strict=True):
        counts.append(write_run(task.store, name, *in_order(own, task.vocabulary.eod, dtype)))
    return tuple(counts)


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


def shard_step(task: ShardTask, runs: list[Run]) -> str:
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
    runs = [Run(task.store, name, dtype, begin, end) for name in task.runs]
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
                pieces = [piece_of(*run.slice(a, b)) for run in runs]
                documents, tokens = in_order(pieces, -1, dtype)
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


def _slices(runs: list[Run], begin: int, end: int) -> list[tuple[int, int]]:
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
