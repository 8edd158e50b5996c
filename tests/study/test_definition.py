import json

import pytest

from lenet_search.recipe import FIELDS, Recipe
from lenet_search.study import differences, entry_text
from tests.study.conftest import DefinitionOf

STUDY = """
[train]
epochs = 12
[regularize]
l2 = { high = 1e-3, log = true, low = 1e-6 }
[model]
initializer = { choices = ["he_normal", "orthogonal"] }
[augment]
cutout = { low = 0, high = 8, step = 4 }
[[start]]
regularize.l2 = 1e-4
"""


def test_lines_hold_every_entry_as_toml(definition_of: DefinitionOf) -> None:
    study = definition_of(STUDY)
    lines = study.lines()
    assert set(study.space.entries) < set(lines)
    assert lines["train.epochs"] == "12"
    assert lines["regularize.l2"] == "{ low = 1e-06, high = 0.001, log = true }"
    assert lines["model.initializer"] == '{ choices = ["he_normal", "orthogonal"] }'
    assert lines["augment.cutout"] == "{ low = 0, high = 8, step = 4 }"
    assert lines["study.sampler"] == '{ kind = "TPESampler" }'
    assert lines["start.1"] == '{ "regularize.l2" = 0.0001 }'
    assert json.loads(json.dumps(lines)) == lines


def test_lines_do_not_depend_on_how_the_file_is_written(definition_of: DefinitionOf) -> None:
    other = definition_of("# the same\nstudy.metric = 'val_accuracy'\n" + STUDY.replace("1e-3", "0.001"))
    assert other.lines() == definition_of(STUDY).lines()


@pytest.mark.parametrize("override", ["study.trials=3", "study.timeout=3m"])
def test_length_is_not_part_of_what_is_compared(override: str, definition_of: DefinitionOf) -> None:
    assert definition_of(STUDY, override).lines() == definition_of(STUDY).lines()


def test_differences_name_what_was_stored_and_what_is_now(definition_of: DefinitionOf) -> None:
    stored = definition_of(STUDY).lines()
    new = definition_of(STUDY, "train.epochs=10", "start=[]", "optimizer.kind=lion", "study.seed=1").lines()
    found = differences(stored, new)
    assert "train.epochs: stored 12, now 10" in found
    assert "study.seed: stored 0, now 1" in found
    assert 'start.1: stored { "regularize.l2" = 0.0001 }, now nothing' in found
    assert "optimizer.lion.beta_1: stored nothing, now 0.9" in found


def test_the_same_definition_differs_in_nothing(definition_of: DefinitionOf) -> None:
    assert differences(definition_of(STUDY).lines(), definition_of(STUDY).lines()) == []


def test_a_hyperparameter_that_did_not_exist_when_a_study_was_stored_had_its_default():
    now = {"train.epochs": "10", "regularize.input_dropout": "0.0"}
    assert differences({"train.epochs": "10"}, now) == []
    assert differences({"train.epochs": "10"}, now | {"regularize.input_dropout": "0.2"}) == [
        "regularize.input_dropout: stored 0.0, now 0.2"
    ]


@pytest.mark.parametrize("path", FIELDS)
def test_the_default_of_every_hyperparameter_is_no_change(path):
    lines = read_default(path)
    assert differences({key: text for key, text in lines.items() if key != path}, lines) == []


SECTIONS = dict.fromkeys(field.section for field in FIELDS.values())


@pytest.mark.parametrize("section", SECTIONS)
def test_a_section_that_did_not_exist_when_a_study_was_stored_had_its_defaults(section):
    values = Recipe().values()
    lines = {path: entry_text(value) for path, value in values.items()}
    stored = {path: text for path, text in lines.items() if not path.startswith(f"{section}.")}
    assert differences(stored, lines) == []
    changed = {path: '"other"' if path.startswith(f"{section}.") else text for path, text in lines.items()}
    assert len(differences(stored, changed)) == len(lines) - len(stored)


def test_a_hyperparameter_that_this_version_does_not_have_is_named():
    lines = {"train.epochs": "10"}
    assert differences(lines | {"train.patience": "3"}, lines) == ["train.patience: stored 3, this version has none"]
    assert differences(lines | {"optimizer.sgd.momentum": "0.9"}, lines) == [
        "optimizer.sgd.momentum: stored 0.9, now nothing"
    ]


@pytest.mark.parametrize(
    ("stored", "new"),
    [("0", "0.0"), ("1e-7", "1e-07"), ("'sgd'", '"sgd"'), ("{low=1,high=2}", "{ low = 1, high = 2.0 }")],
)
def test_the_same_value_written_by_another_version_in_other_words_is_no_change(stored, new):
    assert differences({"train.epochs": stored}, {"train.epochs": new}) == []


def read_default(path: str) -> dict[str, str]:
    field = FIELDS[path]
    values = {} if field.branch is None else {f"{field.section}.kind": field.branch}
    return {key: entry_text(value) for key, value in Recipe.from_values(values).values().items()}
