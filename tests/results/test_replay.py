from collections.abc import Callable
from datetime import timedelta

import numpy as np
import optuna
import pytest
from optuna.trial import FrozenTrial, TrialState

from lenet_search.errors import ResultError, StudyFileError
from lenet_search.results.replay import USUAL, Replay, agreement, pruned_trials, replay, verdict
from lenet_search.study import Component, read_pruner
from tests.results.conftest import START, drawn, trial_of

Make = Callable[..., optuna.Study]


def curve(number: int, values: list[float], state: TrialState = TrialState.COMPLETE, at: float = 0.0) -> FrozenTrial:
    """A trial with this curve that starts `at` minutes after the first and takes one minute per epoch."""
    trial = trial_of(drawn(np.random.default_rng(number)), values[-1], number, state)
    trial.intermediate_values = dict(enumerate(values, 1))
    trial.datetime_start = START + timedelta(minutes=at)
    trial.datetime_complete = trial.datetime_start + timedelta(minutes=len(values))
    return trial


def study_of(*trials: FrozenTrial) -> optuna.Study:
    study = optuna.create_study(direction="maximize", study_name="made-up")
    study.add_trials(trials)
    return study


def test_a_pruner_that_prunes_nothing_saves_nothing_and_keeps_the_best(made_study: Make) -> None:
    study = made_study(30)
    found = replay(study, Component("NopPruner"))
    assert (found.saved, found.pruned, found.best_pruned_at, found.regret) == (0.0, 0, None, 0.0)
    assert found.left == study.best_value
    assert found.complete == 20


def test_saved_epochs_and_the_loss_of_a_late_winner_are_counted() -> None:
    """The last trial starts worst and ends best: a median pruner without warm-up prunes it after its first epoch."""
    good = [curve(n, [0.5, 0.6, 0.7], at=10.0 * n) for n in range(3)]
    late = curve(3, [0.1, 0.2, 0.9], at=30.0)
    found = replay(study_of(*good, late), Component("MedianPruner", {"n_startup_trials": 2}))
    assert found.best_pruned_at == 1
    assert (found.epochs, found.stored, found.pruned) == (10, 12, 1)
    assert found.left == 0.7
    assert found.regret == pytest.approx(0.2)
    warm = replay(study_of(*good, late), Component("MedianPruner", {"n_startup_trials": 2, "n_warmup_steps": 3}))
    assert (warm.best_pruned_at, warm.saved) == (None, 0.0)


def test_trials_that_ran_side_by_side_do_not_see_one_another_end() -> None:
    """The trials of the test above at the same time: none is complete when the last one reports its first epochs."""
    trials = [curve(n, [0.5, 0.6, 0.7]) for n in range(3)] + [curve(3, [0.1, 0.2, 0.9])]
    assert replay(study_of(*trials), Component("MedianPruner", {"n_startup_trials": 2})).best_pruned_at is None


def test_a_pruned_trial_is_replayed_up_to_its_end_and_is_not_counted_as_complete() -> None:
    trials = [curve(n, [0.5, 0.6, 0.7], at=10.0 * n) for n in range(3)]
    study = study_of(*trials, curve(3, [0.1, 0.2], TrialState.PRUNED, at=30.0))
    assert pruned_trials(study) == 1
    found = replay(study, Component("NopPruner"))
    assert (found.epochs, found.stored, found.complete) == (11, 11, 3)
    found = replay(study, Component("MedianPruner", {"n_startup_trials": 2}))
    assert (found.epochs, found.pruned) == (10, 0)


def test_replaying_a_search_prunes_the_trials_that_its_own_pruner_pruned() -> None:
    """What a search pruned without a pause is pruned at the same epochs, by any pruner of the usual five."""
    for component in USUAL:
        pruner = component.for_epochs(8).build(0)
        study = optuna.create_study(direction="maximize", study_name="made-up", pruner=pruner)
        rng = np.random.default_rng(3)
        ends: list[tuple[int, TrialState]] = []
        for _ in range(40):
            trial, value = study.ask(), float(rng.normal(0.5, 0.1))
            trial.set_user_attr("recipe", {})
            trial.set_user_attr("curve", {})
            steps = [value - 0.5 / epoch + 0.01 * float(rng.standard_normal()) for epoch in range(1, 9)]
            for epoch, reached in enumerate(steps, 1):
                trial.report(reached, epoch)
                if trial.should_prune():
                    study.tell(trial, state=TrialState.PRUNED)
                    break
            else:
                study.tell(trial, steps[-1])
            ends.append((epoch, study.trials[trial.number].state))
        found = replay(study, component)
        assert (found.epochs, found.pruned) == (sum(epoch for epoch, _ in ends), 0)
        assert any(state == TrialState.PRUNED for _, state in ends)


