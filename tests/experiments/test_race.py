import numpy as np
import pytest

from lenet_search.experiments import race
from lenet_search.experiments.race import Plan, State


def values_of(**means: float) -> dict[str, dict[int, float]]:
    rng = np.random.default_rng(0)
    return {name: {seed: mean + rng.normal(0, 1e-3) for seed in range(4)} for name, mean in means.items()}


def test_rounds_have_a_quarter_a_half_and_all_of_the_seeds_and_half_of_the_places_each() -> None:
    plan = race.plan(8, 16, reference=True)
    assert (plan.seeds, plan.places, plan.rivals) == ((4, 8, 16), (8, 4, 2), 8)
    assert race.plan(3, 8, reference=False).seeds == (4, 8)
    assert race.plan(1, 2, reference=False).seeds == (2,)


@pytest.mark.parametrize("most", [12, 16, 24, 32, 60, 100, 1000])
@pytest.mark.parametrize("reference", [True, False])
def test_a_race_of_limited_size_is_the_one_asked_for_or_keeps_to_the_limit(most: int, reference: bool) -> None:
    finalists, seeds = race.size(8, 16, most, reference=reference)
    plan = race.plan(finalists, seeds, reference=reference)
    new = np.diff((0, *plan.seeds))
    assert plan.most_runs(reference=reference) == sum(new * (np.array(plan.places) + reference)) <= most
    assert (finalists, seeds) == (8, 16) or most < 100
    assert seeds >= race.FEWEST and finalists >= 2


def test_there_is_no_race_of_fewer_runs_than_two_recipes_on_four_seeds() -> None:
    assert race.size(8, 16, 11, reference=True) is None
    assert race.size(8, 16, 7, reference=False) is None
    assert race.size(1, 16, 8, reference=True) == (1, 4)  # the search has but one


def test_the_levels_of_all_looks_and_rivals_add_up_to_5_percent() -> None:
    plan = race.plan(8, 16, reference=True)
    assert (1 - plan.inside) / 2 * len(plan.seeds) * plan.rivals == pytest.approx(0.05)


def test_one_that_lacks_a_seed_has_diverged_and_one_that_is_surely_behind_is_worse() -> None:
    values = values_of(a=0.7, b=0.5, c=0.9)
    del values["c"][2]
    standings = race.look(Plan((4,), (3,), 2), 0, values, {})
    assert {name: each.state for name, each in standings.items()} == {
        "a": State.LEADER,
        "b": State.WORSE,
        "c": State.DIVERGED,
    }
    assert next(iter(standings)) == "a"


def test_for_a_loss_the_lowest_leads() -> None:
    standings = race.look(Plan((4,), (2,), 1, maximize=False), 0, values_of(a=0.7, b=0.5), {})
    assert list(standings) == ["b", "a"]
    assert standings["a"].state == State.WORSE


def test_a_difference_that_is_surely_within_the_indifference_is_none() -> None:
    standings = race.look(Plan((4,), (2,), 1, indifference=0.1), 0, values_of(a=0.7, b=0.69), {})
    assert standings["b"].state == State.EQUAL
    assert race.is_over(standings)


def test_the_reference_is_never_set_aside() -> None:
    plan = race.plan(4, 16, reference=True)
    values = values_of(a=0.7, b=0.7, c=0.7, d=0.7, reference=0.6999)
    standings = race.look(plan, 0, values, {})
    aside = race.set_aside(plan, 0, standings, "reference")
    assert len(aside) == 2
    assert "reference" not in aside
