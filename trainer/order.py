"""The order law: which tokens make up training sample i is a pure function of (manifest digest, seed, sequence
length, mixture). Not of the number of processes, the batch size, or where a run was interrupted.

A **sample** is a window of `sequence + 1` tokens in the stream of one source: its training shards laid end to end, in
the order of the manifest, closed to a ring. Inputs are the first `sequence` tokens, targets the last, so consecutive
windows share one token and no target is lost. A source of T tokens has n = T // sequence windows per epoch. Each epoch
starts its windows at another place of the ring, so that documents are cut differently each time.

A **pass** over the corpus holds c_s = round(n_s * epochs_s) windows of source s, with the epochs of the sealed mixture.
Windows are taken from a source's epochs one after another (a pass of 0.6 epochs takes the first 0.6 of epoch 0, the
next pass goes on from there), in an order drawn for that epoch; the samples of a pass are then shuffled as one. Sample
i belongs to pass i // N, where N is the sum of all c_s.

All shuffles are keyed permutations evaluated at a point, in constant memory: a Feistel network on the smallest even
number of bits that holds the range, walked along its cycle until it lands inside (Black and Rogaway 2002, "Ciphers
with arbitrary finite domains", section 3). The state of a reader is one integer: samples consumed.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from corpus.errors import InputError, RecipeError

_ROUNDS = 8  # 8 keys of 8 bytes are one blake2b digest


class Permutation:
    """A bijection of [0, size), drawn by `key`. Calling it maps int64[...] to int64[...]."""

    def __init__(self, size: int, key: bytes) -> None:
        if not 0 < size < 2**62:
            raise ValueError(f"permutation of {size} elements")
        self.size = size
        half = max(1, ((size - 1).bit_length() + 1) // 2)
        self._half, self._mask = np.uint64(half), np.uint64((1 << half) - 1)
        self._keys = np.frombuffer(hashlib.blake2b(key, digest_size=8 * _ROUNDS).digest(), "<u8")

    def __call__(self, index: np.ndarray) -> np.ndarray:
        if index.size and not 0 <= int(index.min()) <= int(index.max()) < self.size:
            raise IndexError(f"{int(index.min())} to {int(index.max())} outside [0, {self.size})")
        x = self._network(index.astype(np.uint64).ravel())
        while (outside := x >= np.uint64(self.size)).any():
            x[outside] = self._network(x[outside])
        return x.astype(np.int64).reshape(index.shape)

    def _network(self, x: np.ndarray) -> np.ndarray:
        left, right = x >> self._half, x & self._mask
        for key in self._keys:
            left, right = right, left ^ (_mix(right + key) & self._mask)
        return (left << self._half) | right


def _mix(x: np.ndarray) -> np.ndarray:
    """The finaliser of splitmix64 (Steele, Lea and Flood 2014), on uint64[n]."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: np.ndarray = x ^ (x >> np.uint64(31))
    return mixed


@dataclass(frozen=True)
class Place:
    """Where samples start. source: int64[n], index into the sources; start: int64[n], token in that source's ring."""

    source: np.ndarray
    start: np.ndarray


class Order:
    """The order law for one build.

    tokens   training tokens of each source, by name, in the order of the manifest
    epochs   how often a pass reads each source; one that is not named is read once
    RecipeError when the epochs name what is not there; InputError when there is not one window.
    """

    def __init__(
        self, digest: str, seed: int, sequence: int, tokens: Mapping[str, int], epochs: Mapping[str, float]
    ) -> None:
        law = ["order-1", digest, seed, sequence, "epochs", sorted(epochs.items())]
        self._key = hashlib.sha256(json.dumps(law).encode()).digest()
        self.sequence = sequence
        self.sources = list(tokens)
        self.tokens = np.array([tokens[name] for name in self.sources], np.int64)
        self.windows = self.tokens // sequence
        counts = _counts(self.sources, [int(n) for n in self.windows], epochs)
        self.counts = np.array(counts, np.int64)
        self.pass_samples = int(self.counts.sum())
        if not self.pass_samples:
            raise InputError(
                f"no source holds {sequence} training tokens ("
                + ", ".join(f"{s} {n}" for s, n in tokens.items())
                + "); "
                "build more text or lower --sequence"
            )
        self._ends = np.cumsum(self.counts)

    def locate(self, samples: np.ndarray) -> Place:
        """Where each of int64[n] samples (numbered from 0, without end) starts."""
        passes, position = np.divmod(samples.astype(np.int64), self.pass_samples)
        source, nth = np.empty_like(position), np.empty_like(position)
        for number in np.unique(passes):
            at = passes == number
            slot = Permutation(self.pass_samples, self._derive("pass", int(number)))(position[at])
            owner = np.searchsorted(self._ends, slot, side="right")
            source[at] = owner
            nth[at] = slot - (self._ends - self.counts)[owner] + int(number) * self.counts[owner]
        epoch, window = np.divmod(nth, self.windows[source])
        start = np.empty_like(window)
        for s, e in sorted(set(zip(source.tolist(), epoch.tolist(), strict=True))):
            at = (source == s) & (epoch == e)
            drawn = Permutation(int(self.windows[s]), self._derive("epoch", self.sources[s], e))(window[at])
            shift = int.from_bytes(self._derive("shift", self.sources[s], e)[:8], "little") % int(self.tokens[s])
            start[at] = (shift + drawn * self.sequence) % self.tokens[s]
        return Place(source, start)

    def _derive(self, *purpose: str | int) -> bytes:
        return hashlib.blake2b(json.dumps(purpose).encode(), key=self._key, digest_size=32).digest()


def _counts(sources: list[str], windows: list[int], epochs: Mapping[str, float]) -> list[int]:
    """Samples of each source in one pass. Exact arithmetic, so that no rounding mode or library decides a count."""
    for name, value in epochs.items():
        if not 0 <= value < float("inf"):
            raise RecipeError(f"mixture: {name} = {value}, expected a finite number, 0 or more")
        if value and name not in sources:
            raise RecipeError(
                f"mixture: {name} = {value}, but it has no training shards; the build holds {', '.join(sources)}"
            )
    return [round(n * Fraction(epochs.get(name, 1.0))) for name, n in zip(sources, windows, strict=True)]
