"""What commands print: tables for people, JSON for programs.

Names and texts are shown as they are: brackets in them are no markup, and control characters move no cursor.
"""

import sys
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from corpus import overlaps
from corpus.drive import Outcome
from corpus.heavy_rules import Heavy
from corpus.mixture import MOST_EPOCHS, Mixed
from corpus.progress import printable
from corpus.seal import Flow
from corpus.status import Status
from corpus.store import Blobs

_EVERY_RULE = 100  # reasons that `status` lists


def console() -> Console:
    """Standard output; 120 columns where it is no terminal."""
    width = None if sys.stdout.isatty() else 120
    return Console(highlight=False, markup=False, emoji=False, width=width)


def dump(value: Any) -> None:
    sys.stdout.write(json_text(value) + "\n")


def json_text(value: Any) -> str:
    """JSON whose strings hold no control characters, also none of those that JSON would let pass."""
    text = msgspec.json.format(msgspec.json.encode(value), indent=1).decode()
    return text.translate({ord(c): _escape(c) for c in set(text) if c != "\n" and not c.isprintable()})


def _escape(character: str) -> str:
    units = character.encode("utf-16-be").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))


def _reasons(dropped: dict[str, int], most: int = 6, of: int = 0) -> str:
    """The commonest reasons, with their share of so many documents; the rest summed up."""
    ranked = sorted(dropped.items(), key=lambda x: (-x[1], x[0]))
    shown = [f"{code} {count:,}" + (f" ({count / of:.1%})" if of else "") for code, count in ranked[:most]]
    if ranked[most:]:
        shown.append(f"{len(ranked[most:])} other reasons {sum(count for _, count in ranked[most:]):,}")
    return ", ".join(shown)


def funnel_table(flows: dict[str, list[Flow]]) -> Table:
    table = Table(title="in = kept + dropped, at every stage", title_justify="left", title_style="dim", box=None)
    for name in ("source", "stage", "in", "kept", "dropped"):
        table.add_column(name, justify="right" if name in ("in", "kept") else "left", no_wrap=name != "dropped")
    for source, own in flows.items():
        first = True
        for flow in own:
            parted = flow.made not in (0, flow.kept)
            if flow.kind == "pack" or not (flow.dropped or parted or flow is own[0]):
                continue
            kept = f"{flow.made:,} parts" if flow.made else f"{flow.kept:,}"
            row = (source if first else "", flow.stage, f"{flow.rows:,}", kept, _reasons(flow.dropped))
            table.add_row(*(Text(printable(cell)) for cell in row))
            first = False
    return table


def mixture_table(mixed: Mixed) -> Table:
    """What a training run reads in a pass."""
    title = f"mixture, by {mixed.unit}{', times the rate of each cluster' if mixed.by_cluster else ''}: a pass takes"
    table = Table(title=title, title_justify="left", title_style="dim", box=None)
    for name in ("source", "documents", "tokens", "epochs", "of a pass", "weight", "licence"):
        table.add_column(name, justify="left" if name in ("source", "licence") else "right", no_wrap=name != "licence")
    for row in mixed.sources:
        epochs = f"{row.repeated:.2f}" + (" !" if row.repeated > MOST_EPOCHS else "")
        figures = (f"{row.documents:,}", f"{row.tokens:,}", epochs, f"{row.pass_tokens:,}", f"{row.weight:.1%}")
        table.add_row(*(Text(printable(cell)) for cell in (row.source, *figures, row.licence or "not stated")))
    return table


def print_mixture(to: Console, mixed: Mixed) -> None:
    to.print(mixture_table(mixed))
    for warning in mixed.warnings:
        to.print(Text(f"warning: {printable(warning)}", style="yellow"), soft_wrap=True)


def told(counts: dict[str, int]) -> str:
    """What an exchange counted: first what it dropped, then the rest, the most first; what is 0 is left out."""
    rest = sorted(((n, name) for name, n in counts.items() if n and name != "dropped"), key=lambda x: (-x[0], x[1]))
    words = [f"{n:,} {name.replace('_', ' ')}" for n, name in rest if not name.startswith("largest")]
    words += [f"{name.replace('_', ' ')} {n:,}" for n, name in rest if name.startswith("largest")]
    dropped = [f"{counts['dropped']:,} dropped"] if "dropped" in counts else []
    return "; ".join([*dropped, *([", ".join(words)] if words else [])]) or "nothing to count"


