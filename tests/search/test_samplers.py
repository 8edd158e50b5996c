"""Every sampler and pruner of Optuna on every kind of space: what reading a study accepts, a search can use."""

import warnings
from pathlib import Path

import optuna
import pytest

from lenet_search.errors import StudyFileError
from lenet_search.search.opening import open_study
from lenet_search.study import Definition, read

RATE = 'optimizer.kind = "adam"\noptimizer.adam.learning_rate = {}\n'
SPACES = {
    "nothing": "",
    "float": "regularize.dropout = { low = 0.0, high = 0.5 }\n",
    "log": RATE.format("{ low = 1e-4, high = 1e-2, log = true }"),
    "step": "regularize.dropout = { low = 0.0, high = 0.5, step = 0.1 }\n",
    "whole": "augment.shift = { low = 0, high = 3 }\n",
    "choice": "model.activation = { choices = ['relu', 'tanh'] }\n",
    "flag": "model.batch_norm = { choices = [true, false] }\n",
    "epochs": "train.epochs = { low = 2, high = 4 }\n",
    "mixed": "regularize.dropout = { low = 0.0, high = 0.5 }\naugment.shift = { low = 0, high = 3 }\n"
    "model.activation = { choices = ['relu', 'tanh'] }\n",
    "conditional": "optimizer.kind = { choices = ['sgd', 'adam'] }\n"
    "optimizer.adam.learning_rate = { low = 1e-4, high = 1e-2, log = true }\n"
    "optimizer.sgd.learning_rate = { choices = [0.01, 0.1] }\n",
}
GRIDS = {
    "nothing": "{}",
    "float": '{ "regularize.dropout" = [0.0, 0.5, 0.2, 0.3] }',
    "log": '{ "optimizer.adam.learning_rate" = [1e-4, 1e-3, 2e-3, 1e-2] }',
    "step": '{ "regularize.dropout" = [0.0, 0.1, 0.2, 0.3] }',
    "whole": '{ "augment.shift" = [0, 1, 2, 3] }',
    "choice": '{ "model.activation" = ["relu", "tanh"] }',
    "flag": '{ "model.batch_norm" = [true, false] }',
    "epochs": '{ "train.epochs" = [2, 3, 4] }',
    "mixed": '{ "regularize.dropout" = [0.0, 0.1], "augment.shift" = [0, 1], "model.activation" = ["relu", "tanh"] }',
    "conditional": '{ "optimizer.kind" = ["sgd", "adam"], "optimizer.adam.learning_rate" = [1e-3], '
    '"optimizer.sgd.learning_rate" = [0.01, 0.1] }',
}
# Arguments that a sampler or pruner requires; the grid is the space's.
REQUIRED = {
    "PartialFixedSampler": ", fixed_params = {}, base_sampler = { kind = 'RandomSampler' }",
    "PercentilePruner": ", percentile = 50.0",
    "PatientPruner": ", patience = 1, wrapped_pruner = { kind = 'MedianPruner' }",
    "ThresholdPruner": ", lower = 0.1",
}
SAMPLERS = [name for name in optuna.samplers.__all__ if name.endswith("Sampler") and not name.startswith("Base")]
PRUNERS = [name for name in optuna.pruners.__all__ if name.endswith("Pruner") and not name.startswith("Base")]


def studied(text: str, space: str) -> Definition:
    """A study of a sampler or pruner over one of the spaces."""
    Path("mine.toml").write_text(f"[study]\n{text}\n", encoding="utf-8")
    head, tail = "data.name = 'digits'\n", SPACES[space]
    if "train.epochs" not in tail:
        head += "train.epochs = 3\n"
    Path("mine.toml").write_text(f"{head}{tail}[study]\n{text}\n", encoding="utf-8")
    return read("mine.toml")


