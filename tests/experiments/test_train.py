import csv
import json
import math
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import pytest

from lenet_search.experiments.result import Result
from lenet_search.experiments.task import Task, task_of
from lenet_search.experiments.train import Training, train
from lenet_search.look.progress import Silent
from lenet_search.model.trained_on import TrainedOn, trained_on
from lenet_search.recipe import Recipe
from lenet_search.run import Curve
from lenet_search.storage.kept import Kept
from lenet_search.study import read_recipe
from tests.experiments.made import IMAGES, folder_of, run, task

QUICK = {"data.name": "digits", "data.limit": 300, "train.epochs": 2, "train.batch_size": 50}


def tasked(seeds: tuple[int, ...], **values: object) -> Task:
    changes = {name.replace("__", "."): value for name, value in values.items()}
    return Task("mine", "Mine.", Recipe.from_values(QUICK | {"optimizer.kind": "adam"} | changes), None, seeds)


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Training:
    folder = tmp_path_factory.mktemp("trained") / "a" / "b"
    return train(tasked((7, 8, 9)), folder, view=Silent(), title="mine, 3 seeds", workers=1)


def test_every_seed_runs_all_epochs(three):
    assert [each.seed for each in three.result.runs] == [7, 8, 9]
    for each in three.result.runs:
        assert {name: len(each.curve[name]) for name in Curve.NAMES} == dict.fromkeys(Curve.NAMES, 2)


def test_all_seeds_begin_at_clock_0_so_they_differ_by_their_initial_weights_alone(three):
    assert [each.clocks for each in three.result.runs] == [[(0, 2)]] * 3


def test_seeds_differ_in_what_they_give(three):
    assert len({tuple(each.curve["val_loss"]) for each in three.result.runs}) == 3


def test_the_model_is_the_first_seed_s_not_the_best_one_s(three):
    folder = three.files[0].parent
    assert three.model_seed == 7
    assert (folder / "model.keras").read_bytes() == (folder / "seed-7.keras").read_bytes()


def test_a_seed_gives_the_same_course_again_and_more_seeds_train_only_those_that_are_missing(three, tmp_path):
    again = train(tasked((7, 8)), tmp_path, view=Silent(), workers=1)
    for before, after in zip(three.result.runs, again.result.runs, strict=False):
        assert after.curve["val_loss"] == pytest.approx(before.curve["val_loss"], rel=1e-5)  # stacks of another size
    written = (tmp_path / "seed-7.keras").stat().st_mtime_ns
    more = train(tasked((7, 8, 9)), tmp_path, view=Silent(), workers=1)
    assert more.result.runs[:2] == again.result.runs
    assert [each.seed for each in more.result.runs] == [7, 8, 9]
    assert (tmp_path / "seed-7.keras").stat().st_mtime_ns == written


def test_a_recipe_that_was_exported_for_other_images_is_trained_with_a_word(three):
    class Noting(Silent):
        notes: ClassVar[list[str]] = []

        def note(self, text: str) -> None:
            self.notes.append(text)

    for digest, words in ((three.result.images["digest"], []), ("0" * 16, ["mine trains on other images"])):
        before = TrainedOn(Path("exports/mine/recipe.json"), three.result.task.recipe.images, digest, None)
        task = replace(tasked((7, 8, 9)), before=before)
        train(task, three.files[0].parent, view=Noting(), title="mine, 3 seeds")  # as before: other tests read the page
        assert [note.partition(",")[0] for note in Noting.notes] == words


def test_what_is_kept_says_in_which_folder_the_images_are(tmp_path, tiny_npz):
    kept = Kept(tmp_path / "kept")
    kept.begin(Recipe.from_values(QUICK), IMAGES, "", tiny_npz.parent)
    assert kept.data_folder == str(tiny_npz.parent)
    known = trained_on(kept.model(1))
    assert known is not None
    assert (known.folder, known.digest) == (tiny_npz.parent, IMAGES["digest"])


def test_a_restart_replaces_what_the_folder_holds_even_another_recipe(tmp_path):
    kept = Kept(tmp_path)
    kept.begin(Recipe.from_values(QUICK | {"train.epochs": 3}), IMAGES, "")
    kept.keep(run(8, math.nan, diverged=True))
    training = train(tasked((7,), train__epochs=1), tmp_path, view=Silent(), restart=True)
    assert [each.seed for each in training.result.runs] == [7]
    assert "seed-8.json" not in folder_of(tmp_path)


def test_a_run_that_diverges_ends_early_and_is_left_out_of_the_mean(tmp_path):
    wild = {"optimizer.kind": "sgd", "optimizer.sgd.learning_rate": 10.0, "model.activation": "relu",
            "regularize.l2": 1.0}  # fmt: skip
    gone = train(Task("wild", "", Recipe.from_values(QUICK | wild), None, (1, 2)), tmp_path, view=Silent(), workers=1)
    assert all(each.diverged for each in gone.result.runs)
    assert gone.summary()["metrics"]["val_accuracy"] == {
        "n": 0, "mean": None, "low": None, "high": None, "over": "seeds",
    }  # fmt: skip
    assert gone.model_seed is None
    assert not (tmp_path / "model.keras").exists()


def test_the_recipe_can_be_read_again(three):
    assert read_recipe(three.files[0])[1] == three.result.task.recipe


def test_the_json_holds_values_and_results_and_no_word_that_json_does_not_know(three):
    summary = json.loads(three.files[1].read_text(), parse_constant=lambda word: pytest.fail(word))
    assert summary["values"]["data.name"] == "digits"
    assert summary["metrics"]["val_accuracy"]["n"] == 3
    assert [seed["clocks"] for seed in summary["seeds"]] == [[[0, 2]]] * 3


def test_the_table_has_a_line_per_seed_and_epoch(three):
    with three.files[2].open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["seed"], row["epoch"]) for row in rows] == [(s, e) for s in "789" for e in "12"]
    assert float(rows[1]["val_loss"]) == three.result.runs[0].curve["val_loss"][1]


def test_the_picture_stands_alone_and_has_a_title_and_units(three):
    page = three.files[3].read_text()
    assert "mine, 3 seeds" in page
    assert "accuracy (%)" in page
    assert "seed 9" in page
    assert 'src="http' not in page


def test_the_mean_over_seeds_has_student_s_interval_and_stays_within_what_a_share_can_be():
    runs = (run(0, 0.9), run(1, 1.0))
    training = Training(Result(task(), runs, IMAGES, 1), 1.0)
    found = training.summary()["metrics"]
    half = 12.706204736432095 * math.sqrt(0.005) / math.sqrt(2)  # t for one degree of freedom
    assert (found["val_accuracy"]["low"], found["val_accuracy"]["high"]) == (pytest.approx(0.95 - half), 1.0)
    assert found["val_loss"]["high"] == pytest.approx(0.95 + half)


def test_a_recipe_in_hand_is_a_task_as_a_file_is(tmp_path):
    recipe = Recipe.from_values(QUICK)
    path = tmp_path / "mine.toml"
    path.write_text('[study]\nmetric = "val_loss"\nseed = 4\n[data]\nname = "digits"\n')
    assert task_of(recipe, 2)[0] == Task("recipe", "", recipe, None, (1, 2))
    found, metric = task_of(path, 2, overrides=["train.epochs=3"], name="other")
    assert (found.name, found.seeds, found.recipe.train.epochs, metric) == ("other", (5, 6), 3, "val_loss")
