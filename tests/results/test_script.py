import ast
import math
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given

from lenet_search.data.split import VALIDATION_SEED
from lenet_search.data.stratify import stratified
from lenet_search.engine.augmentation import cut_out, recolor, warp
from lenet_search.networks import NETWORKS
from lenet_search.recipe import FIELDS, Recipe
from lenet_search.recipe.augment import AUGMENTATIONS, COLOR, all_draws, at
from lenet_search.recipe.loss import LOSSES
from lenet_search.recipe.normalization import NORMALIZATIONS, normalization
from lenet_search.recipe.optimizer import OPTIMIZERS
from lenet_search.recipe.schedule import SCHEDULES
from lenet_search.results.script import train_script
from tests.recipe_strategy import recipes
from tests.results.conftest import IMAGES

GREY = {**IMAGES, "name": "mnist", "image_shape": [32, 32, 1], "pad": 2, "mean": [0.13], "std": [0.31]}
OTHER_IMAGES = {"mnist": GREY, "small": {**GREY, "name": "small", "image_shape": [28, 28, 1], "pad": 0}}
FULL: dict[str, Any] = {
    "data.name": "cifar10",
    "data.limit": 1000,
    "model.batch_norm": True,
    "model.activation": "relu",
    "model.pooling": "max",
    "model.width": 1.5,
    "regularize.l1": 1e-6,
    "regularize.l2": 1e-4,
    "regularize.dropout": 0.3,
    "regularize.spatial_dropout": 0.1,
    "augment.flip": 0.3,
    "augment.shift": 3,
    "augment.rotate": 20.0,
    "augment.zoom": 0.2,
    "augment.brightness": 0.1,
    "augment.contrast": 0.2,
    "augment.cutout": 7,
    "loss.label_smoothing": 0.1,
    "optimizer.kind": "adamw",
    "optimizer.clip_norm": 1.0,
    "schedule.kind": "cosine",
    "schedule.cosine.warmup": 0.1,
}
ALL_CNN: dict[str, Any] = {"model.activation": "relu", "regularize.dropout": 0.5, "regularize.input_dropout": 0.2}
OWN_LAYERS = ("lenet5_1998", "lenet5_stn")
BEYOND = {
    **{f"network {name}": {"model.network": name} for name in OWN_LAYERS},
    **{f"loss {name}": {"loss.kind": name} for name, loss in LOSSES.items() if not loss.keras},
    **{f"optimizer {name}": {"optimizer.kind": name} for name, rule in OPTIMIZERS.items() if not rule.keras},
}
RECIPES: dict[str, dict[str, Any]] = {
    "plain": {"data.name": "cifar10"},
    "full": FULL,
    "padded": {"data.name": "mnist", "model.initializer": "lecun_1998", "model.activation": "scaled_tanh"},
    "digits": {"data.name": "digits"},
    "mlp": {"data.name": "cifar10", "model.network": "mlp", "regularize.dropout": 0.2},
    "all_cnn": {"data.name": "cifar10", "model.network": "all_cnn", "model.width": 0.1, **ALL_CNN},
    "all_cnn_pool": {"data.name": "cifar10", "model.network": "all_cnn_pool", "model.width": 0.1, **ALL_CNN},
    "lenet5_28": {"data.name": "small", "model.network": "lenet5_28"},
    "own file": {"data.name": 'some "images".npz', "data.normalize": "invert", "augment.cutout": 4},
    **{
        f"{path} {name}": {"data.name": "cifar10", path: name}
        for path, field in FIELDS.items()
        for name in field.legal.choices
        if path != "model.network"
    },
    **{
        f"augment {name}": {"data.name": "cifar10", f"augment.{name}": FULL[f"augment.{name}"]}
        for name in AUGMENTATIONS
    },
}
ALL_CHANGES = list(AUGMENTATIONS)
SOME_CHANGES = [["rotate", "shift"], ["zoom", "shift"], ["brightness", "contrast"]]


def script(values: dict[str, Any], title: str = "A recipe.") -> str:
    recipe = Recipe.from_values(values)
    return train_script(recipe, OTHER_IMAGES.get(recipe.data.name, IMAGES), title)


def functions(values: dict[str, Any]) -> dict[str, Any]:
    """What the script defines, without running it."""
    scope: dict[str, Any] = {"__name__": "train"}
    exec(compile(script(values), "train.py", "exec"), scope)
    return scope


@given(recipes())
def test_every_recipe_gives_a_script_that_compiles(recipe: Recipe) -> None:
    side = NETWORKS[recipe.model.network].side or 32
    images = {**IMAGES, "image_shape": [side, side, 3]}
    compile(train_script(recipe, images, "A recipe."), "train.py", "exec")


