"""Options that several commands have, and what they stand for: places, a plan, an executor."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

import stages
from corpus import recipe
from corpus.drive import last_run
from corpus.errors import RecipeError
from corpus.graph import Graph
from corpus.kernel_cache import cold
from corpus.local import Local
from corpus.progress import Progress
from corpus.store import Blobs, is_local

Manifest = Annotated[Path, typer.Argument(help="Dataset manifest (TOML).")]
Directory = Annotated[str, typer.Argument(help="Build directory (a folder or a URL).")]
Out = Annotated[str | None, typer.Option(help="Build directory. Default: build/NAME.")]
Store = Annotated[str | None, typer.Option(help="Where tables live. Default: `store` beside the build directory.")]
Root = Annotated[
    list[str] | None, typer.Option("--root", help="SOURCE=DIR: where a source's files are; DIR alone: for all.")
]
Replayed = Annotated[
    Path | None, typer.Option("--manifest", help="With --replay: the dataset manifest. Default: that of the last run.")
]
Ray = Annotated[str | None, typer.Option("--ray", help="Address of a Ray cluster. Default: an embedded one.")]
InProcess = Annotated[bool, typer.Option("--local", help="No Ray: everything in this process.")]
Workers = Annotated[int | None, typer.Option(min=1, help="Tasks at a time. Default: all cores.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def roots_of(values: list[str] | None) -> dict[str, str]:
    """Place of each source by name; `*` of all others."""
    roots = {}
    for value in values or []:
        name, equals, place = value.partition("=")
        roots[name if equals else "*"] = place if equals else value
    return roots


def places(name: str, out: str | None, store: str | None) -> tuple[Blobs, Blobs]:
    """-> (build directory, store)"""
    directory = out or f"build/{name}"
    if store is None:
        parent = directory.rstrip("/").rpartition("/")[0]
        store = f"{parent}/store" if parent else "store"
    if directory.rstrip("/") == store.rstrip("/"):
        raise RecipeError(f"--out and --store are both {store}. Give one of them another place.")
    return Blobs(absolute(directory)), Blobs(absolute(store))


def absolute(place: str) -> str:
    """A folder whatever the working directory; a URL as it is."""
    return str(Path(place).resolve()) if is_local(place) and "://" not in place else place


def load(path: Path, roots: list[str] | None) -> recipe.Recipe:
    """The manifest at `path`. RecipeError where it is wrong."""
    return recipe.load(path, stages.Stage, stages.Reader, roots_of(roots))


def progress_for(quiet: bool) -> Progress:
    """Progress of a build; it says so where kernels must be compiled first."""
    progress = Progress(quiet=quiet)
    if cold():
        progress.say("First run: kernels are compiled and kept, which takes a minute or two.")
    return progress


@contextmanager
def executor_for(address: str | None, in_process: bool, workers: int | None, store: Blobs, out: Blobs) -> Iterator[Any]:
    """This process, or Ray. Both places must be there; of a cluster every node must see them."""
    store.check()
    out.check()
    if in_process:
        yield Local()
        return
    from corpus.cluster import Cluster  # Ray takes a second to import: only where it is used

    cluster = Cluster(workers, address)
    try:
        if address is not None:
            cluster.check_visible(store)
            cluster.check_visible(out)
        yield cluster
    finally:
        cluster.close()


def places_of(directory: str, store: str | None) -> tuple[Blobs, Blobs]:
    """-> (build directory, store): the given one, or the one of its last run, or `store` beside it."""
    out = Blobs(absolute(directory))
    if store is not None:
        return out, Blobs(absolute(store))
    if out.exists("runs.jsonl"):
        return out, Blobs(last_run(out)["store"])
    return places("", directory, None)


def graph_of(out: Blobs, tables: Blobs, manifest: Path | None, root: list[str] | None) -> Graph:
    """What to replay with: the given manifest, or that of the last run."""
    run = last_run(out)
    return Graph(load(manifest or Path(run["manifest"]), root or run["roots"]), tables)
