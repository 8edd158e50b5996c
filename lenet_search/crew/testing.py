"""What a worker does besides training: it writes a run's model, and reads the test set for a model."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from lenet_search.crew.messages import Tested, Testing
from lenet_search.errors import ResultError
from lenet_search.recipe import Recipe


def model_file(recipe: Recipe, images: Mapping[str, Any], weights: Mapping[str, np.ndarray]) -> bytes:
    """The .keras file of a run's model, for images that `data.Split.describe()` says."""
    from lenet_search.networks.plain import plain_model

    with tempfile.TemporaryDirectory(prefix="lenet-search-") as folder:
        path = Path(folder) / "model.keras"
        plain_model(recipe, images, weights).save(path)
        return path.read_bytes()


def test(order: Testing, data_folder: Path | None) -> Tested:
    """Read the test set for a model.

    Raises:
        DataError: the test set cannot be had.
        ResultError: the model does not fit it.
    """
    from lenet_search.model.evaluate import evaluate

    with tempfile.TemporaryDirectory(prefix="lenet-search-") as folder:
        path = Path(folder) / "model.keras"
        path.write_bytes(order.model)
        try:
            found = evaluate(path, order.data, data_folder, order.limit, order.size)
        except ResultError as error:
            reason = str(error).removeprefix(f"{path}: ")
            raise ResultError(f"{order.file}: {reason}; remove it to train the run again") from error
    return Tested(order.number, int(found.confusion.trace()), found.accuracy.n)
