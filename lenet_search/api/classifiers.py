"""What a model does with images."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lenet_search.api.inputs import Data

if TYPE_CHECKING:
    from lenet_search.model.evaluate import Evaluation
    from lenet_search.model.predict import Guess


def evaluate(model: str | Path, on: str | None = None, data: Data = None) -> "Evaluation":
    """Measure a model on the test set. Run this once, at the end.

    Args:
        model: a .keras file
        on: data set, even if the model was trained on other images; else the one it was trained on
        data: folder searched for NAME.npz or NAME/ before downloading, or arrays including `x_test, y_test`

    Raises:
        ResultError: the file is not a model, does not fit the images, or was trained on others than those found.
        DataError: the data set is missing or damaged.
    """
    from lenet_search.model.evaluate import evaluate as measure
    from lenet_search.starting import start_backend

    start_backend()
    if data is None or isinstance(data, str | Path):
        return measure(Path(model), on, None if data is None else Path(data))
    from lenet_search.data.arrays import store

    return measure(Path(model), str(store(data)))


def predict(
    model: str | Path,
    images: Sequence[str | Path],
    on: str | None = None,
    invert: bool | None = None,
    *,
    center: bool | None = None,
    save_inputs: str | Path | None = None,
) -> "tuple[list[Guess], list[str]]":
    """Classify images; returns a guess for each readable image, and a message for each of the others.

    A guess with `blank` set has no classes: nothing stands out on the image. `guess.saved` is the file of
    `save_inputs` with what the model saw.

    Args:
        model: a .keras file
        images: PNG, JPEG, WebP, BMP, GIF or TIFF files, and folders of them
        on: data set whose class names to use; else the one it was trained on
        invert: whether to invert the images; None: when they look inverted
        center: whether to find what is drawn, and scale and center it as MNIST's digits; None: when the training
            images were
        save_inputs: folder for what the model saw, as PNG files; nothing is overwritten

    Raises:
        ResultError: the file is not an image classifier, or the folder cannot be written to.
    """
    from lenet_search.model.listing import images_of
    from lenet_search.model.predict import Options
    from lenet_search.model.predict import predict as classify
    from lenet_search.model.predictor import open_model
    from lenet_search.model.saved import SavedInputs
    from lenet_search.starting import start_backend

    start_backend()
    files, problems = images_of([Path(each) for each in images])
    predictor = open_model(Path(model), on)
    saved = None if save_inputs is None else SavedInputs(Path(save_inputs))
    guesses, unread = classify(files, predictor, Options(invert, center, saved))
    return guesses, problems + unread
