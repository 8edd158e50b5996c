import json
import math
import shlex
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import optuna
import pytest
from optuna.trial import FrozenTrial

from lenet_search.errors import ResultError, RunError
from lenet_search.recipe import Recipe
from lenet_search.run import Curve, Run
from lenet_search.storage import artifact_folder, dashboard_command, open_storage, resolve
from lenet_search.storage.trials import (
    KEPT_AS,
    OURS,
    TRAINED,
    attributes_of,
    drop_weights,
    load_weights,
    run_of,
    save_weights,
)

STORAGES = ["study.journal", "sqlite:///study.db"]


@pytest.fixture(autouse=True)
def working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run() -> Run:
    return Run(
        recipe=Recipe.from_values({"optimizer.kind": "adam", "train.epochs": 2}),
        seed=7,
        images={"name": "tiny", "digest": "0" * 16},
        clocks=[(3, 1), (9, 1)],
        curve=Curve.constant([0.5, 0.25]),
        device="CPU (1 thread)",
        versions={"keras": "3.15"},
        seconds=1.5,
    )


def trial_with(attributes: dict[str, object]) -> FrozenTrial:
    return optuna.create_trial(value=0.5, user_attrs=attributes)


def test_an_argument_goes_before_the_environment_and_that_before_the_default(monkeypatch):
    assert resolve(None) == "lenet-search.journal"
    monkeypatch.setenv("LENET_SEARCH_STORAGE", "sqlite:///mine.db")
    assert resolve(None) == "sqlite:///mine.db"
    assert resolve("other.journal") == "other.journal"


@pytest.mark.parametrize("url", STORAGES)
def test_what_one_process_stores_another_finds(url):
    optuna.create_study(study_name="first", storage=open_storage(url, create=True))
    found = open_storage(url, create=False).get_all_studies()
    assert [study.study_name for study in found] == ["first"]


@pytest.mark.parametrize("url", STORAGES)
def test_reading_a_storage_that_is_not_there_says_so_and_creates_nothing(url, working_folder):
    with pytest.raises(ResultError, match="there is no storage"):
        open_storage(url, create=False)
    assert not list(working_folder.iterdir())


@pytest.mark.parametrize("url", ["nowhere/study.journal", "sqlite:///nowhere/study.db"])
def test_a_storage_in_a_folder_that_does_not_exist_is_refused(url):
    with pytest.raises(RunError, match="nowhere does not exist"):
        open_storage(url, create=True)


def test_an_sqlite_file_given_as_a_path_is_answered_with_its_url():
    open_storage("sqlite:///study.db", create=True)
    with pytest.raises(RunError, match=r"sqlite:///study\.db"):
        open_storage("study.db", create=True)


def test_a_file_that_is_no_journal_is_refused(working_folder):
    (working_folder / "notes.txt").write_text("bread\nmilk\n")
    with pytest.raises(RunError, match=r"notes.txt is not an Optuna journal"):
        open_storage("notes.txt", create=True)


def test_a_database_that_cannot_be_opened_is_named_without_its_password():
    with pytest.raises(RunError) as caught:
        open_storage("nosuchdatabase://me:secret@host/studies", create=True)
    assert "nosuchdatabase://me:***@host/studies" in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "folder"),
    [
        ("lenet-search.journal", "lenet-search-artifacts"),
        ("runs/x.journal", "runs/x-artifacts"),
        ("sqlite:///runs/x.db", "runs/x-artifacts"),
        ("sqlite:////data/x.db", "/data/x-artifacts"),
        ("postgresql://host/studies", "lenet-search-artifacts"),
    ],
)
def test_weights_are_kept_beside_a_storage_that_is_a_file(url, folder):
    assert artifact_folder(url) == Path(folder)


def test_the_dashboard_command_can_be_pasted_into_a_shell():
    command = dashboard_command("my results.journal")
    assert shlex.split(command) == [
        "optuna-dashboard",
        "my results.journal",
        "--artifact-dir",
        "my results-artifacts",
    ]


def test_a_run_comes_back_from_a_trial_as_it_was_without_a_word_of_the_test_set():
    attributes = json.loads(json.dumps(attributes_of(run()), allow_nan=False))
    assert not {"right", "n"} & attributes.keys()
    assert run_of(trial_with(attributes)) == run()


def test_a_diverged_epoch_survives_storages_without_a_word_for_nan():
    diverged = run()
    diverged.curve["val_loss"][1] = math.nan
    attributes = json.loads(json.dumps(attributes_of(diverged), allow_nan=False))
    back = run_of(trial_with(attributes)).curve["val_loss"]
    assert back[0] == 0.5
    assert math.isnan(back[1])


def test_a_trial_of_version_0_1_had_one_clock():
    attributes = attributes_of(run())
    del attributes["clocks"]
    assert run_of(trial_with(attributes | {"clock": 3})).clocks == [(3, 2)]


def test_a_trial_of_another_tool_has_no_run():
    with pytest.raises(ResultError, match="carries no 'curve'"):
        run_of(trial_with({}))


def test_a_recipe_that_this_version_does_not_know_is_explained():
    attributes = attributes_of(run())
    attributes["recipe"]["model.colour"] = "blue"
    with pytest.raises(ResultError, match=r"another version.*model\.colour"):
        run_of(trial_with(attributes))


