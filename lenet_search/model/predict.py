"""Classify arbitrary images with a model, or measure its accuracy on a folder with one subfolder per class."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lenet_search.data.class_folders import image_files
from lenet_search.data.decode import ImageError
from lenet_search.errors import ResultError
from lenet_search.look.intervals import share_of
from lenet_search.model.evaluate import Evaluation
from lenet_search.model.listing import classes_in, shown
from lenet_search.model.predictor import Predictor
from lenet_search.model.prepare import Seen, prepare
from lenet_search.model.saved import SavedInputs

BATCH = 256  # images in memory at a time


@dataclass(frozen=True)
class Options:
    """How images are brought to the form of the training images, for all images of a command.

    invert   invert always or never; None: what looks inverted
    center   find and center a drawing always or never; None: if the training images were centered
    save     keeps what the model saw
    tell     hears of each image that was read
    """

    invert: bool | None = None
    center: bool | None = None
    save: SavedInputs | None = None
    tell: Callable[[Path], None] = lambda _: None


@dataclass(frozen=True)
class Guess:
    """The most probable classes of one image, most probable first, and the changes made to the image.

    A blank image, on which nothing stands out, has no classes. `saved` is what the model saw, if it was kept.
    """

    path: Path
    classes: tuple[str, ...]
    probabilities: tuple[float, ...]
    changes: tuple[str, ...]
    saved: Path | None = None

    @property
    def blank(self) -> bool:
        """Whether there is nothing on the image."""
        return not self.classes


def predict(
    paths: Sequence[Path], predictor: Predictor, options: Options | None = None, top: int = 3
) -> tuple[list[Guess], list[str]]:
    """Classify images. Returns the guesses for the readable images, and one message for each of the others."""
    guesses: list[Guess] = []
    problems: list[str] = []
    for some in _batches(paths, predictor, options or Options(), problems):
        for path, seen, saved, probabilities in some:
            best = np.argsort(-probabilities, kind="stable")[: top if seen.pixels is not None else 0]
            names = tuple(predictor.names[place] for place in best)
            shares = tuple(float(probabilities[place]) for place in best)
            guesses.append(Guess(path, names, shares, seen.changes, saved))
    return guesses, problems


@dataclass(frozen=True)
class Measured:
    """The result on a folder of classes.

    evaluation   blank images count as wrong, and are not in its confusion matrix
    blank        number of blank images
    inverted     number of inverted images
    centered     number of images that were centered
    notes        what was not counted
    problems     messages about unreadable files
    """

    evaluation: Evaluation
    blank: int
    inverted: int
    centered: int
    notes: tuple[str, ...]
    problems: tuple[str, ...]


def measure(folder: Path, predictor: Predictor, options: Options | None = None) -> Measured:
    """Accuracy on a folder with one subfolder per class, named after the class or its number.

    Raises:
        ResultError: no subfolder is named after a class, or no image is readable.
    """
    labels, notes = _labels(folder, predictor.names)
    confusion = np.zeros((len(predictor.names), len(predictor.names)), np.int64)
    unclassified = [0] * len(predictor.names)
    counts = dict.fromkeys(("blank", "inverted", "centered"), 0)
    problems: list[str] = []
    for path, label in labels.items():
        for some in _batches(image_files(path), predictor, options or Options(), problems):
            for _, seen, _, probabilities in some:
                if seen.pixels is None:
                    counts["blank"] += 1
                    unclassified[label] += 1
                else:
                    confusion[label, probabilities.argmax()] += 1
                for change in seen.changes:
                    if change in counts:
                        counts[change] += 1
    n = int(confusion.sum()) + counts["blank"]
    if not n:
        raise ResultError("\n".join([*problems, f"{shown(folder)}: contains no readable image"]))
    evaluation = Evaluation(
        share_of(float(np.trace(confusion)) / n, n), confusion, predictor.names, unclassified=tuple(unclassified)
    )
    return Measured(evaluation, notes=notes, problems=tuple(problems), **counts)


Row = tuple[Path, Seen, Path | None, np.ndarray]  # the last are the probabilities of all classes; empty if it is blank


def _batches(paths: Sequence[Path], predictor: Predictor, options: Options, problems: list[str]) -> Iterator[list[Row]]:
    """Classify images, a batch at a time; messages about unreadable ones are added to `problems`."""
    for start in range(0, len(paths), BATCH):
        rows = []
        for path in paths[start : start + BATCH]:
            try:
                seen = prepare(path, predictor.form, options.invert, options.center)
            except ImageError as error:
                problems.append(str(error))
            else:
                saved = None
                if options.save is not None and seen.pixels is not None:
                    saved = options.save.keep(path, seen.pixels)
                rows.append((path, seen, saved))
            options.tell(path)
        pixels = [seen.pixels for _, seen, _ in rows if seen.pixels is not None]
        every = iter(predictor.classify(np.stack(pixels)) if pixels else ())
        yield [(*row, np.empty(0) if row[1].pixels is None else next(every)) for row in rows]


def _labels(folder: Path, names: Sequence[str]) -> tuple[dict[Path, int], tuple[str, ...]]:
    """The class of each subfolder with images, and what does not count: subfolders without a class, loose images."""
    lowered = [name.lower() for name in names]
    labels, notes = {}, []
    for path in classes_in(folder):
        if path.name.lower() in lowered:
            labels[path] = lowered.index(path.name.lower())
        elif path.name.isdecimal() and int(path.name) < len(names):
            labels[path] = int(path.name)
        else:
            notes.append(f"{shown(path)}: not a class of the model; its {len(image_files(path)):,} images do not count")
    expected = f"{', '.join(names)}, or a number from 0 to {len(names) - 1}"
    if not labels:
        raise ResultError(
            f"{shown(folder)}: expected subfolders named after the model's classes, {expected}; received "
            f"{', '.join(shown(path.name) for path in classes_in(folder))}. To classify the images without measuring, "
            "name the folders that contain them"
        )
    if notes:
        notes.append(f"The classes are {expected}")
    if loose := image_files(folder):
        notes.append(f"{shown(folder)}: {len(loose):,} images beside the folders of the classes do not count")
    return labels, tuple(notes)
