"""The command line: parses, calls, prints. The only module of this package that knows the stages.

Exits 0, 1 (the build or a check failed) or 2 (bad usage or manifest). `--json` where a program may want to read it.
"""

import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

import stages
from corpus import mixing, recipe, screen
from corpus.build import Builder
from corpus.drive import compile_corpus, last_run, log_run
from corpus.errors import CorpusError, InputError, RecipeError
from corpus.graph import Graph
from corpus.kernel_cache import cold
from corpus.local import Local
from corpus.progress import Progress
from corpus.seal import Flow
from corpus.sealed import open_manifest
from corpus.status import Status, survey
from corpus.store import Blobs, is_local

app = typer.Typer(
    help="Compiles raw text and crawls into verified, traceable token shards, and trains on them.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
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


def _roots(values: list[str] | None) -> dict[str, str]:
    roots = {}
    for value in values or []:
        name, equals, place = value.partition("=")
        roots[name if equals else "*"] = place if equals else value
    return roots


def _places(name: str, out: str | None, store: str | None) -> tuple[Blobs, Blobs]:
    """-> (build directory, store)"""
    directory = out or f"build/{name}"
    if store is None:
        parent = directory.rstrip("/").rpartition("/")[0]
        store = f"{parent}/store" if parent else "store"
    if directory.rstrip("/") == store.rstrip("/"):
        raise RecipeError(f"--out and --store are both {store}. Give one of them another place.")
    return Blobs(_absolute(directory)), Blobs(_absolute(store))


def _absolute(place: str) -> str:
    return str(Path(place).resolve()) if is_local(place) and "://" not in place else place


def _load(path: Path, roots: list[str] | None) -> recipe.Recipe:
    return recipe.load(path, stages.Stage, stages.Reader, _roots(roots))


@contextmanager
def _executor(address: str | None, in_process: bool, workers: int | None, store: Blobs, out: Blobs) -> Iterator[Any]:
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


# -- commands --------------------------------------------------------------------------------------------------------


@app.command()
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
    plan = _load(manifest, root)
    directory, tables = _places(plan.name, out, store)
    progress = Progress(quiet=json)
    if cold():
        progress.say("First run: kernels are compiled and kept, which takes a minute or two.")
    with _executor(ray, local, workers, tables, directory) as executor:
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


@app.command()
def status(
    manifest: Annotated[str, typer.Argument(help="Dataset manifest, or a build directory.")],
    out: Out = None,
    store: Store = None,
    root: Root = None,
    json: Json = False,
) -> None:
    """Each step: fresh, stale (and why), missing, unknown; rows in, kept, dropped by reason."""
    if not manifest.endswith(".toml"):
        sealed = open_manifest(Blobs(_absolute(manifest)))
        flows = {s["name"]: msgspec.convert(s["funnel"], list[Flow]) for s in sealed["sources"]}
        mixed = mixing.read(Blobs(_absolute(manifest)), sealed)
        if json:
            screen.dump({"name": sealed["name"], "funnel": flows, "shards": sealed["shards"], "mixture": mixed})
        else:
            screen.console().print(screen.funnel_table(flows))
            if mixed is not None:
                screen.print_mixture(screen.console(), mixed)
        return
    plan = _load(Path(manifest), root)
    directory, tables = _places(plan.name, out, store)
    found = survey(Builder(Graph(plan, tables, install=False), Local(), Progress(quiet=True)), directory)
    if json:
        screen.dump(found)
    else:
        screen.print_status(screen.console(), found)


@app.command()
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
    plan = _load(manifest, root)
    directory, tables = _places(plan.name, out, store)
    with _executor(ray, local, workers, tables, directory) as executor:
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


@app.command()
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

    plan = _load(manifest, root)
    _, tables = _places(plan.name, out, store)
    builder = Builder(Graph(plan, tables), Local(), Progress(quiet=True))
    record = find_killer(builder.read_task(source, path))
    if record is None:
        screen.console().print("no single record kills its process: it was memory, or the machine")
    else:
        sys.stdout.write(f'[[quarantine]]\nsource = "{source}"\npath = "{path}"\nrecord = {record}\n')


@app.command()
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


def _of(directory: str, store: str | None) -> tuple[Blobs, Blobs]:
    """-> (build directory, store): the given one, or the one of its last run, or `store` beside it."""
    out = Blobs(_absolute(directory))
    if store is not None:
        return out, Blobs(_absolute(store))
    if out.exists("runs.jsonl"):
        return out, Blobs(last_run(out)["store"])
    return _places("", directory, None)


def _graph(out: Blobs, tables: Blobs, manifest: Path | None, root: list[str] | None) -> Graph:
    """What to replay with: the given manifest, or that of the last run."""
    run = last_run(out)
    return Graph(_load(manifest or Path(run["manifest"]), root or run["roots"]), tables)


@app.command()
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

    out, tables = _of(directory, store)
    if also and not removed:
        raise RecipeError("verify: --also goes with --removed")
    found: Any
    if removed:
        builds = [(out, tables), *(_of(one, None) for one in also or [])]
        found = check_removed.check_removed(builds, repair, Local(), Progress(quiet=json))
    else:
        found = verification.verify(out, tables, repair, Local(), Progress(quiet=json))
    if json:
        screen.dump(found)
    else:
        screen.console().print((left if removed else verification).show(found))
    if not found.ok:
        raise typer.Exit(1)


@app.command()
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
    out, tables = _of(directory, store)
    lives = explanation.explain(out, tables, url, id, _graph(out, tables, manifest, root) if replay else None)
    if json:
        screen.dump(lives)
    else:
        screen.console().print(explanation.show(lives))


@app.command()
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
    out, tables = _of(directory, store)
    found: Any
    if sample is not None:
        graph = _graph(out, tables, manifest, root)
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
        graph = _graph(out, tables, manifest, root) if replay else None
        found, show = tracing.trace(out, tables, token, shard, graph), tracing.show
    else:
        found, show = ranges.find(out, tables, url, id), ranges.show
    screen.dump(found) if json else screen.console().print(show(found))


@app.command()
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

    sealed, tables = _of(directory, store)
    place = Blobs(_absolute(out))
    if place.root.rstrip("/") in (sealed.root.rstrip("/"), tables.root.rstrip("/")):
        raise RecipeError(f"export: --out {out} is the build directory or the store. Give another place.")
    with _executor(ray, local, workers, tables, place) as executor:
        done = exporting.export(Build(sealed, tables), place, format, file_mb << 20, executor, Progress(quiet=json))
    if json:
        screen.dump(done)
    else:
        total, files = done.total, len(done.files)
        told = f"{total.documents:,} documents, {total.text_bytes / 1e6:,.1f} MB of text, {files:,} files in {out}"
        screen.console().print(told)


@app.command()
def report(directory: Directory, store: Store = None) -> None:
    """One self-contained page, DIR/report.html: funnel, languages, signals, clusters, samples."""
    from corpus import report as reporting

    out, tables = _of(directory, store)
    place = reporting.report(out, tables, Local(), Progress(quiet=True))
    screen.console().print(f"written: {place}")


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True}, add_help_option=False)
def train(context: typer.Context) -> None:
    """Train on a finished build: corpus train DIR --preset tiny --dp 2. (--help lists the options)"""
    from trainer.__main__ import main as train_main

    raise typer.Exit(train_main(context.args, prog="corpus train"))


