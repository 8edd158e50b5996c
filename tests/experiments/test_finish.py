import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from processes import children_of

from lenet_search import data
from lenet_search.crew.signals import Interrupted
from lenet_search.errors import DataError, ResultError, RunError
from lenet_search.experiments.finish import finish, missing
from lenet_search.experiments.in_order import InOrder, SeedJob
from lenet_search.experiments.result import Result
from lenet_search.experiments.task import Task, read_tasks
from lenet_search.frozen import SlotState
from lenet_search.look.progress import Progress, Silent, View
from lenet_search.run import Curve, Run
from lenet_search.space import Space
from lenet_search.storage.kept import Kept
from lenet_search.structure import structure_of
from tests.experiments.made import IMAGES, a_zip, folder_of, run, task
from tests.experiments.made import RECIPE as MADE

RECIPES = [MADE]
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


class Told(Silent):
    """A view that remembers which runs ended, and can act once runs have got somewhere."""

    def __init__(self, act: Callable[[], None] | None = None) -> None:
        self.ends: list[tuple[str, str]] = []
        self.notes: list[str] = []
        self.act = act

    def ended(self, name: str, state: str, detail: str) -> None:
        self.ends.append((name, state))

    def note(self, text: str) -> None:
        self.notes.append(text)

    def update(self, progress: Progress) -> None:
        if self.act is not None and any(run.values for run in progress.running):
            act, self.act = self.act, None
            act()


def done(
    what: Sequence[Task], out: Path, data: Path, view: View | None = None, *, test: bool = False, **more: Any
) -> list[Result]:
    """`finish` with each recipe's results in a folder of its name."""
    kept = {each.name: Kept(out / each.name) for each in what}
    return finish(what, kept, name="all", test=test, view=view or Silent(), data_folder=data, **more)


def write(folder: Path, name: str = "tiny", epochs: int = 2) -> Path:
    path = folder / f"{name}.toml"
    path.write_text(RECIPE.format(epochs=epochs))
    return path


def tasks(folder: Path, seeds: int) -> list[Task]:
    return read_tasks([str(write(folder))], seeds)


def test_what_is_missing_is_trained_and_measured_and_nothing_twice(tiny_npz: Path, tmp_path: Path) -> None:
    out, told, view = tmp_path / "out", list[Result](), Told()
    (found,) = done(tasks(tmp_path, 1), out, tmp_path, view, test=True, on_result=told.append)
    assert view.ends == [("tiny, seed 1", "complete")]
    assert [run.n for run in found.runs] == [60]
    assert told == [found]
    assert folder_of(out / "tiny") == ["recipe.json", "recipe.toml", "seed-1.json", "seed-1.keras"]

    view = Told()
    assert done(tasks(tmp_path, 1), out, tmp_path, view, test=True, on_result=told.append) == [found]
    assert view.ends == []
    assert len(told) == 2


def dealt(seeds: int, workers: int, recipes: int = 1) -> list[list[tuple[str, int]]]:
    """What workers get one after the other of seeds of recipes "a", "b", ...: each when it has ended what it had."""
    structure = structure_of(RECIPES[0], Space.from_recipe(RECIPES[0]))
    several = [task("abcde"[number], seeds=tuple(range(1, seeds + 1))) for number in range(recipes)]
    jobs = [
        SeedJob(number, "", Run(each.recipe, seed), structure, cohort=True, task=each)
        for number, (each, seed) in enumerate((each, seed) for each in several for seed in each.seeds)
    ]
    decider = InOrder(
        "all", "val_loss", jobs, len(jobs), 0, {}, Silent(), test=False, test_limit=None, on_end=lambda task: None
    )
    crew: Any = [SimpleNamespace(held={}) for _ in range(workers)]
    found = []
    while decider.wanted():
        for worker in crew:
            worker.held = {}  # the others' runs are over at the same moment, or have just begun
            if jobs := decider.deal(worker, crew, 4, 0):
                worker.held = {job.number: job for job in jobs}
                found.append([(job.task.name, job.run.seed) for job in jobs])
        for worker in crew[1:]:
            for job in worker.held.values():  # the first worker is the first to end
                job.run.curve = run(1, 0.5).curve
    return found


