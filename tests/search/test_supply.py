"""How trials are dealt out to workers. What the crew does with real processes is in test_search.py."""

from dataclasses import dataclass, field

import numpy as np
import pytest

from lenet_search.crew.places import Place
from lenet_search.recipe import Recipe
from lenet_search.search.supply import QUICK, SLOWER, Supply, fair_share, suitability
from lenet_search.space import Space
from lenet_search.structure import Structure, structure_of
from lenet_search.study import read


@pytest.mark.parametrize(
    ("wanted", "here", "everywhere", "share"),
    [
        (100, 0, 0, 4),  # plenty: as many as there is room for
        (8, 0, 0, 4),  # exactly enough for two workers
        (4, 0, 4, 4),  # the other worker has taken its half: this one takes all of the rest, not half of it
        (2, 0, 0, 1),  # too few: one each
        (3, 0, 0, 2),
        (1, 3, 6, 1),  # both hold three, one is left: who asks first gets it
        (1, 4, 7, 0),  # the other worker has more room
        (0, 0, 4, 0),  # nothing is left, and running trials are nobody else's to take
    ],
)
def test_of_two_workers_with_four_slots_each_takes_its_share(
    wanted: int, here: int, everywhere: int, share: int
) -> None:
    assert fair_share(4, wanted, here, everywhere, 2) == share


def test_a_single_worker_takes_whatever_fits() -> None:
    assert fair_share(4, 100, 0, 0, 1) == 4
    assert fair_share(1, 100, 3, 3, 1) == 1


def structure(batch_size: int) -> Structure:
    return structure_of(Recipe.from_values({"train.batch_size": batch_size, "train.epochs": 1}), Space({}))


SMALL, MIDDLE, LARGE = structure(64), structure(128), structure(256)


def test_a_worker_would_rather_fill_a_stack_than_use_a_program_than_compile_one_than_take_anothers() -> None:
    new = suitability(SMALL, running=[], ready=set(), others=set(), slots=2)
    others = suitability(SMALL, running=[], ready=set(), others={SMALL}, slots=2)
    ready = suitability(SMALL, running=[LARGE], ready={SMALL, LARGE}, others={SMALL}, slots=2)
    beside = suitability(SMALL, running=[SMALL, LARGE], ready={SMALL, LARGE}, others={SMALL}, slots=2)
    full = suitability(SMALL, running=[SMALL, SMALL], ready={SMALL}, others=set(), slots=2)
    assert beside > ready > new > others == full


def test_of_trials_that_were_asked_for_the_first_of_those_that_suit_best_is_taken(opened, definition):
    overrides = ["train.batch_size={ choices = [16, 32] }", 'study.sampler={ kind = "RandomSampler", seed = 2 }']
    supply = Supply(opened(read("small.toml", overrides=overrides)))
    for _ in range(6):
        supply.ask()
    taken = [supply.take(lambda structure: structure.batch_size == 16) for _ in range(6)]
    order = [(job.run.recipe.train.batch_size, job.number) for job in taken]
    assert order == sorted(order)
    assert {size for size, _ in order} == {16, 32}
    assert supply.mixed


def test_without_a_preference_trials_are_taken_in_the_order_in_which_they_were_asked_for(opened):
    supply = Supply(opened())
    for _ in range(3):
        supply.ask()
    assert [supply.take().number for _ in range(4)] == [0, 1, 2, 3]
    assert not supply.mixed


def test_the_runs_of_a_trial_wait_for_room_for_all_of_them_unless_some_are_dealt(opened):
    supply = Supply(opened(read("small.toml", overrides=["study.seeds=3"])))
    supply.ask()
    assert supply.take(room=2) is None
    assert supply.take() is not None  # by a worker that is empty
    assert [supply.take(room=1).name for _ in range(2)] == ["trial 0, seed 2", "trial 0, seed 3"]


@dataclass
class Stack:
    """A worker whose runs all have `left` epochs to come."""

    slots: int
    left: int
    heard: int = 0
    early: int = 0
    ready: object = field(default_factory=object)
    place: Place = field(default_factory=lambda: Place("0", 1))

    def epochs_left(self) -> np.ndarray:
        return np.full(self.slots, self.left)

    def train(self) -> None:
        self.heard, self.left = self.heard + 1, self.left - 1


@pytest.fixture
def late(opened, monkeypatch):
    """A supply for a study in which many trials have ended, and what fills it, telling how many trials it asked for."""

    def supply(ended: int, **options):
        ledger = opened(total=1000)
        monkeypatch.setattr(ledger, "ended", lambda: ended)
        made = Supply(ledger, **options)

        def fill(stack: Stack) -> int:
            before = len(made)
            while made.is_short([stack], stack.slots):
                made.ask()
            return len(made) - before

        return made, fill

    return supply


@pytest.mark.parametrize(("ended", "slots"), [(0, 4), (0, 64), (1000, 32), (10_000, 4), (10_000, 16), (30_000, 16)])
def test_trials_that_end_together_are_drawn_a_few_per_epoch_and_as_late_as_that_allows(late, ended, slots):
    supply, fill = late(ended)
    stack = Stack(slots, left=100)
    few = QUICK // (1 + ended // SLOWER)
    asked = {}
    while stack.left:
        asked[stack.left] = fill(stack)
        stack.train()
    assert len(supply) == slots
    assert max(asked.values()) <= few
    assert sum(count > 0 for count in asked.values()) == -(-slots // few)
    assert all(asked[left] == few for left in range(1, slots // few + 1))


def test_a_processor_waits_for_the_sampler_so_that_no_result_is_missed(late):
    supply, fill = late(0, prunes=True)
    stack = Stack(4, left=3, place=Place(None, 1), ready=None)
    assert fill(stack) == 4  # while it starts there is nothing to learn from
    for _ in range(4):
        supply.take()
    stack.ready = object()
    while stack.left:
        assert fill(stack) == 0
        stack.train()
    crowd = [Stack(4, left=1, heard=1, place=Place(None, 1)) for _ in range(9)]
    assert supply.is_short(crowd, 4)  # so many would wait for each other


def test_where_trials_are_pruned_so_many_are_kept_ready_that_a_few_more_per_epoch_are_always_enough(late):
    stack, few = Stack(16, left=100, heard=1), QUICK // 11
    supply, fill = late(10_000, prunes=True)
    while asked := fill(stack):
        assert asked <= few
        stack.train()
    given_up = 16
    while given_up:  # a whole stack, then half of those that follow, and so on
        stack.early = given_up
        stack.train()
        assert fill(stack) <= few
        assert len(supply) >= given_up
        del supply._ahead[:given_up]  # they are dealt
        given_up //= 2


def test_during_the_first_epoch_all_of_them_are_drawn_but_none_while_a_worker_starts(late):
    supply, fill = late(10_000, prunes=True)
    starting = Stack(0, left=100, ready=None)
    starting.slots = 16
    starting.epochs_left = lambda: np.zeros(0, int)
    assert fill(starting) == 16
    assert len(supply) == 16
    del supply._ahead[:]
    assert fill(Stack(16, left=100)) > 16


def test_where_trials_are_drawn_quickly_none_is_kept_ready_for_the_pruner(late):
    _, fill = late(100, prunes=True)
    assert fill(Stack(16, left=100)) == 0
