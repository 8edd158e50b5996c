"""Checks the images of all tasks before anything is trained, so that a problem shows at once."""

from collections.abc import Callable, Mapping, Sequence
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
    """A task's images, and the size of its network."""

    images: Mapping[str, Any]  # data.Split.describe()
    parameters: int  # number of trainable parameters of its network


def look(tasks: Sequence[Task], data_folder: Path | None, tell: Callable[[str], None]) -> dict[str, Looked]:
    """Load each data set once, and check that every network and batch size fits its images; by task name.

    `tell` hears what was read in another way than it is, and of the progress if it takes long.

    Raises:
        DataError: images are missing, or do not fit.
    """
    described: dict[Images, Mapping[str, Any]] = {}
    looked = {}
    for task in tasks:
        recipe = task.recipe
        key = recipe.images
        if key not in described:
            split = data.load(recipe.images, data_folder, tell)
            described[key] = split.describe()
            for note in split.notes:
                tell(note)
        images = described[key]
        if recipe.train.batch_size > images["train"]:
            raise DataError(
                f"{task.name}: train.batch_size: expected at most {images['train']:,}, the number of training images "
                f"of {key.name}; received {recipe.train.batch_size}"
            )
        shape = tuple(images["image_shape"])
        every = parameters(network(recipe.model, shape, images["classes"]), shape)
        looked[task.name] = Looked(images, sum(each.size for each in every if each.trainable))
    return looked