classifiers = typer.Typer(help="Classifiers of texts, for the stage `quality`.", no_args_is_help=True)
app.add_typer(classifiers, name="classifier")


@classifiers.command("train")
def classifier_train(
    manifest: Annotated[Path, typer.Argument(help="Classes and their sources (TOML): see `corpus/classes.py`.")],
    out: Annotated[Path, typer.Option(help="Folder for model.bin, card.json and card.md.")],
    root: Root = None,
    json: Json = False,
) -> None:
    """Train a classifier on sources of several classes; says how it fares on documents that it has not seen."""
    from corpus import classes, classifier

    asked = classes.load(manifest, stages.Reader, _roots(root))
    stage = stages.Quality(model="")
    prepared = {"stage": stage.kind, "windows": stage.windows, "window_bytes": stage.window_bytes}
    card = classifier.train(asked, stage.tokens, prepared, out)
    if json:
        screen.dump(card)
    else:
        screen.print_card(screen.console(), card, out)


perplexities = typer.Typer(help="N-gram models of good text, for the stage `perplexity`.", no_args_is_help=True)
app.add_typer(perplexities, name="perplexity")


@perplexities.command("train")
def perplexity_train(
    manifest: Annotated[Path, typer.Argument(help="Sources of good text (TOML): see `corpus/texts.py`.")],
    out: Annotated[Path, typer.Option(help="Folder for perplexity.ngrams, card.json and card.md.")],
    root: Root = None,
    json: Json = False,
) -> None:
    """Train an n-gram model on sources of good text; says how surprising texts are to it that it has not seen."""
    from corpus import perplexity, texts

    asked = texts.load(manifest, stages.Reader, _roots(root))
    card = perplexity.train(asked, stages.Perplexity(model=perplexity.MODEL, windows=64), out)
    if json:
        screen.dump(card)
    else:
        screen.print_ngrams(screen.console(), card, out)


tokenizers = typer.Typer(help="Tokenizers: made of survivors, looked at before encoding.", no_args_is_help=True)
app.add_typer(tokenizers, name="tokenizer")
Build = Annotated[str | None, typer.Option("--build", help="Build directory. Default: build/NAME.")]


