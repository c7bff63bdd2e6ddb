"""Commands that train models from texts, and look at them: `classifier`, `perplexity`, `tokenizer`."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

import stages
from corpus import recipe, screen
from corpus.build import Builder
from corpus.commands.options import (
    InProcess,
    Json,
    Manifest,
    Ray,
    Root,
    Store,
    Workers,
    absolute,
    executor_for,
    load,
    places,
    places_of,
    progress_for,
    roots_of,
)
from corpus.drive import last_run
from corpus.errors import InputError, RecipeError
from corpus.graph import Graph
from corpus.store import Blobs

classifiers = typer.Typer(help="Classifiers of texts, for the stage `quality`.", no_args_is_help=True)


@classifiers.command("train")
def classifier_train(
    manifest: Annotated[Path, typer.Argument(help="Classes and their sources (TOML): see `corpus/classes.py`.")],
    out: Annotated[Path, typer.Option(help="Folder for model.bin, card.json and card.md.")],
    root: Root = None,
    json: Json = False,
) -> None:
    """Train a classifier on sources of several classes; says how it fares on documents that it has not seen."""
    from corpus import classes, classifier

    asked = classes.load(manifest, stages.Reader, roots_of(root))
    stage = stages.Quality(model="")
    prepared = {"stage": stage.kind, "windows": stage.windows, "window_bytes": stage.window_bytes}
    card = classifier.train(asked, stage.tokens, prepared, out)
    if json:
        screen.dump(card)
    else:
        screen.print_card(screen.console(), card, out)


perplexities = typer.Typer(help="N-gram models of good text, for the stage `perplexity`.", no_args_is_help=True)


@perplexities.command("train")
def perplexity_train(
    manifest: Annotated[Path, typer.Argument(help="Sources of good text (TOML): see `corpus/texts.py`.")],
    out: Annotated[Path, typer.Option(help="Folder for perplexity.ngrams, card.json and card.md.")],
    root: Root = None,
    json: Json = False,
) -> None:
    """Train an n-gram model on sources of good text; says how surprising texts are to it that it has not seen."""
    from corpus import perplexity, texts

    asked = texts.load(manifest, stages.Reader, roots_of(root))
    card = perplexity.train(asked, stages.Perplexity(model=perplexity.MODEL, windows=64), out)
    if json:
        screen.dump(card)
    else:
        screen.print_ngrams(screen.console(), card, out)


tokenizers = typer.Typer(help="Tokenizers: made of survivors, looked at before encoding.", no_args_is_help=True)
Build = Annotated[str | None, typer.Option("--build", help="Build directory. Default: build/NAME.")]


@contextmanager
def _survivors(
    plan: recipe.Recipe, directory: Blobs, tables: Blobs, ray: str | None, local: bool, workers: int | None, quiet: bool
) -> Iterator[Builder]:
    """A build up to the stage that makes tokens, brought up to date."""
    from corpus import survivors

    progress = progress_for(quiet)
    with executor_for(ray, local, workers, tables, directory) as executor:
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

    plan = load(manifest, root)
    directory, tables = places(plan.name, build, store)
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
    built = Blobs(absolute(of[0])).exists("runs.jsonl")
    if built or of[0].endswith(".toml"):
        if of[1:]:
            raise RecipeError(f"tokenizer report: {of[0]} is a build and stands alone; got {', '.join(of[1:])} too")
        run = last_run(Blobs(absolute(of[0]))) if built else {}
        plan = load(Path(run["manifest"] if built else of[0]), root or run.get("roots"))
        directory, tables = places_of(of[0], store) if built else places(plan.name, build, store)
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
