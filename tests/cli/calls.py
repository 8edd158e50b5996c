"""What the tests of the commands share: calling one, and a study and a storage for it."""

from pathlib import Path

import optuna
from typer.testing import CliRunner, Result

from lenet_search import study
from lenet_search.cli import app
from lenet_search.recipe import Recipe
from lenet_search.run import Curve, Run
from lenet_search.storage import DEFINITION, open_storage
from lenet_search.storage.trials import attributes_of

ROOT = Path(__file__).parents[2]
IMAGES = {
    "name": "tiny", "digest": "0" * 16, "image_shape": [32, 32, 1], "pad": 0, "classes": 3,
    "class_names": ["a", "b", "c"], "mean": [0.2], "std": [0.2], "train": 200, "validation": 40,
}  # fmt: skip
STUDY = """# Which rate does a tiny network need?
[study]
trials = 2
[data]
name = "{data}"
validation = 40
[train]
epochs = 2
batch_size = 40
[optimizer]
kind = "adam"
adam.learning_rate = {{ low = 1e-3, high = 1e-2, log = true }}
[augment]
shift = {{ low = 0, high = 2 }}
"""


def call(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def write_study(path: Path, data: str = "digits") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(STUDY.format(data=data))
    return path


def store(
    path: Path, url: str = "lenet-search.journal", values: tuple[float, ...] = (0.6, 0.8, 0.7), limit: int = 0
) -> None:
    """A study in the storage, as a run would have left it: complete trials with these values, and a failed one."""
    definition = study.read(path)
    storage = open_storage(url, create=True)
    made = optuna.create_study(storage=storage, study_name=definition.name, direction=definition.direction)
    made.set_user_attr(DEFINITION, definition.lines())
    for value in values:
        trial = made.ask()
        recipe = Recipe.from_values(definition.space.sample(trial) | {"data.limit": limit})
        curve = Curve.constant([value] * 2)
        run = Run(recipe, trial.number, IMAGES, [(0, 2)], curve, device="CPU", seconds=12.0)
        for name, attribute in attributes_of(run).items():
            trial.set_user_attr(name, attribute)
        made.tell(trial, value)
    made.tell(made.ask(), state=optuna.trial.TrialState.FAIL)


def broken(*_: object, **__: object) -> None:
    raise RuntimeError("the floor [is] missing")
