"""What `corpus verify --removed` has to say: what was looked through, and where something is left."""

import msgspec
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from corpus.progress import printable

_SHOWN = 50


class Place(msgspec.Struct):
    """What was looked through in one place of a build directory or store, and what is left there, by file."""

    root: str
    what: str
    files: int = 0
    found: dict[str, list[str]] = {}

    def add(self, file: str, problem: str) -> None:
        if problem:
            self.found.setdefault(file, []).append(problem)


class Removed(msgspec.Struct):
    """`entries` of the list, `tombstones` in the build that it was sealed with, everything else by place."""

    entries: int
    tombstones: int
    places: list[Place] = []
    repaired: list[str] = []

    @property
    def ok(self) -> bool:
        return not any(place.found for place in self.places)

    def place(self, root: str, what: str) -> Place:
        for place in self.places:
            if (place.root, place.what) == (root, what):
                return place
        self.places.append(Place(root, what))
        return self.places[-1]


def show(found: Removed) -> RenderableType:
    """For a terminal."""
    table = Table(box=None, pad_edge=False)
    for name in ("looked through", "", "files", "with something left"):
        table.add_column(name, justify="right" if name.endswith(("files", "left")) else "left", overflow="fold")
    root = ""
    for place in found.places:
        left = f"{len(place.found):,}" if place.found else "none"
        table.add_row("" if place.root == root else printable(place.root), place.what, f"{place.files:,}", left)
        root = place.root
    lines: list[RenderableType] = [table]
    left = [(f"{p.root}/{file}", text) for p in found.places for file, texts in p.found.items() for text in texts]
    for file, text in left[:_SHOWN]:
        line = Text("left  ", style="red").append(printable(file), "bold default")
        lines.append(line.append(printable(f"  {text}"), "not bold default"))
    if len(left) > _SHOWN:
        lines.append(Text(f"… and {len(left) - _SHOWN:,} more; --json lists all", style="dim"))
    lines += [Text(printable(f"repair  {line}"), style="yellow") for line in found.repaired]
    said = f"{found.entries:,} entries of the list, {found.tombstones:,} records taken down"
    if found.ok:
        lines.append(Text(f"{said}; nothing of them is left", style="green"))
    else:
        lines.append(
            Text(
                f"{said}. Give every manifest that shares the store the same [remove]; `--removed --repair` makes the "
                f"next build purge the store again"
            )
        )
    return Group(*lines)
