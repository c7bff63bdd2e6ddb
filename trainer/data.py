"""Batches from a sealed build: memory-mapped streams, and the order law applied to them.

tokens of a batch: int64[sequences, sequence + 1]; inputs are [:, :-1], targets [:, 1:].
"""

import math
from bisect import bisect_right

import numpy as np

from corpus.errors import VerifyError
from corpus.tokens import ShardReader
from trainer.manifest import Build
from trainer.order import Order

_HISTOGRAM_BLOCK_TOKENS = 1 << 20
_HISTOGRAM_BLOCKS = 16  # per source


class Stream:
    """The shards of one source, end to end, closed to a ring."""

    def __init__(self, readers: list[ShardReader]) -> None:
        self._readers = readers
        self._ends = np.cumsum([reader.total_tokens for reader in readers]).tolist()
        self.tokens = int(self._ends[-1])

    def read(self, start: int, count: int, out: np.ndarray) -> None:
        """Copy `count` tokens from `start` on into out[:count], going round the ring where need be."""
        filled = 0
        while filled < count:
            at = (start + filled) % self.tokens
            shard = bisect_right(self._ends, at)
            reader = self._readers[shard]
            first = at - (self._ends[shard] - reader.total_tokens)
            taken = min(count - filled, reader.total_tokens - first)
            out[filled : filled + taken] = reader.tokens(first, first + taken)
            filled += taken


class Corpus:
    """The training tokens of a build in the order that the law gives them."""

    def __init__(self, build: Build, sequence: int, seed: int) -> None:
        self.vocab_size = build.manifest.tokenizer.vocab_size
        self._streams = [
            Stream([build.read(shard) for shard in build.train_shards(source)]) for source in build.sources
        ]
        tokens = {source: stream.tokens for source, stream in zip(build.sources, self._streams, strict=True)}
        self.order = Order(build.digest, seed, sequence, tokens, build.mixture.epochs)

    def samples(self, first: int, count: int) -> np.ndarray:
        """Samples [first, first + count) of the global order: int64[count, sequence + 1]."""
        place = self.order.locate(np.arange(first, first + count))
        batch = np.empty((count, self.order.sequence + 1), np.int64)
        for row, (source, start) in enumerate(zip(place.source.tolist(), place.start.tolist(), strict=True)):
            self._streams[source].read(start, batch.shape[1], batch[row])
        return batch

    def unigram_entropy(self) -> tuple[float, int]:
        """Entropy of a single token of the training mixture, in nats, and how many tokens were counted for it.

        It is the least loss of a model that knows how frequent each token is and nothing about context. Each source
        is counted whole up to 16 blocks of 2**20 tokens, else in 16 blocks spread evenly over it.
        VerifyError on a token outside the vocabulary.
        """
        mixed = np.zeros(self.vocab_size)
        counted = 0
        block = np.empty(_HISTOGRAM_BLOCK_TOKENS, np.int64)
        for source, stream, samples in zip(self.order.sources, self._streams, self.order.counts.tolist(), strict=True):
            if not samples:
                continue
            counts = np.zeros(self.vocab_size, np.int64)
            blocks = min(_HISTOGRAM_BLOCKS, math.ceil(stream.tokens / _HISTOGRAM_BLOCK_TOKENS))
            for i in range(blocks):
                start, stop = i * stream.tokens // blocks, (i + 1) * stream.tokens // blocks
                size = min(stop - start, _HISTOGRAM_BLOCK_TOKENS)
                stream.read(start, size, block)
                least, most = int(block[:size].min()), int(block[:size].max())
                if not 0 <= least <= most < self.vocab_size:
                    raise VerifyError(
                        f"source {source}: token ids {least} to {most} in the shards, expected 0 to "
                        f"{self.vocab_size - 1}; the build is damaged or names the wrong tokenizer: build it again"
                    )
                counts += np.bincount(block[:size], minlength=self.vocab_size)
            counted += int(counts.sum())
            mixed += counts / counts.sum() * (samples / self.order.pass_samples)
        present = mixed[mixed > 0]
        return float(-(present * np.log(present)).sum()), counted