@pytest.mark.parametrize("direction", ["maximize", "minimize"])
def test_every_usual_pruner_can_be_replayed_in_both_directions(made_study: Make, direction: str) -> None:
    study = made_study(40, direction=direction, pruned=False)
    for component in USUAL:
        found = replay(study, component)
        assert 0 < found.epochs <= found.stored == 40 * 8
        assert (found.regret == 0.0) == (found.best_pruned_at is None)


def test_agreement_rises_and_lies_in_its_interval_and_says_nothing_of_the_last_epoch_with_itself() -> None:
    rng = np.random.default_rng(0)
    trials = []
    for number in range(30):
        last = float(rng.normal(0.6, 0.05))
        trials.append(curve(number, [last + float(rng.normal(0, noise)) for noise in (0.1, 0.02)] + [last]))
    rows = agreement(study_of(*trials))
    assert [row.epoch for row in rows] == [1, 2, 3]
    figures = [(row.low, row.correlation, row.high) for row in rows]
    assert all(figure == tuple(sorted(figure)) for figure in figures[:2])
    assert figures[0][1] < figures[1][1] < 1
    assert figures[2] == (None, None, None)
    assert all(row.n == 30 for row in rows)


def test_a_rank_correlation_needs_five_trials_and_its_interval_an_order_that_is_not_the_same() -> None:
    few = [curve(number, [0.1 * number, 0.2 * number]) for number in range(4)]
    assert [row.correlation for row in agreement(study_of(*few))] == [None, None]
    first, _ = agreement(study_of(*few, curve(4, [0.4, 0.8])))
    assert (first.correlation, first.low, first.high) == (pytest.approx(1.0), None, None)


def test_the_verdict_names_the_pruner_that_saves_most_without_losing_the_best_trial() -> None:
    def replayed(saved: int, lost_at: int | None) -> Replay:
        return Replay(100 - saved, 100, 5, 10, lost_at, 0.7, 0.0 if lost_at is None else 0.1)

    greedy, safe, idle = ((Component(f"{each}Pruner"), found) for each, found in (
        ("Hyperband", replayed(60, 3)), ("Median", replayed(30, None)), ("Nop", replayed(0, None)),
    ))  # fmt: skip
    assert verdict([greedy, safe, idle], 4) == (
        "Of these pruners, MedianPruner would have saved most without losing the best trial, 4: 30 % of the epochs."
    )
    assert verdict([greedy, idle], 4).startswith("None of these pruners would have saved epochs without losing")
    assert verdict([greedy], 4) == "HyperbandPruner would have pruned the best trial, 4, after epoch 3."
    assert verdict([idle], 4) == "NopPruner would have saved no epochs."


def test_a_study_without_curves_says_so(made_study: Make) -> None:
    trial = trial_of(drawn(np.random.default_rng(0)), 0.5, 0)
    trial.intermediate_values = {}
    with pytest.raises(ResultError, match="no learning curves"):
        replay(study_of(trial), Component("NopPruner"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{ kind = "MedianPrunner" }', r"--pruner .*pruner.kind: expected one of .*did you mean \"MedianPruner\""),
        ('{ kind = "MedianPruner", n_warmup = 3 }', "pruner.n_warmup: expected one of"),
        ("MedianPruner", r'did you mean \{ kind = "MedianPruner" \}'),
        ('{ kind = "PercentilePruner" }', "pruner.percentile: expected a value"),
        ('{ kind = "PercentilePruner", percentile = 200.0 }', "arguments that PercentilePruner accepts"),
        ("{ kind = ", "expected a TOML table"),
    ],
)
def test_an_option_that_is_no_pruner_is_explained(text: str, message: str) -> None:
    with pytest.raises(StudyFileError, match=message):
        read_pruner(text)


def test_a_pruner_is_shown_in_short() -> None:
    text = '{ kind = "PatientPruner", wrapped_pruner = { kind = "MedianPruner" }, patience = 2 }'
    assert str(read_pruner(text)) == "PatientPruner(wrapped_pruner = MedianPruner, patience = 2)"
