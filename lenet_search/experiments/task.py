"""Tasks: recipes to train, each on several seeds."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lenet_search.errors import ResultError, StudyFileError
from lenet_search.model.trained_on import TrainedOn, trained_on
from lenet_search.recipe import Recipe
from lenet_search.study import Claim, read_recipe, title, write_recipe

SEEDS = 5  # runs of a recipe that is compared with others or with what its authors report


@dataclass(frozen=True)
class Task:
    """A recipe with its name, its title (the first line of its file), its claim, and seeds of initial weights.

    `before`: the images that it was trained on by the search or training that wrote its file, if that is known.
    `quick`: the recipe is a shortened one, trained only to check that everything works.
    """

    name: str
    title: str
    recipe: Recipe
    claim: Claim | None
    seeds: tuple[int, ...]
    before: TrainedOn | None = None
    quick: bool = False


def read_tasks(sources: Sequence[str], seeds: int, overrides: Sequence[str] = ()) -> list[Task]:
    """Read recipes. Seeds start after the one in a recipe's file, which may have helped to choose the recipe.

    Raises:
        StudyFileError: with every problem of every file, or if two recipes have the same name.
    """
    tasks: list[Task] = []
    problems: list[str] = []
    for source in sources:
        try:
            definition, recipe = read_recipe(source, overrides=overrides)
        except StudyFileError as error:
            problems += error.problems
            continue
        name = definition.recipe_name
        if any(task.name == name for task in tasks):
            problems.append(f"{source}: two recipes are named {name}, and so are their results; rename one of them")
        heading = "" if definition.path is None else title(definition.path)
        first = definition.seed + 1
        numbers = tuple(range(first, first + seeds))
        tasks.append(Task(name, heading, recipe, definition.claim, numbers, _before(definition.path)))
    if problems:
        raise StudyFileError(problems)
    return tasks


def task_of(
    recipe: str | Path | Recipe, seeds: int, *, overrides: Sequence[str] = (), name: str | None = None
) -> tuple[Task, str]:
    """One recipe as a task, and the metric named in its file; seeds as in `read_tasks`.

    Raises:
        StudyFileError: with every problem of the file or the overrides.
    """
    if isinstance(recipe, Recipe):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "recipe.toml"
            path.write_text(write_recipe(recipe, header=""), encoding="utf-8")
            definition, whole = read_recipe(path, overrides=overrides)
        return Task(name or "recipe", "", whole, None, tuple(range(1, 1 + seeds))), definition.metric
    definition, whole = read_recipe(recipe, overrides=overrides)
    heading = "" if definition.path is None else title(definition.path)
    first = definition.seed + 1
    numbers = tuple(range(first, first + seeds))
    named = name or definition.recipe_name
    return Task(named, heading, whole, definition.claim, numbers, _before(definition.path)), definition.metric


def _before(path: Path | None) -> TrainedOn | None:
    """What the recipe.json beside an exported recipe.toml says of its images."""
    if path is None or path.name != "recipe.toml":
        return None
    try:
        return trained_on(path)
    except ResultError:  # of something else
        return None
