"""Commands that ask a finished build: whether it is whole, where a document went, where a token came from."""

from pathlib import Path
from typing import Annotated, Any

import typer

from corpus import screen
from corpus.commands.options import Directory, Json, Replayed, Root, Store, graph_of, places_of
from corpus.errors import RecipeError
from corpus.local import Local
from corpus.progress import Progress


def verify(
    directory: Directory,
    store: Store = None,
    repair: Annotated[
        bool, typer.Option(help="Take damaged files away, so that the next build makes them again.")
    ] = False,
    removed: Annotated[
        bool, typer.Option("--removed", help="Instead: look for what is left of documents that [remove] took down.")
    ] = False,
    also: Annotated[
        list[str] | None, typer.Option(help="With --removed: another build directory to look through.")
    ] = None,
    json: Json = False,
) -> None:
    """Re-read everything: digests, rows, both laws, token ranges, from the root `manifest.sha256` down."""
    from corpus import check_removed, left
    from corpus import verify as verification

    out, tables = places_of(directory, store)
    if also and not removed:
        raise RecipeError("verify: --also goes with --removed")
    found: Any
    if removed:
        builds = [(out, tables), *(places_of(one, None) for one in also or [])]
        found = check_removed.check_removed(builds, repair, Local(), Progress(quiet=json))
    else:
        found = verification.verify(out, tables, repair, Local(), Progress(quiet=json))
    if json:
        screen.dump(found)
    else:
        screen.console().print((left if removed else verification).show(found))
    if not found.ok:
        raise typer.Exit(1)


def explain(
    directory: Directory,
    url: Annotated[str | None, typer.Option(help="URL of the document.")] = None,
    id: Annotated[str | None, typer.Option(help="Its id, in hex.")] = None,
    replay: Annotated[
        bool, typer.Option(help="Run its chain again from the raw record: blocks of the page, repairs, and why.")
    ] = False,
    manifest: Replayed = None,
    root: Root = None,
    store: Store = None,
    json: Json = False,
) -> None:
    """The life of one document: every stage's values, where it was dropped and by what, or where its tokens are."""
    from corpus import explain as explanation

    if (url is None) == (id is None):
        raise RecipeError("explain: give either --url or --id")
    out, tables = places_of(directory, store)
    lives = explanation.explain(out, tables, url, id, graph_of(out, tables, manifest, root) if replay else None)
    if json:
        screen.dump(lives)
    else:
        screen.console().print(explanation.show(lives))


def trace(
    directory: Directory,
    token: Annotated[
        int | None, typer.Option(help="Back: number of the token, over all shards in order, or in --shard.")
    ] = None,
    shard: Annotated[str | None, typer.Option(help="With --token: name of a shard.")] = None,
    url: Annotated[str | None, typer.Option(help="Forward: every range of tokens of the page.")] = None,
    id: Annotated[str | None, typer.Option(help="Forward: the same for an id, in hex.")] = None,
    step: Annotated[int | None, typer.Option(min=1, help="The documents of a training batch: its step …")] = None,
    rank: Annotated[int, typer.Option(min=0, help="… and the process.")] = 0,
    run: Annotated[
        Path | None, typer.Option(help="With --step: folder of the run. Default: the one run there is.")
    ] = None,
    sample: Annotated[int | None, typer.Option(min=1, help="So many random tokens, all of them replayed.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="With --sample: another one draws others.")] = 0,
    replay: Annotated[bool, typer.Option(help="Run the whole chain again from the raw record, and compare.")] = False,
    manifest: Replayed = None,
    root: Root = None,
    store: Store = None,
    json: Json = False,
) -> None:
    """A token -> its document -> source file, record, URL; a page -> its tokens; a training batch -> its documents."""
    from corpus import ranges, spot_check, windows
    from corpus import trace as tracing
    from corpus.opened import Build

    if sum(value is not None for value in (token, url, id, step, sample)) != 1:
        raise RecipeError("trace: give one of --token, --url, --id, --step and --sample")
    if replay and (url or id or step):
        raise RecipeError("trace: --replay goes with --token or --sample")
    out, tables = places_of(directory, store)
    found: Any
    if sample is not None:
        graph = graph_of(out, tables, manifest, root)
        found = spot_check.spot_check(out, tables, graph, sample, seed, Progress(quiet=json))
        screen.dump(found) if json else screen.console().print(spot_check.show(found))
        if not found.ok:
            raise typer.Exit(1)
        return
    if step is not None:
        from trainer import batches

        place = Path(directory)
        found, show = (
            windows.pieces(Build(out, tables), batches.batch(place, run or batches.find_run(place), step, rank)),
            windows.show,
        )
    elif token is not None:
        graph = graph_of(out, tables, manifest, root) if replay else None
        found, show = tracing.trace(out, tables, token, shard, graph), tracing.show
    else:
        found, show = ranges.find(out, tables, url, id), ranges.show
    screen.dump(found) if json else screen.console().print(show(found))


def report(directory: Directory, store: Store = None) -> None:
    """One self-contained page, DIR/report.html: funnel, languages, signals, clusters, samples."""
    from corpus import report as reporting

    out, tables = places_of(directory, store)
    place = reporting.report(out, tables, Local(), Progress(quiet=True))
    screen.console().print(f"written: {place}")
