"""`lenet-search check`: validate study files and show what they search."""

from typing import TYPE_CHECKING, Annotated

import typer

from lenet_search.cli.options import complete_both

if TYPE_CHECKING:
    from rich.table import Table

    from lenet_search.study import Claim, Definition

EXAMPLES = """Examples:

  lenet-search check my/study.toml
  lenet-search check studies/*.toml"""


def check(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE",
            help="Study files, or names of studies and recipes.",
            show_default=False,
            autocompletion=complete_both,
        ),
    ],
) -> None:
    """Validate study files, and print which hyperparameters they fix and which they search.

    Reports every problem of every file with its line. The exit code is 2 if there is one.
    """
    from lenet_search import study
    from lenet_search.cli.terminal import console, show
    from lenet_search.errors import StudyFileError

    out = console()
    problems: list[str] = []
    for file in files:
        try:
            definition = study.read(file)
        except StudyFileError as error:
            problems += error.problems
        else:
            where = f" ({definition.path})" if definition.path is not None else ""
            show(out, f"{definition.name}{where}", _space(definition))
            out.print(_settings(definition))
    if problems:
        raise StudyFileError(problems)


def _settings(definition: "Definition") -> str:
    if not definition.space.searched():
        return "a recipe: every value is fixed" + _claim(definition.claim)
    length = f"{definition.trials} trials"
    if definition.timeout is not None:
        length += f" or {definition.timeout:g} s"
    searched, known = len(definition.space.searched()), len(definition.space.entries)
    return (
        f"{definition.direction} {definition.metric}, {length}, {definition.sampler.kind} with"
        f" {definition.pruner.kind}; {searched} of {known} hyperparameters are searched"
    )


def _claim(claim: "Claim | None") -> str:
    if claim is None:
        return ""
    figure = "" if claim.test_accuracy is None else f"; reported test accuracy {100 * claim.test_accuracy:.2f} %"
    return f"{figure}. {claim.source}"


def _space(definition: "Definition") -> "Table":
    from rich.text import Text

    from lenet_search.cli.terminal import number, table
    from lenet_search.recipe import FIELDS
    from lenet_search.space import Choice, Range

    made = table("hyperparameter", "value", "unit", "meaning", whole=("hyperparameter", "unit"))
    section = ""
    for path, field in FIELDS.items():
        if path not in definition.space.entries:
            continue
        entry = definition.space.entries[path]
        if isinstance(entry, Range):
            shown = f"{number(entry.low)} to {number(entry.high)}"
            shown += ", log" if entry.log else ""
            shown += f", step {number(entry.step)}" if entry.step is not None else ""
        elif isinstance(entry, Choice):
            shown = " | ".join(number(choice) for choice in entry.choices)
        else:
            shown = number(entry)
        style = "bold cyan" if isinstance(entry, Range | Choice) else ("dim" if entry == field.default else "")
        if section and field.section != section:
            made.add_section()
        section = field.section
        made.add_row(Text(path, style), Text(shown, style), field.legal.unit, Text(field.legal.meaning, "dim"))
    return made
