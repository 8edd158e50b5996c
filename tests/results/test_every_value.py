"""Every legal value of every hyperparameter, in every file of an export."""

import json
import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pytest
from hypothesis import given

from lenet_search.networks import NETWORKS
from lenet_search.recipe import FIELDS, Legal, Recipe, Value
from lenet_search.recipe.normalization import normalization
from lenet_search.results.report import report_page
from lenet_search.results.script import train_script
from lenet_search.storage.trials import attributes_of, run_of
from lenet_search.study import read_recipe, write_recipe
from tests.recipe_strategy import agreeing, recipes
from tests.results.conftest import IMAGES

TINY, HUGE = (5e-324, 1e-300, 1e-38), (1e300, 1.7976931348623157e308, 2**31, 2**63 - 1)
TEXTS = (
    "it's", 'a "quoted" one', "back\\slash\\n", '"""', "'''", "# no comment", "{curly} %s", "tab\tand\nnew\rline",
    "\x00\x1b\x7f\x85\u2028", "äöü 数字 😀", "../up/one.npz", "~/home.npz", "<script>alert(1)</script>", "", " ",
    ".npz",
)  # fmt: skip


def ends(legal: Legal) -> list[Value]:
    """The legal values at which something may break: ends, zero, tiny and huge ones; all names, texts of all kinds."""
    if legal.choices:
        return list(legal.choices)
    if legal.items is not None:
        one = Legal(legal.items, "", low=legal.low, high=legal.high, open_low=legal.open_low, open_high=legal.open_high)
        return [(end,) for end in ends(one) if isinstance(end, int | float)]
    if legal.type is bool:
        return [False, True]
    if legal.type is str:
        return list(TEXTS)
    bounds = [bound for bound in (legal.low, legal.high) if bound is not None]
    beside = [math.nextafter(bound, towards) for bound in bounds for towards in (-math.inf, math.inf)]
    numbers = [0, -0.0, 1, *TINY, *HUGE, *bounds, *map(int, bounds), *beside]
    if legal.type is int:
        numbers = [int(number) for number in numbers if number == int(number) and abs(number) < 2**63]
    return [number for number in numbers if legal.allows(number)]


def recipe_with(path: str, value: Value) -> Recipe:
    """The default recipe with this value, and with the kind that it belongs to."""
    field = FIELDS[path]
    values: dict[str, Value] = {"data.name": "some.npz", path: value}
    if field.branch is not None:
        values[f"{field.section}.kind"] = field.branch
    return Recipe.from_values(agreeing(Recipe.from_values(values).values()))


def images_of(recipe: Recipe) -> dict[str, Any]:
    side = NETWORKS[recipe.model.network].side or 32
    return {**IMAGES, "name": recipe.data.name, "image_shape": [side, side, 3]}


def defined(recipe: Recipe) -> dict[str, Any]:
    """What the recipe's script defines; nothing if it only says that plain Keras cannot train it."""
    scope: dict[str, Any] = {"__name__": "train"}
    code = compile(train_script(recipe, images_of(recipe), "A recipe."), "train.py", "exec")
    try:
        exec(code, scope)
    except SystemExit as refused:
        assert "which plain Keras does not provide" in str(refused)
        return {}
    return scope


def check_toml(recipe: Recipe, folder: Path) -> None:
    path = folder / "recipe.toml"
    path.write_text(write_recipe(recipe, "Header\x07\nwith\x00 lines"), encoding="utf-8")
    assert read_recipe(path)[1] == recipe


@pytest.mark.parametrize("path", FIELDS)
def test_every_value_comes_back_from_the_toml_and_the_json(path: str, tmp_path: Path) -> None:
    values = ends(FIELDS[path].legal)
    assert len(values) >= 2
    for value in values:
        recipe = recipe_with(path, value)
        check_toml(recipe, tmp_path)
        assert Recipe.from_values(json.loads(json.dumps(recipe.values(), allow_nan=False))) == recipe


