"""`lenet-search predict`: classify images with a model."""

import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lenet_search.cli.options import Json

if TYPE_CHECKING:
    from rich.console import Console

    from lenet_search.model.predict import Guess, Measured, Predictor

EXAMPLES = """Examples:

  lenet-search predict trained/lenet-basic/model.keras \\
      seven.png three.jpg
  lenet-search predict model.keras photographs/ \\
      --on mnist
  lenet-search predict model.keras \\
      folder-with-one-folder-per-class/ --json

A drawing should fill as much of the image as in the training set: an MNIST digit takes two thirds of the height."""


def predict(
    model: Annotated[
        Path, typer.Argument(metavar="MODEL.keras", help="An exported or trained model.", show_default=False)
    ],
    images: Annotated[
        list[Path],
        typer.Argument(
            metavar="IMAGE...",
            help="PNG or JPEG files, or folders. For a folder with one subfolder per class, prints the accuracy.",
            show_default=False,
        ),
    ],
    on: Annotated[
        str | None,
        typer.Option(
            "--on", metavar="NAME", help="Data set whose class names to use.", show_default="the one it was trained on"
        ),
    ] = None,
    invert: Annotated[
        bool | None,
        typer.Option(
            "--invert/--no-invert",
            "--turn/--no-turn",
            help="Invert the images: always or never.",
            show_default="when they look inverted",
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Classify images: the three most probable classes of each, with their probabilities.

    Images are converted to the format of the training images: to gray if the
    model has one channel, to its size, and inverted if needed. The table lists
    the changes. Files that are not images are reported, the others are still
    classified, and the exit code is 2.
    """
    from lenet_search.cli.backend import start_backend
    from lenet_search.cli.terminal import console, print_json, working

    files, folders = _files_and_folders(images)
    if zipfile.is_zipfile(model):  # report a file that is not a model without loading Keras
        with working("Starting Keras"):
            start_backend()
    from lenet_search.errors import ResultError
    from lenet_search.model.predict import measure, open_model
    from lenet_search.model.predict import predict as classify

    out = console(stderr=json)
    predictor = open_model(model, on)
    for remark in predictor.remarks:
        out.print(remark, style="dim", soft_wrap=True)
    with working("Classifying the images"):
        guesses, problems = classify(files, predictor, invert)
        measured = {folder: measure(folder, predictor, invert) for folder in folders}
    problems += [problem for each in measured.values() for problem in each.problems]
    if json:
        print_json(
            {
                "model": str(model),
                "images": [_guess(guess) for guess in guesses],
                "folders": [_folder(folder, each) for folder, each in measured.items()],
                "problems": problems,
            }
        )
    _show_guesses(guesses, out)
    for folder, each in measured.items():
        _show_folder(folder, each, predictor, out)
    if problems:
        raise ResultError("\n".join(problems))


def _files_and_folders(images: list[Path]) -> tuple[list[Path], list[Path]]:
    """Files to classify, including those in plain folders, and folders with one subfolder per class."""
    from lenet_search.data.class_folders import image_files
    from lenet_search.errors import ResultError
    from lenet_search.model.predict import classes_in

    files, folders = [], []
    for path in images:
        if not path.is_dir():
            files.append(path)
        elif classes_in(path):
            folders.append(path)
        elif found := image_files(path):
            files += found
        else:
            raise ResultError(f"{path}: there are no images in this folder or its subfolders")
    return files, folders


def _guess(guess: "Guess") -> dict[str, Any]:
    best = zip(guess.classes, guess.probabilities, strict=True)
    return {
        "image": str(guess.path),
        "classes": [{"class": name, "probability": probability} for name, probability in best],
        "changes": list(guess.changes),
    }


def _folder(folder: Path, measured: "Measured") -> dict[str, Any]:
    found = measured.evaluation
    return {
        "folder": str(folder),
        **found.accuracy.named("accuracy"),
        "inverted": measured.inverted,
        "class_names": list(found.class_names),
        "confusion": found.confusion.tolist(),
    }


def _show_guesses(guesses: "list[Guess]", out: "Console") -> None:
    from rich.text import Text

    from lenet_search.cli.terminal import show, table

    if not guesses:
        return
    made = table("image", "most probable", "", "second", "", "third", "", "changes", whole=("most probable",))
    for guess in guesses:
        cells = []
        for place, (name, share) in enumerate(zip(guess.classes, guess.probabilities, strict=True)):
            cells += [Text(name, "bold green" if place == 0 else ""), Text(f"{100 * share:.1f} %")]
        cells += [Text("")] * (6 - len(cells))
        made.add_row(Text(str(guess.path)), *cells, Text("; ".join(guess.changes), "dim"))
    show(out, "Predictions", made)


def _show_folder(folder: Path, measured: "Measured", predictor: "Predictor", out: "Console") -> None:
    from lenet_search.cli.evaluate import show_evaluation

    show_evaluation(measured.evaluation, out, f"{folder}: accuracy")
    if measured.inverted:
        appearance = "light on dark" if predictor.background != "light" else "dark on light"
        out.print(f"Inverted {measured.inverted:,} images to {appearance}, like the training images", style="dim")
