from collections.abc import Callable

import numpy as np
import optuna
import pytest
from optuna.trial import FrozenTrial, TrialState, create_trial

from lenet_search.results.pruning import pruning, pruning_figure
from lenet_search.storage.trials import attributes_of, run_of
from tests.results.conftest import EPOCHS, drawn, trial_of

Make = Callable[..., optuna.Study]


def diverged(number: int) -> FrozenTrial:
    """A trial that diverged in its second epoch."""
    trial = trial_of(drawn(np.random.default_rng(number)), 0.5, 1, TrialState.PRUNED)
    run = run_of(trial)
    run.diverged = True
    return create_trial(state=TrialState.PRUNED, user_attrs=attributes_of(run))


def test_epochs_are_saved_by_the_trials_that_the_pruner_stopped(made_study: Make) -> None:
    study = made_study(12)  # every third is pruned, after 1 + number % 4 epochs
    found = pruning(study)
    after = [1 + number % 4 for number in (2, 5, 8, 11)]
    assert sorted(found.pruned.elements()) == sorted(after)
    assert (found.ended, found.planned, found.epochs) == (12, 12 * EPOCHS, 8 * EPOCHS + sum(after))
    saved = found.planned - found.epochs
    assert found.words().startswith(f"The pruner stopped 4 of 12 trials, which saved {saved} of 96 epochs (")
    (bars,) = pruning_figure(found).data
    assert sum(bars.y) == 4


def test_a_trial_that_diverged_was_not_stopped_by_the_pruner_and_saves_nothing(made_study: Make) -> None:
    study = made_study(0)
    study.add_trial(diverged(0))
    found = pruning(study)
    assert found.failed == {2: 1}
    assert not found.pruned
    assert found.planned == found.epochs == 2
    assert "No trial was pruned" in found.words()
    assert [bars.name for bars in pruning_figure(found).data] == ["diverged, or could not be trained"]


def test_trials_of_another_tool_are_left_out(made_study: Make) -> None:
    study = made_study(3, pruned=False)
    study.add_trial(create_trial(state=TrialState.PRUNED, intermediate_values={1: 0.5}))
    assert pruning(study).ended == 3


@pytest.mark.parametrize("trials", [0, 3])
def test_a_search_without_pruning_says_so(made_study: Make, trials: int) -> None:
    found = pruning(made_study(trials, pruned=False))
    assert found.stopped == 0
    assert found.words() == f"No trial was pruned; {trials} trials trained {trials * EPOCHS} epochs."
