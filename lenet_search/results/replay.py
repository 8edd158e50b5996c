"""Replay: what would another pruner have done to the trials of a study?

Optuna's own pruner decides again, on a study in memory that receives the stored values in their stored order. When a
trial's epochs ended is not stored, so they are spread evenly from its start to its end.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import optuna
from optuna.samplers import RandomSampler
from optuna.trial import FrozenTrial, TrialState

from lenet_search.errors import LenetSearchError, ResultError
from lenet_search.look.intervals import Z
from lenet_search.results.best import best_trial, complete_trials
from lenet_search.results.rank_test import shared_ranks
from lenet_search.study import Component

FEWEST = 5  # trials for which a rank correlation is shown
USUAL = (
    Component("MedianPruner"),
    Component("PercentilePruner", {"percentile": 25.0}),
    Component("SuccessiveHalvingPruner"),
    Component("HyperbandPruner"),
    Component("PatientPruner", {"wrapped_pruner": Component("MedianPruner"), "patience": 1}),
)


@dataclass(frozen=True)
class Replay:
    """What a pruner would have done.

    epochs, stored       epochs that it would have trained, of those that the study did
    pruned, complete     complete trials that it would have pruned, of all complete ones
    best_pruned_at       the epoch after which the study's best trial would have been pruned; None: it is kept
    left                 the best value among the trials that are left; None if none is
    regret               how much worse that is than the study's best value, 0 or more
    """

    epochs: int
    stored: int
    pruned: int
    complete: int
    best_pruned_at: int | None
    left: float | None
    regret: float | None

    @property
    def saved(self) -> float:
        """Share of the epochs saved."""
        return 1.0 - self.epochs / self.stored

    def to_json(self) -> dict[str, Any]:
        """All fields, and `saved`."""
        return {"saved": self.saved, **asdict(self)}


@dataclass(frozen=True)
class Agreement:
    """Spearman's rank correlation of an epoch's values with the last ones, over `n` trials, with its 95 % interval.

    It is None where it says nothing: over fewer than five trials, of equal values, or of the last epoch with itself.
    The interval is None as well where the orders are the same or reversed, because Fisher's z is infinite there.
    """

    epoch: int
    correlation: float | None
    low: float | None
    high: float | None
    n: int


def replay(study: optuna.Study, pruner: Component) -> Replay:
    """Let `pruner` decide again on all complete and pruned trials.

    A complete trial is replayed in full. A pruned one is replayed up to its last epoch and left there: what it would
    have become is not known, so it counts neither as saved nor among the complete ones.

    Raises:
        ResultError: no trial is complete, none has a curve, or the pruner fails.
    """
    best = best_trial(study)
    trials = _with_curves(study)
    longest = max(max(trial.intermediate_values) for trial in trials)
    again = optuna.create_study(
        study_name=study.study_name,  # Hyperband draws brackets from the name and the number
        direction=study.direction,
        sampler=RandomSampler(),
        pruner=pruner.for_epochs(longest).build(seed=0),
    )
    copies = [again.ask() for _ in range(max(trial.number for trial in trials) + 1)]
    pruned_at: dict[int, int] = {}
    epochs = 0
    for _, number, trial, epoch in sorted(_reports(trials), key=lambda report: report[:2]):
        if number in pruned_at:
            continue
        epochs += 1
        copies[number].report(trial.intermediate_values[epoch], epoch)
        if _gives_up(copies[number], pruner):
            pruned_at[number] = epoch
            again.tell(number, state=TrialState.PRUNED)
        elif epoch == trial.last_step:
            done = trial.state == TrialState.COMPLETE
            again.tell(number, trial.value if done else None, state=trial.state)
    complete = [trial for trial in complete_trials(study) if trial.intermediate_values]
    left = [trial.value for trial in complete if trial.number not in pruned_at]  # best first
    lost = abs(float(best.value or 0.0) - float(left[0] or 0.0)) if left else None
    return Replay(
        epochs,
        sum(len(trial.intermediate_values) for trial in trials),
        len(complete) - len(left),
        len(complete),
        pruned_at.get(best.number),
        left[0] if left else None,
        lost,
    )


def _gives_up(trial: optuna.Trial, pruner: Component) -> bool:
    try:
        return trial.should_prune()
    except LenetSearchError:
        raise
    except Exception as error:
        raise ResultError(f"{pruner} cannot judge these learning curves ({error}): give it other arguments") from error


def agreement(study: optuna.Study) -> list[Agreement]:
    """How well each epoch's values predict the order of the last ones, over the complete trials that reached it.

    Where the study itself pruned, the trials that looked bad early are missing, and the correlations are too low. The
    interval is by Fisher's z with the variance 1.06 / (n - 3) of Fieller et al. 1957.
    """
    trials = [trial for trial in complete_trials(study) if trial.intermediate_values]
    found = []
    for epoch in sorted({epoch for trial in trials for epoch in trial.intermediate_values}):
        pairs = [
            (trial.intermediate_values[epoch], trial.value) for trial in trials if epoch in trial.intermediate_values
        ]
        found.append(Agreement(epoch, *_correlation(pairs), len(pairs)))
    return found


def _correlation(pairs: Sequence[tuple[Any, Any]]) -> tuple[float | None, float | None, float | None]:
    """Spearman's rank correlation, and the ends of its interval."""
    early, late = (shared_ranks(np.array(each, dtype=float)) for each in zip(*pairs, strict=True))
    same = all(value == last for value, last in pairs)
    if len(pairs) < FEWEST or same or early.std() == 0 or late.std() == 0:
        return None, None, None
    correlation = float(np.clip(np.corrcoef(early, late)[0, 1], -1.0, 1.0))
    if abs(correlation) > 1 - 1e-12:
        return correlation, None, None
    half = Z * math.sqrt(1.06 / (len(pairs) - 3))
    return correlation, math.tanh(math.atanh(correlation) - half), math.tanh(math.atanh(correlation) + half)


