import optuna
import pytest

from lenet_search.study import read, shipped
from tests.study.conftest import DefinitionOf, ProblemsOf

STUDY = """
[train]
epochs = 3
batch_size = { low = 32, high = 128, step = 32 }
[augment]
flip = { choices = [0.0, 0.5] }
[optimizer]
kind = { choices = ["sgd", "adam"] }
sgd.momentum = { low = 0.5, high = 0.9 }
adam.beta_1 = 0.8
"""


def test_a_start_holds_the_open_values_that_it_gives(definition_of: DefinitionOf) -> None:
    study = definition_of(
        STUDY + "[[start]]\ntrain.epochs = 3\naugment.flip = 0\n[[start]]\noptimizer.kind = 'sgd'\n"
        "[start.optimizer.sgd]\nmomentum = 0.5\n[[start]]\noptimizer = { kind = 'adam', adam = { beta_1 = 0.8 } }\n"
    )
    assert study.start == (
        {"augment.flip": 0.0},
        {"optimizer.kind": "sgd", "optimizer.sgd.momentum": 0.5},
        {"optimizer.kind": "adam"},
    )


def test_a_start_that_repeats_the_fixed_values_adds_nothing(definition_of: DefinitionOf) -> None:
    assert definition_of(STUDY + "[[start]]\ntrain.epochs = 3").start == ()


@pytest.mark.parametrize("name", [name for name, path in shipped().items() if read(path).start])
def test_a_start_of_a_study_that_ships_is_what_optuna_s_first_trial_becomes(name: str) -> None:
    study = read(shipped()[name])
    search = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    search.enqueue_trial(study.start[0])
    values = study.space.sample(search.ask())
    assert {path: values[path] for path in study.start[0]} == study.start[0]


@pytest.mark.parametrize(
    ("start", "problem"),
    [
        ("", "mine.toml:11: start.1: expected at least one hyperparameter, like train.epochs = 10; received nothing"),
        ("trian.epochs = 3", "mine.toml:12: start.1.trian: expected one of data, train, "),
        ("optimizer.sgd.momentun = 0.6", "did you mean momentum?"),
        (
            "train.epochs = 4",
            "start.1.train.epochs: expected 3, the value fixed by the study, or no value; received 4",
        ),
        ("loss.label_smoothing = 0.1", "expected 0.0, the value fixed by the study, or no value; received 0.1"),
        ("train.epochs = '3'", 'start.1.train.epochs: expected a whole number from 1; received "3"; did you mean 3?'),
        ("train.batch_size = 48", "expected a value from 32 to 128 in steps of 32; received 48"),
        ("train.batch_size = 256", "expected a value from 32 to 128 in steps of 32; received 256"),
        (
            "train.batch_size = { low = 32, high = 64 }",
            "expected a whole number from 1; received { low = 32, high = 64 }",
        ),
        ("augment.flip = 0.25", "start.1.augment.flip: expected one of 0.0, 0.5; received 0.25"),
        ("optimizer.kind = 'lion'", 'start.1.optimizer.kind: expected one of "sgd", "adam"; received "lion"'),
        (
            "optimizer.kind = 'sgd'\noptimizer.sgd.momentum = 0.3",
            "mine.toml:13: start.1.optimizer.sgd.momentum: expected a value from 0.5 to 0.9; received 0.3",
        ),
        ("optimizer.lion.beta_1 = 0.9", 'expected arguments of a kind that optimizer.kind can take, "sgd", "adam"'),
        ("optimizer.sgd.momentum = 0.6", 'expected optimizer.kind = "sgd" in the same start, which is left out'),
        (
            "optimizer.kind = 'adam'\noptimizer.sgd.momentum = 0.6",
            'expected optimizer.kind = "sgd" in the same start, not "adam"',
        ),
        ("study.trials = 3", "start.1.study: expected one of data, train, "),
    ],
)
def test_a_start_that_the_study_does_not_allow_is_reported(start: str, problem: str, problems_of: ProblemsOf) -> None:
    found = problems_of(f"{STUDY}[[start]]\n{start}")
    assert any(problem in one for one in found), found


def test_starts_are_tables(problems_of: ProblemsOf) -> None:
    expected = "mine.toml:1: start: expected tables with the header [[start]]; received "
    assert problems_of("start = 3") == [expected + "3"]
    assert problems_of("[start]\ntrain.epochs = 3") == [expected + "{ train = { epochs = 3 } }"]


def test_what_is_wrong_in_the_space_is_not_reported_again_for_a_start(problems_of: ProblemsOf) -> None:
    assert len(problems_of("[augment]\nflip = { low = 1, high = 0 }\n[[start]]\naugment.flip = 0.5")) == 1


def test_a_misspelled_kind_is_one_problem_not_one_for_each_of_its_values(problems_of: ProblemsOf) -> None:
    text = (
        '[optimizer]\nkind = { choices = ["sgd", "adam"] }\n[[start]]\noptimizer.kind = "sdg"\n'
        "optimizer.sgd.learning_rate = 0.01\noptimizer.sgd.momentum = 0.9\n"
    )
    (problem,) = problems_of(text)
    assert "start.1.optimizer.kind" in problem and 'did you mean "sgd"?' in problem


@pytest.mark.parametrize("start", ["", "regularize = {}", "optimizer = { adam = {} }"])
def test_a_start_without_a_hyperparameter_is_an_error(start: str, problems_of: ProblemsOf) -> None:
    (problem,) = problems_of(f"{STUDY}[[start]]\n{start}\n")
    assert "expected at least one hyperparameter, like train.epochs = 10" in problem