@pytest.mark.parametrize("name", RECIPES)
def test_the_script_is_python_that_at_most_looks_up_where_this_package_keeps_the_digits(name: str) -> None:
    text = script(RECIPES[name])
    ast.parse(text)
    lookups = 1 if name == "digits" else 0
    assert text.count('importlib.util.find_spec("lenet_search")') == text.count("lenet_search") == lookups


def test_the_scripts_are_clean_by_the_projects_own_lint(tmp_path: Path) -> None:
    pytest.importorskip("ruff")
    for place, values in enumerate(RECIPES.values()):
        (tmp_path / f"train_{place}.py").write_text(script(values, title="A long title. " * 20), encoding="utf-8")
    rules = "E,F,I,UP,B,SIM,RUF"
    command = [sys.executable, "-m", "ruff", "check", "--isolated", "--line-length=120", f"--select={rules}", "."]
    found = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout


def test_a_recipe_that_uses_little_gives_a_script_that_says_little() -> None:
    text = script(RECIPES["plain"])
    for absent in (
        "augment",
        "LearningRate(",
        "L1L2",
        "Dropout",
        "BatchNormalization",
        "to_categorical",
        "LIMIT",
        "clipnorm",
    ):
        assert absent not in text
    assert "learning_rate=LEARNING_RATE" in text


def test_a_quote_or_backslash_in_a_title_does_not_break_the_script() -> None:
    for title in ('study """ends', "C:\\new\\x", 'ends with "'):
        ast.parse(script(RECIPES["plain"], title=title))


@pytest.mark.parametrize("sizes", [(500, 500, 500), (700, 61, 9), (30, 31, 32)])
def test_the_script_holds_out_the_same_images_as_the_search(sizes: tuple[int, ...]) -> None:
    labels = np.random.default_rng(0).permutation(np.repeat(np.arange(len(sizes)), sizes))
    mine = functions(RECIPES["plain"])["held_out"](labels, 20, VALIDATION_SEED)
    assert np.array_equal(mine, stratified(labels, len(sizes), 20, VALIDATION_SEED, ""))


@pytest.mark.parametrize("name", ["digits", "padded", "full"])
def test_the_script_loads_the_same_images_as_the_search(name: str, tmp_path: Path) -> None:
    from lenet_search.data import load

    side, channels = (28, 1) if name == "padded" else (32, 3)
    recipe = Recipe.from_values({**RECIPES[name], "data.validation": 60, "data.limit": 300})
    file: Path | None = None
    if name != "digits":
        rng = np.random.default_rng(0)
        file = tmp_path / f"{recipe.data.name}.npz"
        images = rng.integers(0, 256, (400, side, side, channels), dtype=np.uint8)
        np.savez(file, x_train=images.squeeze(), y_train=rng.permutation(np.arange(400) % 10)[:, None])
    split = load(recipe.images, None if file is None else tmp_path)
    scope: dict[str, Any] = {"__name__": "train"}
    exec(train_script(recipe, split.describe(), "x"), scope)
    loaded = scope["load"](file)
    for mine, theirs in zip(loaded, (split.x_train, split.y_train, split.x_val, split.y_val), strict=True):
        assert np.array_equal(mine, theirs)


@pytest.mark.parametrize("warmup", [0.0, 0.17])
@pytest.mark.parametrize("kind", SCHEDULES)
def test_the_scripts_schedule_gives_the_same_rates_as_the_search(kind: str, warmup: float) -> None:
    values = {"data.name": "cifar10", "schedule.kind": kind, f"schedule.{kind}.warmup": warmup}
    if kind in ("linear", "cosine", "one_cycle"):
        values[f"schedule.{kind}.alpha"] = 0.03
    recipe = Recipe.from_values(values)
    scope = functions(values)
    expected = recipe.optimizer.branch.learning_rate * recipe.schedule.factors(0, 7 * 13, 7, 13)
    if "LearningRate" not in scope:
        assert np.all(expected == scope["LEARNING_RATE"])
        return
    schedule = scope["LearningRate"](7, 13)
    assert [float(schedule(step)) for step in range(7 * 13)] == pytest.approx(expected, rel=2e-5, abs=1e-8)