@pytest.mark.parametrize("trained", [[], "x", 0.5, None])
def test_a_run_that_is_no_table_is_explained(trained):
    trial = trial_with({})
    trial.system_attrs = {OURS + TRAINED: trained}
    with pytest.raises(ResultError, match=r"another version.*expected a table"):
        run_of(trial)


@pytest.mark.parametrize("url", STORAGES)
def test_weights_are_listed_as_an_artifact_come_back_and_can_be_dropped(url):
    storage, folder = open_storage(url, create=True), artifact_folder(url)
    study = optuna.create_study(storage=storage)
    trial = study.ask()
    weights = {"conv1/kernel": np.arange(6, dtype=np.float32).reshape(2, 3), "conv1/bias": np.ones(2, np.float32)}
    save_weights(storage, study._study_id, folder, trial, weights)
    study.tell(trial, 0.5)
    loaded = load_weights(folder, study.trials[0])
    assert loaded is not None
    assert {name: array.tolist() for name, array in loaded.items()} == {n: a.tolist() for n, a in weights.items()}
    assert all(array.dtype == np.float32 for array in loaded.values())

    drop_weights(storage, study._study_id, folder, study.trials)
    assert load_weights(folder, study.trials[0]) is None
    assert not list(folder.iterdir())
    drop_weights(storage, study._study_id, folder, study.trials)  # a second time is no error


def test_weights_follow_a_study_that_is_copied_to_another_storage():
    storage, folder = open_storage("study.journal", create=True), Path("weights")
    study = optuna.create_study(storage=storage, study_name="one")
    study.tell(study.ask(), 0.1)
    save_weights(storage, study._study_id, folder, trial := study.ask(), {"kernel": np.ones(3, np.float32)})
    study.tell(trial, 0.5)
    other = open_storage("sqlite:///other.db", create=True)
    optuna.create_study(storage=other, study_name="another")
    optuna.copy_study(from_study_name="one", from_storage=storage, to_storage=other)
    assert load_weights(folder, optuna.load_study(study_name="one", storage=other).trials[1]) is not None


def test_a_trial_that_is_trained_again_after_a_kill_keeps_one_file():
    storage, folder = open_storage("study.journal", create=True), Path("weights")
    study = optuna.create_study(storage=storage)
    trial = study.ask()
    for number in (1, 2):
        save_weights(storage, study._study_id, folder, trial, {"kernel": np.full(3, number)})
    assert len(list(folder.iterdir())) == 1
    kept = load_weights(folder, study.trials[0])
    assert kept is not None and kept["kernel"][0] == 2


def test_a_name_of_an_artifact_that_leads_out_of_the_folder_is_no_artifact():
    storage = open_storage("study.journal", create=True)
    study = optuna.create_study(storage=storage)
    trial = study.ask()
    Path("mine.npz").write_text("mine")
    storage.set_trial_system_attr(trial._trial_id, KEPT_AS, "../mine.npz")
    study.tell(trial, 0.5)
    assert load_weights(Path("weights"), study.trials[0]) is None
    drop_weights(storage, study._study_id, Path("weights"), study.trials)
    assert Path("mine.npz").exists()


def test_damaged_weights_are_named():
    storage, folder = open_storage("study.journal", create=True), Path("weights")
    study = optuna.create_study(storage=storage)
    trial = study.ask()
    save_weights(storage, study._study_id, folder, trial, {"kernel": np.ones(1000, np.float32)})
    study.tell(trial, 0.5)
    (file,) = folder.iterdir()
    file.write_bytes(file.read_bytes()[:500])
    with pytest.raises(ResultError, match=rf"weights of trial 0, {file}, are damaged"):
        load_weights(folder, study.trials[0])


@pytest.mark.parametrize("content", [b"a single line", b"two\nlines\n", bytes(range(256))])
def test_a_file_that_is_no_journal_is_refused_and_stays_as_it_is(working_folder, content):
    (working_folder / "mine.txt").write_bytes(content)
    with pytest.raises(RunError, match="is not an Optuna journal"):
        open_storage("mine.txt", create=True)
    assert (working_folder / "mine.txt").read_bytes() == content


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///", "sqlite:///:memory:"])
def test_a_database_in_memory_is_refused_since_nothing_would_be_left(url):
    with pytest.raises(RunError, match=r"name a file, like sqlite:///study\.db"):
        open_storage(url, create=True)


@pytest.mark.parametrize("url", ["foo://bar", "http://example.org", "://"])
def test_an_address_of_no_known_kind_is_answered_with_those_that_are(url):
    with pytest.raises(RunError, match=r"journal file.*sqlite:///.*postgresql://.*redis://"):
        open_storage(url, create=True)


def test_a_journal_may_begin_with_the_word_redis(working_folder):
    open_storage("redis.journal", create=True)
    assert (working_folder / "redis.journal").exists()


def test_a_device_is_no_storage():
    with pytest.raises(RunError, match="a device or a pipe"):
        open_storage("/dev/null", create=True)


def test_several_runs_can_make_the_same_database_in_the_same_moment(tmp_path):
    url = f"sqlite:///{tmp_path / 'new.db'}"
    code = (
        "import sys, time; from lenet_search.storage import open_storage; import optuna\n"
        "time.sleep(max(0.0, float(sys.argv[2]) - time.time()))\n"
        "open_storage(sys.argv[1], create=True)"
    )
    command = [sys.executable, "-c", code, url, str(time.time() + 4.0)]  # when all have imported what they need
    runs = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    for each in runs:
        _, said = each.communicate(timeout=60)
        assert each.returncode == 0, said
