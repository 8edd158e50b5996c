import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from lenet_search import data
from lenet_search.errors import DataError, ResultError, RunError
from lenet_search.experiments.jobs import finish, missing
from lenet_search.experiments.kept import Kept
from lenet_search.experiments.result import Result
from lenet_search.experiments.task import Task, read_tasks
from tests.experiments.made import folder_of, run, task

Seeds = tuple[int, ...]
ROOT = Path(__file__).parents[2]
RECIPE = """# A tiny thing.
[data]
name = "tiny"
validation = 40
[train]
epochs = {epochs}
batch_size = 40
[optimizer]
kind = "adam"
"""


class Silent:
    """A view that only remembers what began."""

    def __init__(self) -> None:
        self.begun: list[tuple[str, tuple[int, ...]]] = []

    def note(self, text: str) -> None: ...

    def begin(self, name: str, seeds: Sequence[int], total: int) -> None:
        self.begun.append((name, tuple(seeds)))

    def progress(self, name: str, seeds: Sequence[int], done: int, text: str) -> None: ...

    def end(self, name: str, seeds: Sequence[int]) -> None: ...


def write(folder: Path, name: str = "tiny", epochs: int = 2) -> Path:
    path = folder / f"{name}.toml"
    path.write_text(RECIPE.format(epochs=epochs))
    return path


def tasks(folder: Path, seeds: int) -> list[Task]:
    return read_tasks([str(write(folder))], seeds)


def test_what_is_missing_is_trained_and_measured_and_nothing_twice(tiny_npz: Path, tmp_path: Path) -> None:
    out, told, view = tmp_path / "out", list[Result](), Silent()
    (found,) = finish(tasks(tmp_path, 1), out, test=True, view=view, data_folder=tmp_path, on_result=told.append)
    assert view.begun == [("tiny", (1,))]
    assert [run.n for run in found.runs] == [60]
    assert told == [found]
    assert folder_of(out / "tiny") == ["recipe.json", "recipe.toml", "seed-1.json", "seed-1.keras"]

    view = Silent()
    assert finish(tasks(tmp_path, 1), out, test=True, view=view, data_folder=tmp_path, on_result=told.append) == [found]
    assert view.begun == []
    assert len(told) == 2


def jobs(folder: Path, seeds: int, workers: int, *, test: bool, recipes: int = 1) -> list[tuple[str, Seeds, Seeds]]:
    """What is missing of recipes "a", "b", ..., where seed 1 is trained and measured and seed 2 trained."""
    several = [task("abc"[number], seeds=tuple(range(1, seeds + 1))) for number in range(recipes)]
    kept = {each.name: Kept(folder / each.name) for each in several}
    for each in kept.values():
        each.folder.mkdir()
        for seed, right in ((1, 900), (2, None)):
            each.model(seed).touch()
            each.keep(run(seed, 0.9, right))
    return [(job.task.name, job.train, job.test) for job in missing(several, kept, test, workers)]


def test_with_fewer_recipes_than_workers_the_seeds_are_dealt_out(tmp_path: Path) -> None:
    assert jobs(tmp_path, 5, 2, test=False) == [("a", (3, 5), ()), ("a", (4,), ())]


def test_with_as_many_recipes_as_workers_each_is_one_stack(tmp_path: Path) -> None:
    assert jobs(tmp_path, 5, 2, test=False, recipes=2) == [("a", (3, 4, 5), ()), ("b", (3, 4, 5), ())]


def test_no_stack_is_larger_than_all_seeds_can_share_an_order_of_images(tmp_path: Path) -> None:
    found = jobs(tmp_path, 42, 1, test=False)
    assert [len(train) for _, train, _ in found] == [14, 13, 13]


def test_only_what_was_not_measured_is_measured(tmp_path: Path) -> None:
    assert jobs(tmp_path, 3, 1, test=True) == [("a", (3,), (3, 2))]


def test_a_model_that_lies_there_is_measured_without_training(tmp_path: Path) -> None:
    assert jobs(tmp_path, 2, 4, test=True) == [("a", (), (2,))]
    (tmp_path / "later").mkdir()
    assert jobs(tmp_path / "later", 2, 4, test=False) == []


def test_images_that_are_missing_are_found_out_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="tiny"):
        finish(tasks(tmp_path, 1), tmp_path / "out", test=False, view=Silent(), data_folder=tmp_path)
    assert not (tmp_path / "out").exists()


def test_another_recipe_of_the_name_is_refused_before_anything_is_trained(tiny_npz: Path, tmp_path: Path) -> None:
    mine = tasks(tmp_path, 1)
    Kept(tmp_path / "out" / "tiny").begin(
        read_tasks([str(write(tmp_path, epochs=3))], 1)[0].recipe, {"digest": "?"}, ""
    )
    with pytest.raises(ResultError, match="another recipe"):
        finish(mine, tmp_path / "out", test=False, view=Silent(), data_folder=tmp_path)


def test_a_worker_that_fails_is_told_with_its_reason(
    tiny_npz: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\necho the floor is missing >&2\nexit 3\n")
    broken.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(broken))
    with pytest.raises(RunError, match="tiny: a worker failed: the floor is missing"):
        finish(tasks(tmp_path, 1), tmp_path / "out", test=False, view=Silent(), data_folder=tmp_path)


def test_a_signal_ends_the_work_at_once_and_keeps_what_was_finished(tiny_npz: Path, tmp_path: Path) -> None:
    quick, endless = write(tmp_path, "quick"), write(tmp_path, "endless", epochs=100_000)
    kept = Kept(tmp_path / "out" / "quick")
    (done,) = read_tasks([str(quick)], 1)
    kept.begin(done.recipe, data.load(done.recipe.images, tmp_path).describe(), "")
    kept.model(1).touch()
    kept.keep(run(1, 0.9, 900))
    process = subprocess.Popen(
        [sys.executable, "-m", "lenet_search", "reproduce", str(quick), str(endless), "--seeds", "1", "--workers", "1",
         "--data", str(tmp_path), "--out", str(tmp_path / "out")],
        env={**os.environ, "PYTHONPATH": str(ROOT)}, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    begun = tmp_path / "out" / "reproduce.json"
    deadline = time.monotonic() + 200
    while not begun.exists() and time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "the same command goes on" in said
    assert [each["name"] for each in json.loads(begun.read_text())["recipes"]] == ["quick"]
    assert (tmp_path / "out" / "reproduce.html").exists()
