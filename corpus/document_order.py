"""The order of documents for training: a pure function of (mixture, shards, seed, pass), in blocks, in bounded memory.

**Copies.** A document of a source is read as often as the mixture says: with e epochs, times the rate of its cluster
where the mixture counts clusters, it has been read ceil(e * p - h) times before pass p, where h in [0, 1) is its place
in the shuffled order of the corpus, a hash of (seed, id). So whole epochs are exact; of 1.5 epochs the first pass takes
the documents with h < 0.5 twice, the second the others; and over passes no two documents of a source are further apart
than one.

**Layers.** Copy c of the documents that have one is layer c of a pass. A source is read layer by layer: no document
comes again before every other of its source has come.

**Order.** A *slice* is up to SLICE documents that stand side by side in a shard: by the order of shards, a uniform
sample of the source. The slices of a layer come in an order drawn for (seed, pass, source, layer), the documents of a
slice in that of a hash of (seed, pass, layer, id). So each copy of each document has a place g among the N of its
source. Block k of K takes from each source the places from ceil(k * N / K) on; inside it, the j-th of n documents
stands somewhere in [j / n, (j + 1) / n), drawn by its hash. So sources are spread evenly over every stretch of a pass.

A block is made from a few slices of each source, wherever it stands: ranks share blocks out, and a run resumes at any.

Memory: of each source one slice (2 MB), and 16 bytes for each slice and layer. To count what falls into which layer,
the shards in which a fraction ends are read once; all of them where clusters count.
"""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from math import ceil, floor

import msgspec
import numpy as np
import pyarrow.parquet as pq

from corpus.errors import InputError, RecipeError
from corpus.id_order import halves, mix, order_of
from corpus.mixture import RATES, Mixed, rates
from corpus.pack import SPLITS, Shard
from corpus.store import Blobs, open_input
from corpus.tables import ROW_GROUP_ROWS, combine

SLICE = 8 * ROW_GROUP_ROWS
MOST_COPIES = 1000  # of a document in a pass
BLOCK = 1 << 16  # documents of the largest source in a block, about
_WHOLE = 1 << 64

DOCUMENT = np.dtype([("shard", "<u4"), ("document", "<u4"), ("layer", "<u4")])


class Reads(msgspec.Struct, frozen=True):
    """How often documents of a source and rate are read in one pass, by their place h in the shuffled order.

    `base`, and one more below `high`, one less below `low`; both in units of 2**-64, at most 2**64."""

    base: int
    low: int
    high: int

    @staticmethod
    def of(epochs: Fraction, number: int) -> "Reads":
        """In pass `number`, counted from 0."""
        begin, end = epochs * number, epochs * (number + 1)
        return Reads(floor(end) - floor(begin), _place(begin), _place(end))

    def copies(self, order: np.ndarray) -> np.ndarray:
        """order: (n,) uint64 -> (n,) int64"""
        return self.base + _below(order, self.high).astype(np.int64) - _below(order, self.low)

    def at(self, begin: int, end: int) -> int | None:
        """Copies of all documents with begin <= order < end; None where they differ."""
        if any(begin < edge < end for edge in (self.low, self.high)):
            return None
        return self.base + (begin < self.high) - (begin < self.low)


def _place(value: Fraction) -> int:
    """The least order that is no longer below the fraction of `value`."""
    return ceil((value - floor(value)) * _WHOLE)


def _below(order: np.ndarray, edge: int) -> np.ndarray:
    return order < np.uint64(edge) if edge < _WHOLE else np.ones(len(order), bool)


class Slice(msgspec.Struct, frozen=True):
    """Documents [first, end) of a shard, given by its position in `DocumentOrder.shards`."""

    shard: int
    first: int
    end: int


class _Layer(msgspec.Struct, frozen=True):
    """A copy of the documents that have one, slice after slice: which, and how many documents lie before each."""

    slices: np.ndarray  # (s,) int64, positions in the source's slices
    before: np.ndarray  # (s + 1,) int64


