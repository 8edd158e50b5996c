"""Real runs whose database is killed under them."""

import os
import signal
import threading
import time
from collections.abc import Callable
from functools import partial

import pytest
from servers import PASSWORD, Server

from lenet_search import search
from lenet_search.errors import LenetSearchError, StorageError
from lenet_search.frozen import read_frozen
from lenet_search.search.frozen_trials import FROZEN
from lenet_search.storage import Patience, artifact_folder, open_storage
from lenet_search.storage.trials import run_of
from lenet_search.study import read
from search.conftest import states
from search.test_search import Acting, stored


def test_a_run_outlives_the_death_of_its_database(definition, servers: Callable[[str], Server]):
    server = servers("postgresql")
    url = server.new()

    def kill() -> None:
        server.stop(kill=True)
        threading.Timer(1.5, server.start).start()

    view = Acting(kill)
    summary = search.run(
        read("small.toml", overrides=["train.epochs=20"]), storage=url, trials=4, workers=1, slots=2, view=view
    )
    assert summary.trials["complete"] == 4
    assert states(stored(url)) == {"COMPLETE": 4}
    assert all(run_of(trial).epochs == len(trial.intermediate_values) == 20 for trial in stored(url).trials)
    assert ["does not answer" in note for note in view.notes] == [True, False]
    assert "answers again" in view.notes[1]
    assert PASSWORD not in f"{view.notes} {summary}"


@pytest.mark.parametrize(("name", "stopped"), [("postgresql", False), ("redis", True)])
def test_a_run_whose_database_stays_away_freezes_its_trials_says_so_and_is_resumed(
    definition, servers: Callable[[str], Server], monkeypatch, name, stopped
):
    server = servers(name)
    url = server.new()
    open_storage(url, create=True)
    monkeypatch.setattr("lenet_search.search.search.Patience", partial(Patience, limit=30.0 if stopped else 1.0))
    monkeypatch.setattr("lenet_search.storage.patience.AT_THE_END", 0.5)
    went: list[float] = []

    def take_away() -> None:
        server.stop(kill=True)
        went.append(time.monotonic())
        if stopped:
            threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGTERM)).start()

    overrides = ["train.epochs=60"]
    with pytest.raises(LenetSearchError) as caught:
        search.run(
            read("small.toml", overrides=overrides), storage=url, trials=2, workers=1, slots=2, view=Acting(take_away)
        )
    assert time.monotonic() - went[0] < 15
    assert isinstance(caught.value, search.Interrupted if stopped else StorageError)
    assert caught.value.exit_code == (143 if stopped else 1)
    for words in ("does not answer", "are kept as they were last frozen", "To resume: "):
        assert words in str(caught.value)
    assert "invalid data" not in str(caught.value)
    assert PASSWORD not in str(caught.value)
    frozen = [read_frozen(path)[0].epochs for path in (artifact_folder(url) / FROZEN).iterdir()]
    assert len(frozen) == 2
    assert min(frozen) > 0

    server.start()
    search.run(read("small.toml", overrides=overrides), storage=url, trials=2, workers=1, slots=2)
    assert states(stored(url)) == {"COMPLETE": 2}
    assert sorted(run_of(trial).clocks[0][1] for trial in stored(url).trials) == sorted(frozen)
