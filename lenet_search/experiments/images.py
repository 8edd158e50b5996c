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


def data_folder_of(tasks: Sequence[Task], given: Path | None) -> Path | None:
    """The folder to search for the tasks' data set: the `given` one, or where it was found when a task was exported.

    Tasks on several data sets get the `given` one.

    Raises:
        DataError: `given` is not a folder.
    """
    name = tasks[0].recipe.data.name
    if any(task.recipe.data.name != name for task in tasks):
        return given
    remembered = (task.before.data_folder(name, given) for task in tasks if task.before is not None)
    return next((folder for folder in remembered if folder is not None), given)


def other_images(task: Task, images: Mapping[str, Any]) -> str:
    """A word if a task's images are not those that its exported recipe was trained on; else empty."""
    if task.before is None or task.before.digest in (None, images["digest"]):
        return ""
    return (
        f"{task.name} trains on other images, or another split of them, than {task.before.file} describes (digest "
        f"{images['digest']} instead of {task.before.digest})"
    )


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
