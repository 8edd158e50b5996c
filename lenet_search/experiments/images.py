"""Tasks and their images, looked at before anything is trained: what cannot be done is better known now."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lenet_search import data
from lenet_search.errors import DataError
from lenet_search.experiments.task import Task
from lenet_search.networks import network, parameters
from lenet_search.recipe import Images


@dataclass(frozen=True)
class Looked:
    """What is known of a task's images before it is trained."""

    images: Mapping[str, Any]  # data.Split.describe()
    parameters: int  # trainable ones of its network


def look(tasks: Sequence[Task], data_folder: Path | None) -> dict[str, Looked]:
    """Load each data set once, and see that every network and batch fits; by task name.

    Raises:
        DataError: what is missing or does not fit.
    """
    described: dict[Images, Mapping[str, Any]] = {}
    found = {}
    for task in tasks:
        recipe = task.recipe
        key = recipe.images
        if key not in described:
            described[key] = data.load(recipe.images, data_folder).describe()
        images = described[key]
        if recipe.train.batch_size > images["train"]:
            raise DataError(
                f"{task.name}: train.batch_size: expected at most the {images['train']:,} images of {key.name} to "
                f"train on; received {recipe.train.batch_size}"
            )
        shape = tuple(images["image_shape"])
        every = parameters(network(recipe.model, shape, images["classes"]), shape)
        found[task.name] = Looked(images, sum(each.size for each in every if each.trainable))
    return found
