"""The actor of a node, without Ray: it starts workers, passes messages on, and tells how workers died."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from lenet_search.crew.fleet.host import Ended, Host
from lenet_search.crew.places import Place

HERE = Place(None, 1)


@pytest.fixture
def host() -> Iterator[Host]:
    made = Host()
    yield made
    made.close()


def test_a_worker_that_fails_is_reported_with_its_reason_and_the_end_of_its_log(host):
    host.start(1, HERE, {}, b"no set-up")
    ((number, ended),) = host.poll()
    assert number == 1
    assert isinstance(ended, Ended)
    assert "a worker failed: _pickle.UnpicklingError" in ended.death.reason
    assert not ended.death.innocent
    assert b"Traceback" in ended.log


def test_a_worker_that_the_parent_has_killed_is_not_reported_whichever_call_comes_first(host, monkeypatch):
    monkeypatch.setattr("lenet_search.crew.fleet.host.POLL", 0.2)
    host.kill(1)
    host.start(1, HERE, {}, b"")
    host.start(2, HERE, {}, b"")
    host.kill(2)
    host.send(2, b"too late")
    assert host.poll() == []


def test_closing_removes_the_files_of_workers(host):
    host.start(1, HERE, {}, b"")
    folder = Path(host._folder)
    assert folder.exists()
    host.close()
    assert not folder.exists()