@pytest.mark.parametrize("normalize", NORMALIZATIONS)
@pytest.mark.parametrize("names", [*([name] for name in ALL_CHANGES), *SOME_CHANGES, ALL_CHANGES], ids="-".join)
def test_the_scripts_augmentation_makes_the_same_images_of_the_same_draws(names: list[str], normalize: str) -> None:
    import tensorflow as tf

    values = {f"augment.{name}": FULL[f"augment.{name}"] for name in names}
    recipe = Recipe.from_values({"data.name": "cifar10", "data.normalize": normalize, **values})
    rng = np.random.default_rng(1)
    images = rng.integers(0, 256, (6, 32, 32, 3), dtype=np.uint8)
    draws = {name: rng.random(6, dtype=np.float32) for name in all_draws()}

    queue = [draws[drawn] for name in AUGMENTATIONS if name in names for drawn in AUGMENTATIONS[name].draws]

    def uniform(shape: Any, low: float, high: float) -> Any:
        return low + (high - low) * queue.pop(0).reshape(-1, 1, 1, 1)

    scope = functions(recipe.values())
    scope["tf"] = _with_draws(tf, uniform)
    made, _ = scope["augment"](tf.constant(images), tf.zeros(6))
    assert queue == []
    scale, offset = normalization(normalize, IMAGES["mean"], IMAGES["std"])
    mine = np.asarray(made) / 255 * scale + offset

    strength = {name: np.array([getattr(recipe.augment, name)], np.float32) for name in AUGMENTATIONS if name in names}
    x = images.astype(np.float32) / 255
    cutout = strength.pop("cutout", None)
    geometric = strength.keys() - set(at(strength, COLOR))
    black = np.zeros(3, np.float32)
    theirs = np.asarray(warp(x, draws, strength, black, rows_of)) if geometric else x[:, :, :, None]
    theirs = (np.asarray(recolor("bhwkc", theirs, draws, strength)) * scale + offset)[:, :, :, 0]
    if cutout is not None:
        theirs = np.asarray(cut_out("bhwk", theirs, draws, np.repeat(cutout, 3)))
    # Two ways to compute coordinates in float32: 32 pixels * 2^-23 of rounding, times the contrast of neighbours
    assert np.abs(mine - theirs).max() < 2e-3
    assert np.abs(mine - images / 255 * scale - offset).max() > 0.05


def rows_of(table: Any, indices: Any) -> np.ndarray:
    return np.take(np.asarray(table), np.asarray(indices), axis=0)


def _with_draws(tf: Any, uniform: Any) -> Any:
    """TensorFlow with the draws of the test in place of its own."""
    names = ("shape", "cast", "where", "floor", "cos", "sin", "constant", "zeros", "concat", "reshape", "range",
             "clip_by_value", "reduce_mean", "float32")  # fmt: skip
    return SimpleNamespace(**{name: getattr(tf, name) for name in names}, random=SimpleNamespace(uniform=uniform))


@pytest.mark.parametrize("name", BEYOND)
def test_what_plain_keras_does_not_provide_gives_a_script_that_says_what_to_do(name: str, tmp_path: Path) -> None:
    path = tmp_path / "train.py"
    path.write_text(script({"data.name": "mnist", **BEYOND[name]}), encoding="utf-8")
    run = subprocess.run([sys.executable, path], capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert f"This recipe uses {name}, which plain Keras does not provide" in run.stderr
    assert "lenet-search train recipe.toml" in run.stderr


@pytest.mark.parametrize("name", ["plain", "full", "padded", "own file", "mlp", "all_cnn", "all_cnn_pool", "lenet5_28"])
def test_the_scripts_network_computes_what_the_exported_model_does(name: str) -> None:
    from lenet_search.networks.plain import plain_model

    recipe = Recipe.from_values(RECIPES[name])
    images = OTHER_IMAGES.get(recipe.data.name, IMAGES)
    model = plain_model(recipe, {**images, "pad": 0}, softmax=False)
    network = functions(RECIPES[name])["build"]()
    network.set_weights(model.get_weights())
    pixels = np.random.default_rng(0).integers(0, 256, (4, *images["image_shape"])).astype(np.float32)
    assert np.asarray(network(pixels)) == pytest.approx(np.asarray(model(pixels)), rel=1e-4, abs=1e-4)
    penalty = float(sum(network.losses)), float(sum(model.losses))
    assert penalty[0] == pytest.approx(penalty[1], rel=1e-5)


@pytest.mark.parametrize("initializer", FIELDS["model.initializer"].legal.choices)
def test_the_scripts_initial_weights_have_the_spread_of_the_searchs(initializer: str) -> None:
    from lenet_search.networks.initializers import initial_kernel

    network = functions({"data.name": "cifar10", "model.initializer": initializer})["build"]()
    for layer in network.layers:
        if layer.weights:
            kernel = np.asarray(layer.kernel)
            ours = initial_kernel(initializer, kernel.shape, 0)
            # Standard error of a standard deviation: at most s / sqrt(n) for these, uniform, normal or truncated
            assert abs(kernel.std() - ours.std()) < 6 * ours.std() / math.sqrt(kernel.size)