@pytest.mark.parametrize(
    ("seeds", "workers", "recipes", "sizes"),
    [
        (5, 2, 1, [3, 2]),
        (4, 4, 1, [1, 1, 1, 1]),
        (4, 3, 1, [2, 1, 1]),
        (4, 2, 3, [4, 4, 2, 2]),
        (4, 4, 2, [2, 2, 2, 2]),
        (5, 4, 5, [5, 5, 5, 5, 2, 1, 1, 1]),
        (3, 8, 2, [1, 1, 1, 1, 1, 1]),
    ],
)
def test_with_fewer_recipes_than_workers_the_seeds_are_dealt_out_at_once(
    seeds: int, workers: int, recipes: int, sizes: list[int]
) -> None:
    assert [len(each) for each in dealt(seeds, workers, recipes)] == sizes


def test_with_as_many_recipes_as_workers_each_is_one_stack() -> None:
    first, second = dealt(5, workers=2, recipes=2)
    assert first == [("a", seed) for seed in range(1, 6)]
    assert {name for name, _ in second} == {"b"}


def test_no_stack_is_larger_than_all_seeds_can_share_an_order_of_images() -> None:
    assert [len(each) for each in dealt(42, workers=1)] == [14, 14, 14]


def test_a_worker_gets_the_next_recipe_only_when_it_is_through_with_the_last() -> None:
    jobs = [SeedJob(0, "", Run(RECIPES[0], 1), structure_of(RECIPES[0], Space({})), task=task())]
    decider = InOrder(
        "all", "val_loss", jobs, 1, 0, {}, Silent(), test=False, test_limit=None, on_end=lambda task: None
    )
    worker: Any = SimpleNamespace(held={7: object(), 8: object()})
    assert decider.deal(worker, [worker], 4, 1) == []
    assert decider.deal(worker, [worker], 4, 2) == jobs


def test_what_was_trained_is_not_trained_again_and_what_was_not_measured_is_measured(tmp_path: Path) -> None:
    kept = Kept(tmp_path / "mine")
    kept.begin(MADE, IMAGES, "")
    for seed, right in ((1, 900), (2, None)):
        kept.model(seed).write_bytes(a_zip())
        kept.keep(run(seed, 0.9, right))
    for test, expected in ((True, [2]), (False, [])):
        jobs, untested = missing([task()], {"mine": kept}, test, Silent(), count())
        assert [job.run.seed for job in jobs] == [3]
        assert [each.seed for _, each in untested] == expected


def test_images_that_are_missing_are_found_out_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="tiny"):
        done(tasks(tmp_path, 1), tmp_path / "out", tmp_path)
    assert not (tmp_path / "out").exists()


def test_another_recipe_of_the_name_is_refused_before_anything_is_trained(tiny_npz: Path, tmp_path: Path) -> None:
    mine = tasks(tmp_path, 1)
    Kept(tmp_path / "out" / "tiny").begin(
        read_tasks([str(write(tmp_path, epochs=3))], 1)[0].recipe, {"digest": "?"}, ""
    )
    with pytest.raises(ResultError, match="another recipe"):
        done(mine, tmp_path / "out", tmp_path)


def test_a_worker_that_fails_is_told_with_its_reason(
    tiny_npz: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\necho the floor is missing >&2\nexit 3\n")
    broken.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(broken))
    with pytest.raises(RunError, match="a worker failed: the floor is missing"):
        done(tasks(tmp_path, 1), tmp_path / "out", tmp_path)


def test_a_signal_ends_the_work_at_once_and_keeps_what_was_finished(tiny_npz: Path, tmp_path: Path) -> None:
    quick, endless = write(tmp_path, "quick"), write(tmp_path, "endless", epochs=100_000)
    kept = Kept(tmp_path / "out" / "quick")
    (first,) = read_tasks([str(quick)], 1)
    images = data.load(first.recipe.images, tmp_path).describe()
    kept.begin(first.recipe, images, "")
    kept.model(1).write_bytes(a_zip())
    kept.keep(replace(run(1, 0.9, 900), recipe=first.recipe, images=images))
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
    assert "Finished runs are kept" in said
    assert [each["name"] for each in json.loads(begun.read_text())["recipes"]] == ["quick"]
    assert (tmp_path / "out" / "reproduce.html").exists()


