"""`lenet-search check`: validate study files and show what they search."""

import dataclasses
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lenet_search.cli.options import Json, Set, complete_both

if TYPE_CHECKING:
    from rich.table import Table

    from lenet_search.space import Entry
    from lenet_search.study import Claim, Definition

EXAMPLES = """Examples:

  lenet-search check my/study.toml
  lenet-search check studies/*.toml
  lenet-search check cifar --set train.epochs=2"""


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
    set_: Set = None,
    json: Json = False,
) -> None:
    """Validate study files, and print which hyperparameters they fix and which they search.

    Reports every problem of every file with its line. The exit code is 2 if there is one.
    A data set that is not on this machine is mentioned, and no problem.
    """
    from lenet_search import study
    from lenet_search.cli.terminal import console, print_json, show
    from lenet_search.errors import StudyFileError

    out = console(stderr=json)
    problems: list[str] = []
    found: list[dict[str, Any]] = []
    for file in files:
        try:
            definition = study.read(file, overrides=set_ or ())
        except StudyFileError as error:
            problems += error.problems
        else:
            found.append(_plain(definition))
            where = f" ({definition.path})" if definition.path is not None else ""
            show(out, f"{definition.name}{where}", _space(definition))
            out.print(_settings(definition))
            for name in _missing(definition):
                out.print(
                    f'Not on this machine: data.name = "{name}". A run needs it in the working folder, or in the '
                    "folder given by --data or LENET_SEARCH_DATA.",
                    style="yellow", markup=False, soft_wrap=True,
                )  # fmt: skip
    if problems:
        raise StudyFileError(problems)
    if json:
        print_json({"studies": found})


def _missing(definition: "Definition") -> list[str]:
    """Data sets of the study that are not here. That is no error: it may be checked on another machine."""
    from lenet_search.data import is_known

    names = definition.space.possible("data.name")
    assert isinstance(names, tuple)
    return [str(name) for name in names if not is_known(str(name))]


def _plain(definition: "Definition") -> dict[str, Any]:
    """A study for programs: its settings, its space, and which hyperparameters are searched."""
    return {
        "name": definition.name,
        "file": None if definition.path is None else str(definition.path),
        "metric": definition.metric,
        "direction": definition.direction,
        "trials": definition.trials,
        "timeout": definition.timeout,
        "seed": definition.seed,
        "sampler": definition.sampler.table(),
        "pruner": definition.pruner.table(),
        "searched": list(definition.space.searched()),
        "space": {path: _plain_entry(entry) for path, entry in definition.space.entries.items()},
        "claim": None if definition.claim is None else dataclasses.asdict(definition.claim),
    }


def _plain_entry(entry: "Entry") -> Any:
    from lenet_search.space import Choice, Range

    if isinstance(entry, Choice):
        return {"choices": entry.choices}
    if isinstance(entry, Range):
        return {"low": entry.low, "high": entry.high, "log": entry.log, "step": entry.step}
    return entry


def _settings(definition: "Definition") -> str:
    if not definition.space.searched():
        return "a recipe: every value is fixed" + _claim(definition.claim)
    length = f"{definition.trials} trials"
    if definition.timeout is not None:
        length += f" or {definition.timeout:g} s"
    if words := definition.seeds.words():
        length += f" of {words}"
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
