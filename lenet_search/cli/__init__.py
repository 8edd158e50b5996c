"""The command line: every command parses, calls the package and prints. Heavy imports stay inside the commands."""

import ast
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from lenet_search.cli import best, check, compare, evaluate, predict, reproduce, run, studies, train
from lenet_search.cli.group import Commands

app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # `Commands` turns errors into plain messages
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Find the best hyperparameters for LeNet-5, with many trials side by side in one program.",
    epilog=(
        "Get started:\n\n"
        "  lenet-search run --study digits      a first search: a minute, no download\n"
        "  lenet-search best --export           export its recipe, model, script, plots\n"
        "  lenet-search COMMAND --help          show the help of a command"
    ),
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


def _help(command: Callable[..., None]) -> str:
    """The docstring of a command, read from its file where `python -OO` has dropped it."""
    if command.__doc__ is None:
        tree = ast.parse(Path(command.__code__.co_filename).read_text(encoding="utf-8"))
        return next(
            ast.get_docstring(node) or ""
            for node in tree.body
            if isinstance(node, ast.FunctionDef) and node.name == command.__name__
        )
    return inspect.cleandoc(command.__doc__)


for module in (run, best, check, studies, train, evaluate, predict, compare, reproduce):
    name = module.__name__.rpartition(".")[2]
    command = getattr(module, name)
    kind = best.OptionalFolder if module is best else None
    app.command(name, cls=kind, epilog=getattr(module, "EXAMPLES", None), help=_help(command))(command)
