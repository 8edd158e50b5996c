"""The command line: every command parses, calls the package and prints. Heavy imports stay inside the commands."""

from shutil import get_terminal_size
from typing import Annotated

import typer

from lenet_search.cli import (
    ablate,
    best,
    check,
    compare,
    confirm,
    evaluate,
    predict,
    replay,
    report,
    reproduce,
    run,
    studies,
    train,
)
from lenet_search.cli.group import Commands
from lenet_search.cli.helptext import help_text, verbatim

PANELS = 80  # columns of the narrowest terminal that help is drawn for; in others it is plain text
GET_STARTED = """Get started:

  lenet-search run --study digits    a minute, no download
  lenet-search best --export         write the best model
  lenet-search COMMAND --help        the help of a command"""
app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    rich_markup_mode="rich" if get_terminal_size().columns >= PANELS else None,
    pretty_exceptions_enable=False,  # `Commands` turns errors into plain messages
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Find the best hyperparameters for LeNet-5, with many trials side by side in one program.",
    epilog=verbatim(GET_STARTED),
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from lenet_search import __version__

        print(f"lenet-search {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    pass


IN_ORDER = run, best, check, studies, confirm, ablate, report, replay, train, evaluate, predict, compare, reproduce
for module in IN_ORDER:
    name = module.__name__.rpartition(".")[2]
    command = getattr(module, name)
    kind = best.OptionalFolder if module is best else None
    text = help_text(command)
    examples = verbatim(getattr(module, "EXAMPLES", ""))
    app.command(name, cls=kind, epilog=examples, help=text, short_help=text.split("\n\n")[0])(command)