@contextmanager
def _survivors(
    plan: recipe.Recipe, directory: Blobs, tables: Blobs, ray: str | None, local: bool, workers: int | None, quiet: bool
) -> Iterator[Builder]:
    """A build up to the stage that makes tokens, brought up to date."""
    from corpus import survivors

    progress = Progress(quiet=quiet)
    if cold():
        progress.say("First run: kernels are compiled and kept, which takes a minute or two.")
    with _executor(ray, local, workers, tables, directory) as executor:
        builder = Builder(Graph(survivors.before_tokens(plan), tables), executor, progress)
        survivors.bring_up_to_date(builder, directory)
        yield builder


@tokenizers.command("train")
def tokenizer_train(
    manifest: Manifest,
    out: Annotated[Path, typer.Option(help="Folder for tokenizer.model and card.toml.")],
    build: Build = None,
    store: Store = None,
    root: Root = None,
    ray: Ray = None,
    local: InProcess = False,
    workers: Workers = None,
    json: Json = False,
) -> None:
    """Train a SentencePiece model on survivors, as the table [tokenizer] says; what is stale is built first."""
    from corpus import tokenizer_page, tokenizer_train

    plan = _load(manifest, root)
    directory, tables = _places(plan.name, build, store)
    with _survivors(plan, directory, tables, ray, local, workers, json) as builder:
        command = f"corpus tokenizer train {manifest} --out {out}"
        card = tokenizer_train.train_on_survivors(builder, plan.training, out, command)
    if json:
        screen.dump(card)
    else:
        tokenizer_page.print_trained(screen.console(), card, str(out))


@tokenizers.command("report")
def tokenizer_report(
    tokenizer: Annotated[str, typer.Argument(help="Tokenizer: a folder with a card, or a file.")],
    of: Annotated[list[str], typer.Argument(help="A dataset manifest, a build directory, or files and folders.")],
    html: Annotated[Path | None, typer.Option(help="Write a page of HTML there.")] = None,
    sample_bytes: Annotated[int, typer.Option("--bytes", min=1, help="Of a build: of text.")] = 20_000_000,
    documents: Annotated[int, typer.Option(min=1, help="Of files: documents of each.")] = 2_000,
    build: Build = None,
    store: Store = None,
    root: Root = None,
    ray: Ray = None,
    local: InProcess = False,
    workers: Workers = None,
    json: Json = False,
) -> None:
    """What a tokenizer costs and loses, before anything is encoded with it. Exits 1 where it loses anything."""
    from corpus import assets, survivors, tokenizer_page
    from corpus import tokenizer_report as reporting
    from corpus.tokenizer_measure import Measure

    near = Path(of[0]).parent if of[0].endswith(".toml") else None
    data = assets.asset(assets.find(tokenizer, near))
    stage = stages.Encode(tokenizer=tokenizer)
    measure = Measure(stage.opened(data))
    document_bytes = recipe.Training().document_bytes
    built = Blobs(_absolute(of[0])).exists("runs.jsonl")
    if built or of[0].endswith(".toml"):
        if of[1:]:
            raise RecipeError(f"tokenizer report: {of[0]} is a build and stands alone; got {', '.join(of[1:])} too")
        run = last_run(Blobs(_absolute(of[0]))) if built else {}
        plan = _load(Path(run["manifest"] if built else of[0]), root or run.get("roots"))
        directory, tables = _of(of[0], store) if built else _places(plan.name, build, store)
        with _survivors(plan, directory, tables, ray, local, workers, json) as builder:
            found = survivors.sample(builder, plan.mixture, plan.seed, sample_bytes, document_bytes)
        reporting.add_sample(measure, found)
    else:
        kinds = recipe.by_kind(stages.Reader)
        reporting.add_files(measure, map(Path, of), lambda kind: kinds[kind](), documents, document_bytes)
    end: int | InputError
    try:
        end = stage.vocabulary(measure.model)[1]
    except InputError as error:
        end = error  # one of the things that the report is about
    report = reporting.figures(measure, tokenizer, assets.sha256(data), end)
    if html is not None:
        html.write_text(tokenizer_page.html(report), encoding="utf-8")
    if json:
        screen.dump(report)
    else:
        tokenizer_page.print_report(screen.console(), report)
    if report["failures"]:
        raise typer.Exit(1)


def main() -> None:
    """Entry point: errors that a user can mend are one message, not a traceback."""
    try:
        status = app(standalone_mode=False)  # what a command gave to typer.Exit
        sys.exit(status if isinstance(status, int) else 0)
    except CorpusError as error:
        sys.stderr.write(f"corpus: {screen.printable_lines(str(error))}\n")
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.stderr.write("corpus: interrupted\n")
        sys.exit(1)
    except Exception as error:
        if type(error).__module__.startswith(("click", "typer")) and hasattr(error, "format_message"):
            error.show()  # type: ignore[attr-defined]
            sys.exit(2)
        sys.stderr.write(screen.printable_lines(traceback.format_exc()))  # it may quote a page
        sys.exit(1)
