"""What `corpus verify` has to say: what was read, what is wrong, what was done about it."""

import msgspec
from rich.console import Group, RenderableType
from rich.text import Text

from corpus.progress import printable

_SHOWN = 50


class Finding(msgspec.Struct, frozen=True):
    """One thing that is wrong. `file` is relative to the build directory, or to the store where `stored`."""

    file: str
    problem: str
    stored: bool = False


class Findings(msgspec.Struct):
    """What was read, and what is wrong with it. `root` is the sha256 of the manifest, `repaired` what was done."""

    root: str = ""
    wrong: list[Finding] = []
    repaired: list[str] = []
    files: int = 0
    bytes: int = 0
    partitions: int = 0
    rows: int = 0
    documents: int = 0
    tokens: int = 0

    @property
    def ok(self) -> bool:
        return not self.wrong


def show(found: Findings) -> RenderableType:
    """For a terminal: what was read, then each wrong file with what is wrong."""
    lines = [
        Text(
            f"read {found.files:,} files, {found.bytes / 1e6:,.1f} MB: {found.partitions:,} partitions, {found.rows:,} "
            f"rows of tables, {found.documents:,} documents and {found.tokens:,} tokens in shards"
        )
    ]
    for finding in found.wrong[:_SHOWN]:
        line = Text("wrong  ", style="red")
        line.append(printable(f"{'store: ' if finding.stored else ''}{finding.file}"), style="bold")
        lines.append(line.append(printable(f"  {finding.problem}"), style="not bold default"))
    if len(found.wrong) > _SHOWN:
        lines.append(Text(f"… and {len(found.wrong) - _SHOWN:,} more; --json lists all", style="dim"))
    lines += [Text(printable(f"repair  {line}"), style="yellow") for line in found.repaired[:_SHOWN]]
    if found.ok:
        lines.append(Text(f"everything is as it was sealed; root {found.root}", style="green"))
    elif found.repaired:
        lines.append(Text("run `corpus build` to make again what was taken away"))
    else:
        lines.append(Text("`corpus verify --repair` takes damaged files away; `corpus build` then makes them again"))
    return Group(*lines)