def asked(definition: Definition, trials: int = 5) -> int:
    """How many trials a search gets, each reported, judged by the pruner and told."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of Optuna's, about what is experimental or drawn independently
        study = open_study(definition, optuna.storages.InMemoryStorage(), "ab")
        for number in range(trials):
            trial = study.ask()
            definition.space.sample(trial)
            for epoch in (1, 2, 3):
                trial.report(0.1 * number + 0.1 * epoch, epoch)
                trial.should_prune()
            try:
                study.tell(trial, 0.1 * number)
            except RuntimeError as error:  # a sampler has tried every combination
                assert "Study.stop" in str(error)
                return number + 1
    return trials


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("kind", SAMPLERS)
def test_a_sampler_is_refused_when_the_study_is_read_or_draws_the_space(kind: str, space: str) -> None:
    more = f", search_space = {GRIDS[space]}" if kind == "GridSampler" else REQUIRED.get(kind, "")
    try:
        definition = studied(f"sampler = {{ kind = '{kind}'{more} }}", space)
    except StudyFileError as error:
        assert all(part.startswith("mine.toml:") and "expected" in part for part in error.problems), error
        assert kind in ("CmaEsSampler", "GPSampler", "QMCSampler", "BruteForceSampler", "GridSampler"), error
    else:
        assert asked(definition) >= min(5, definition.space.combinations() or 5, 2)


@pytest.mark.parametrize("kind", PRUNERS)
@pytest.mark.parametrize("space", ["float", "epochs"])
def test_a_pruner_is_refused_when_the_study_is_read_or_judges_trials(kind: str, space: str) -> None:
    assert asked(studied(f"pruner = {{ kind = '{kind}'{REQUIRED.get(kind, '')} }}", space)) == 5


@pytest.mark.parametrize(
    ("setting", "space", "problem"),
    [
        (
            "sampler = { kind = 'GridSampler', search_space = { 'augment.shift' = [0, 1] } }", "mixed",
            ": study.sampler.search_space: expected values for regularize.dropout, which the study searches",
        ),
        (
            "sampler = { kind = 'GridSampler', search_space = { 'augment.shift' = [0, 1], 'augment.flip' = [0.1] } }",
            "whole", "expected one of augment.shift; received \"augment.flip\"",
        ),
        (
            "sampler = { kind = 'GridSampler', search_space = { 'augment.shift' = [0, 7] } }", "whole",
            "expected whole numbers from 0 to 3; received 7",
        ),
        (
            "sampler = { kind = 'GridSampler', search_space = { 'augment.shift' = [0, 1.5] } }", "whole",
            "expected whole numbers from 0 to 3; received 1.5",
        ),
        (
            "sampler = { kind = 'GridSampler', search_space = { 'regularize.dropout' = [0.05] } }", "step",
            "expected numbers from 0.0 to 0.5 in steps of 0.1; received 0.05",
        ),
        (
            "sampler = { kind = 'GridSampler', search_space = { 'model.batch_norm' = [1] } }", "flag",
            "expected one of true, false; received 1",
        ),
        (
            "sampler = { kind = 'GridSampler', search_space = { 'augment.shift' = [] } }", "whole",
            "expected a list of one value or more",
        ),
        ("sampler = { kind = 'BruteForceSampler' }", "log", "mine.toml:4: optimizer.adam.learning_rate: expected"),
        ("sampler = { kind = 'QMCSampler' }", "choice", "expected another sampler: QMCSampler needs a range"),
        (
            "sampler = { kind = 'PartialFixedSampler', fixed_params = { 'augment.flip' = 0.1 },"
            " base_sampler = { kind = 'RandomSampler' } }", "whole", "expected one of augment.shift",
        ),
        (
            "sampler = { kind = 'PartialFixedSampler', fixed_params = {}, base_sampler = { kind = 'GridSampler',"
            " search_space = { 'augment.flip' = [0.1] } } }", "whole", "base_sampler.search_space",
        ),
        ("sampler = { kind = 'TPESampler', n_ei_candidates = 0 }", "whole", "expected a sampler that can draw"),
        ("pruner = { kind = 'HyperbandPruner', min_resource = 10 }", "whole", "min_resource: expected at most 3, the"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_said_with_its_line_before_anything_runs(setting: str, space: str, problem: str) -> None:
    with pytest.raises(StudyFileError) as refused:
        studied(setting, space)
    assert any(problem in each for each in refused.value.problems), refused.value


def test_a_grid_that_no_memory_holds_is_not_listed() -> None:
    values = ", ".join(str(n / 1000) for n in range(400))
    paths = ("regularize.dropout", "augment.flip", "augment.cutout")
    grid = ", ".join(f"'{path}' = [{values}]" for path in paths)
    with pytest.raises(StudyFileError, match="at most 1,000,000 combinations; these are 64,000,000"):
        studied(f"sampler = {{ kind = 'GridSampler', search_space = {{ {grid} }} }}", "float")
