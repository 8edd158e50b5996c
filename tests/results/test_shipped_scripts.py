"""The script of every study and recipe that ships, in the environment that the README sets up."""

import json
import re
import subprocess
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path

import numpy as np
import optuna
import pytest
from packaging.requirements import Requirement

from lenet_search import study
from lenet_search.data import DATASETS, load
from lenet_search.recipe import Recipe
from lenet_search.results.script import train_script

ROOT = Path(__file__).parents[2]
FEW = ["data.limit=40", "data.validation=20", "train.batch_size=20"]  # one step
STUDIES, RECIPES = sorted(study.shipped("studies")), sorted(study.shipped("recipes"))

# Runs scripts one after another, as `python train.py` does in their folders. Compiling would take most of the time, so
# TensorFlow computes at once what it otherwise would compile.
RUN = """
import json, os, runpy, sys
package, missing, *scripts = sys.argv[1:]
sys.modules.update(dict.fromkeys(json.loads(missing)))  # importing one of them fails
sys.path.insert(0, package)
import tensorflow as tf
tf.config.run_functions_eagerly(True)
tf.data.experimental.enable_debug_mode()
for script in scripts:
    os.chdir(os.path.dirname(script))
    sys.argv = ["train.py", "--epochs", "1", *json.load(open("arguments.json"))]
    try:
        runpy.run_path("train.py", run_name="__main__")
    except (Exception, SystemExit) as error:
        print(f"{script}: {type(error).__name__}: {error}")
assert "lenet_search" not in sys.modules  # it is only looked up
"""


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def not_in_the_readmes_environment() -> list[str]:
    """Modules of the packages that `pip install .` does not bring, here for tests and benchmarks."""
    waiting = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    brought: set[str] = set()
    while waiting:
        requirement = Requirement(waiting.pop())
        name = normal(requirement.name)
        if name not in brought and (requirement.marker is None or requirement.marker.evaluate({"extra": ""})):
            brought.add(name)
            try:
                waiting += requires(name) or []
            except PackageNotFoundError:
                continue
    return [
        module
        for module, packages in packages_distributions().items()
        if not brought & set(map(normal, packages)) and module.isidentifier()
    ]


def recipe_of(name: str) -> Recipe:
    """A shipped recipe, or what a shipped study may draw, on a few images."""
    if name in RECIPES:
        return study.read_recipe(name, overrides=FEW)[1]
    trial = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0)).ask()
    return Recipe.from_values(study.read(name, overrides=FEW).space.sample(trial))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
def test_the_script_of_every_shipped_study_and_recipe_trains_in_the_environment_of_the_readme(tmp_path: Path) -> None:
    missing = not_in_the_readmes_environment()
    assert {"pytest", "hypothesis", "ruff"} <= set(missing)
    assert not {"tensorflow", "keras", "numpy", "optuna"} & set(missing)
    rng = np.random.default_rng(0)
    for name, known in DATASETS.items():
        classes = len(known.classes)
        shape = known.image_shape if known.image_shape[2] > 1 else known.image_shape[:2]
        pixels = rng.integers(0, 256, (4 * classes, *shape), dtype=np.uint8)
        np.savez(tmp_path / f"{name}.npz", x_train=pixels, y_train=np.arange(4 * classes) % classes)
    refused, scripts = [], []
    for name in (*STUDIES, *RECIPES):
        recipe = recipe_of(name)
        here = recipe.data.name == "digits"  # they come with the package
        images = load(recipe.images, None if here else tmp_path).describe()
        folder = tmp_path / name
        folder.mkdir()
        text = train_script(recipe, images, f"The script of {name}.")
        (folder / "train.py").write_text(text, encoding="utf-8")
        file = str(tmp_path / f"{recipe.data.name}.npz")
        (folder / "arguments.json").write_text(json.dumps([] if here else ["--data", file]))
        (refused if "plain Keras does not provide" in text else scripts).append(str(folder / "train.py"))
    command = [sys.executable, "-I", "-c", RUN, str(ROOT), json.dumps(missing), *refused, *scripts]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    failed = re.findall(r"(?m)^(\S+train\.py): (.*)", done.stdout)
    assert [script for script, _ in failed] == refused, failed
    for script in scripts:
        assert Path(script).with_name("trained.keras").exists(), script
    # What uses a layer, a loss or an optimizer of the package alone is trained by the package
    assert {Path(script).parent.name for script in refused} == {
        name for name in RECIPES if name.startswith("lenet5-1998")
    }
