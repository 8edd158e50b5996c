"""Finishing a run that has ended: write its model file, and measure the model on the test set."""

import tempfile
from pathlib import Path

from lenet_search.crew.messages import Finished, Finishing
from lenet_search.recipe import Recipe


def finish(order: Finishing, data_folder: Path | None) -> Finished:
    """Carry out a finishing.

    Raises:
        DataError: the test set is missing or damaged.
        ResultError: the model does not fit the test set.
    """
    from lenet_search.model.evaluate import evaluate
    from lenet_search.networks.plain import plain_model

    recipe = Recipe.from_values(order.values)
    with tempfile.TemporaryDirectory(prefix="lenet-search-") as folder:
        path = Path(folder) / "model.keras"
        if order.model is not None:
            path.write_bytes(order.model)
        else:
            plain_model(recipe, order.images, order.weights).save(path)
        if not order.test:
            return Finished(order.number, path.read_bytes(), None, None)
        evaluation = evaluate(path, recipe.data.name, data_folder, order.limit)
        return Finished(order.number, path.read_bytes(), int(evaluation.confusion.trace()), evaluation.accuracy.n)
