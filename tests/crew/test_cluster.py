"""A cluster that cannot be joined, and the places of one that can."""

import sys

import pytest

from lenet_search.crew.fleet.cluster import Cluster, Node
from lenet_search.crew.fleet.fleet import _spread
from lenet_search.crew.places import Place
from lenet_search.errors import RunError


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
