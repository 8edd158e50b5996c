"""How trials are dealt out to workers. What the crew does with real processes is in test_search.py."""

import pytest

from lenet_search.recipe import Recipe
from lenet_search.search.supply import Supply, fair_share, suitability
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
