"""The command line: `corpus/commands/` holds what it does, by what it is for.

Exits 0, 1 (the build or a check failed) or 2 (bad usage or manifest). `--json` where a program may want to read it.
"""

import sys
import traceback

import typer

from corpus import screen
from corpus.commands import asking, building, handing_on, models
from corpus.errors import CorpusError

app = typer.Typer(
    help="Compiles raw text and crawls into verified, traceable token shards, and trains on them.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for command in (
    building.build,
    building.status,
    building.run,
    building.probe,
    building.sample,
    asking.verify,
    asking.explain,
    asking.trace,
    asking.report,
    handing_on.export,
):
    app.command()(command)
# The trainer reads its own options.
app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True}, add_help_option=False)(
    handing_on.train
)
app.add_typer(models.classifiers, name="classifier")
app.add_typer(models.perplexities, name="perplexity")
app.add_typer(models.tokenizers, name="tokenizer")


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
