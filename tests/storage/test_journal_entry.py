import json

import optuna
import pytest

from lenet_search.errors import StorageError
from lenet_search.storage import open_storage
from lenet_search.storage.journal_entry import FIELDS


@pytest.fixture
def journal(tmp_path):
    """A journal with a study of one objective and one of two, each with a trial that has everything."""
    path = tmp_path / "study.journal"
    storage = open_storage(str(path), create=True)
    for directions in (["minimize"], ["minimize", "maximize"]):
        study = optuna.create_study(storage=storage, study_name=f"{len(directions)} objectives", directions=directions)
        trial = study.ask()
        trial.suggest_float("x", 0, 1)
        trial.set_user_attr("a", [1])
        storage.set_trial_system_attr(trial._trial_id, "b", 1)
        if len(directions) == 1:
            trial.report(0.5, 1)
        study.tell(trial, [0.5] * len(directions))
        study.add_trial(optuna.create_trial(values=[0.5] * len(directions)))
    study.set_user_attr("c", 1)
    return path


def changed(journal, name, value):
    """The number of the first entry that has the field, after giving it another value."""
    lines = journal.read_text().splitlines()
    for place, line in enumerate(lines):
        entry = json.loads(line)
        if name in entry:
            lines[place] = json.dumps({**entry, name: value})
            journal.write_text("\n".join(lines) + "\n")
            return place + 1
    raise AssertionError(f"no entry has {name}")


def test_what_optuna_writes_is_read(journal):
    assert len(open_storage(str(journal), create=False).get_all_studies()) == 2


@pytest.mark.parametrize("name", sorted(FIELDS))
def test_a_field_of_another_type_is_an_error_that_names_the_entry_and_the_field(journal, name):
    number = changed(journal, name, [{}])
    with pytest.raises(StorageError, match=rf"study\.journal is damaged: entry {number}: {name}: expected .* received"):
        open_storage(str(journal), create=False)


def test_more_values_than_any_study_has_objectives_are_an_error(journal):
    changed(journal, "values", [1.0, 2.0])
    with pytest.raises(StorageError, match=r"values: expected a number for each objective; received \[1.0, 2.0\]"):
        open_storage(str(journal), create=False)
