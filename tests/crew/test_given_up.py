"""Runs that were given up and still train, because a GPU does not wait for the decider. Workers follow a script."""

from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest
from made_up_worker import Life, MadeUpWorker

from lenet_search.crew.crew import Crew
from lenet_search.crew.handle import WorkerHandle
from lenet_search.crew.job import Job
from lenet_search.crew.launcher import Link
from lenet_search.crew.local import Local
from lenet_search.crew.messages import EpochDone, Froze, Orders, Ready, Refused, RunEpoch, Setup
from lenet_search.crew.places import Place
from lenet_search.crew.signals import Stop
from lenet_search.crew.staff import Staff
from lenet_search.look.progress import Silent, Standing
from lenet_search.recipe import Recipe
from lenet_search.run import Curve, Run
from lenet_search.space import Space
from lenet_search.structure import structure_of

EPOCHS = 3
RECIPE = Recipe.from_values({"train.epochs": EPOCHS})


class Scripted(Local):
    """Starts workers that follow one script after the other."""

    def __init__(self, *scripts: Life) -> None:
        super().__init__(1)
        self._scripts = list(scripts)

    def start(self, place: Place, log: Path) -> Link:
        log.touch()
        script = self._scripts.pop(0)

        def life(pipe: "Connection[Any, Any]") -> None:
            pipe.send(Ready("made up", True, 2, versions={}))
            script(pipe)

        return MadeUpWorker(life)


class GivesUp:
    """A decider of two runs, dealt `at_once` at a time, of which it gives up the first one after `at` epochs."""

    def __init__(self, at: int = 1, at_once: int = 2) -> None:
        self._at, self._at_once = at, at_once
        self.jobs = [Job(number, f"run {number}", Run(RECIPE, number), structure()) for number in (0, 1)]
        self.over: list[tuple[int, int]] = []  # (number, epochs)
        self.refusals: list[int] = []
        self._pending = list(self.jobs)

    def wanted(self) -> int:
        return len(self._pending)

    def is_short(self, workers: Sequence[WorkerHandle]) -> bool:
        return False

    def ask(self) -> None:
        """Do nothing."""

    def can_deal(self, *given: Any) -> bool:
        return True

    def deal(self, worker: WorkerHandle, workers: Sequence[WorkerHandle], room: int, leaving: int) -> list[Job]:
        count = min(room, self._at_once)
        jobs, self._pending = self._pending[:count], self._pending[count:]
        return jobs

    def take_back(self, job: Job) -> None:
        self._pending.append(job)

    def report(self, job: Job, epoch: RunEpoch) -> bool:
        return job.number == 0 and epoch.epoch == self._at

    def ended(self, job: Job, last: RunEpoch) -> None:
        self.over.append((job.number, job.run.epochs))

    def refused(self, job: Job, reason: str) -> None:
        self.refusals.append(job.number)

    def froze(self, job: Job) -> None:
        self.over.append((job.number, -job.frozen))

    def tested(self, done: Any) -> None:
        """Never."""

    def settled(self, precision: str) -> str:
        return precision

    def attend(self) -> None:
        """Do nothing."""

    def flush(self) -> None:
        """Do nothing."""

    def give_back(self, jobs: Sequence[Job]) -> None:
        """Do nothing."""

    def standing(self) -> Standing:
        return Standing("made up", "val_accuracy", 2)


def structure() -> Any:
    return structure_of(RECIPE, Space.from_recipe(RECIPE))


def epoch(number: int, of: int) -> RunEpoch:
    return RunEpoch(number, of - 1, of, dict.fromkeys(Curve.NAMES, 0.5), 1, True)


def trained(pipe: "Connection[Any, Any]", *epochs: tuple[int, int], room: int = 0) -> Orders:
    """Report epochs, (number, epoch) of each, and receive the next orders."""
    pipe.send(EpochDone(tuple(epoch(*each) for each in epochs), {}, room))
    orders: Orders = pipe.recv()
    return orders


def run(decider: GivesUp, *scripts: Life) -> Crew:
    crew = Crew(Staff(Scripted(*scripts), Setup(None, 1, 2, None)), Silent(), Stop())
    assert crew.run(decider) == "done"
    return crew


def test_a_run_that_is_given_up_leaves_its_slot_at_the_next_answer_and_gains_nothing_from_the_epoch_between() -> None:
    dropped = []

    def script(pipe: "Connection[Any, Any]") -> None:
        pipe.recv()
        dropped.append(trained(pipe, (0, 1), (1, 1)).drop)
        dropped.append(trained(pipe, (0, 2), (1, 2)).drop)
        dropped.append(trained(pipe, (1, 3), room=2).drop)

    decider = GivesUp()
    crew = run(decider, script)
    assert dropped[:2] == [(), (0,)]
    assert decider.over == [(0, 1), (1, EPOCHS)]
    assert (crew.pace.epochs, crew.pace.vain, crew.pace.images) == (1 + EPOCHS, 1, 1 + EPOCHS)


def test_a_copy_of_its_state_is_not_kept_and_a_refusal_is_not_counted() -> None:
    def script(pipe: "Connection[Any, Any]") -> None:
        pipe.recv()
        trained(pipe, (0, 1), (1, 1))
        pipe.send(Froze({0: (1, None)}))  # type: ignore[dict-item]
        pipe.send(Refused(0, "it does not fit in memory"))
        trained(pipe, (1, 2))
        trained(pipe, (1, 3), room=2)

    decider = GivesUp()
    run(decider, script)
    assert decider.over == [(0, 1), (1, EPOCHS)]
    assert decider.refusals == []


def test_if_the_worker_then_dies_the_other_run_is_suspected_and_not_convicted() -> None:
    def dies(pipe: "Connection[Any, Any]") -> None:
        pipe.recv()
        trained(pipe, (0, 1), (1, 1))

    def goes_on(pipe: "Connection[Any, Any]") -> None:
        assert [load.number for load in pipe.recv().load] == [1]
        for of in range(1, EPOCHS + 1):
            trained(pipe, (1, of), room=2 * (of == EPOCHS))

    decider = GivesUp()
    run(decider, dies, goes_on)
    assert decider.over == [(0, 1), (1, EPOCHS)]
    assert (decider.jobs[1].suspected, decider.jobs[1].kills) == (1, 0)


@pytest.mark.parametrize("at", [1, EPOCHS - 1])
def test_a_worker_that_trains_nothing_else_gets_the_next_run_with_the_order_to_drop_that_one(at: int) -> None:
    answers = []

    def script(pipe: "Connection[Any, Any]") -> None:
        pipe.recv()
        for of in range(1, at + 1):
            trained(pipe, (0, of))
        by_itself = at + 1 == EPOCHS
        answers.append(trained(pipe, (0, at + 1), room=2 * by_itself))
        for of in range(1, EPOCHS + 1):
            trained(pipe, (1, of), room=2 * (of == EPOCHS))

    crew = run(GivesUp(at=at, at_once=1), script)
    ((drop, loads),) = [(each.drop, [load.number for load in each.load]) for each in answers]
    assert (drop, loads) == (() if at + 1 == EPOCHS else (0,), [1])
    assert crew.pace.vain == 1
