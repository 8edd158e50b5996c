"""A cluster that cannot be joined, and the places of one that can."""

import sys
from collections.abc import Callable
from typing import ClassVar
from unittest.mock import Mock

import pytest

from lenet_search.crew import messages
from lenet_search.crew.fleet.cluster import Cluster, Node
from lenet_search.crew.fleet.fleet import Fleet, _spread
from lenet_search.crew.fleet.shipping import Shipping
from lenet_search.crew.messages import Load, Orders, Setup
from lenet_search.crew.places import Place
from lenet_search.data.delivered import Wanted
from lenet_search.errors import RunError
from lenet_search.look.progress import Silent, View
from lenet_search.space import Choice, Space


def test_without_ray_the_error_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(RunError, match=r"pip install 'lenet-search\[ray\]'"):
        Cluster("auto")


@pytest.mark.parametrize("address", ["127.0.0.1:1", "no-such-host.invalid:6379"])
def test_an_address_where_nothing_answers_says_how_to_start_a_cluster(address):
    pytest.importorskip("ray")
    with pytest.raises(RunError, match=f"--ray {address}: no Ray cluster answers there .*ray start --head --port="):
        Cluster(address)


@pytest.mark.parametrize("address", ["", "here", "10.0.0.1", "ray://10.0.0.1:10001", ":6379", "a:99999", "a:-1", "a:b"])
def test_an_address_is_auto_or_a_host_and_a_port(address):
    pytest.importorskip("ray")
    with pytest.raises(RunError, match="expected auto, or HOST:PORT of a cluster that this machine has joined"):
        Cluster(address)


def test_a_node_is_named_with_what_it_lends():
    assert str(Node("1", "gpu-1", 96, 8, "H100")) == "gpu-1 (8 GPUs H100)"
    assert str(Node("2", "cpu-1", 1, 0)) == "cpu-1 (1 core)"


def test_gpus_are_places_of_their_own_with_a_share_of_the_cores_and_nodes_take_turns():
    nodes = [Node("1", "big", 16, 2), Node("2", "small", 4, 1), Node("3", "head", 8, 0)]
    assert list(_spread(nodes, on_gpus=True)) == [Place("0", 8, "big"), Place("0", 4, "small"), Place("1", 8, "big")]


def test_without_gpus_every_core_is_a_place():
    nodes = [Node("1", "a", 2, 0), Node("2", "b", 1, 0)]
    assert list(_spread(nodes, on_gpus=False)) == [Place(None, 1, "a"), Place(None, 1, "b"), Place(None, 1, "a")]


class Changing:
    """A cluster whose nodes a test chooses."""

    address = "10.0.0.1:6379"
    now: ClassVar[list[Node]] = []

    def __init__(self, address: str) -> None:
        pass

    def nodes(self) -> list[Node]:
        return list(self.now)

    def has(self, node: Node) -> bool:
        return node in self.now


BIG, SMALL, PLAIN = Node("1", "big", 16, 2, "H100"), Node("2", "small", 4, 1), Node("3", "plain", 8, 0)


@pytest.fixture
def fleet(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Fleet]:
    """Makes a fleet on some nodes; they can be changed afterwards."""
    monkeypatch.setattr("lenet_search.crew.fleet.fleet.Cluster", Changing)

    def make(*nodes: Node, workers: int | None = None, view: View | None = None) -> Fleet:
        monkeypatch.setattr(Changing, "now", list(nodes))
        return Fleet("auto", workers, Setup(None, 1, None, None), view or Silent())

    return make


def test_nodes_without_gpus_are_not_used_beside_nodes_with(fleet):
    assert {place.node for place in fleet(PLAIN, SMALL).places()} == {"small"}
    assert len(fleet(PLAIN).places()) == 8


def test_what_a_place_is_does_not_change_when_other_nodes_join(fleet):
    cores = fleet(PLAIN)
    Changing.now.append(SMALL)
    assert [place.gpu for place in cores.places()] == [None] * 12


def test_workers_bound_the_places_that_are_used(fleet):
    assert [fleet(BIG, SMALL, workers=workers).most for workers in (None, 2, 9)] == [3, 2, 3]


def test_the_opening_names_nodes_and_devices_and_a_note_those_that_join(fleet):
    view = Mock(spec=Silent)
    made = fleet(BIG, view=view)
    view.opening.assert_called_once_with("Cluster", "Ray at 10.0.0.1:6379: big (2 GPUs H100)")
    Changing.now.append(SMALL)
    made.places()
    made.places()
    view.note.assert_called_once_with("node small (1 GPU) has joined")


def test_a_fleet_waits_for_its_first_node(fleet):
    view = Mock(spec=Silent)
    made = fleet(view=view)
    assert view.opening.call_args.args[1].endswith("no node yet; waiting for one")
    assert made.most == 0
    Changing.now.append(SMALL)
    assert list(made.places()) == [Place("0", 4, "small")]


def test_a_node_whose_gpus_do_not_work_is_not_used_and_without_any_the_command_ends(fleet):
    made = fleet(BIG, SMALL)
    assert "the GPU of node big cannot be used; training on the other nodes" in made.do_without(Place("0", 8, "big"))
    assert list(made.places()) == [Place("0", 4, "small")]
    with pytest.raises(RunError, match="the GPUs of the Ray cluster cannot be used"):
        made.do_without(Place("0", 4, "small"))


def test_workers_need_the_images_of_their_runs_and_of_a_measurement_and_the_test_sets_they_measure():
    space = Space({"data.name": Choice(("mnist", "digits")), "data.size": 0})
    needed = Shipping(space, None).needed
    load = Load(1, {"data.name": "mnist", "data.size": 28}, 0)
    assert needed(Orders(load=(load, load))) == [Wanted("mnist", "train", 28)]
    assert needed(Orders(test=(messages.Testing(1, b"", "pets", None, 32),))) == [Wanted("pets", "test", 32)]
    assert needed(Orders(measure=1)) == [Wanted("mnist", "train"), Wanted("digits", "train")]
    assert needed(Orders(drop=(1,), freeze=True)) == []
