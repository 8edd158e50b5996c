import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import optuna
import pytest

import lenet_search
from lenet_search import Recipe, Study
from lenet_search.errors import ResultError, StudyFileError
from lenet_search.run import Curve, Run
from lenet_search.storage import open_storage
from lenet_search.storage.trials import attributes_of

TEXT = """
[data]
name = "digits"
[train]
epochs = 2
[optimizer]
kind = "sgd"
sgd.learning_rate = { low = 1e-3, high = 0.1, log = true }
"""


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("mine.toml").write_text(TEXT)
    return tmp_path


def store(study: Study, values: list[float], url: str = "lenet-search.journal") -> None:
    made = optuna.create_study(
        storage=open_storage(url, create=True), study_name=study.definition.name, direction="maximize"
    )
    for value in values:
        trial = made.ask()
        recipe = Recipe.from_values(study.definition.space.sample(trial))
        run = Run(recipe, 0, {"validation": 10}, [(0, 1)], Curve.constant([value]), device="CPU", seconds=1.0)
        for name, attribute in attributes_of(run).items():
            trial.set_user_attr(name, attribute)
        made.tell(trial, value)


def test_importing_the_package_imports_nothing_else():
    code = "import sys, lenet_search; print({'numpy', 'optuna', 'tensorflow'} & set(sys.modules))"
    root = Path(__file__).parents[1]
    assert subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True).stdout == "set()\n"


def test_what_the_package_offers_is_listed_and_anything_else_is_an_attribute_error():
    assert {"Study", "Recipe", "__version__"} <= set(dir(lenet_search))
    with pytest.raises(AttributeError, match="Studie"):
        lenet_search.Studie  # noqa: B018


def test_a_study_is_read_with_overrides_and_under_another_name():
    study = Study.read("mine.toml", overrides=["train.epochs=7"], name="quick")
    assert study.definition.name == "quick"
    assert study.definition.space.entries["train.epochs"] == 7
    assert repr(study) == "<Study 'quick': 1 hyperparameter searched>"


def test_a_bad_file_raises_with_all_its_problems():
    Path("bad.toml").write_text("[train]\nepochs = 0\nbatch_size = 0\n")
    with pytest.raises(StudyFileError) as raised:
        Study.read("bad.toml")
    assert len(raised.value.problems) == 2


def test_the_best_recipes_come_best_first_and_no_more_than_there_are():
    study = Study.read("mine.toml")
    store(study, [0.5, 0.9, 0.7])
    best = study.best(2)
    assert [(number, value) for number, value, _ in best] == [(1, 0.9), (2, 0.7)]
    assert isinstance(best[0].recipe, Recipe)
    assert len(study.best(10)) == 3


def test_a_study_that_was_never_run_has_no_best():
    study = Study.read("mine.toml")
    with pytest.raises(ResultError):
        study.best()


def test_the_storage_given_to_read_is_the_one_that_is_looked_into():
    study = Study.read("mine.toml", storage="other.journal")
    store(study, [0.4], "other.journal")
    assert study.best()[0].value == 0.4


def test_the_optuna_study_is_at_hand_for_all_that_optuna_can_do():
    study = Study.read("mine.toml")
    store(study, [0.4, 0.6])
    assert study.stored().best_value == 0.6


def test_run_takes_a_time_as_a_person_writes_it_and_keeps_the_storage_for_best(monkeypatch):
    from lenet_search import search

    given = {}
    monkeypatch.setattr(search, "run", lambda definition, **options: given.update(options))
    study = Study.read("mine.toml")
    study.run(trials=3, timeout="1h30m", storage="there.journal", data="images")
    assert given["timeout"] == 5400.0
    assert given["data_folder"] == Path("images")
    assert study.storage == "there.journal"
    with pytest.raises(ValueError, match="30m"):
        study.run(timeout="soon")


@pytest.mark.parametrize(
    ("ended", "seconds", "figures", "models"),
    [("done", 60.0, True, False), ("timeout", 7200.0, True, True), ("signal", 7200.0, False, False)],
)
def test_what_takes_long_for_a_dashboard_is_written_only_if_there_is_time(monkeypatch, ended, seconds, figures, models):
    from lenet_search import search
    from lenet_search.results import dashboard

    given, shown = {}, {}
    monkeypatch.setattr(search, "run", lambda definition, **options: given.update(options))
    monkeypatch.setattr(dashboard, "show", lambda *_, **options: shown.update(options))
    Study.read("mine.toml").run()
    given["conclude"](None, SimpleNamespace(ended=ended, seconds=seconds), lambda: False)
    assert (shown["figures"], shown["models"]) == (figures, models)
