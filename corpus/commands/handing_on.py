"""Commands that hand a build on: to other programs, and to the trainer."""

from typing import Annotated

import typer

from corpus import screen
from corpus.commands.options import Directory, InProcess, Json, Ray, Store, Workers, absolute, executor_for, places_of
from corpus.errors import RecipeError
from corpus.progress import Progress
from corpus.store import Blobs


def export(
    directory: Directory,
    out: Annotated[str, typer.Option(help="Where to write to (a folder or a URL).")],
    format: Annotated[str, typer.Option(help="parquet, jsonl (.jsonl.zst) or mds.")] = "parquet",
    file_mb: Annotated[int, typer.Option(min=1, help="Text of a file, in MiB, about.")] = 512,
    store: Store = None,
    ray: Ray = None,
    local: InProcess = False,
    workers: Workers = None,
    json: Json = False,
) -> None:
    """Write the survivors' texts as files that others read, with a dataset card."""
    from corpus import export as exporting
    from corpus.opened import Build

    sealed, tables = places_of(directory, store)
    place = Blobs(absolute(out))
    if place.root.rstrip("/") in (sealed.root.rstrip("/"), tables.root.rstrip("/")):
        raise RecipeError(f"export: --out {out} is the build directory or the store. Give another place.")
    with executor_for(ray, local, workers, tables, place) as executor:
        done = exporting.export(Build(sealed, tables), place, format, file_mb << 20, executor, Progress(quiet=json))
    if json:
        screen.dump(done)
    else:
        total, files = done.total, len(done.files)
        told = f"{total.documents:,} documents, {total.text_bytes / 1e6:,.1f} MB of text, {files:,} files in {out}"
        screen.console().print(told)


def train(context: typer.Context) -> None:
    """Train on a finished build: corpus train DIR --preset tiny --dp 2. (--help lists the options)"""
    from trainer.__main__ import main as train_main

    raise typer.Exit(train_main(context.args, prog="corpus train"))
