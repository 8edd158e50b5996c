"""A fleet on real Ray: three nodes, each with a core and a cache of its own, on this machine."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.trial import TrialState

from lenet_search import __version__, search
from lenet_search.crew.fleet import courier
from lenet_search.crew.fleet.cluster import ON_LOOPBACK, QUIET
from lenet_search.crew.signals import Interrupted
from lenet_search.errors import RunError
from lenet_search.experiments.finish import finish
from lenet_search.experiments.task import read_tasks
from lenet_search.look.progress import Progress, Silent
from lenet_search.run import Curve
from lenet_search.storage import open_storage
from lenet_search.storage.kept import Kept
from lenet_search.study import read

os.environ.update(QUIET | ON_LOOPBACK)  # as the command does before it imports Ray
ray = pytest.importorskip("ray", reason="Ray is not installed: pip install 'lenet-search[ray]'")
cluster_utils = pytest.importorskip("ray.cluster_utils")
pytestmark = pytest.mark.slow

SOON = {"health_check_initial_delay_ms": 0, "health_check_period_ms": 500, "health_check_failure_threshold": 3}
STUDY = """
[study]
trials = 10
seed = 3
[data]
name = "tiny"
[train]
epochs = 200
batch_size = 32
[regularize]
dropout = { low = 0.0, high = 0.5 }
[optimizer]
kind = "adam"
"""
RECIPE = """# A tiny thing.
[data]
name = "tiny"
validation = 40
[train]
epochs = 3
batch_size = 40
[regularize]
dropout = 0.2
[optimizer]
kind = "adam"
"""


@dataclass
class Nodes:
    """A cluster, and how to add a node to it."""

    cluster: Any
    folder: Path
    caches: list[Path] = field(default_factory=list)

    def add(self) -> Any:
        self.caches.append(self.folder / f"cache-{len(self.caches)}")
        head = {"_system_config": SOON} if len(self.caches) == 1 else {}
        cache = {"XDG_CACHE_HOME": str(self.caches[-1])}
        before = signal.getsignal(signal.SIGTERM)  # Ray replaces it in the process that starts a node
        try:
            return self.cluster.add_node(num_cpus=1, num_gpus=0, node_ip_address="127.0.0.1", env_vars=cache, **head)
        finally:
            signal.signal(signal.SIGTERM, before)

    def sent(self) -> list[int]:
        """How many files of images each node has got."""
        return [len(list(cache.rglob("delivered/*.npz"))) for cache in self.caches]


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    made = Nodes(cluster_utils.Cluster(), tmp_path_factory.mktemp("nodes"))
    try:
        for _ in range(3):
            made.add()
        yield made
    finally:
        made.cluster.shutdown()


@dataclass
class Acting(Silent):
    """A view that does one thing after the other, each as soon as its time has come."""

    steps: list[tuple[Callable[["Acting"], bool], Callable[[], Any]]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    openings: list[tuple[str, str]] = field(default_factory=list)
    progress: Progress | None = None

    def update(self, progress: Progress) -> None:
        self.progress = progress
        if self.steps and self.steps[0][0](self):
            self.steps.pop(0)[1]()

    def note(self, text: str) -> None:
        self.notes.append(text)

    def opening(self, title: str, text: str) -> None:
        self.openings.append((title, text))

    def noted(self, part: str) -> bool:
        return any(part in note for note in self.notes)

    def trains_on(self, workers: int) -> bool:
        """Whether runs on so many nodes have completed an epoch."""
        runs = () if self.progress is None else self.progress.running
        return len({run.node for run in runs if run.values}) >= workers


def actors_of(raylet: int) -> list[int]:
    """The processes of actors on a node."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, _, rest = stat.read_text().rpartition(")")
        except OSError:  # it has ended
            continue
        if "ray::Host" in name and int(rest.split()[1]) == raylet:
            found.append(int(stat.parent.name))
    return found


def raylets_of_others(nodes: Nodes) -> list[int]:
    """The processes that are the nodes, except the one that this process needs: it belongs to it."""
    ours = ray.get_runtime_context().get_node_id()
    return [
        node.all_processes["raylet"][0].process.pid
        for node in nodes.cluster.worker_nodes
        if node.node_id != ours and node.all_processes["raylet"][0].process.poll() is None
    ]


