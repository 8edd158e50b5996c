"""`lenet-search evaluate`: measure a model on the test set."""

import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lenet_search.cli.options import DataFolder, Json

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from lenet_search.model.evaluate import Evaluation

MATRIX_CLASSES = 20  # a larger matrix does not fit on a screen
EXAMPLES = """Examples:

  lenet-search evaluate exports/cifar/model.keras
  lenet-search evaluate model.keras --on cifar10 \\
      --data ~/images"""


def evaluate(
    model: Annotated[
        Path, typer.Argument(metavar="MODEL.keras", help="A model written by `best --export`.", show_default=False)
    ],
    on: Annotated[
        str | None,
        typer.Option("--on", metavar="NAME", help="Data set.", show_default="the one it was trained on"),
    ] = None,
    data: DataFolder = None,
    json: Json = False,
) -> None:
    """Measure a model on the test set: accuracy with its 95 % interval, and the confusion matrix.

    Run this once, at the end: a test set that is used for selection is a validation set.
    """
    from lenet_search.cli.backend import start_backend
    from lenet_search.cli.terminal import console, print_json, working
    from lenet_search.model.evaluate import evaluate as measure

    with working(f"Measuring {model} on the test set"):
        if zipfile.is_zipfile(model):  # report a file that is not a model without loading Keras
            start_backend()
        found = measure(model, on, data)
    if json:
        print_json(
            {
                "model": str(model),
                **found.accuracy.named("accuracy"),
                "class_names": list(found.class_names),
                "confusion": found.confusion.tolist(),
            }
        )
    show_evaluation(found, console(stderr=json), "Test accuracy")


def show_evaluation(found: "Evaluation", out: "Console", what: str) -> None:
    """Print the confusion matrix, or the most frequent confusions, and the accuracy with the label `what`."""
    from lenet_search.cli.terminal import show

    many = len(found.class_names) > MATRIX_CLASSES
    show(out, *(_most_confused(found) if many else _confusion(found)))
    out.print(f"{what} {found.accuracy}, 95 % interval, n = {found.accuracy.n:,} images", style="bold")


def _confusion(found: "Evaluation") -> tuple[str, "Table"]:
    """The complete matrix, with the share of each class that is recognized."""
    from rich.text import Text

    from lenet_search.cli.terminal import table

    names, matrix = found.class_names, found.confusion
    made = table("", *names, "correct", right=(*names, "correct"), whole=("",))
    for i, name in enumerate(names):
        total = int(matrix[i].sum())
        cells = [Text(str(int(n)) if n else "·", "bold green" if i == j else "") for j, n in enumerate(matrix[i])]
        made.add_row(Text(name), *cells, f"{100 * int(matrix[i, i]) / total:.1f} %" if total else "-")
    return "Confusion matrix: true classes in rows, predicted classes in columns", made


def _most_confused(found: "Evaluation") -> tuple[str, "Table"]:
    """The most frequent confusions, when the complete matrix would not fit."""
    from rich.text import Text

    from lenet_search.cli.terminal import table

    names, matrix = found.class_names, found.confusion
    pairs = [(int(matrix[i, j]), i, j) for i in range(len(names)) for j in range(len(names)) if i != j and matrix[i, j]]
    made = table("images", "true class", "predicted class", right=("images",))
    for count, true, predicted in sorted(pairs, reverse=True)[:MATRIX_CLASSES]:
        made.add_row(str(count), Text(names[true]), Text(names[predicted]))
    return f"Most frequent confusions among {len(names)} classes", made
