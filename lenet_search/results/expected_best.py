"""Was the search long enough? The expected best value by number of random trials, and the trials since the best one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import optuna
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from lenet_search.results.best import complete_trials
from lenet_search.storage.definitions import definition_of, stored_value

DRAWS = 200  # of the bootstrap
LEVEL = 0.9  # of its band
FEWEST = 5  # random trials, below which there is no curve
STARTUP = 10  # TPE's trials that are random, unless the study says otherwise
ENDED = (TrialState.COMPLETE, TrialState.PRUNED)


@dataclass(frozen=True)
class ExpectedBest:
    """The expected best value of 1, 2, ..., N random trials, with the 90 % band from `low` to `high`."""

    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray


def expected_best(study: optuna.Study) -> ExpectedBest | str:
    """The expected best value by number of trials, from the study's random trials, or a sentence why there is none.

    Dodge et al. 2019 (arXiv:1909.03004) ask what the best of n random trials would be on average, given N of them.
    Their estimator draws with replacement and is too low; this is the unbiased one, the mean over all subsets of n
    trials (Tang et al. 2020, arXiv:2004.13705). The band is from 200 bootstrap draws of the trials; towards N it is too
    narrow, since no draw contains a better trial than those that were made. A pruned trial counts with its last value.
    """
    trials = random_trials(study)
    known = [value for trial in trials if (value := _value(trial)) is not None]
    if len(known) < FEWEST:
        count = "none was" if not known else f"{len(known)} {'was' if len(known) == 1 else 'were'}"
        return f"The expected best requires at least {FEWEST} trials drawn at random; {count}."
    sign = 1.0 if study.direction == StudyDirection.MAXIMIZE else -1.0
    values = sign * np.array(known)
    weights = chance_to_be_best(len(values))
    rng = np.random.default_rng(0)
    drawn = np.sort(rng.choice(values, (DRAWS, len(values))), axis=1) @ weights.T
    edges = np.quantile(sign * drawn, [(1.0 - LEVEL) / 2, (1.0 + LEVEL) / 2], axis=0)
    return ExpectedBest(sign * (weights @ np.sort(values)), *edges)


def chance_to_be_best(trials: int) -> np.ndarray:
    """The probability that the i-th smallest of `trials` values is the largest in a random subset of n, as (n, i).

    That is C(i - 1, n - 1) / C(N, n), equation 4 of Tang et al. 2020, here as a product that cannot overflow.
    """
    places = np.arange(1, trials + 1)
    rows = [np.full(trials, 1.0 / trials)]  # of n = 1
    for n in range(1, trials):
        # C(i-1, n) / C(N, n+1) from C(i-1, n-1) / C(N, n)
        rows.append(rows[-1] * np.maximum(places - n, 0) / n * (n + 1) / (trials - n))
    return np.array(rows)


def random_trials(study: optuna.Study) -> list[FrozenTrial]:
    """The complete and pruned trials whose hyperparameters were drawn at random, in order.

    These are all trials of a RandomSampler, and those that TPE drew before it had seen enough. Trials of `[[start]]`
    were not drawn, and other samplers depend on earlier trials or, as grids do, on a plan.
    """
    sampler = _sampler(study)
    trials = study.get_trials(deepcopy=False, states=ENDED)
    drawn = [trial for trial in trials if "fixed_params" not in trial.system_attrs]
    if sampler["kind"] == "RandomSampler":
        return drawn
    if sampler["kind"] != "TPESampler":
        return []
    startup = int(sampler.get("n_startup_trials", STARTUP))
    liar = bool(sampler.get("constant_liar", False))  # counts running trials, too
    return [trial for trial in drawn if _seen(trial, trials, liar=liar) < startup]


def _seen(trial: FrozenTrial, others: Sequence[FrozenTrial], *, liar: bool) -> int:
    """How many trials the sampler had seen when it drew `trial`."""
    drawn = trial.datetime_start
    moments = [other.datetime_start if liar else other.datetime_complete for other in others if other is not trial]
    return sum(moment is not None and drawn is not None and moment <= drawn for moment in moments)


def _sampler(study: optuna.Study) -> Mapping[str, Any]:
    return stored_value(definition_of(study) or {}, "study.sampler") or {"kind": ""}


def _value(trial: FrozenTrial) -> float | None:
    step = trial.last_step
    value = (
        trial.value if trial.state == TrialState.COMPLETE else None if step is None else trial.intermediate_values[step]
    )
    return value if value is not None and np.isfinite(value) else None


def since_best(study: optuna.Study) -> int:
    """How many trials have ended after the best one. Expects a complete trial."""
    best = complete_trials(study)[0]
    trials = study.get_trials(deepcopy=False, states=ENDED)
    ends = [trial.datetime_complete for trial in trials]
    return sum(end is not None and best.datetime_complete is not None and end > best.datetime_complete for end in ends)
