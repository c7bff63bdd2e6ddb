"""Which tokens and n-grams of a text made a classifier say what it said, for `corpus explain --replay`.

To first order: log(p / (1 - p)) of a class changes with the mean vector h of a text as (output[class] - sum of p[k]
output[k] over the classes) / (1 - p) (the gradient of a softmax), and each row of the text adds itself / count to h.
Slow, and wordy.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from corpus.stage import Account
from stages.fasttext_file import fnv

_MOST = 12  # for a class, and as many against it
_STEP, _WHOLE = 116049371, 1 << 64


def accounts(
    tokens: bytes, names: Sequence[str], labels: np.ndarray, found: np.ndarray, numbers: tuple[Any, ...]
) -> list[Account]:
    """One for each class: `names` and `labels` of what is told, `found` the probabilities of all classes. None where
    the model ends in a tree or looks inside words."""
    rows, output, left, maxn = numbers[0], numbers[6], numbers[7], numbers[10]
    if left.size or maxn:
        return []
    places = _rows(tokens.decode(), numbers)
    whole = sum(times for _, times in places.values())
    told = []
    for name, label in zip(names, labels, strict=True):
        gradient = (output[label] - found @ output) / max(1e-9, 1 - found[label])
        effect = {text: times * float(rows[row] @ gradient) / whole for text, (row, times) in places.items()}
        ordered = sorted(effect.items(), key=lambda one: (-one[1], one[0]))
        shown = ordered[:_MOST] + [one for one in ordered[-_MOST:] if one not in ordered[:_MOST]]
        told.append(
            Account(
                f"tokens and n-grams that moved {name}, {found[label]:.4f}",
                [{"log-odds": f"{value:+.4f}", "times": str(places[text][1]), "text": text} for text, value in shown],
            )
        )
    return told


def _rows(text: str, numbers: tuple[Any, ...]) -> dict[str, tuple[int, int]]:
    """Token or n-gram -> its row, and how often it occurs; those that have a row."""
    _, buckets, before, _, word_ends, word_bytes, *_, n_buckets, end_of_line, word_ngrams = numbers
    data = word_bytes.tobytes()
    words = {data[word_ends[n] : word_ends[n + 1]].decode(): n + 1 for n in range(len(word_ends) - 1)}
    tokens = [*text.split(), "</s>"]
    hashes = [fnv(token.encode()) for token in tokens]
    places: dict[str, tuple[int, int]] = {}

    def add(name: str, row: int) -> None:
        if row:
            places[name] = (row, places.get(name, (row, 0))[1] + 1)

    for at, token in enumerate(tokens):
        add(token, end_of_line if token == "</s>" else words.get(token, 0))
        value = _signed(hashes[at])
        for end in range(at + 1, min(at + word_ngrams, len(tokens))):
            value = (value * _STEP + _signed(hashes[end])) % _WHOLE
            bucket = value % n_buckets
            bits = int(buckets[bucket >> 6])
            below = bits & ((1 << (bucket & 63)) - 1)
            known = bits >> (bucket & 63) & 1
            add(" ".join(tokens[at : end + 1]), int(before[bucket >> 6]) + below.bit_count() if known else 0)
    return places


def _signed(value: int) -> int:
    """A hash as the signed 32-bit number that fastText keeps it in, in 64 bits."""
    return (value - (1 << 32) if value >= 1 << 31 else value) % _WHOLE
