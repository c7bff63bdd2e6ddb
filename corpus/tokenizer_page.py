"""The report on a tokenizer for people: tables on a terminal, and a page of HTML that needs nothing else."""

from importlib.resources import files
from typing import Any

import jinja2
from rich.console import Console
from rich.table import Table
from rich.text import Text

from corpus.progress import printable

_SHOWN = 12  # pieces of each list on a terminal


def shown(text: str) -> str:
    """A piece or an excerpt, its blanks and controls to be seen."""
    return printable(text.replace(" ", "␣").replace("\n", "⏎").replace("\t", "⇥"))


def html(report: dict[str, Any]) -> str:
    """The page."""
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"n": lambda value: f"{value:,}", "share": _share, "shown": shown, "clean": printable}
    template = environment.from_string(files("corpus").joinpath("tokenizer_report.html.j2").read_text(encoding="utf-8"))
    return template.render(report)


def print_trained(to: Console, card: dict[str, Any], place: str) -> None:
    """What a tokenizer learned from, by source."""
    training = card["training"]
    table = Table(box=None)
    for name in ("source", "survivors", "learned from", "MB", "share", "licence"):
        table.add_column(name, justify="left" if name in ("source", "licence") else "right")
    for one in training["source"]:
        cells = [one["name"], f"{one['survivors']:,}", f"{one['documents']:,}", f"{one['text_bytes'] / 1e6:,.2f}"]
        table.add_row(*map(Text, map(printable, [*cells, _share(one["share"]), one["licence"]])))
    to.print(table)
    to.print(training["leans_to"])
    to.print(
        f"{place}: {card['vocab_size']:,} pieces, sha256 {card['sha256'][:16]}…; card.toml says the rest",
        soft_wrap=True,
    )
    to.print(f"Look at it before encoding with it: corpus tokenizer report {place} MANIFEST", soft_wrap=True)


def print_report(to: Console, report: dict[str, Any]) -> None:
    unused, pieces = report["unused_pieces"], max(1, report["pieces"])
    end = report["end_of_document"]
    to.print(
        f"{report['tokenizer']}: {report['vocab_size']:,} ids ({report['dtype']} in shards), {report['pieces']:,} "
        f"pieces of text, {report['byte_pieces']:,} of single bytes, {len(report['marks']):,} marks; "
        f"{'nothing' if end is None else end} ends a document. {_share(unused / pieces)} of the pieces were not met."
    )
    if report["by_library"]:
        to.print(f"encoded by its library, which is several times slower: {report['by_library']}", soft_wrap=True)
    for name in ("language", "source"):
        rows = report[f"{name}s"]
        to.print(_groups(name, [*rows, {name: "all", **report["all"]}] if name == "source" else rows))
    if any(one["times"] for one in report["marks"]):
        to.print(_marks(report["marks"]))
    for title, name in (("longest Chinese pieces", "longest_han"), ("longest pieces", "longest")):
        to.print(_pieces(title, report[name]))
    for one in report["differences"]:
        to.print(Text(f"{one['what']}: {shown(one['text'])}\n  comes back as {shown(one['back'])}", style="red"))
    lost = [probe for probe in report["probes"] if probe["lost"]]
    for probe in lost:
        told = probe["difference"]
        to.print(Text(f"{probe['what']}: {shown(told['text'])} comes back as {shown(told['back'])}", style="red"))
    for failure in report["failures"]:
        to.print(Text(f"fails: {printable(failure)}", style="red"), soft_wrap=True)
    if not report["failures"]:
        to.print(
            f"lossless: {report['all']['documents']:,} documents and {len(report['probes'])} hard texts come back byte "
            f"for byte, and none becomes a mark",
            style="green",
        )


def _groups(name: str, rows: list[dict[str, Any]]) -> Table:
    table = Table(box=None)
    for head in (name, "documents", "MB", "tokens", "bytes/token", "chars/token", "unknown", "in bytes", "lost bytes"):
        table.add_column(head, justify="left" if head == name else "right")
    for row in rows:
        table.add_row(
            Text(printable(row[name])),
            f"{row['documents']:,}",
            f"{row['text_bytes'] / 1e6:,.2f}",
            f"{row['tokens']:,}",
            f"{row['bytes_per_token']:.3f}",
            f"{row['characters_per_token']:.3f}",
            _share(row["unknown_share"]),
            _share(row["spelled_share"]),
            Text(f"{row['lost_bytes']:,}", style="red" if row["lost_bytes"] else ""),
        )
    return table


def _marks(marks: list[dict[str, Any]]) -> Table:
    table = Table(title="marks that texts spell out", title_justify="left", title_style="dim", box=None)
    for head in ("mark", "id", "times", "documents", "encoded as"):
        table.add_column(head, justify="left" if head in ("mark", "encoded as") else "right")
    for one in marks:
        if one["times"]:
            treated = f"the mark, {one['became']:,} times" if one["became"] else "text"
            counts = (f"{one[name]:,}" for name in ("id", "times", "documents"))
            table.add_row(Text(printable(one["mark"])), *counts, treated)
    return table


def _pieces(title: str, pieces: list[dict[str, Any]]) -> Table:
    table = Table(title=title, title_justify="left", title_style="dim", box=None, show_header=False)
    for one in pieces[:_SHOWN]:
        table.add_row(Text(shown(one["text"])), f"{one['id']:,}", f"met {one['times']:,} times")
    return table


def _share(value: float) -> str:
    return f"{100 * value:.2f}%"