def print_outcome(to: Console, outcome: Outcome, out: Blobs, line: dict[str, Any], seconds: float) -> None:
    to.print(funnel_table(outcome.funnel))
    for label, counts in outcome.exchanges.items():
        to.print(f"{label}: {told(overlaps.whole(counts))}")
        by_task = overlaps.tasks(counts, {})
        if by_task:
            to.print(overlaps.table(by_task))
    print_heavy(to, outcome.heavy)
    if outcome.mixed is not None:
        print_mixture(to, outcome.mixed)
    manifest = outcome.manifest
    if manifest is not None:
        tokens = sum(s["tokens"] for s in manifest["shards"])
        documents = sum(s["documents"] for s in manifest["shards"])
        to.print(
            f"{documents:,} documents, {tokens:,} tokens in {len(manifest['shards'])} shards, sealed in {out.root}"
        )
    to.print(
        f"{seconds:.1f} s, {line['steps_made']:,} steps made, peak memory of a worker "
        f"{line['peak_worker_bytes'] / 1e6:,.0f} MB",
        style="dim",
    )


def print_heavy(to: Console, heavy: list[Heavy]) -> None:
    """Warnings, each on a line of its own that can be copied."""
    for one in heavy:
        to.print(Text(f"warning: {printable(one.told)}", style="yellow"), soft_wrap=True)


def print_status(to: Console, found: Status) -> None:
    table = Table(box=None)
    for name in ("source", "stage", "state", "in", "kept", "dropped and why"):
        table.add_column(name, justify="right" if name in ("in", "kept") else "left", overflow="fold")
    styles = {"fresh": "green", "stale": "yellow", "missing": "red", "unknown": "dim"}
    last = None
    for one in found.stages:
        counts = [f"{getattr(one, s)} {s}" for s in ("fresh", "stale", "missing", "unknown") if getattr(one, s)]
        state = one.state if len(counts) <= 1 else ", ".join(counts)
        lines = [_reasons(one.dropped, _EVERY_RULE, one.rows)] if one.dropped else []
        lines += [
            f"{why} ({n} partition{'s' * (n != 1)})" for why, n in sorted(one.why.items(), key=lambda x: -x[1])[:8]
        ]
        table.add_row(
            Text(printable(one.source) if one.source != last else ""),
            Text(printable(one.stage)),
            Text(state, style=styles[one.state]),
            f"{one.rows:,}",
            f"{one.made:,} parts" if one.made else f"{one.kept:,}",
            Text(printable_lines("\n".join(lines))),
        )
        last = one.source
    to.print(table)
    print_heavy(to, found.heavy)
    to.print("everything is fresh" if found.fresh else "`corpus build` makes what is stale, missing or unknown")


def print_card(to: Console, card: dict[str, Any], out: Path) -> None:
    """What a classifier learned from and how it fares on what it has not seen."""
    held = card["held_out"]
    table = Table(box=None)
    for name in ("class", "learned from", "measured on", "precision", "recall", "AUC"):
        table.add_column(name, justify="left" if name == "class" else "right")
    for name, row in held["classes"].items():
        learned = sum(one["learned"] for one in card["sources"] if one["class"] == name)
        figures = ("" if row[one] is None else f"{row[one]:.4f}" for one in ("precision", "recall", "auc"))
        table.add_row(name, f"{learned:,}", f"{row['documents']:,}", *figures)
    to.print(table)
    cut = held["cutoff"]
    passed = ", ".join(f"{share:.2%} of {name}" for name, share in cut["passed"].items())
    to.print(
        f"{card['good']} from {cut['cutoff']:.4f}: loses {cut['lost']:.2%} of it, lets through {passed}; "
        f"calibration error {held['calibration']['ece']:.4f}"
    )
    to.print(f"{out / card['model']}, sha256 {card['sha256'][:16]}…; card.md says the rest", soft_wrap=True)


def print_ngrams(to: Console, card: dict[str, Any], out: Path) -> None:
    """What an n-gram model learned from, and the perplexity of what it has not seen."""
    table = Table(box=None)
    for name in ("source", "learned from", "measured", "median perplexity", "bits per unit", "unknown"):
        table.add_column(name, justify="left" if name == "source" else "right")
    for one, row in zip(card["sources"], card["measured"], strict=True):
        figures = ["", "", ""]
        if row["documents"]:
            figures = [f"{row['median']:,.1f}", f"{row['bits_per_unit']:.3f}", f"{row['unknown_share']:.2%}"]
        table.add_row(one["source"], f"{one['learned']:,}", f"{one['measured']:,}", *figures)
    to.print(table)
    ngrams = sum(card["header"]["counts"])
    to.print(f"{card['units']:,} units, {ngrams:,} n-grams kept, {card['bytes'] / 1e6:,.1f} MB")
    to.print(f"{out / card['model']}, sha256 {card['sha256'][:16]}…; card.md says the rest", soft_wrap=True)


def printable_lines(text: str) -> str:
    return "\n".join(printable(line) for line in text.split("\n"))
