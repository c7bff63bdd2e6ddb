"""How well a score tells good from bad: figures of binary and of several classes, from labels and probabilities.

Ties count half, sums are exact or in the order given, and no figure depends on the order of documents.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

DECILES = 10


def auc(good: np.ndarray, bad: np.ndarray) -> float | None:
    """Probability that a random good document scores higher than a random bad one, ties counted half (the area under
    the ROC curve, by ranks). None where either is empty."""
    if not len(good) or not len(bad):
        return None
    ordered = np.sort(bad)
    below = np.searchsorted(ordered, good, side="left").sum(dtype=np.int64)
    not_above = np.searchsorted(ordered, good, side="right").sum(dtype=np.int64)
    return float(below + not_above) / (2.0 * len(good) * len(bad))


def cutoff(good: np.ndarray, loss: float) -> float:
    """The highest score such that at most `loss` of the good documents score less. ValueError where there are none."""
    if not len(good):
        raise ValueError("there is no good document to lose")
    return float(np.sort(good)[int(loss * len(good))])


def passed(scores: np.ndarray, least: float) -> float | None:
    """Share of documents that score `least` or more."""
    return float((scores >= least).mean()) if len(scores) else None


def calibration(scores: np.ndarray, is_good: np.ndarray) -> dict[str, Any]:
    """`bins`: of the documents in each tenth of 0..1 by their score, how many, the mean score, and the share that is
    good; `ece`: the expected calibration error, the mean distance of the two over documents (Guo et al. 2017,
    section 2)."""
    place = np.minimum((scores * DECILES).astype(np.int64), DECILES - 1)
    bins = []
    error = 0.0
    for number in range(DECILES):
        own = place == number
        count = int(own.sum())
        row: dict[str, Any] = {"from": number / DECILES, "documents": count, "predicted": None, "observed": None}
        if count:
            row["predicted"] = float(np.sort(scores[own]).mean())
            row["observed"] = float(is_good[own].mean())
            error += count * abs(row["predicted"] - row["observed"])
        bins.append(row)
    return {"bins": bins, "ece": error / len(scores) if len(scores) else None}


def by_class(names: Sequence[str], truth: np.ndarray, probabilities: np.ndarray) -> dict[str, dict[str, Any]]:
    """For each class, numbered as in `names`: precision and recall of the likeliest class, and the area under the
    curve of its probability against all other classes. `probabilities` is (n, classes)."""
    chosen = probabilities.argmax(axis=1) if len(probabilities) else np.zeros(0, np.int64)
    rows: dict[str, dict[str, Any]] = {}
    for number, name in enumerate(names):
        own, said = truth == number, chosen == number
        hits = int((own & said).sum())
        rows[name] = {
            "documents": int(own.sum()),
            "precision": hits / int(said.sum()) if said.any() else None,
            "recall": hits / int(own.sum()) if own.any() else None,
            "auc": auc(probabilities[own, number], probabilities[~own, number]),
        }
    return rows


def let_through(good: np.ndarray, others: Mapping[str, np.ndarray], loss: float) -> dict[str, Any]:
    """The cutoff at a loss of good documents, and what share of each other set passes it."""
    least = cutoff(good, loss)
    return {
        "loss": loss,
        "cutoff": least,
        "lost": float((good < least).mean()),
        "passed": {name: passed(scores, least) for name, scores in others.items()},
    }