def test_a_study_ends_with_exactly_its_trials_while_nodes_come_and_go(nodes, tiny_npz, monkeypatch, capfd):
    monkeypatch.chdir(tiny_npz.parent)
    Path("small.toml").write_text(STUDY)
    definition = read("small.toml")

    def lose_a_node() -> None:
        os.kill(raylets_of_others(nodes)[0], signal.SIGKILL)

    def lose_an_actor() -> None:
        os.kill(next(actor for raylet in raylets_of_others(nodes) for actor in actors_of(raylet)), signal.SIGKILL)

    view = Acting([
        (lambda view: view.trains_on(3), nodes.add),
        (lambda view: view.noted("has joined"), lose_a_node),
        (lambda view: view.noted("has left"), lose_an_actor),
        (lambda view: view.noted("actor"), lambda: os.kill(os.getpid(), signal.SIGTERM)),
    ])  # fmt: skip
    arguments = {"data_folder": tiny_npz.parent, "slots": 2, "freeze_every": 0.5, "ray": nodes.cluster.address}
    with pytest.raises(Interrupted) as stopped:
        search.run(definition, view=view, **arguments)
    assert stopped.value.exit_code == 143
    assert not view.steps
    assert stopped.value.summary.trials["interrupted"] > 0

    summary = search.run(definition, view=view, **arguments)
    assert summary.trials == {"total": 10, "complete": 10, "pruned": 0, "failed": 0, "interrupted": 0}
    stored = optuna.load_study(study_name="small", storage=open_storage("lenet-search.journal", create=False))
    assert [trial.number for trial in stored.trials] == list(range(10))
    assert {trial.state for trial in stored.trials} == {TrialState.COMPLETE}
    assert {len(trial.intermediate_values) for trial in stored.trials} == {200}

    assert max(nodes.sent()) == 1 and sum(nodes.sent()) >= 3, "a node that trains gets the images, and gets them once"
    title, said = view.openings[0]
    assert title == "Cluster" and said.count("(1 core)") == 3
    assert sum(title == "Workers" and ": 1 x 2 slots, on CPU" in said for title, said in view.openings) >= 3
    assert capfd.readouterr() == ("", ""), "Ray's own messages stay out of the terminal"


def test_results_equal_those_of_local_workers_and_the_test_set_is_sent_if_it_is_read(nodes, tiny_npz, tmp_path):
    Path(tmp_path, "tiny.toml").write_text(RECIPE)
    results = []
    for where in (None, nodes.cluster.address):
        (task,) = read_tasks([str(tmp_path / "tiny.toml")], 2)
        kept = {task.name: Kept(tmp_path / f"out-{where is None}")}
        before = nodes.sent()
        results += finish(
            [task], kept, name="all", test=True, view=Silent(), data_folder=tmp_path, workers=2, ray=where
        )
    for here, there in zip(*(result.runs for result in results), strict=True):
        for name in Curve.NAMES:
            assert there.curve[name] == pytest.approx(here.curve[name], rel=1e-5)
        assert there.test_accuracy == here.test_accuracy
        assert there.images == here.images
    sent = sum(nodes.sent()) - sum(before)
    assert 2 <= sent <= 4, "to two nodes the training images, and the test set where models were measured"


def test_a_node_with_another_version_ends_the_command_and_says_which(nodes, tiny_npz, monkeypatch):
    monkeypatch.chdir(tiny_npz.parent)
    Path("small.toml").write_text(STUDY)
    monkeypatch.setattr(courier, "versions", lambda: {"Python": "3.99", "lenet-search": "0.1"})
    began = time.monotonic()
    said = rf"has Python .*, lenet-search {__version__}; expected Python 3.99, lenet-search 0.1"
    with pytest.raises(RunError, match=said):
        search.run(read("small.toml"), data_folder=tiny_npz.parent, ray=nodes.cluster.address)
    assert time.monotonic() - began < 60
