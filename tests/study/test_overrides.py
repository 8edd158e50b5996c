import pytest

from lenet_search.space import Choice, Range
from lenet_search.study import Component
from tests.study.conftest import DefinitionOf, ProblemsOf

STUDY = """
[study]
pruner = { kind = "MedianPruner", n_warmup_steps = 3 }
[train]
epochs = 12
[regularize]
l2 = { low = 1e-6, high = 1e-3, log = true }
[optimizer]
kind = { choices = ["sgd", "adam"] }
sgd.momentum = 0.9
adam.beta_1 = { low = 0.8, high = 0.95 }
[[start]]
regularize.l2 = 1e-4
optimizer.kind = "sgd"
[[start]]
optimizer.kind = "adam"
optimizer.adam.beta_1 = 0.9
"""


@pytest.mark.parametrize(
    ("override", "path", "entry"),
    [
        ("train.epochs=2", "train.epochs", 2),
        (" train.epochs = 2 ", "train.epochs", 2),
        ("regularize.l2=0.0", "regularize.l2", 0.0),
        ("regularize.l2.high=1e-2", "regularize.l2", Range(1e-6, 1e-2, log=True)),
        ("regularize.l1={low=1e-6,high=1e-2,log=true}", "regularize.l1", Range(1e-6, 1e-2, log=True)),
        ("model.pooling={choices=['max','average']}", "model.pooling", Choice(("max", "average"))),
        ("model.batch_norm=true", "model.batch_norm", True),
        ("model.activation=relu", "model.activation", "relu"),
        ('model.activation="relu"', "model.activation", "relu"),
        ("data.name=../images/my-own.npz", "data.name", "../images/my-own.npz"),
        ("optimizer.sgd.momentum=0.5", "optimizer.sgd.momentum", 0.5),
    ],
)
def test_an_override_takes_the_place_of_what_the_file_says(
    override: str, path: str, entry: object, definition_of: DefinitionOf
) -> None:
    changed, plain = definition_of(STUDY, override), definition_of(STUDY)
    assert changed.space.entries[path] == entry
    others = {other: value for other, value in plain.space.entries.items() if other != path}
    assert {other: value for other, value in changed.space.entries.items() if other != path} == others


def test_the_study_table_can_be_overridden_too(definition_of: DefinitionOf) -> None:
    study = definition_of(STUDY, "study.trials=5", "study.timeout=30m", "study.pruner.n_warmup_steps=1")
    assert (study.trials, study.timeout) == (5, 1800)
    assert study.pruner == Component("MedianPruner", {"n_warmup_steps": 1})


def test_another_pruner_does_not_inherit_the_arguments_of_the_file_s(definition_of: DefinitionOf) -> None:
    kinds_last = ("study.pruner.min_resource=2", "study.pruner.kind=HyperbandPruner")
    assert definition_of(STUDY, *kinds_last).pruner == Component("HyperbandPruner", {"min_resource": 2})
    assert definition_of(STUDY, "study.pruner.kind=MedianPruner").pruner.arguments == {"n_warmup_steps": 3}


def test_setting_a_kind_drops_the_arguments_of_the_others(definition_of: DefinitionOf) -> None:
    entries = definition_of(STUDY, "optimizer.kind=adam").space.entries
    assert entries["optimizer.kind"] == "adam"
    assert entries["optimizer.adam.beta_1"] == Range(0.8, 0.95)
    assert not any(path.startswith("optimizer.sgd") for path in entries)


def test_start_values_that_an_override_rules_out_give_way(definition_of: DefinitionOf) -> None:
    assert definition_of(STUDY, "optimizer.kind=adam").start == (
        {"regularize.l2": 1e-4},
        {"optimizer.adam.beta_1": 0.9},
    )
    assert definition_of(STUDY, "optimizer.kind=sgd").start == ({"regularize.l2": 1e-4},)
    assert definition_of(STUDY, "regularize.l2=0.0", "start=[]").start == ()
    assert definition_of(STUDY, "regularize.l2={low=1e-5,high=1e-3}").start == definition_of(STUDY).start


def test_of_two_overrides_of_a_key_the_later_counts(definition_of: DefinitionOf) -> None:
    assert definition_of(STUDY, "train.epochs=2", "train.epochs=3").space.entries["train.epochs"] == 3


@pytest.mark.parametrize(
    ("override", "problem"),
    [
        ("train.epochs=two", '--set train.epochs=two: train.epochs: expected a whole number from 1; received "two"'),
        (
            "train.epoch=2",
            "--set train.epoch=2: train.epoch: expected one of epochs, batch_size, precision; "
            'received "epoch"; did you mean epochs?',
        ),
        ("train.epochs", "--set train.epochs: expected KEY=VALUE, like train.epochs=2"),
        ("train..epochs=2", "--set train..epochs=2: expected KEY=VALUE, like train.epochs=2"),
        ("=2", "--set =2: expected KEY=VALUE, like train.epochs=2"),
        (
            "train.epochs={low=1",
            "--set train.epochs={low=1: expected a TOML value (Unclosed inline table (at end of document))",
        ),
        ("train.epochs=", "--set train.epochs=: expected a TOML value ("),
        ("train.epochs=1\nx = 3", "--set train.epochs=1\nx = 3: expected a single TOML value"),
        (
            "train.epochs={low=4,high=2}",
            "--set train.epochs={low=4,high=2}: train.epochs.low: expected a number below high, 2; received 4",
        ),
        ("kind=adam", "--set kind=adam: kind: expected one of study, start"),
        ("study.pruner=MedianPruner", "--set study.pruner=MedianPruner: study.pruner: expected a table like"),
        (
            "optimizer.lion.beta_1=0.9",
            "--set optimizer.lion.beta_1=0.9: optimizer.lion: expected arguments of a kind that",
        ),
        ("start.train.epochs=3", "--set start.train.epochs=3: start: expected tables with the header [[start]]"),
    ],
)
def test_a_mistake_in_an_override_names_the_override(override: str, problem: str, problems_of: ProblemsOf) -> None:
    (found,) = problems_of(STUDY, override)
    assert found.startswith(problem)


def test_problems_of_overrides_come_after_those_of_the_file(problems_of: ProblemsOf) -> None:
    found = problems_of("[model]\nwidth = 0\n", "train.epochs=0", "x")
    assert [line.split(": ")[0] for line in found] == ["mine.toml:2", "--set x", "--set train.epochs=0"]