class _Stream(msgspec.Struct, frozen=True):
    """The documents of a source in a pass."""

    slices: tuple[Slice, ...]
    reads: tuple[tuple[int, Reads], ...]  # by rate
    layers: tuple[_Layer, ...]
    before: np.ndarray  # (layers + 1,) int64

    @property
    def documents(self) -> int:
        return int(self.before[-1])

    def copies(self, order: np.ndarray, cluster_size: np.ndarray | None) -> np.ndarray:
        if cluster_size is None:
            return self.reads[0][1].copies(order)
        own = rates(cluster_size)
        found = np.zeros(len(order), np.int64)
        for rate, reads in self.reads:
            found[own == rate] = reads.copies(order[own == rate])
        return found


class DocumentOrder:
    """The documents of one pass over a sealed build. `seed` is that of the manifest, which shards are ordered by.

    InputError where the mixture leaves nothing to read."""

    def __init__(self, out: Blobs, mixed: Mixed, shards: Sequence[Shard], seed: int, number: int = 0) -> None:
        self.shards = [s for s in sorted(shards, key=lambda s: s.path) if s.split == SPLITS[0]]
        self._out, self._seed, self._number, self._mixed = out, seed, number, mixed
        self._read: dict[str, tuple[Slice, np.ndarray, np.ndarray | None, np.ndarray]] = {}
        self._streams = {row.source: self._stream(row.source, Fraction(row.epochs)) for row in mixed.sources}
        self.documents = sum(stream.documents for stream in self._streams.values())
        if not self.documents:
            raise InputError(f"{out.root}: the mixture leaves nothing to read in pass {number}.")
        self.blocks = max(1, -(-max(stream.documents for stream in self._streams.values()) // BLOCK))

    def block(self, k: int) -> np.ndarray:
        """Documents of block `k`, in order: (n,) DOCUMENT. `shard` is a position in `shards`, `layer` the copy."""
        if not 0 <= k < self.blocks:
            raise IndexError(f"block {k} of {self.blocks}")
        parts: list[np.ndarray] = []
        places: list[np.ndarray] = []
        for source, stream in self._streams.items():
            begin, end = (-(-at * stream.documents // self.blocks) for at in (k, k + 1))
            done = 0
            for documents, key in self._range(source, stream, begin, end):
                drawn = (mix(key) >> np.uint64(32)).astype(np.float64) / (1 << 32)
                parts.append(documents)
                places.append((done + np.arange(len(documents)) + drawn) / (end - begin))
                done += len(documents)
        documents = np.concatenate(parts)
        return documents[np.argsort(np.concatenate(places), kind="stable")]

    def __iter__(self) -> Iterator[np.ndarray]:
        return (self.block(k) for k in range(self.blocks))

    # -- one source ----------------------------------------------------------------------------------------------------

    def _stream(self, source: str, epochs: Fraction) -> _Stream:
        rated = sorted({rate for _, rate in RATES}) if self._mixed.by_cluster else [1]
        reads = tuple((rate, Reads.of(epochs * rate, self._number)) for rate in rated)
        if reads[-1][1].base >= MOST_COPIES:
            raise RecipeError(
                f"mixture: a pass reads documents of `{source}` {reads[-1][1].base:,} times, {MOST_COPIES:,} at most. "
                f"Lower its weight, or `pass_tokens`."
            )
        slices = tuple(
            Slice(position, shard.documents * n // pieces, shard.documents * (n + 1) // pieces)
            for position, shard in enumerate(self.shards)
            if shard.source == source
            for pieces in [-(-shard.documents // SLICE)]  # of one size, so that no few documents stay together
            for n in range(pieces)
        )
        empty = _Stream(slices, reads, (), np.zeros(1, np.int64))
        if not slices:
            return empty
        spans = self._spans(source)
        counts = np.stack([self._counts(source, empty, one, *spans[one.shard]) for one in slices])
        counts = counts[:, : int((counts.sum(axis=0) > 0).sum())]  # of layers: documents that have so many copies
        layers = []
        for layer, own in enumerate(counts.T):
            drawn = mix(mix(np.arange(len(own)).astype(np.uint64)) ^ self._key(source, layer))
            drawn = np.argsort(drawn, kind="stable")
            drawn = drawn[own[drawn] > 0]
            layers.append(_Layer(drawn, np.concatenate([[0], np.cumsum(own[drawn])])))
        before = np.concatenate([[0], np.cumsum([layer.before[-1] for layer in layers])]).astype(np.int64)
        return _Stream(slices, reads, tuple(layers), before)

    def _spans(self, source: str) -> dict[int, tuple[int, int]]:
        """The range of orders that each shard of a source holds: those of a generation share them out evenly."""
        generations: dict[int, list[int]] = {}
        for position, shard in enumerate(self.shards):
            if shard.source == source:
                generations.setdefault(shard.generation, []).append(position)
        return {
            position: (_WHOLE * number // len(own), _WHOLE * (number + 1) // len(own))
            for own in generations.values()
            for number, position in enumerate(own)
        }

    def _counts(self, source: str, stream: _Stream, one: Slice, begin: int, end: int) -> np.ndarray:
        """How many documents of a slice, of orders from `begin` to `end`, have more than 0, 1, … copies."""
        most = max(reads.base + 1 for _, reads in stream.reads)
        if not self._mixed.by_cluster:
            copies = stream.reads[0][1].at(begin, end)
            if copies is not None:
                return np.where(np.arange(most) < copies, one.end - one.first, 0)
        order, sizes, _ = self._slice(source, one)
        copies = stream.copies(order, sizes)
        return np.array([(copies > layer).sum() for layer in range(most)], np.int64)

    def _range(self, source: str, stream: _Stream, begin: int, end: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Places [begin, end) of a source: documents, and the keys that they are mixed by."""
        for number, layer in enumerate(stream.layers):
            first = int(stream.before[number])
            low, high = max(begin - first, 0), min(end - first, int(layer.before[-1]))
            if low >= high:
                continue
            at = int(np.searchsorted(layer.before, low, "right")) - 1
            while at < len(layer.slices) and layer.before[at] < high:
                one = stream.slices[layer.slices[at]]
                documents, key = self._ordered(source, stream, one, number)
                own = slice(max(low - int(layer.before[at]), 0), high - int(layer.before[at]))
                yield documents[own], key[own]
                at += 1

    def _ordered(self, source: str, stream: _Stream, one: Slice, layer: int) -> tuple[np.ndarray, np.ndarray]:
        """Documents of a slice that are in a layer, in its order, and their keys."""
        order, sizes, ids = self._slice(source, one)
        chosen = np.flatnonzero(stream.copies(order, sizes) > layer)
        key = mix(ids[chosen] ^ self._key("", layer))
        documents = np.zeros(len(chosen), DOCUMENT)
        documents["shard"], documents["document"], documents["layer"] = one.shard, one.first + chosen, layer
        drawn = np.lexsort((chosen, key))
        return documents[drawn], key[drawn]

    def _key(self, source: str, layer: int) -> np.uint64:
        """64 bits for what is drawn."""
        name = int.from_bytes(source.encode().ljust(8, b"\0")[:8], "little")
        parts = np.array([self._seed, self._number, layer, name, *source.encode()], np.uint64)
        state = np.zeros(1, np.uint64)
        for part in parts:
            state = mix(state + part + np.uint64(0x9E3779B97F4A7C15))
        return np.uint64(state[0])

    # -- side tables ---------------------------------------------------------------------------------------------------

    def _slice(self, source: str, one: Slice) -> tuple[np.ndarray, np.ndarray | None, np.ndarray]:
        """Of the documents of a slice: order, cluster size where clusters count, a hash of the id. The last slice of
        each source is remembered."""
        if source in self._read and self._read[source][0] == one:
            return self._read[source][1:]
        names = ["id", "cluster_size"] if self._mixed.by_cluster else ["id"]
        groups = list(range(one.first // ROW_GROUP_ROWS, -(-one.end // ROW_GROUP_ROWS)))
        with open_input(self._out.url(self.shards[one.shard].docs.path)) as file:
            table = pq.ParquetFile(file, pre_buffer=False).read_row_groups(groups, names, use_threads=False)
        table = table.slice(one.first - groups[0] * ROW_GROUP_ROWS, one.end - one.first)
        hi, lo = halves(combine(table["id"]))
        sizes = combine(table["cluster_size"]).to_numpy() if self._mixed.by_cluster else None
        found = order_of(hi, lo, self._seed), sizes, mix(mix(hi) + lo)
        self._read[source] = (one, *found)
        return found
