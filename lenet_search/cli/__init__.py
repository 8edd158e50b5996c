"""The command line: every command parses, calls the package and prints. Heavy imports stay inside the commands."""

from typing import Annotated

import typer

from lenet_search.cli import best, check, compare, evaluate, predict, replay, reproduce, run, studies, train
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


app.command("run", epilog=run.EXAMPLES)(run.run)
app.command("best", epilog=best.EXAMPLES, cls=best.OptionalFolder)(best.best)
app.command("replay", epilog=replay.EXAMPLES)(replay.replay)
app.command("check", epilog=check.EXAMPLES)(check.check)
app.command("studies")(studies.studies)
app.command("train", epilog=train.EXAMPLES)(train.train)
app.command("evaluate", epilog=evaluate.EXAMPLES)(evaluate.evaluate)
app.command("predict", epilog=predict.EXAMPLES)(predict.predict)
app.command("compare", epilog=compare.EXAMPLES)(compare.compare)
app.command("reproduce", epilog=reproduce.EXAMPLES)(reproduce.reproduce)