@pytest.mark.parametrize("path", FIELDS)
def test_every_value_gives_a_script_with_the_numbers_of_the_search(path: str) -> None:
    for value in ends(FIELDS[path].legal):
        recipe = recipe_with(path, value)
        scope = defined(recipe)
        if not scope:
            continue
        scale, offset = normalization(recipe.data.normalize, IMAGES["mean"], IMAGES["std"])
        assert scope["SCALE"] == pytest.approx(scale, abs=1e-6)
        assert scope["OFFSET"] == pytest.approx(offset, abs=1e-6)
        assert scope["EPOCHS"] == recipe.train.epochs
        assert scope["BATCH_SIZE"] == recipe.train.batch_size
        assert scope["LEARNING_RATE"] == recipe.optimizer.branch.learning_rate
        if path.startswith(("schedule.", "optimizer.")):
            check_rates(recipe, scope)
        if path.startswith("augment.") and "augment" in scope:
            check_images(scope)


@pytest.mark.parametrize("path", [path for path in FIELDS if path.startswith(("model.", "regularize."))])
def test_every_value_of_the_network_gives_a_model_that_keras_reads(path: str, tmp_path: Path) -> None:
    import keras

    from lenet_search.networks.plain import plain_model

    for value in ends(FIELDS[path].legal):
        recipe = recipe_with(path, value)
        if path != "model.width" or recipe.model.width > 1:  # else up to a billion weights
            recipe = Recipe.from_values(recipe.values() | {"model.width": 0.05})
        model = plain_model(recipe, images_of(recipe))
        again = keras.models.model_from_json(model.to_json())
        assert [layer.get_config() for layer in again.layers] == [layer.get_config() for layer in model.layers]


def check_rates(recipe: Recipe, scope: dict[str, Any]) -> None:
    steps, epochs = 3, 4
    expected = recipe.optimizer.branch.learning_rate * recipe.schedule.factors(0, steps * epochs, steps, epochs)
    if "LearningRate" not in scope:
        assert np.all(expected == scope["LEARNING_RATE"])
        return
    schedule = scope["LearningRate"](steps, epochs)
    rates = [float(schedule(step)) for step in range(steps * epochs)]
    assert rates == pytest.approx(expected, rel=2e-5, abs=1e-38)  # TensorFlow computes in float32


def check_images(scope: dict[str, Any]) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)
    images, labels = scope["augment"](pixels, np.arange(3))
    assert np.shape(images) == (3, 32, 32, 3)
    assert np.all(np.isfinite(images))
    assert list(labels) == [0, 1, 2]


@given(recipes())
def test_any_recipe_comes_back_from_the_json(recipe: Recipe) -> None:
    assert Recipe.from_values(json.loads(json.dumps(recipe.values(), allow_nan=False))) == recipe


@pytest.mark.parametrize("text", TEXTS)
def test_any_name_of_a_data_set_is_what_the_script_reads_by_default(text: str, capsys: pytest.CaptureFixture) -> None:
    recipe = Recipe.from_values({"data.name": text})
    scope = defined(recipe)
    seen = []
    scope["load"] = lambda path: seen.append(path) or sys.exit()
    scope["main"].__globals__["load"] = scope["load"]
    with pytest.MonkeyPatch.context() as patch, pytest.raises(SystemExit):
        patch.setattr(sys, "argv", ["train.py"])
        scope["main"]()
    assert seen == [text if text.endswith(".npz") else f"{text}.npz"]


def test_a_report_shows_every_text_as_text(made_study: Callable[..., optuna.Study]) -> None:
    study = made_study(12)
    run = run_of(study.trials[0])
    for text in TEXTS:
        recipe = Recipe.from_values({**run.recipe.values(), "data.name": text})
        trial = optuna.trial.create_trial(value=0.9, user_attrs=attributes_of(run) | {"recipe": recipe.values()})
        study.add_trial(trial)
    page = report_page(study)
    page.encode("utf-8")
    assert "<script>alert(1)" not in page
