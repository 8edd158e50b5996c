import importlib.util
import math
import os
import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from lenet_search.data import load
from lenet_search.data.digits import FILE
from lenet_search.engine import Stack
from lenet_search.look.intervals import t_quantile
from lenet_search.networks import NETWORKS, network
from lenet_search.networks.call import Call
from lenet_search.recipe import FIELDS, Recipe, Value
from lenet_search.recipe.augment import AUGMENTATIONS
from lenet_search.recipe.loss import LOSSES
from lenet_search.recipe.model import Model
from lenet_search.recipe.optimizer import OPTIMIZERS
from lenet_search.recipe.regularize import Regularize
from lenet_search.results.script import train_script
from lenet_search.space import Space
from lenet_search.structure import structure_of

# Digits, with something of everything; stopped where accuracy still rises, so that a wrong recipe would show
VALUES = {"data.name": "digits", "data.validation": 400, "train.epochs": 6, "train.batch_size": 64,
          "model.activation": "relu", "model.initializer": "he_normal", "regularize.l2": 1e-4,
          "regularize.dropout": 0.2, "augment.shift": 2, "augment.rotate": 10.0, "augment.zoom": 0.1,
          "augment.brightness": 0.1, "augment.cutout": 6, "loss.label_smoothing": 0.05,
          "optimizer.kind": "adam", "schedule.kind": "cosine", "schedule.cosine.warmup": 0.1}  # fmt: skip
SEEDS = 8
ROOT = Path(__file__).parents[2]

# Without scikit-learn, which the README's environment lacks; `package` is the folder that holds this package
RUN = """
import runpy, sys
script, package, *sys.argv[1:] = sys.argv[1:]
sys.modules["sklearn"] = None
sys.path.insert(0, package)
runpy.run_path(script, run_name="__main__")
assert "lenet_search" not in sys.modules
"""


def run(script: Path, *arguments: str) -> str:
    """What the script prints in a process of its own, with another project's keras.json."""
    home = script.parent / "keras"
    home.mkdir(exist_ok=True)
    (home / "keras.json").write_text('{"floatx": "float16", "epsilon": 0.5, "image_data_format": "channels_first"}')
    command = [sys.executable, "-I", "-c", RUN, script.name, str(ROOT), *arguments]
    ended = subprocess.run(command, cwd=script.parent, capture_output=True, text=True, check=False,
        env={**os.environ, "KERAS_HOME": str(home)},
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


@pytest.fixture
def script(tmp_path: Path) -> Path:
    recipe = Recipe.from_values(VALUES)
    path = tmp_path / "train.py"
    path.write_text(train_script(recipe, load(recipe.images).describe(), "A recipe for digits."), encoding="utf-8")
    return path


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")
def test_the_script_reaches_the_searchs_accuracy_within_the_spread_of_seeds(script: Path) -> None:
    recipe = Recipe.from_values(VALUES)
    split = load(recipe.images)
    stack = Stack(structure_of(recipe, Space.from_recipe(recipe)), split, SEEDS)
    slots = [stack.load(recipe, seed) for seed in range(SEEDS)]
    for _ in range(recipe.train.epochs):
        results = stack.epoch()
    searched = [results[slot].val_accuracy for slot in slots]
    output = run(script, "--output", "mine.keras")
    match = re.search(r"validation accuracy: ([\d.]+)% of 400 images", output)
    assert match, output
    reached = float(match[1]) / 100

    mean = float(np.mean(searched))
    spread = float(np.std(searched, ddof=1))
    # Where one more run lies with 95 % (Student's t for a new observation), and half as far again for other machines
    allowed = 1.5 * t_quantile(SEEDS - 1) * spread * math.sqrt(1 + 1 / SEEDS)
    assert abs(reached - mean) < allowed, f"{reached:.3f} against {mean:.3f} ± {spread:.3f}"
    assert allowed < 0.15  # the bound says something: chance is 0.10

    import keras

    model = keras.models.load_model(script.with_name("mine.keras"), safe_mode=True)
    right = model.predict(split.x_val, verbose=0).argmax(axis=1) == split.y_val
    assert float(np.mean(right)) == pytest.approx(reached, abs=1e-4)


def in_keras() -> dict[str, list[str]]:
    """By path: the names that a script can be written for."""
    found = {path: list(field.legal.choices) for path, field in FIELDS.items() if field.legal.choices}
    found["loss.kind"] = [name for name, loss in LOSSES.items() if loss.keras]
    found["optimizer.kind"] = [name for name, rule in OPTIMIZERS.items() if rule.keras]
    found["model.network"] = [name for name in NETWORKS if not any(call.own for call in calls(name))]
    return found


def calls(name: str) -> list[Call]:
    side = NETWORKS[name].side or 32
    layers = network(Model(name), (side, side, 1), 10)
    return [call for layer in layers for call in layer.calls(vars(Regularize()))]


NAMES = in_keras()


@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")
@pytest.mark.parametrize("number", range(max(map(len, NAMES.values()))))
def test_a_script_runs_with_each_name_that_a_recipe_can_have(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Run `number` takes the number-th name of every hyperparameter, so that all names are run."""
    values: dict[str, Value] = {path: names[number % len(names)] for path, names in NAMES.items()}
    changed = list(AUGMENTATIONS)[number % len(AUGMENTATIONS)]
    values |= {"data.name": "tiny", "data.validation": 20, "train.batch_size": 16, "model.width": 0.05}
    values |= {f"augment.{changed}": 2 if FIELDS[f"augment.{changed}"].legal.type is int else 0.5}
    values["augment.cutout"] = 4  # beside every normalization, whose 0 it needs
    side = NETWORKS[str(values["model.network"])].side or 32
    pixels = np.random.default_rng(0).integers(0, 256, (60, side, side), dtype=np.uint8)
    np.savez(tmp_path / "tiny.npz", x_train=pixels, y_train=np.arange(60) % 3)
    recipe = Recipe.from_values(values)
    text = train_script(recipe, load(recipe.images, tmp_path).describe(), "Each name once.")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["train.py", "--epochs", "1"])
    (tmp_path / "train.py").write_text(text, encoding="utf-8")
    runpy.run_path("train.py", run_name="__main__")
    assert (tmp_path / "trained.keras").exists()


def run_here(script: Path, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    """Run the script in this process, which has loaded TensorFlow already, as if the package were not installed."""
    monkeypatch.chdir(script.parent)
    monkeypatch.setattr(sys, "argv", [script.name, *arguments])
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    runpy.run_path(script.name, run_name="__main__")


def test_the_script_explains_itself(
    script: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        run_here(script, monkeypatch, "--help")
    text = capsys.readouterr().out
    for option in ("--data", "--epochs", "--seed", "--output", "A recipe for digits."):
        assert option in text


def test_without_the_package_the_script_for_the_digits_says_what_to_do(
    script: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SystemExit, match=r"^The digits come with lenet-search: install it, or give its digits\.npz"):
        run_here(script, monkeypatch)


@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")
def test_without_the_package_the_script_reads_the_file_that_comes_with_it(
    script: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(FILE, script.with_name("digits.npz"))
    run_here(script, monkeypatch, "--data", "digits.npz", "--epochs", "1")
    assert "of 400 images\nmodel: trained.keras" in capsys.readouterr().out
