"""docs/extending.md: one new thing of each kind, added to its registry alone, is known everywhere."""

import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import optuna
import pytest
from typer.testing import CliRunner

from lenet_search.cli import app
from lenet_search.engine import augmentation as rules
from lenet_search.errors import StudyFileError
from lenet_search.networks import NETWORKS
from lenet_search.networks.activations import ACTIVATIONS, Function
from lenet_search.networks.call import Call
from lenet_search.networks.initializers import INITIALIZERS, Initializer
from lenet_search.networks.layers import Dense, Flatten
from lenet_search.networks.network import Network
from lenet_search.recipe import FIELDS, SECTIONS, Recipe, Value, declared
from lenet_search.recipe.augment import AUGMENTATIONS, COLOR, Augment, Augmentation
from lenet_search.recipe.field import number
from lenet_search.recipe.loss import LOSSES, Criterion
from lenet_search.recipe.normalization import NORMALIZATIONS, Normalization
from lenet_search.recipe.optimizer import OPTIMIZERS, Array, Rule, rows
from lenet_search.recipe.schedule import SCHEDULES, Course
from lenet_search.recipe.table import tables
from lenet_search.results.export import FILES, export
from lenet_search.results.script import train_script
from lenet_search.study import read
from tests.engine.stacks import images, recipe, space_of, stack_of
from tests.results.trained import train_one

ROOT = Path(__file__).parents[1]


@dataclasses.dataclass(frozen=True)
class Halved(Rule):
    """Half of plain gradient descent."""

    keras = "SGD"
    second_moment = False

    learning_rate: float = number(0.1, "twice the step size", above=0, high=10)

    def coefficients(self, rate: Array, step: Array) -> Array:
        """w <- w - rate * g / 2."""
        return rows(len(rate), uh=rate / 2)


def documented_optimizer() -> type[Rule]:
    """The one that the document shows."""
    code = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8").split("```python\n")[1].split("```")[0]
    scope: dict[str, Any] = {**globals(), "dataclass": dataclasses.dataclass}
    exec(code, scope)
    return next(thing for name, thing in scope.items() if name not in {*globals(), "dataclass", "__builtins__"})


@dataclasses.dataclass(frozen=True)
class Root(Course):
    """Falls with the root of the epochs."""

    power: float = number(0.5, "power of the epochs", low=0, high=1)
    warmup: float = number(0.0, "share of all steps that rise", low=0, below=1)

    def decay(self, progress: Array, epoch: Array) -> Array:
        """(1 + epochs) ** -power."""
        return (1.0 + epoch) ** -self.power

    def script(self) -> tuple[str, str]:
        """The same in steps."""
        return f"(1 + step / self.steps_per_epoch) ** -{self.power!r}", "falls with the root of the epochs"


@dataclasses.dataclass(frozen=True)
class WithDarkness(Augment):
    """`[augment]`: as before, and darkness."""

    darkness: float = number(0.0, "largest share of light that is taken", low=0, high=1)


class Case(NamedTuple):
    """A new thing: its registry, its hyperparameter, and what `train.py` says where it is used."""

    registry: dict[str, Any]
    thing: Any
    path: str
    script: str


CASES = {
    "activation": Case(
        ACTIVATIONS,
        Function(
            "x / (1 + |x|).",
            lambda ops, x: x / (1.0 + ops.abs(x)),
            lambda ops, x: ((1.0 + ops.abs(x)) ** -2, -2.0 * ops.sign(x) * (1.0 + ops.abs(x)) ** -3),
            (Call("Activation", ("softsign",)),),
        ),
        "model.activation",
        'keras.layers.Activation("softsign")',
    ),
    "initializer": Case(
        INITIALIZERS,
        Initializer(
            "Uniform within 1 / fan-in.",
            lambda rng, shape: rng.uniform(-1, 1, shape) / np.prod(shape[:-1]),
            "keras.initializers.RandomUniform(-1 / fan_in, 1 / fan_in)",
        ),
        "model.initializer",
        "keras.initializers.RandomUniform(-1 / fan_in, 1 / fan_in)",
    ),
    "normalization": Case(
        NORMALIZATIONS,
        Normalization("From -1 to 1.", lambda mean, std: (np.full_like(mean, 2.0), np.full_like(mean, -1.0))),
        "data.normalize",
        "SCALE = [2.0]\nOFFSET = [-1.0]",
    ),
    "loss": Case(LOSSES, Criterion("Cross-entropy with a near rival.", none=-1.0), "loss.kind", "uses loss new"),
    "network": Case(
        NETWORKS,
        Network("One layer.", lambda _, classes: [Flatten("flatten"), Dense("logits", classes)], {(28, 28, 1): 7850}),
        "model.network",
        "keras.layers.Flatten(),\n            keras.layers.Dense(4, ",
    ),
    "optimizer": Case(OPTIMIZERS, Halved, "optimizer.kind", "LEARNING_RATE = 0.1\n"),
    "documented optimizer": Case(OPTIMIZERS, documented_optimizer(), "optimizer.kind", "uses optimizer new"),
    "schedule": Case(SCHEDULES, Root, "schedule.kind", "factor = (1 + step / self.steps_per_epoch) ** -0.5"),
}


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Case]:
    """A kind with one thing more, called "new"."""
    added: Case = CASES[request.param]
    monkeypatch.setitem(added.registry, "new", added.thing)
    declare(monkeypatch)
    yield added