def verdict(made: Sequence[tuple[Component, Replay]], best: int) -> str:
    """Which pruner would have saved most without losing the best trial, in a sentence."""
    safe = [(pruner, each) for pruner, each in made if each.best_pruned_at is None and round(100 * each.saved)]
    if safe:
        pruner, found = max(safe, key=lambda pair: pair[1].saved)
        share = f"{100 * found.saved:.0f} % of the epochs"
        if len(made) == 1:
            return f"{pruner} would have saved {share} without losing the best trial, {best}."
        return f"Of these pruners, {pruner} would have saved most without losing the best trial, {best}: {share}."
    if len(made) == 1 and made[0][1].best_pruned_at is not None:
        return f"{made[0][0]} would have pruned the best trial, {best}, after epoch {made[0][1].best_pruned_at}."
    if len(made) == 1:
        return f"{made[0][0]} would have saved no epochs."
    return f"None of these pruners would have saved epochs without losing the best trial, {best}."


def pruned_trials(study: optuna.Study) -> int:
    """How many trials with a curve the study itself has pruned, and are replayed only up to their end."""
    return sum(trial.state == TrialState.PRUNED for trial in _with_curves(study))


def _with_curves(study: optuna.Study) -> list[FrozenTrial]:
    trials = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED))
    known = [trial for trial in trials if trial.intermediate_values]
    if not known:
        raise ResultError(f"Study {study.study_name!r} has no learning curves: its trials reported no values.")
    return known


def _reports(trials: Sequence[FrozenTrial]) -> list[tuple[datetime, int, FrozenTrial, int]]:
    """Every epoch of every trial: when it ended, the trial's number, the trial and the epoch."""
    found = []
    for trial in trials:
        start = trial.datetime_start or datetime.min + timedelta(seconds=trial.number)
        end = trial.datetime_complete or start
        steps = sorted(trial.intermediate_values)
        found += [
            (start + (end - start) * (k / len(steps)), trial.number, trial, step) for k, step in enumerate(steps, 1)
        ]
    return found
