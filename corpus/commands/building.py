"""Commands that build: what is stale, one stage again, and what helps to get there."""

import sys
import time
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from corpus import mixing, screen
from corpus.build import Builder
from corpus.commands.options import (
    InProcess,
    Json,
    Manifest,
    Out,
    Ray,
    Root,
    Store,
    Workers,
    absolute,
    executor_for,
    load,
    places,
    progress_for,
)
from corpus.drive import compile_corpus, log_run
from corpus.errors import InputError, RecipeError
from corpus.graph import Graph
from corpus.local import Local
from corpus.progress import Progress
from corpus.seal import Flow
from corpus.sealed import open_manifest
from corpus.status import Status, survey
from corpus.store import Blobs


def build(
    manifest: Manifest,
    out: Out = None,
    store: Store = None,
    until: Annotated[str | None, typer.Option(help="Stop behind this stage.")] = None,
    root: Root = None,
    ray: Ray = None,
    local: InProcess = False,
    workers: Workers = None,
    rehash: Annotated[bool, typer.Option(help="Hash every input file, whatever its size and time say.")] = False,
    json: Json = False,
) -> None:
    """Build what is stale, nothing else; ends with a funnel table."""
    started = time.monotonic()
    plan = load(manifest, root)
    directory, tables = places(plan.name, out, store)
    progress = progress_for(json)
    with executor_for(ray, local, workers, tables, directory) as executor:
        ready = time.monotonic()
        builder = Builder(Graph(plan, tables), executor, progress, rehash)
        how = {
            "command": sys.argv,
            "manifest": str(manifest.resolve()),
            "roots": [f"{source.name}={source.root}" for source in plan.sources],
            "workers": executor.workers,
            "executor": "local" if local else ray or "embedded",
        }
        outcome = None
        try:
            outcome = compile_corpus(builder, directory, until)
        except KeyboardInterrupt:
            progress.say(f"Interrupted. What is done is kept: `corpus build {manifest}` goes on from here.")
            raise typer.Exit(1) from None
        finally:
            seconds = time.monotonic() - started
            how["engine_start_s"] = round(ready - started, 3)
            line = log_run(directory, builder, outcome, seconds, how)
        if json:
            screen.dump(
                {
                    "funnel": outcome.funnel,
                    "exchanges": outcome.exchanges,
                    "heavy": outcome.heavy,
                    "mixture": outcome.mixed,
                    "manifest": outcome.manifest,
                    "run": line,
                }
            )
        else:
            screen.print_outcome(screen.console(), outcome, directory, line, seconds)


def status(
    manifest: Annotated[str, typer.Argument(help="Dataset manifest, or a build directory.")],
    out: Out = None,
    store: Store = None,
    root: Root = None,
    json: Json = False,
) -> None:
    """Each step: fresh, stale (and why), missing, unknown; rows in, kept, dropped by reason."""
    if not manifest.endswith(".toml"):
        sealed = open_manifest(Blobs(absolute(manifest)))
        flows = {s["name"]: msgspec.convert(s["funnel"], list[Flow]) for s in sealed["sources"]}
        mixed = mixing.read(Blobs(absolute(manifest)), sealed)
        if json:
            screen.dump({"name": sealed["name"], "funnel": flows, "shards": sealed["shards"], "mixture": mixed})
        else:
            screen.console().print(screen.funnel_table(flows))
            if mixed is not None:
                screen.print_mixture(screen.console(), mixed)
        return
    plan = load(Path(manifest), root)
    directory, tables = places(plan.name, out, store)
    found = survey(Builder(Graph(plan, tables, install=False), Local(), Progress(quiet=True)), directory)
    if json:
        screen.dump(found)
    else:
        screen.print_status(screen.console(), found)


def run(
    stage: Annotated[str, typer.Argument(help="Stage to run again.")],
    manifest: Manifest,
    out: Out = None,
    store: Store = None,
    root: Root = None,
    ray: Ray = None,
    local: InProcess = False,
    workers: Workers = None,
    json: Json = False,
) -> None:
    """Run one stage again on stored inputs; says what became stale behind it."""
    plan = load(manifest, root)
    directory, tables = places(plan.name, out, store)
    with executor_for(ray, local, workers, tables, directory) as executor:
        graph = Graph(plan, tables)
        _need_upstream(survey(Builder(graph, Local(), Progress(quiet=True)), directory), graph, stage, manifest)
        builder = Builder(graph, executor, Progress(quiet=json))
        builder.forget(stage)
        compile_corpus(builder, directory, until=stage)
        steps = builder.costs.steps
        found = survey(Builder(graph, Local(), Progress(quiet=True)), directory)
    if json:
        screen.dump({"steps": steps, "status": found})
    else:
        console = screen.console()
        console.print(f"{stage}: {steps} steps run; what it did, and what is not fresh behind it:")
        found.stages = [one for one in found.stages if one.stage == stage or one.state != "fresh"]
        screen.print_status(console, found)


def _need_upstream(found: Status, graph: Graph, stage: str, manifest: Path) -> None:
    """InputError where what the stage reads is not built."""
    labels = graph.labels()
    if stage not in labels:
        raise RecipeError(f"no stage is called {stage!r}. Stages: {', '.join(labels)}")
    for one in found.stages:
        if labels.index(one.stage) < labels.index(stage) and one.state != "fresh":
            raise InputError(
                f"`{stage}` runs on stored inputs, but `{one.stage}` of source `{one.source}` is {one.state}. "
                f"Build it first: corpus build {manifest} --until {one.stage}"
            )


def probe(
    manifest: Manifest,
    source: Annotated[str, typer.Option(help="Source of the file.")],
    path: Annotated[str, typer.Option(help="The file, relative to the source's root.")],
    out: Out = None,
    store: Store = None,
    root: Root = None,
) -> None:
    """Find the record on which a worker dies; prints the [[quarantine]] entry for it."""
    from corpus.probe import find_killer

    plan = load(manifest, root)
    _, tables = places(plan.name, out, store)
    builder = Builder(Graph(plan, tables), Local(), Progress(quiet=True))
    record = find_killer(builder.read_task(source, path))
    if record is None:
        screen.console().print("no single record kills its process: it was memory, or the machine")
    else:
        sys.stdout.write(f'[[quarantine]]\nsource = "{source}"\npath = "{path}"\nrecord = {record}\n')


def sample(
    directory: Annotated[Path, typer.Argument(help="Folder to write to.")],
    seed: Annotated[int, typer.Option(help="Same seed, same bytes.")] = 1,
    scale: Annotated[float, typer.Option(help="1.0: about 30 MB of text.")] = 1.0,
    recipes: Annotated[bool, typer.Option(help="Also stand-ins for the sets of the shipped recipes.")] = False,
) -> None:
    """Make the sample input of the quickstart: Pile-style files, Chinese text and crawls, with planted defects."""
    import sampledata

    made = sampledata.generate(directory, seed, scale)
    sets = sampledata.recipes(directory, seed) if recipes else {}
    console = screen.console()
    console.print(
        f"{made.documents:,} documents, {made.text_bytes / 1e6:.1f} MB of text, {len(made.files)} files in {directory}"
    )
    console.print("planted: " + ", ".join(f"{kind} {count}" for kind, count in sorted(made.planted.items())))
    if sets:
        console.print(f"and {sum(sets.values()):,} documents for manifests/mt-nlg.toml and manifests/yuan.toml")
