"""The actor of a node, without Ray: it starts workers, passes messages on, and tells how workers died."""

import errno
import os
from collections.abc import Iterator
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from unittest.mock import Mock

import pytest

from lenet_search.crew.fleet.host import Ended, Host, Parcel
from lenet_search.crew.places import Place
from lenet_search.data.delivered import Wanted

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


def full_disk(*_: object) -> bool:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/cache")


def test_a_full_disk_on_a_node_is_told_as_trouble(host, monkeypatch):
    monkeypatch.setattr("lenet_search.crew.fleet.host.is_kept", full_disk)
    host.send(1, b"orders", [Parcel(Wanted("mnist", "train"), "0" * 64, [None])])
    ((number, message),) = host.poll()
    trouble = ForkingPickler.loads(message)
    assert (number, trouble.kind) == (1, "RunError")
    assert "could not go on: [Errno 28] No space left on device: '/cache'" in trouble.message


def test_images_that_cannot_be_fetched_end_the_worker_and_not_the_command(host, monkeypatch):
    pytest.importorskip("ray")
    monkeypatch.setenv("XDG_CACHE_HOME", str(host._folder))
    monkeypatch.setattr("ray.get", Mock(side_effect=RuntimeError("the object is lost")))
    host.send(1, b"orders", [Parcel(Wanted("mnist", "train"), "0" * 64, [None])])
    ((number, ended),) = host.poll()
    assert (number, ended.death.reason) == (1, "a worker could not be served: the object is lost")