@pytest.fixture
def darkness(monkeypatch: pytest.MonkeyPatch) -> None:
    """An augmentation more: its field and its facts in `recipe.augment`, its rule in `engine.augmentation`."""
    darken = Augmentation(COLOR, ("darkness",), lambda most, *_: [f"images = images * draw({1.0 - most!r}, 1.0)"])
    monkeypatch.setitem(SECTIONS, "augment", WithDarkness)
    monkeypatch.setitem(AUGMENTATIONS, "darkness", darken)
    monkeypatch.setitem(rules.COLORS, "darkness", lambda images, change, pixels: images * (1.0 - abs(change)))
    declare(monkeypatch)


def declare(monkeypatch: pytest.MonkeyPatch) -> None:
    for path, field in declared().items():
        monkeypatch.setitem(FIELDS, path, field)


def sampled(text: str, folder: Path, given: dict[str, Any]) -> Recipe:
    """A trial with these parameters of the study that `text` says."""
    path = folder / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return Recipe.from_values(read(path).space.sample(optuna.trial.FixedTrial(given)))


def courses(*values: dict[str, Value]) -> list[tuple[float, float]]:
    """Training and validation loss of an epoch, each recipe in a stack of its own structure."""
    recipes = [recipe(**{path.replace(".", "__"): value for path, value in each.items()}) for each in values]
    found = []
    for one in recipes:
        stack = stack_of(one, split=images(n=40 + 3 * 16), space=space_of(*recipes))
        result = stack.epoch()[0]
        assert result.finite
        found.append((result.train_loss, result.val_loss))
    return found


def script_of(values: dict[str, Value]) -> str:
    text = train_script(Recipe.from_values(values), images().describe(), "New.")
    compile(text, "train.py", "exec")
    return text


def test_a_study_file_may_name_it_and_a_trial_have_it(case: Case, tmp_path: Path) -> None:
    section, name = case.path.split(".")
    default = FIELDS[case.path].default
    text = f'[{section}]\n{name} = {{ choices = ["{default}", "new"] }}\n'
    assert sampled(text, tmp_path, {case.path: "new"}).values()[case.path] == "new"
    (tmp_path / "mine.toml").write_text(f'[{section}]\n{name} = "newer"\n', encoding="utf-8")
    with pytest.raises(StudyFileError, match=r'"new"; received "newer"; did you mean "?new'):
        read(tmp_path / "mine.toml")


def test_a_stack_trains_with_it(case: Case) -> None:
    without, with_ = courses({}, {case.path: "new"})
    assert without != with_


def test_the_script_writes_it_or_says_that_plain_keras_does_not_provide_it(case: Case) -> None:
    assert case.script in script_of({case.path: "new", "data.name": "mnist"})
    assert case.script not in script_of({"data.name": "mnist"})


def test_the_table_of_hyperparameters_lists_it_with_its_own_words(case: Case) -> None:
    row = next(line for line in tables().splitlines() if line.startswith(f"| `{case.path}`"))
    assert '"new"' in row
    assert f"- `new`: {getattr(case.thing, 'meaning', None) or case.thing.__doc__}" in tables()


@pytest.mark.parametrize(
    ("kind", "path"), [("optimizer", "optimizer.new.learning_rate"), ("schedule", "schedule.new.power")]
)
def test_the_arguments_of_a_new_kind_are_hyperparameters(
    kind: str, path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(CASES[kind].registry, "new", CASES[kind].thing)
    declare(monkeypatch)
    text = f'[{kind}]\nkind = "new"\nnew.{path.rsplit(".")[-1]} = {{ low = 0.01, high = 0.3 }}\n'
    assert sampled(text, tmp_path, {path: 0.2}).values()[path] == 0.2
    assert f"| `{path}` |" in tables()


@pytest.mark.usefixtures("darkness")
def test_a_new_augmentation_is_known_everywhere(tmp_path: Path) -> None:
    text = "[augment]\ndarkness = { low = 0.0, high = 0.5 }\n"
    assert sampled(text, tmp_path, {"augment.darkness": 0.25}).values()["augment.darkness"] == 0.25
    still: dict[str, Value] = {"optimizer.sgd.learning_rate": 1e-30}  # no weight moves
    (bright, val_bright), (dark, val_dark) = courses(still, {**still, "augment.darkness": 0.9})
    assert bright != dark
    assert val_bright == val_dark
    assert "images = images * draw(0.5, 1.0)" in script_of({"augment.darkness": 0.5})
    assert "| `augment.darkness` |" in tables()


def test_a_new_exported_file_is_written_with_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setitem(FILES, "size.txt", lambda winner: f"{winner.chosen.run.recipe.model.network}\n")
        values = {"data.name": "digits", "data.limit": 300, "train.epochs": 1, "train.batch_size": 50}
        trained = train_one(tmp_path, values)
        written = export(trained.study, trained.url, tmp_path / "out")
    assert (tmp_path / "out" / "size.txt").read_text() == "lenet5\n"
    assert {path.name for path in written.files} == {"size.txt", "model.keras", *FILES}


def test_a_new_command_is_listed_and_runs() -> None:
    def sizes() -> None:
        """Print sizes."""
        print("61,706")

    app.command("sizes")(sizes)
    try:
        assert "Print sizes." in CliRunner().invoke(app, ["--help"]).stdout
        assert CliRunner().invoke(app, ["sizes"]).stdout == "61,706\n"
    finally:
        app.registered_commands.pop()
    assert "Print sizes." not in CliRunner().invoke(app, ["--help"]).stdout


def test_every_file_that_the_document_names_is_there() -> None:
    text = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:lenet_search|tests)/[\w/.]*)`", text))
    assert len(named) > 10
    assert not [path for path in named if not (ROOT / path).exists()]


def test_the_registries_are_as_they_were() -> None:
    assert all("new" not in case.registry for case in CASES.values())
    assert "augment.darkness" not in FIELDS
    assert declared() == FIELDS
