"""The models of the best trials, as a person downloads them from optuna-dashboard."""

import io
import time
import zipfile
from pathlib import Path

import h5py
import numpy as np
import optuna
import pytest
from dashboards import answer, artifacts, dashboard
from optuna.trial import create_trial

from lenet_search.crew import process
from lenet_search.errors import ResultError, RunError
from lenet_search.networks import network, parameters
from lenet_search.recipe import Recipe
from lenet_search.results.dashboard import show
from lenet_search.results.kept_models import keep_models
from lenet_search.run import Curve, Run
from lenet_search.storage import artifact_folder, open_storage
from lenet_search.storage.trials import KEPT_AS, drop_weights, note_runs, save_weights

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")  # the dashboard's own
URL = "study.journal"
IMAGES = {"name": "tiny", "digest": "0" * 16, "image_shape": [32, 32, 1], "pad": 2, "classes": 3, "mean": [0.1],
          "std": [0.3], "train": 216, "validation": 24}  # fmt: skip


def weights_of(recipe: Recipe, value: int) -> dict[str, np.ndarray]:
    shape = (32, 32, 1)
    return {
        each.name: np.full(each.shape, value, np.float32) for each in parameters(network(recipe.model, shape, 3), shape)
    }


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> optuna.Study:
    """Three trials; the weights of the first two are kept, and are the trial's number. Another tool added a fourth."""
    monkeypatch.chdir(tmp_path)
    storage, recipe = open_storage(URL, create=True, batched=True), Recipe()
    study = optuna.create_study(storage=storage, study_name="small", direction="maximize")
    for number, value in enumerate((0.9, 0.8, 0.7)):
        trial = study.ask()
        note_runs(storage, trial, Run(recipe, number, IMAGES, [(0, 1)], Curve.constant([value])))
        if number < 2:
            save_weights(storage, study._study_id, artifact_folder(URL), trial, weights_of(recipe, number))
        study.tell(trial, value)
    study.add_trial(create_trial(value=0.99))
    return study


def test_models_lie_beside_the_weights_until_these_are_dropped(study: optuna.Study) -> None:
    told: list[str] = []
    assert keep_models(study, URL, told.append) == 2
    assert keep_models(study, URL, told.append) == 0
    assert len(told) == 1  # said once, as only the first time takes seconds
    app = dashboard(URL)
    listed = artifacts(app, study)
    assert [set(listed[number]) for number in range(4)] == [{"weights.npz", "model.keras"}] * 2 + [set()] * 2
    for number in range(2):
        status, body = answer(app, listed[number]["model.keras"])
        assert status == 200
        with zipfile.ZipFile(io.BytesIO(body)) as model, h5py.File(io.BytesIO(model.read("model.weights.h5"))) as file:
            kept: list[np.ndarray] = []
            file.visititems(lambda name, each, kept=kept: kept.append(each[()]) if hasattr(each, "shape") else None)
        assert sum(each.size for each in kept) == sum(each.size for each in weights_of(Recipe(), 0).values())
        assert all((each == number).all() for each in kept)

    drop_weights(study._storage, study._study_id, artifact_folder(URL), study.trials[:1])
    assert [set(artifacts(app, study)[number]) for number in range(2)] == [set(), {"weights.npz", "model.keras"}]
    assert len(list(artifact_folder(URL).iterdir())) == 2
    assert answer(app, listed[0]["model.keras"])[0] == 404


def test_a_signal_leaves_models_to_the_next_time_at_once_and_no_piece_of_one(study: optuna.Study) -> None:
    before, started = sorted(artifact_folder(URL).iterdir()), time.monotonic()
    assert keep_models(study, URL, print, lambda: True) == 0
    assert time.monotonic() - started < 2.0
    assert sorted(artifact_folder(URL).iterdir()) == before


def test_damaged_weights_cost_the_models_and_are_named(study: optuna.Study) -> None:
    file = artifact_folder(URL) / study.trials[1].system_attrs[KEPT_AS]
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(ResultError, match="the weights of trial 1"):
        keep_models(study, URL, print)
    told: list[str] = []
    show(study, URL, told.append, figures=False)
    assert "optuna-dashboard does not show all of the results: the weights of trial 1" in told[-1]


def test_a_process_that_cannot_build_models_is_an_error_with_its_last_words(
    study: optuna.Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "START", "raise SystemExit('no Keras here')")
    with pytest.raises(RunError, match="a worker failed: no Keras here"):
        keep_models(study, URL, print)
    assert len(list(artifact_folder(URL).iterdir())) == 2
