"""What becomes of runs whose workers die, do not fit into the memory, or have compiled too much. All with real ones."""

import optuna
import pytest

from lenet_search import search
from lenet_search.crew import crew
from lenet_search.errors import RunError
from lenet_search.experiments.finish import finish
from lenet_search.experiments.task import read_tasks
from lenet_search.look.progress import Silent
from lenet_search.storage import open_storage
from lenet_search.storage.kept import Kept
from lenet_search.storage.trials import REASON, run_of
from lenet_search.study import read

KILLED = """
def deadly(self, *given):
    if any(recipe.regularize.dropout == 0.4 for recipe in recipes(self)):
        os.kill(os.getpid(), signal.{signal})
    return compute(self, *given)
stack.Stack.compute = deadly
"""
SHORT = """
def short(self, *given):
    if {condition}:
        raise MemoryError("made up")
    return compute(self, *given)
stack.Stack.compute = short
"""


class Notes(Silent):
    def __init__(self) -> None:
        self.notes: list[str] = []
        self.openings: dict[str, str] = {}

    def note(self, text: str) -> None:
        self.notes.append(text)

    def opening(self, title: str, text: str) -> None:
        self.openings[title] = text


def trials() -> dict[float, optuna.trial.FrozenTrial]:
    """By their dropout."""
    stored = optuna.load_study(study_name="small", storage=open_storage("lenet-search.journal", create=False))
    return {trial.params["regularize.dropout"]: trial for trial in stored.trials}


def test_a_trial_that_kills_its_workers_is_found_and_pruned_and_all_others_finish(study, workers_with):
    workers_with(KILLED.format(signal="SIGSEGV"))
    summary = search.run(read(study), workers=2, slots=4)
    assert summary.trials == {"total": 4, "complete": 3, "pruned": 1, "failed": 0, "interrupted": 0}
    culprit = trials()[0.4]
    assert culprit.state.name == "PRUNED"
    assert "killed by SIGSEGV" in culprit.user_attrs[REASON]


def test_a_run_that_kills_its_workers_is_named_and_all_others_are_kept(study, workers_with, tmp_path):
    workers_with(KILLED.format(signal="SIGKILL"))
    recipes = []
    for dropout in (0.0, 0.4):
        path = tmp_path / f"dropout-{10 * dropout:.0f}.toml"
        path.write_text(study.read_text().split("[data]")[1].join(["[data]", ""]).replace(
            "{ choices = [0.0, 0.1, 0.2, 0.4] }", str(dropout)))  # fmt: skip
        recipes.append(str(path))
    tasks = read_tasks(recipes, 1)
    kept = {task.name: Kept(tmp_path / "out" / task.name) for task in tasks}
    with pytest.raises(RunError, match=r"dropout-4, seed 1: two workers died while training only this run.*SIGKILL"):
        finish(tasks, kept, name="all", test=False, view=Silent(), workers=1)
    assert kept["dropout-0"].run(1).epochs == 3


def test_where_memory_is_short_fewer_trials_share_a_stack_and_all_finish(study, workers_with):
    workers_with(SHORT.format(condition="len(self.active) > 2"))
    view = Notes()
    summary = search.run(read(study), workers=1, slots=4, view=view)
    assert summary.trials["complete"] == 4
    assert view.notes == ["out of memory: at most 2 runs of this shape will now train side by side"]


def test_the_default_of_a_gpu_is_halved_where_its_memory_is_short(study, workers_with):
    gpu = "from lenet_search.engine import backend\nbackend.on_gpu = lambda: True\n"
    workers_with(gpu + SHORT.format(condition="len(self.active) > 2"))
    view = Notes()
    small = read(study, overrides=["study.sampler={ kind = 'RandomSampler' }", "model.network=mlp", "train.epochs=1"])
    summary = search.run(small, trials=24, workers=1, view=view)
    assert summary.trials["complete"] == 24
    assert view.openings["Slots"].startswith("8 slots: ")
    assert view.notes == [
        f"out of memory: at most {fewer} runs of this shape will now train side by side" for fewer in (4, 2)
    ]


def test_a_trial_that_does_not_fit_alone_is_pruned_with_that_reason(study, workers_with):
    workers_with(SHORT.format(condition="any(recipe.regularize.dropout == 0.4 for recipe in recipes(self))"))
    summary = search.run(read(study), workers=1, slots=4)
    assert (summary.trials["complete"], summary.trials["pruned"]) == (3, 1)
    assert trials()[0.4].user_attrs[REASON] == "it does not fit in memory"


def test_a_precision_is_found_out_once_for_all_workers_and_all_runs_of_a_study(study, workers_with):
    workers_with("""
def undecided():
    first = not Path("asked").exists()
    Path("asked").touch()
    return "mixed_bfloat16" if first else "float32"
precision.best_precision = undecided
""")
    definition = read(study, overrides=["train.precision=auto"])
    view = Notes()
    search.run(definition, trials=2, workers=2, slots=1, view=view)
    assert view.openings["Precision"] == "mixed_bfloat16, for all trials of this study"
    search.run(definition, workers=1, slots=1)
    assert {run_of(trial).recipe.train.precision for trial in trials().values()} == {"mixed_bfloat16"}


def test_a_worker_that_has_compiled_much_is_replaced_and_costs_no_trial(study, monkeypatch):
    monkeypatch.setattr(crew, "MOST_PROGRAMS", 2)
    started = []
    start = crew.Staff.start

    def counted(staff, needed):
        before = len(staff.all)
        start(staff, needed)
        started.extend(staff.all[before:])

    monkeypatch.setattr(crew.Staff, "start", counted)
    several = read(study, overrides=["train.batch_size={ choices = [16, 24, 32, 40] }", "regularize.dropout=0.1",
                                     "study.sampler={ kind = 'BruteForceSampler' }"])  # fmt: skip
    view = Notes()
    summary = search.run(several, trials=50, workers=1, slots=1, view=view)
    assert summary.trials == {"total": 4, "complete": 4, "pruned": 0, "failed": 0, "interrupted": 0}
    assert "the number of combinations for BruteForceSampler" in view.openings["Study"]
    assert len(started) >= 2
    assert not view.notes
