"""A fastText classifier written by hand: the same bytes on every machine, which training does not promise."""

import struct
from pathlib import Path

import numpy as np

WORDS = ("</s>", "the", "a", "港", "口", "的", "<n>", "，", "。", "0000")
CLASSES = ("high", "low")
_DIM, _BUCKETS = 4, 64


def write(path: Path) -> None:
    """Words, pairs of words in 64 buckets, two classes; every number is a multiple of 1/8."""
    names = [(word, 0) for word in WORDS] + [(f"__label__{name}", 1) for name in CLASSES]
    rows = np.arange((len(WORDS) + _BUCKETS) * _DIM, dtype=np.int64) * 37 % 61 - 30
    arguments = (_DIM, 5, 5, 1, 5, 2, 3, 3, _BUCKETS, 0, 0, 100)  # word n-grams 2, loss softmax, supervised
    parts = [struct.pack("<ii12id", 793712314, 12, *arguments, 1e-4)]
    parts.append(struct.pack("<iiiqq", len(names), len(WORDS), len(CLASSES), 100, -1))
    parts += [name.encode() + b"\0" + struct.pack("<qb", 9 - kind, kind) for name, kind in names]
    for matrix in (rows.reshape(-1, _DIM) / 8, np.array([[1, -1, 2, 0.5], [-1, 1, -2, 0]])):
        parts.append(struct.pack("<?qq", False, *matrix.shape) + matrix.astype("<f4").tobytes())
    path.write_bytes(b"".join(parts))
