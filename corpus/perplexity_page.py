"""The card of an n-gram model as Markdown."""

from typing import Any

from corpus.ngram_file import STEPS

_FIGURES = ("median", "lowest_tenth", "highest_tenth")
_HEAD = ("source", "read", "learned from", "measured", "median", "tenth below", "tenth above", "bits", "unknown")
_HEAD += ("licence", "sha256 of files")


def page(card: dict[str, Any]) -> str:
    """The card as Markdown."""
    head, measured = card["header"], {row["source"]: row for row in card["measured"]}
    lines = [
        f"# N-gram model {card['name']}",
        "",
        f"`{card['model']}`, {card['bytes']:,} bytes, sha256 {card['sha256']}",
        "",
        f"Interpolated modified Kneser-Ney, learned from {card['units']:,} units, {head['vocabulary'] - 1:,} kinds. An "
        f"unknown one costs {head['unknown'] / STEPS:.2f} bits where no context is known.",
        "",
        "| length | n-grams kept | that occur at least | discount of 1 | 2 | 3 or more |",
        "|---|---|---|---|---|---|",
    ]
    for n, (count, least, discounts) in enumerate(zip(head["counts"], head["least"], head["discounts"], strict=True)):
        lines.append(f"| {n + 1} | {count:,} | {least} | {' | '.join(f'{one:.4f}' for one in discounts)} |")
    lines += [
        "",
        "Perplexity (per Han character or three Latin letters) and bits per unit, of documents not learned from:",
        "",
        f"| {' | '.join(_HEAD)} |",
        "|---" * len(_HEAD) + "|",
    ]
    for one in card["sources"]:
        row = measured[one["source"]]
        figures = [""] * 5
        if row["documents"]:
            figures = [f"{row[name]:,.1f}" for name in _FIGURES]
            figures += [f"{row['bits_per_unit']:.3f}", f"{row['unknown_share']:.2%}"]
        cells = [one["source"] + (" (held out)" if one["held_out"] else "")]
        cells += [f"{one[name]:,}" for name in ("documents", "learned", "measured")]
        cells += [*figures, one["licence"] or "not stated", " ".join(value[:16] for value in one["files"].values())]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"