def test_a_killed_worker_costs_no_run(tiny_npz: Path, tmp_path: Path) -> None:
    killed = []

    def kill() -> None:
        killed.extend(children_of(os.getpid()))
        os.kill(killed[0], signal.SIGKILL)

    view = Told(kill)
    what = read_tasks([str(write(tmp_path, epochs=60))], 2)
    (found,) = done(what, tmp_path / "out", tmp_path, view, workers=1)
    assert len(killed) == 1
    assert [run.epochs for run in found.runs] == [60, 60]
    assert any("killed by SIGKILL" in note for note in view.notes)


def same(one: Run, other: Run) -> bool:
    """As good as the same: stacks of another size sum in another order."""
    return all(one.curve[name] == pytest.approx(other.curve[name], rel=1e-4) for name in Curve.NAMES)


def test_what_was_frozen_goes_on_and_ends_as_if_it_had_never_been(tiny_npz: Path, tmp_path: Path) -> None:
    what = read_tasks([str(write(tmp_path, epochs=30))], 2)
    (straight,) = done(what, tmp_path / "straight", tmp_path, workers=1)

    view = Told(lambda: os.kill(os.getpid(), signal.SIGTERM))
    with pytest.raises(Interrupted):
        done(what, tmp_path / "out", tmp_path, view, workers=1)
    assert {"seed-1.frozen", "seed-2.frozen"} <= set(folder_of(tmp_path / "out" / "tiny"))
    (resumed,) = done(what, tmp_path / "out", tmp_path, workers=1)
    assert not list((tmp_path / "out" / "tiny").glob("*.frozen"))
    for one, other in zip(straight.runs, resumed.runs, strict=True):
        assert other.curve == one.curve
        assert other.clocks == [(0, 30)]


def test_runs_of_one_seed_are_pairs_to_the_bit_in_float32_in_stacks_of_one_size(tiny_npz: Path, tmp_path: Path) -> None:
    twins = [write(tmp_path, name) for name in ("one", "other")]
    different = tmp_path / "different.toml"
    different.write_text(RECIPE.format(epochs=2).replace("batch_size = 40", "batch_size = 50"))
    several = read_tasks([*map(str, twins), str(different)], 3)
    together = done(several, tmp_path / "together", tmp_path, workers=1)
    alone = done([replace(several[1], seeds=(2,))], tmp_path / "alone", tmp_path, workers=1)
    for one, other in zip(together[0].runs, together[1].runs, strict=True):
        assert one.curve == other.curve
    assert same(alone[0].runs[0], together[1].runs[1])


def test_a_model_that_was_not_measured_yet_is_not_counted_as_done_and_is_not_counted_twice(
    tiny_npz: Path, tmp_path: Path
) -> None:
    class Totals(Told):
        last = ""

        def update(self, progress: Progress) -> None:
            standing = progress.standing
            self.last = f"{standing.done} of {standing.total}"

    done(tasks(tmp_path, 1), tmp_path / "out", tmp_path, workers=1)
    view = Totals()
    done(tasks(tmp_path, 2), tmp_path / "out", tmp_path, view, test=True, workers=1)
    assert view.last == "2 of 2"


def test_what_is_frozen_of_another_run_is_said_and_not_resumed(tiny_npz: Path, tmp_path: Path) -> None:
    (what,) = tasks(tmp_path, 1)
    kept = Kept(tmp_path / "out" / "tiny")
    kept.begin(what.recipe, data.load(what.recipe.images, tmp_path).describe(), "")
    state = SlotState(*(np.zeros(3, np.float32) for _ in range(5)))
    kept.freeze(run(1, 0.5), state)
    view = Told()
    jobs, _ = missing([what], {"tiny": kept}, False, view, count())
    assert [job.frozen for job in jobs] == [0]
    assert view.notes == ["tiny, seed 1 starts again from the beginning: what is frozen there is another run"]
