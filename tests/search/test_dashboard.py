"""What optuna-dashboard shows of a study: asked as a browser asks it."""

import json
from typing import Any

import pytest
from dashboards import answer, artifacts, dashboard

from lenet_search.search.ledger import KEPT
from lenet_search.storage import artifact_folder
from lenet_search.storage.trials import ARTIFACTS
from search.conftest import ask, finish

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")  # the dashboard's own


@pytest.fixture
def app(url: str) -> Any:
    return dashboard(url)


def test_the_dashboard_lists_the_weights_that_are_kept_and_no_others(opened, url, app):
    ledger = opened(total=20)
    for value in (0.1, 0.9, 0.8, 0.2, 0.7, 0.6, 0.5):
        finish(ledger, ask(ledger), value)
    found = artifacts(app, ledger.study)
    assert [number for number, paths in found.items() if paths] == [1, 2, 4, 5, 6]
    assert len(found) == 7
    for paths in found.values():
        for path in paths.values():
            status, body = answer(app, path)
            assert status == 200
            assert body.startswith(b"PK")
    assert len(list(artifact_folder(url).iterdir())) == KEPT


@pytest.mark.parametrize("url", ["study.journal"], indirect=True)
def test_dropped_weights_of_a_study_of_version_0_1_0_are_not_found(opened, url, app):
    ledger = opened(total=20)
    job = ask(ledger)
    old = "0123abcd-0000-4000-8000-000000000000"
    entry = {"artifact_id": old, "filename": "weights.npz", "mimetype": "application/zip", "encoding": None}
    ledger._storage.set_trial_system_attr(job.trial._trial_id, ARTIFACTS + old, json.dumps(entry))  # as 0.1.0 did
    finish(ledger, job, 0.1)
    (artifact_folder(url) / old).write_text("weights")
    for value in (0.9, 0.8, 0.7, 0.6, 0.5, 0.4):
        finish(ledger, ask(ledger), value)
    assert not (artifact_folder(url) / old).exists()
    status, _ = answer(app, f"/artifacts/{ledger.study._study_id}/{job.trial._trial_id}/{old}")
    assert status == 404  # its trial's mention cannot be changed any more, but the study's hides it


@pytest.mark.parametrize("url", ["study.journal"], indirect=True)
def test_a_search_that_resumes_writes_nothing_for_weights_that_were_dropped_long_ago(opened, url):
    first = opened(total=20)
    for value in (0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3):
        finish(first, ask(first), value)
    finish(first, ask(first), 0.95)
    again, written = opened(total=20), []
    set_attribute = again._storage.set_study_system_attr
    again._storage.set_study_system_attr = lambda *what: (written.append(what), set_attribute(*what))
    finish(again, ask(again), 0.1)
    assert written == []
