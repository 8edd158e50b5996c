"""`lenet-search evaluate`: measure a model on the test set."""

import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lenet_search.cli.options import DataFolder, Json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console
    from rich.table import Table

    from lenet_search.model.by_class import OneClass
    from lenet_search.model.evaluate import Evaluation

MOST = 10  # rows of a table of the most frequent confusions, and of classes if there are many
MANY_CLASSES = 20  # more are not all listed
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
        typer.Option(
            "--on",
            metavar="NAME",
            help="Data set, even if the model was trained on other images.",
            show_default="the one it was trained on",
        ),
    ] = None,
    data: DataFolder = None,
    json: Json = False,
) -> None:
    """Measure a model on the test set: accuracy, recall of each class, and the confusion matrix.

    Run this once, at the end: a test set that is used for selection is a validation set.
    """
    from lenet_search.cli.terminal import console, print_json, working
    from lenet_search.model.by_class import balanced_accuracy, by_class
    from lenet_search.model.evaluate import evaluate as measure
    from lenet_search.starting import start_backend

    with working(f"Measuring {model} on the test set"):
        if zipfile.is_zipfile(model):  # report a file that is not a model without loading Keras
            start_backend()
        found = measure(model, on, data, tell=console(stderr=True).print)
    if json:
        classes = by_class(found.confusion, found.class_names, found.unclassified)
        print_json(
            {
                "model": str(model),
                **found.accuracy.named("accuracy"),
                "balanced_accuracy": balanced_accuracy(classes).to_json(),
                "classes": [each.to_json() for each in classes],
                "class_names": list(found.class_names),
                "confusion": found.confusion.tolist(),
                "measured_on": found.measured_on,
                "trained_on": found.trained_on,
                "same_images": found.same_images,
            }
        )
    out = console(stderr=json)
    show_evaluation(found, out, "Test accuracy")
    if found.remark:
        out.print(found.remark, style="yellow", soft_wrap=True)


def show_evaluation(found: "Evaluation", out: "Console", what: str) -> None:
    """Print the accuracy with the label `what`, then what is confused with what, and each class."""
    from lenet_search.cli.terminal import show
    from lenet_search.model.by_class import balanced_accuracy, by_class, imbalanced

    classes = by_class(found.confusion, found.class_names, found.unclassified)
    out.print(f"{what} {found.accuracy}, 95 % interval, n = {found.accuracy.n:,} images", style="bold")
    if imbalanced(classes):
        balanced = balanced_accuracy(classes)
        absent = sum(not each.images for each in classes)
        without = f" of {len(classes) - absent} classes, {absent} without images" if absent else " of all classes"
        out.print(f"Balanced accuracy {balanced}, the mean recall{without}", style="bold")
    show(out, *_confusion(found, out))
    show(out, *_classes(classes))


def _confusion(found: "Evaluation", out: "Console") -> tuple[str, "Table"]:
    """The complete matrix, with classes by name or by number, or the most frequent confusions if it is too wide."""
    from rich.measure import Measurement

    unlimited = out.options.update(max_width=10_000)
    for named in (True, False) if len(found.class_names) <= MANY_CLASSES else ():
        made = _matrix(found, named=named)
        if Measurement.get(out, unlimited, made).maximum <= out.width:
            return "Confusion matrix: true classes in rows, predicted classes in columns", made
    return _most_confused(found)


def _matrix(found: "Evaluation", *, named: bool) -> "Table":
    from rich.text import Text

    from lenet_search.cli.terminal import table

    numbers = [str(place) for place in range(len(found.class_names))]
    heads = list(found.class_names) if named else numbers
    rows = heads if named else [f"{n} {name}" for n, name in zip(numbers, found.class_names, strict=True)]
    made = table("", *heads, right=tuple(heads), whole=("",))
    for i, row in enumerate(rows):
        counts = found.confusion[i]
        cells = [Text(str(int(n)) if n else "·", "bold green" if i == j else "") for j, n in enumerate(counts)]
        made.add_row(Text(row), *cells)
    return made


def _most_confused(found: "Evaluation") -> tuple[str, "Table"]:
    from rich.text import Text

    from lenet_search.cli.terminal import table
    from lenet_search.model.by_class import most_confused

    names, pairs = found.class_names, most_confused(found.confusion, MOST)
    made = table("images", "true class", "predicted class", right=("images",))
    for count, true, predicted in pairs:
        made.add_row(str(count), Text(names[true]), Text(names[predicted]))
    if not pairs:
        return f"No image of the {len(names)} classes is confused", made
    return f"Most frequent confusions among {len(names)} classes", made


def _classes(classes: "Sequence[OneClass]") -> tuple[str, "Table"]:
    """Every class, or those recognized least if there are many."""
    from rich.text import Text

    from lenet_search.cli.terminal import table

    title, shown = "Classes, with the share of their images that is recognized (recall)", list(classes)
    if len(classes) > MANY_CLASSES:
        measured = [each for each in classes if each.recall.value is not None]
        shown = sorted(measured, key=lambda each: each.recall.value or 0.0)[:MOST]
        title = f"The {len(shown)} classes of {len(classes)} that are recognized least; --json has all"
    made = table(
        "class", "images", "share", "recall, 95 % interval", right=("images", "share", "recall, 95 % interval")
    )
    for each in shown:
        made.add_row(Text(each.name), f"{each.images:,}", f"{100 * each.share:.1f} %", str(each.recall))
    return title, made
