import json
import re
from pathlib import Path

import optuna
from calls import call, store, write_study

from lenet_search.storage import DEFINITION, open_storage
from lenet_search.storage.confirmed import CONFIRMED_OF, write_confirmed
from lenet_search.storage.facts import store_fact
from tests.storage.test_confirmed import SUMMARY as CONFIRMATION


def test_check_prints_what_is_fixed_and_what_is_searched():
    checked = call("check", write_study(Path("mine.toml")))
    assert checked.exit_code == 0
    text = " ".join(checked.stdout.split())
    assert "optimizer.adam.learning_rate 0.001 to 0.01, log step size" in text
    assert "augment.shift 0 to 2 pixels" in text
    assert "train.batch_size 40 images" in text
    assert "2 of 38 hyperparameters are searched" in text


def test_check_shows_the_problems_of_all_files_and_the_space_of_the_good_ones():
    Path("one.toml").write_text("[train]\nepochs = 0\n")
    Path("two.toml").write_text("[train]\nepoch = 3\n")
    checked = call("check", "one.toml", write_study(Path("good.toml")), "two.toml")
    assert checked.exit_code == 2
    assert "good.toml" in checked.stdout
    assert "one.toml:2" in checked.stderr
    assert "two.toml:2" in checked.stderr


def test_check_mentions_a_data_set_that_is_not_on_this_machine(monkeypatch):
    write_study(Path("mine.toml"))
    assert "Not on this machine" not in call("check", "mine.toml", "digits", "cifar").stdout
    elsewhere = call("check", "mine.toml", "--set", "data.name='photos.npz'")
    assert elsewhere.exit_code == 0
    assert 'Not on this machine: data.name = "photos.npz"' in elsewhere.stdout
    monkeypatch.setenv("LENET_SEARCH_DATA", "/nowhere")
    assert "Not on this machine" in call("check", "mine.toml", "--set", "data.name='photos'").stdout
    monkeypatch.delenv("LENET_SEARCH_DATA")
    Path("photos.npz").touch()
    assert "Not on this machine" not in call("check", "mine.toml", "--set", "data.name='photos.npz'").stdout


def test_studies_lists_those_that_ship_those_in_the_folder_and_those_in_the_storage():
    store(write_study(Path("studies/mine.toml")))
    listed = call("studies").stdout
    assert "digits" in listed
    assert "Which rate does a tiny network need?" in listed
    assert "val_accuracy 80.00 %" in listed


def test_studies_of_an_empty_folder_says_how_to_begin():
    listed = call("studies")
    assert listed.exit_code == 0
    assert "lenet-search run --study digits" in listed.stdout


def test_studies_of_a_storage_that_is_not_there_is_an_error_when_it_was_named():
    assert call("studies", "--storage", "nowhere.journal").exit_code == 2


def test_studies_as_json_counts_trials_by_state():
    store(write_study(Path("studies/mine.toml")))
    answer = json.loads(call("studies", "--json").stdout)
    assert answer["local"] == {"mine": "studies/mine.toml"}
    (stored,) = answer["stored"]
    assert stored["trials"] == {"complete": 3, "pruned": 0, "failed": 1, "running": 0, "queued": 0}
    assert stored["best"] == {"number": 1, "value": 0.8}


def test_studies_lists_the_study_files_of_the_folder_itself_and_no_other_toml():
    write_study(Path("my-study.toml"))
    Path("pyproject.toml").write_text('[project]\nname = "mine"\n')
    answer = json.loads(call("studies", "--json").stdout)
    assert answer["local"] == {"my-study.toml": "my-study.toml"}
    listed = call("studies").stdout
    assert "my-study.toml" in listed and "pyproject" not in listed


def test_studies_shows_a_confirmation_as_such_and_not_among_the_searches():
    store(write_study(Path("studies/mine.toml")))
    study = optuna.load_study(study_name="mine", storage=open_storage("lenet-search.journal", create=False))
    write_confirmed(study, CONFIRMATION)
    found = {name: CONFIRMATION[name] for name in ("study", "winner", "verdict")}
    answer = json.loads(call("studies", "--json").stdout)
    assert [row["study"] for row in answer["stored"]] == ["mine"]
    assert answer["confirmed"] == [found]
    assert re.search(r"mine +trial-1 wins", call("studies").stdout)


def test_studies_lists_all_others_beside_a_damaged_one():
    store(write_study(Path("studies/mine.toml")))
    storage = open_storage("lenet-search.journal", create=True)
    for name in ("bent", "worn"):
        optuna.create_study(study_name=name, storage=storage)
    store_fact(optuna.load_study(study_name="bent", storage=storage), DEFINITION, {"study.metric": "3"})
    store_fact(optuna.load_study(study_name="worn", storage=storage), CONFIRMED_OF, {"winner": 3})
    answer = json.loads(call("studies", "--json").stdout)
    problems = {row["study"]: row["problem"] for row in answer["stored"]}
    assert problems["mine"] is None and "study.metric: received 3" in problems["bent"]
    assert [row["study"] for row in answer["confirmed"]] == ["worn"]
    assert "run `lenet-search confirm` again" in answer["confirmed"][0]["verdict"][0]
    shown = call("studies")
    assert shown.exit_code == 0 and "mine" in shown.stdout and "is damaged" in shown.stdout
