"""The card of a classifier as Markdown."""

from typing import Any


def page(card: dict[str, Any]) -> str:
    """The card as Markdown."""
    held, good = card["held_out"], card["good"]
    cut = held["cutoff"]
    lines = [f"# Classifier {card['name']}", "", f"`{card['model']}`, sha256 {card['sha256']}, {card['library']}", ""]
    parameters = ", ".join(f"{name} {value}" for name, value in (card["parameters"] | card["tokens"]).items())
    lines += [f"Parameters: {parameters}, seed {card['seed']}, one thread.", "", "## Learned from", ""]
    lines += _table(
        ["source", "class", "read", "kept", "learned from", "measured on", "weight", "licence", "sha256 of files"],
        [
            [one["source"], one["class"] + (" (held out)" if one["held_out"] else "")]
            + [f"{one[name]:,}" for name in ("documents", "kept", "learned", "measured", "weight")]
            + [one["licence"] or "not stated", " ".join(value[:16] for value in one["files"].values())]
            for one in card["sources"]
        ],
    )
    lines += ["", f"Left out, because two classes have them: {card['in_two_classes']:,} documents.", ""]
    lines += ["## Documents held out", ""]
    lines += _table(
        ["class", "documents", "precision", "recall", "AUC"],
        [
            [name, f"{row['documents']:,}", *(_told(row[one]) for one in ("precision", "recall", "auc"))]
            for name, row in held["classes"].items()
        ],
    )
    lines += [
        "",
        f"`{good}` against all others: AUC {_told(held['auc_good'])}. A cutoff of {cut['cutoff']:.4f} on `{good}` "
        f"loses {_told(cut['lost'])} of it and lets through {_shares(cut['passed'])}.",
        "",
        f"Calibration of `{good}` (expected error {_told(held['calibration']['ece'])}):",
        "",
    ]
    lines += _table(
        ["score from", "documents", "predicted", "observed"],
        [
            [f"{row['from']:.1f}", f"{row['documents']:,}", _told(row["predicted"]), _told(row["observed"])]
            for row in held["calibration"]["bins"]
        ],
    )
    lines += ["", f"By source, with that cutoff on `{good}`:", ""]
    lines += _table(
        ["source", "class", "documents", "median score", "passed"],
        [
            [
                one["source"],
                one["class"] + (", never learned from" if one["held_out"] else ""),
                f"{one['documents']:,}",
                _told(one["median"]),
                _told(one["passed"]),
            ]
            for one in held["sources"]
        ],
    )
    if apart := card["held_out_sources"]:
        own = apart["cutoff"]
        lines += [
            "",
            f"Of whole sources held out (of {', '.join(apart['classes'])}) that cutoff loses {_told(apart['lost'])} of "
            f"`{good}` and lets through {_shares(apart['passed'])}; AUC {_shares(apart['auc'])}. A cutoff of "
            f"{own['cutoff']:.4f} loses {_told(own['lost'])} and lets through {_shares(own['passed'])}.",
        ]
    return "\n".join(lines) + "\n"


def _told(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


def _shares(by_class: dict[str, float | None]) -> str:
    return ", ".join(f"{_told(share)} of {name}" for name, share in by_class.items())


def _table(head: list[str], rows: list[list[str]]) -> list[str]:
    ruled = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    return ruled + [f"| {' | '.join(row)} |" for row in rows]
