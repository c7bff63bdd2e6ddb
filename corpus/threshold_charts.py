"""Pictures of the study of thresholds (`thresholds.py`): for each source and judge, one small chart a rule, of the
share that would be kept at other thresholds; those first that alone drop most."""

from typing import Any

import numpy as np

from corpus.thresholds import Curve, values_of

WIDTH, HEIGHT = 240, 72
_POINTS = 49
_TAIL = 0.002  # of the documents, cut off at each end of the axis
_LEAST = 0.01  # of documents or bytes: a curve that moves less is not drawn, unless its rule alone drops some


def charts(curves: dict[tuple[str, str, str], Curve]) -> list[dict[str, Any]]:
    """By source and judge, in the order in which they come."""
    grouped: dict[tuple[str, str], list[tuple[str, Curve]]] = {}
    for (source, stage, code), curve in curves.items():
        grouped.setdefault((source, stage), []).append((code, curve))
    found = []
    for (source, stage), own in grouped.items():
        seen, kept = own[0][1].seen, own[0][1].kept
        if not seen[0]:
            continue
        ranked = sorted(own, key=lambda item: (-int(item[1].alone[0]), -item[1].broken, item[0]))
        moving = [(code, curve, shares) for code, curve in ranked if (shares := _shares(curve)) is not None]
        told = {code for code, _, _ in moving}
        found.append(
            {
                "source": source,
                "stage": stage,
                "seen": int(seen[0]),
                "kept": int(kept[0]),
                "rules": [_chart(code, curve, *shares) for code, curve, shares in moving],
                "still": [code for code, _ in ranked if code not in told],
            }
        )
    return found


def _shares(curve: Curve) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """-> thresholds, their places from 0 to 1, shares of documents and bytes kept; None where no threshold matters."""
    if len(curve.bins) < 2:
        return None
    grid, place = _axis(curve)
    shares = curve.at(grid) / np.maximum(curve.seen, 1)
    return (grid, place, shares) if curve.alone[0] or np.ptp(shares, axis=0).max() >= _LEAST else None


def _chart(code: str, curve: Curve, grid: np.ndarray, place: np.ndarray, shares: np.ndarray) -> dict[str, Any]:
    """An area of the share of documents kept and a line of that of bytes, over thresholds, in a box of 240 by 72."""
    x = [f"{WIDTH * p:.1f}" for p in place]
    documents, size = ([f"{HEIGHT * (1 - y):.1f}" for y in shares[:, i]] for i in (0, 1))
    limit = curve.limit
    at = int(np.searchsorted(grid, limit.threshold))
    return {
        "code": code,
        "op": "at least" if limit.op == "min" else "at most",
        "threshold": f"{limit.threshold:.6g}",
        "area": f"0,{HEIGHT} " + " ".join(map(",".join, zip(x, documents, strict=True))) + f" {WIDTH},{HEIGHT}",
        "line": " ".join(map(",".join, zip(x, size, strict=True))) if curve.seen[1] else "",
        "at": x[at],
        "low": f"{grid[0]:.3g}",
        "high": f"{grid[-1]:.3g}",
        "alone": int(curve.alone[0]),
        "broken": curve.broken,
        "now": [int(n) for n in curve.kept],
        "off": [int(n) for n in curve.kept + curve.alone],
        "seen": [int(n) for n in curve.seen],
    }


def _axis(curve: Curve) -> tuple[np.ndarray, np.ndarray]:
    """-> thresholds, ascending, the present one among them; their places from 0 to 1. Numbers that are no shares are
    laid out by their logarithm."""
    values = values_of(curve.bins)
    share = np.cumsum(curve.counts[:, 0]) / curve.counts[:, 0].sum()
    low = float(values[np.searchsorted(share, _TAIL)])
    high = float(values[min(int(np.searchsorted(share, 1 - _TAIL)), len(values) - 1)])
    now = curve.limit.threshold
    low, high = min(low, now), max(high, now)
    if values[0] >= 0 and values[-1] <= 1 and 0 <= now <= 1:  # shares
        low, high = (0.0, min(1.0, max(high, 1.5 * now))) if low < 0.5 else (low, 1.0)
        grid = np.unique(np.append(np.linspace(low, high, _POINTS), now))
        return grid, (grid - low) / (high - low)
    low, high = _stretch(low), _stretch(high)
    if high == low:
        high = low + 1
    grid = np.unique(np.append(_shrink(np.linspace(low, high, _POINTS)), now))
    return grid, np.clip((_stretch(grid) - low) / (high - low), 0, 1)


def _stretch(value: Any) -> Any:
    return np.sign(value) * np.log2(1 + np.abs(value))


def _shrink(value: np.ndarray) -> np.ndarray:
    return np.sign(value) * (np.exp2(np.abs(value)) - 1)
