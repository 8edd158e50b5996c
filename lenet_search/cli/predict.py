"""`lenet-search predict`: classify images with a model."""

import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lenet_search.cli.options import Json

if TYPE_CHECKING:
    from rich.console import Console

    from lenet_search.model.predict import Guess, Measured

WIDE = 120  # characters; where there are fewer, what belongs to an image is on lines of its own
BESIDE = 16  # characters of the column of probabilities and of the space between columns
EVERY = 10.0  # seconds between two lines of progress where there is no terminal
EXAMPLES = """Examples:

  lenet-search predict trained/lenet-basic/model.keras seven.png
  lenet-search predict model.keras photographs/ --save-inputs seen
  lenet-search predict model.keras one-folder-per-class/ --json
  lenet-search predict model.keras a.jpg b.jpg --on mnist

A model that was trained on MNIST, or on images of the same form, sees a drawing as MNIST's digits are: separated
from its background, scaled and centered, wherever it is on the page. --save-inputs shows what the model saw."""


def predict(
    model: Annotated[
        Path, typer.Argument(metavar="MODEL.keras", help="An exported or trained model.", show_default=False)
    ],
    images: Annotated[
        list[Path],
        typer.Argument(
            metavar="IMAGE...",
            help="PNG, JPEG, WebP, BMP, GIF or TIFF files, or folders of them. For a folder with one subfolder per "
            "class, prints the accuracy.",
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
    center: Annotated[
        bool | None,
        typer.Option(
            "--center/--no-center",
            help="Find what is drawn, then scale and center it as MNIST's digits: always or never.",
            show_default="when the training images were",
        ),
    ] = None,
    save_inputs: Annotated[
        Path | None,
        typer.Option(
            "--save-inputs",
            metavar="DIR",
            help="Write what the model saw to this folder, as PNG files. Nothing is overwritten.",
            show_default=False,
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Classify images: the three most probable classes of each, with their probabilities.

    Images are converted to the form of the training images: to gray if the
    model has one channel, to its size, inverted and centered if needed. The
    table lists the changes. An image on which nothing stands out is blank and
    gets no class. Files that cannot be read and empty folders are reported,
    the rest is still classified, and the exit code is 2.
    """
    from lenet_search.cli.terminal import console, print_json, working
    from lenet_search.errors import LenetSearchError, ResultError
    from lenet_search.model.listing import pictures
    from lenet_search.starting import start_backend

    found = pictures(images)
    if not (found.files or found.folders):  # report it without loading Keras
        raise ResultError("\n".join(found.problems))
    if zipfile.is_zipfile(model):  # report a file that is not a model without loading Keras
        with working("Starting Keras"):
            start_backend()
    from lenet_search.model.predict import Options, measure
    from lenet_search.model.predict import predict as classify
    from lenet_search.model.predictor import open_model
    from lenet_search.model.saved import SavedInputs

    out = console(stderr=json)
    predictor = open_model(model, on)
    if center and predictor.form.channels != 1:
        raise ResultError(f"--center: expected a model of gray images; {model} takes images in color")
    for remark in predictor.remarks:
        out.print(remark, style="dim", soft_wrap=True)
    problems, measured = found.problems, {}
    with _progress(console(stderr=True)) as tell:
        saved = None if save_inputs is None else SavedInputs(save_inputs)
        options = Options(invert, center, saved, tell)
        guesses, unread = classify(found.files, predictor, options)
        problems += unread
        for folder in found.folders:
            try:
                measured[folder] = measure(folder, predictor, options)
                problems += measured[folder].problems
            except (LenetSearchError, OSError) as error:
                problems.append(str(error))
    if json:
        from lenet_search.model.listing import shown

        print_json(
            {
                "model": shown(model),
                "images": [_guess(guess) for guess in guesses],
                "folders": [_folder(folder, each) for folder, each in measured.items()],
                "problems": problems,
            }
        )
    _show_guesses(guesses, out)
    for folder, each in measured.items():
        _show_folder(folder, each, out)
    if save_inputs is not None:
        out.print(f"What the model saw is in {save_inputs}", style="dim", soft_wrap=True)
    if problems:
        raise ResultError("\n".join(problems))


@contextmanager
def _progress(out: "Console") -> Iterator[Callable[[Path], None]]:
    """Count the images that are read: on a terminal in a line that goes away, elsewhere in a line from time to time."""
    done, since = 0, time.monotonic()

    def told() -> str:
        return f"{done:,} images read"

    def line(_: Path) -> None:
        nonlocal done, since
        done += 1
        if time.monotonic() - since >= EVERY:
            since = time.monotonic()
            out.print(told(), soft_wrap=True)

    if not out.is_terminal:
        yield line
        return
    with out.status("Reading images") as status:

        def live(path: Path) -> None:
            nonlocal done
            done += 1
            status.update(told())

        yield live


def _guess(guess: "Guess") -> dict[str, Any]:
    from lenet_search.model.listing import shown

    best = zip(guess.classes, guess.probabilities, strict=True)
    return {
        "image": shown(guess.path),
        "class": None if guess.blank else guess.classes[0],
        "blank": guess.blank,
        "classes": [{"class": name, "probability": probability} for name, probability in best],
        "changes": list(guess.changes),
        "input": None if guess.saved is None else shown(guess.saved),
    }


def _folder(folder: Path, measured: "Measured") -> dict[str, Any]:
    from lenet_search.model.listing import shown

    found = measured.evaluation
    return {
        "folder": shown(folder),
        **found.accuracy.named("accuracy"),
        "blank": measured.blank,
        "inverted": measured.inverted,
        "centered": measured.centered,
        "class_names": list(found.class_names),
        "confusion": found.confusion.tolist(),
        "notes": list(measured.notes),
    }


def _show_guesses(guesses: "list[Guess]", out: "Console") -> None:
    from rich.text import Text

    from lenet_search.cli.terminal import table
    from lenet_search.model.listing import shown

    if not guesses:
        return
    wide = out.width >= WIDE
    made = table("class", "", "image", *(["then", "changes"] if wide else []), right=("",), whole=("image",) * wide)
    names = max([5, *(len(guess.classes[0]) for guess in guesses if not guess.blank)])
    made.columns[0].width = names = min(names, out.width // 4)
    room = out.width // 3 if wide else out.width - names - BESIDE
    for guess in guesses:
        best = Text("blank", "yellow") if guess.blank else Text(shown(guess.classes[0]), "bold green")
        shares = [percent(share) for share in guess.probabilities]
        others = ", ".join(f"{shown(name)} {share}" for name, share in zip(guess.classes[1:], shares[1:], strict=True))
        name, changes = Text(shortened(shown(guess.path), room)), ", ".join(guess.changes)
        if wide:
            made.add_row(best, *shares[:1] or [""], name, Text(others), Text(changes, "dim"))
        else:
            more = [Text("then " + others, "dim")] if others else []
            more += [Text(changes, "dim")] if changes else []
            made.add_row(best, *shares[:1] or [""], Text("\n").join([name, *more]))
    out.print("\nPredictions", style="bold")
    out.print(made, crop=False)


def percent(share: float) -> str:
    """'97.3 %'; no model is certain, so what would be rounded to 100 or 0 is said to be near it."""
    return "> 99.9 %" if share > 0.9995 else "< 0.1 %" if share < 0.0005 else f"{100 * share:.1f} %"


def shortened(text: str, room: int) -> str:
    """A text of at most `room` characters; what is left out is in the middle."""
    if len(text) <= room:
        return text
    end = 2 * (room - 1) // 3  # the end of a path says more than its start
    return f"{text[: room - 1 - end]}…{text[len(text) - end :]}"


def _show_folder(folder: Path, measured: "Measured", out: "Console") -> None:
    from lenet_search.cli.evaluate import show_evaluation
    from lenet_search.model.listing import shown

    changed = [f"{n:,} {what}" for what in ("inverted", "centered") if (n := getattr(measured, what))]
    for note in measured.notes:
        out.print(note, style="yellow", soft_wrap=True)
    if changed:
        out.print(f"Images changed to look like the training images: {', '.join(changed)}", style="dim")
    if measured.blank:
        out.print(f"Blank images, counted as wrong: {measured.blank:,}", style="yellow")
    show_evaluation(measured.evaluation, out, f"{shown(folder)}: accuracy")
