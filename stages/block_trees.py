"""Boosted trees that say which blocks of a page are its text: reading the model, and asking it.

The model is `models/blocks.npy`, its card `models/blocks.toml`; `scripts/train_blocks.py` makes both. A tree is a row
of nodes: at a node the value of a feature decides for its left child (up to the threshold) or its right one; what the
leaves say is added up over the trees, in order, and is the log-odds that the block is text. Float32 compares and
float64 sums only: the same answer on every machine.
"""

import math
from functools import cache
from pathlib import Path

import numpy as np
from numba import njit

from stages.block_features import FEATURES, NAMES

NODE = np.dtype([("feature", "<i2"), ("left", "u1"), ("right", "u1"), ("threshold", "<f4"), ("value", "<f4")])
LEAF = -1
PATH = Path(__file__).parent / "models" / "blocks.npy"


@cache
def trees() -> np.ndarray:
    """(trees, nodes) of `NODE`; node 0 is the root, and what lies behind the last node of a tree is not reached."""
    model = np.load(PATH, allow_pickle=False)
    if model.dtype != NODE or int(model["feature"].max()) >= FEATURES:
        raise ValueError(f"{PATH.name} is no model over these {FEATURES} features. Run scripts/train_blocks.py.")
    return model


def odds(values: np.ndarray) -> np.ndarray:
    """(blocks, FEATURES) float32 -> (blocks,) float64 log-odds that a block is text of the page."""
    model = trees()
    total = np.zeros(len(values), dtype=np.float64)
    _add(model["feature"], model["left"], model["right"], model["threshold"], model["value"], values, total)
    return total


def probability(log_odds: float) -> float:
    return 1 / (1 + math.exp(-log_odds))


def log_odds(share: float) -> float:
    return math.log(share / (1 - share))


def reasons(values: np.ndarray, most: int = 3) -> list[str]:
    """What moved the sum most for one block, (FEATURES,) float32 -> "name = value (+1.2)", the heaviest first.

    The weight of a feature is the sum, over the nodes that asked for it, of how the expected value changed there
    (Saabas 2014)."""
    moved = np.zeros(FEATURES)
    for tree in trees():
        node = 0
        while tree["feature"][node] != LEAF:
            feature = tree["feature"][node]
            side = "left" if values[feature] <= tree["threshold"][node] else "right"
            child = int(tree[side][node])
            moved[feature] += float(tree["value"][child]) - float(tree["value"][node])
            node = child
    heaviest = np.argsort(-np.abs(moved), kind="stable")[:most]
    return [f"{NAMES[which]} = {values[which]:.3g} ({moved[which]:+.1f})" for which in heaviest]


@njit(cache=True, nogil=True)
def _add(feature, left, right, threshold, value, values, total):  # type: ignore[no-untyped-def]
    for tree in range(feature.shape[0]):
        for row in range(values.shape[0]):
            node = 0
            which = feature[tree, 0]
            while which >= 0:
                node = left[tree, node] if values[row, which] <= threshold[tree, node] else right[tree, node]
                which = feature[tree, node]
            total[row] += value[tree, node]
