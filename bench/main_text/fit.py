"""Learning the trees: LightGBM (Ke et al. 2017), one thread, a fixed seed, and its model as an array of nodes."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from bench.main_text.labels import Example
from stages.block_trees import LEAF, NODE

ROUNDS = 200
PARAMETERS = {
    "objective": "binary",
    "learning_rate": 0.05,
    "num_leaves": 31,
    "min_data_in_leaf": 40,
    "feature_fraction": 0.4,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "lambda_l2": 5.0,
    "num_threads": 1,
    "deterministic": True,
    "force_row_wise": True,
    "seed": 1,
    "verbose": -1,
}


def fit(examples: Sequence[Example], rounds: int = ROUNDS) -> np.ndarray:
    """-> (trees, nodes) of `block_trees.NODE`."""
    import lightgbm

    data = lightgbm.Dataset(
        np.concatenate([example.values for example in examples]),
        np.concatenate([example.is_text for example in examples]).astype(np.float64),
        weight=np.concatenate([example.weight for example in examples]),
    )
    return packed(lightgbm.train(PARAMETERS, data, rounds).dump_model()["tree_info"])


def packed(trees: list[dict[str, Any]]) -> np.ndarray:
    """LightGBM's own description of its trees -> an array of nodes, (trees, most nodes of a tree)."""
    model = np.zeros((len(trees), 2 * PARAMETERS["num_leaves"] - 1), dtype=NODE)
    model["feature"] = LEAF
    for nodes, tree in zip(model, trees, strict=True):
        _place(nodes, tree["tree_structure"], 0, 1)
    return model


def _place(nodes: np.ndarray, node: dict[str, Any], at: int, free: int) -> int:
    """Write `node` at `at` and what hangs from it from `free` on -> the next free place."""
    if "leaf_value" in node:
        nodes[at] = (LEAF, 0, 0, 0, node["leaf_value"])
        return free
    if node["decision_type"] != "<=" or node.get("default_left") is None:
        raise ValueError(f"a tree asks {node['decision_type']!r}; expected <=")
    # The features are float32: x <= t is x <= (the largest float32 not above t).
    threshold = np.float32(node["threshold"])
    if float(threshold) > node["threshold"]:
        threshold = np.nextafter(threshold, np.float32(-np.inf))
    left, right = free, free + 1
    nodes[at] = (node["split_feature"], left, right, threshold, node["internal_value"])
    free = _place(nodes, node["left_child"], left, free + 2)
    return _place(nodes, node["right_child"], right, free)
