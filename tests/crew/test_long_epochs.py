"""Epochs that take long: their worker tells how far they are, and views show it."""

import time
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any

import pytest
from test_given_up import EPOCHS, RECIPE, GivesUp, Scripted, trained

from lenet_search.crew import worker as module
from lenet_search.crew.bench import Assigned, Bench
from lenet_search.crew.crew import Crew
from lenet_search.crew.messages import Halved, Load, PartDone, Ready, Setup
from lenet_search.crew.signals import Stop
from lenet_search.crew.staff import Staff
from lenet_search.look.progress import Progress, Silent


class Watched(Silent):
    """Remembers how far the running epochs were at each update."""

    def __init__(self) -> None:
        self.parts: list[dict[str, float]] = []

    def update(self, progress: Progress) -> None:
        """Remember it."""
        self.parts.append({run.name: run.part for run in progress.running})


def test_what_a_worker_tells_of_an_epoch_is_shown_until_the_epoch_is_over() -> None:
    view = Watched()

    def shown(expected: dict[str, float]) -> None:
        seen = len(view.parts)
        while expected not in view.parts[seen:]:
            time.sleep(0.01)

    def script(pipe: "Connection[Any, Any]") -> None:
        pipe.recv()
        pipe.send(PartDone((0, 1), 0.25))
        shown({"run 0": 0.25, "run 1": 0.25})
        pipe.send(PartDone((1,), 0.5))
        shown({"run 0": 0.25, "run 1": 0.5})
        trained(pipe, (1, 1))
        shown({"run 0": 0.25, "run 1": 0.0})
        pipe.send(Halved(1))
        shown({"run 0": 0.0, "run 1": 0.0})
        for of in range(1, EPOCHS + 1):
            trained(pipe, (0, of))
        for of in range(2, EPOCHS + 1):
            trained(pipe, (1, of), room=2 * (of == EPOCHS))

    crew = Crew(Staff(Scripted(script), Setup(None, 1, 2, None)), view, Stop())
    assert crew.run(GivesUp(at=EPOCHS + 1)) == "done"


def test_a_worker_tells_now_and_then_how_far_the_runs_of_a_stack_are(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = Pipe()
    worker = module.Worker(theirs, Setup(None, 1, 2, None), Ready(slots=2))
    loads = [Load(number, RECIPE.values(), seed=number) for number in (7, 9)]
    runs: dict[int, Any] = {slot: Assigned(load, RECIPE, None) for slot, load in enumerate(loads)}  # type: ignore[arg-type]
    clock = [100.0]
    monkeypatch.setattr(module, "perf_counter", lambda: clock[0])
    tell = worker._teller(Bench(None, {}, 2, runs))  # type: ignore[arg-type]
    for clock[0], share in ((100.5, 0.1), (101.5, 0.3), (101.75, 0.35), (102.75, 0.55)):
        tell(share)
    told = []
    while ours.poll():
        told.append(ours.recv())
    assert told == [PartDone((7, 9), 0.3), PartDone((7, 9), 0.55)]
