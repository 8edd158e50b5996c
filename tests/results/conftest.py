"""A study as a search leaves it behind, made up rather than trained."""

import math
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import optuna
import pytest
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial

from lenet_search.recipe import Recipe
from lenet_search.run import Curve, Run
from lenet_search.storage import DEFINITION
from lenet_search.storage.trials import REASON, attributes_of
from lenet_search.study import read

IMAGES: dict[str, Any] = {
    "name": "cifar10",
    "digest": "0123456789abcdef",
    "image_shape": [32, 32, 3],
    "pad": 0,
    "classes": 10,
    "class_names": list("abcdefghij"),
    "mean": [0.49, 0.48, 0.44],
    "std": [0.24, 0.24, 0.26],
    "train": 45000,
    "validation": 5000,
}
EPOCHS = 8
START = datetime(2026, 11, 20, 12, 0)

SPACE: dict[str, BaseDistribution] = {
    "model.initializer": CategoricalDistribution(("glorot_uniform", "he_normal", "lecun_normal")),
    "model.activation": CategoricalDistribution(("tanh", "relu", "gelu")),
    "regularize.l2": FloatDistribution(1e-8, 1e-2, log=True),
    "regularize.dropout": FloatDistribution(0.0, 0.5),
    "augment.flip": CategoricalDistribution((0.0, 0.5)),
    "augment.shift": IntDistribution(0, 4),
    "optimizer.kind": CategoricalDistribution(("sgd", "adam")),
    "optimizer.sgd.learning_rate": FloatDistribution(1e-3, 0.3, log=True),
    "optimizer.sgd.momentum": FloatDistribution(0.5, 0.99),
    "optimizer.adam.learning_rate": FloatDistribution(1e-5, 1e-2, log=True),
    "schedule.kind": CategoricalDistribution(("constant", "cosine")),
    "schedule.cosine.warmup": FloatDistribution(0.0, 0.2),
}


def drawn(rng: np.random.Generator) -> dict[str, Any]:
    """Parameters of one trial: only the branches that its kinds pick."""
    params: dict[str, Any] = {}
    for path, spread in SPACE.items():
        section, *rest = path.split(".")
        if len(rest) == 2 and params[f"{section}.kind"] != rest[0]:
            continue
        if isinstance(spread, CategoricalDistribution):
            params[path] = spread.choices[int(rng.integers(len(spread.choices)))]
        elif isinstance(spread, IntDistribution):
            params[path] = int(rng.integers(spread.low, spread.high + 1))
        elif isinstance(spread, FloatDistribution):
            low, high = (math.log(spread.low), math.log(spread.high)) if spread.log else (spread.low, spread.high)
            value = float(rng.uniform(low, high))
            params[path] = min(max(math.exp(value), spread.low), spread.high) if spread.log else value
    return params


def goodness(params: dict[str, Any]) -> float:
    """A made-up accuracy: the learning rate matters most, the shift a little, the rest not at all."""
    kind = params["optimizer.kind"]
    best = {"sgd": 0.05, "adam": 1e-3}[kind]
    off = math.log10(params[f"optimizer.{kind}.learning_rate"] / best)
    return 0.64 - 0.12 * off * off - 0.01 * abs(params["augment.shift"] - 2)


def trial_of(
    params: dict[str, Any],
    value: float,
    number: int,
    state: TrialState = TrialState.COMPLETE,
    metric: str = "val_accuracy",
    space: dict[str, BaseDistribution] = SPACE,
    **fixed: Any,
) -> FrozenTrial:
    """A trial with its record, started `number` minutes after the first."""
    recipe = Recipe.from_values(
        {"data.name": "cifar10", "data.validation": 5000, "train.epochs": EPOCHS, **fixed, **params}
    )
    epochs = EPOCHS if state == TrialState.COMPLETE else 1 + number % 4
    rise = 1.0 - np.exp(-0.5 * np.arange(1, epochs + 1))
    rise = rise / (1.0 - np.exp(-0.5 * EPOCHS))
    accuracy = (0.1 + (value - 0.1) * rise) if metric == "val_accuracy" else rise * 0.5
    loss = 2.3 - (2.3 - value) * rise if metric == "val_loss" else 2.3 - 1.9 * (accuracy - 0.1)
    factors = recipe.schedule.factors(0, epochs, 1, EPOCHS)
    columns = (loss - 0.1, accuracy + 0.02, loss, accuracy, accuracy, recipe.optimizer.branch.learning_rate * factors)
    curve = Curve(*([float(x) for x in column] for column in columns))
    curve[metric][-1] = value if state == TrialState.COMPLETE else curve[metric][-1]
    clocks = [(3 * number, epochs)]
    run = Run(recipe, 7, IMAGES, clocks, curve, False, "CPU (1 thread)", {"tensorflow": "2.21.0"}, 61.5)
    trial = create_trial(
        state=state,
        value=value if state == TrialState.COMPLETE else None,
        params=params,
        distributions={path: space[path] for path in params},
        user_attrs=attributes_of(run) | ({} if state == TrialState.COMPLETE else {REASON: f"pruned after {epochs}"}),
        intermediate_values={epoch + 1: curve[metric][epoch] for epoch in range(epochs)},
    )
    trial.datetime_start = START + timedelta(minutes=number)
    trial.datetime_complete = trial.datetime_start + timedelta(seconds=50)
    return trial


@pytest.fixture
def made_study() -> Callable[..., optuna.Study]:
    """Make a study of `n` trials, every third of them pruned."""

    def make(
        n: int = 60, *, name: str = "cifar", storage: Any = None, direction: str = "maximize", pruned: bool = True
    ) -> optuna.Study:
        rng = np.random.default_rng(0)
        study = optuna.create_study(study_name=name, storage=storage, direction=direction)
        for number in range(n):
            params = drawn(rng)
            state = TrialState.PRUNED if pruned and number % 3 == 2 else TrialState.COMPLETE
            accuracy = round((max(0.1, goodness(params)) + 0.01 * float(rng.standard_normal())) * 5000) / 5000
            metric = "val_accuracy" if direction == "maximize" else "val_loss"
            value = accuracy if direction == "maximize" else 2.3 - 1.9 * accuracy
            study.add_trial(trial_of(params, value, number, state, metric))
        return study

    return make


@pytest.fixture
def cifar_study() -> optuna.Study:
    """40 complete trials of the space of studies/cifar.toml, which has 17 hyperparameters, drawn at random."""
    definition = read("cifar")
    space = definition.space
    drawing = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    study = optuna.create_study(study_name="cifar", direction="maximize")
    study.set_user_attr(DEFINITION, definition.lines())
    for number in range(40):
        space.sample(drawing.ask())
        drawn_trial = drawing.trials[-1]
        value = round((0.4 + 0.2 * ((number * 0.618) % 1)) * 5000) / 5000
        study.add_trial(trial_of(drawn_trial.params, value, number, space=drawn_trial.distributions))
    return study
