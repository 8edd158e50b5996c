import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from calls import ROOT, call

from lenet_search.run import Curve, Run
from lenet_search.storage.kept import Kept
from lenet_search.study import read_recipe


def test_the_list_of_recipes_has_the_reported_accuracy_and_the_seeds_that_are_done():
    listed = call("reproduce", "--list")
    assert listed.exit_code == 0
    line = next(line for line in listed.stdout.splitlines() if line.strip().startswith("lenet-basic"))
    assert "98.91 %" in line and "0 of 5" in line and "mnist" in line
    rows = json.loads(call("reproduce", "--list", "--json", "all-cnn").stdout)["recipes"]
    assert [(row["name"], row["claim"], row["network"]) for row in rows] == [("all-cnn", 0.9092, "all_cnn")]


def test_a_list_tells_runs_of_another_recipe_and_damaged_ones_from_those_that_are_done(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, change in {"lenet-basic": {}, "custom-mlp": {"epochs": 1}}.items():
        recipe = read_recipe(name)[1]
        recipe = dataclasses.replace(recipe, train=dataclasses.replace(recipe.train, **change))
        kept = Kept(tmp_path / "results" / name)
        kept.begin(recipe, {"digest": "0" * 16}, "")
        kept.keep(Run(recipe, 1, {"digest": "0" * 16}, [(0, 1)], Curve.constant([0.5]), diverged=True))
    damaged = tmp_path / "results/lenet-regularized/seed-1.json"
    damaged.parent.mkdir()
    damaged.write_text("[]")
    (damaged.parent / "recipe.json").write_text("[]")
    lines = {line.split()[0]: line for line in call("reproduce", "--list").stdout.splitlines() if line.split()}
    assert "damaged" in lines["lenet-regularized"]
    assert "1 of 5" in lines["lenet-basic"]
    assert "another recipe" in lines["custom-mlp"]


def test_a_list_needs_neither_tensorflow_nor_optuna():
    code = (
        "import sys\nfrom lenet_search.cli import app\napp(['reproduce', '--list'], standalone_mode=False)\n"
        "print(sorted({'tensorflow', 'keras', 'optuna', 'plotly'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_recipe_that_is_not_there_is_answered_with_those_that_are():
    failed = call("reproduce", "lenet-basik")
    assert failed.exit_code == 2
    assert "did you mean lenet-basic?" in failed.stderr


def test_recipes_on_other_images_are_not_compared():
    failed = call("compare", "lenet-basic", "lenet5-cifar")
    assert failed.exit_code == 2
    assert "lenet-basic and lenet5-cifar cannot be compared: data.name" in failed.stderr


def test_check_shows_the_reported_accuracy_of_a_recipe():
    assert "a recipe: every value is fixed; reported test accuracy 98.91 %." in call("check", "lenet-basic").stdout


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras's predict with NumPy 2
def test_pictures_are_classified_and_a_bad_one_gives_the_exit_code():
    import keras
    from PIL import Image

    layers = [keras.layers.AveragePooling2D((4, 8)), keras.layers.Flatten(), keras.layers.Softmax()]
    keras.Sequential([keras.Input((8, 8, 1)), *layers]).save("model.keras")
    pixels = np.zeros((8, 8), np.uint8)
    pixels[5:7, 1:7] = 255
    for folder in ("plain", "classes/0", "classes/1"):
        Path(folder).mkdir(parents=True)
        Image.fromarray(pixels).save(f"{folder}/a.png")
    answer = call("predict", "model.keras", "plain", "classes", "--json")
    assert answer.exit_code == 0, answer.stderr
    found = json.loads(answer.stdout)
    assert [each["classes"][0]["class"] for each in found["images"]] == ["1"]
    assert (found["folders"][0]["accuracy"], found["folders"][0]["n"]) == (0.5, 2)
    assert "classes: accuracy 50.00 %" in answer.stderr

    failed = call("predict", "model.keras", "gone.png", "plain/a.png")
    assert failed.exit_code == 2
    assert "gone.png: there is no such file" in failed.stderr
    assert "plain/a.png" in failed.stdout


def test_a_folder_without_images_is_said_so():
    Path("empty").mkdir()
    failed = call("predict", "model.keras", "empty")
    assert failed.exit_code == 2
    assert "empty: there are no images in this folder or its subfolders" in failed.stderr
