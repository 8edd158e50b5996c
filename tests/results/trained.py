"""A study whose best trial was really trained, with its weights in the artifact store."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna
from optuna.distributions import CategoricalDistribution

from lenet_search.data import load
from lenet_search.engine import Stack
from lenet_search.recipe import Recipe
from lenet_search.run import Run
from lenet_search.space import Space
from lenet_search.storage import artifact_folder, open_storage
from lenet_search.storage.trials import attributes_of, save_weights
from lenet_search.structure import structure_of


@dataclass(frozen=True)
class Trained:
    study: optuna.Study
    storage: Any
    url: str
    data_folder: Path
    run: Run


def train_one(folder: Path, values: dict[str, Any], seed: int = 3) -> Trained:
    """Train `values` on the data set that lies in `folder`, as the search would, in a study called "small"."""
    recipe = Recipe.from_values(values)
    split = load(recipe.images, folder)
    stack = Stack(structure_of(recipe, Space.from_recipe(recipe)), split, 1)
    slot = stack.load(recipe, seed)
    run = Run(recipe, seed, split.describe(), device="CPU (1 thread)", versions={"tensorflow": "2"})
    for clock in range(recipe.train.epochs):
        run.add(clock, vars(stack.epoch()[slot]), finite=True, seconds=0.5)

    url = str(folder / "small.journal")
    storage = open_storage(url, create=True)
    study = optuna.create_study(study_name="small", storage=storage, direction="maximize")
    activation = {"model.activation": CategoricalDistribution(("tanh", recipe.model.activation))}
    study.enqueue_trial({"model.activation": recipe.model.activation})
    trial = study.ask(activation)
    for name, value in attributes_of(run).items():
        trial.set_user_attr(name, value)
    save_weights(storage, study._study_id, artifact_folder(url), trial, stack.weights(slot))
    study.tell(trial, run.curve["val_accuracy"][-1])
    return Trained(study, storage, url, folder, run)
