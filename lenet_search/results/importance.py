"""Which hyperparameters matter, and how sure that is: importances with intervals, and a verdict."""

import functools
import math
import warnings
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import optuna
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from lenet_search.results.best import complete_trials
from lenet_search.results.ped_anova import Column, columns_of, divergences
from lenet_search.results.rank_test import scores, standing_out

ENOUGH_TRIALS = 10  # PED-ANOVA compares the best tenth with all trials, so it needs ten
DRAWS = 200  # of the bootstrap
LEVEL = 0.9  # of its intervals
FOREST_TRIALS = 200  # at most, evenly spaced over the search: fANOVA takes 0.5 s for 100, but 13 s for 1,000 (one core)


@dataclass(frozen=True)
class Share:
    """The importance of one hyperparameter, as shares of the sum over all of them.

    `share` is PED-ANOVA's, for reaching the best tenth of the trials, with its 90 % interval from `low` to `high`.
    `fanova` is fANOVA's, for the value of any trial; None unless all trials have this hyperparameter.
    `named`: whether the verdict names it.
    """

    path: str
    share: float
    low: float
    high: float
    fanova: float | None
    named: bool


@dataclass(frozen=True)
class Importance:
    """The importance of every searched hyperparameter, those that the verdict names first, then by share.

    `verdict` is a sentence. `trials` counts the complete ones. Where there are no `rows`, the verdict says why.
    """

    rows: tuple[Share, ...]
    verdict: str
    trials: int

    def to_json(self) -> dict[str, Any]:
        """For programs: the verdict, the hyperparameters that it names, and a row for each one."""
        return {
            "verdict": self.verdict,
            "named": [row.path for row in self.rows if row.named],
            "method": "PED-ANOVA",
            "interval": LEVEL,
            "trials": self.trials,
            "hyperparameters": [asdict(row) for row in self.rows],
        }


def importance(study: optuna.Study) -> Importance:
    """The importance of the study's hyperparameters, computed once for as long as no trial ends.

    PED-ANOVA (Watanabe et al. 2023, arXiv:2304.10255) covers conditional hyperparameters; its intervals come from 200
    bootstrap draws of the trials, and are widened where they would not contain the share itself. fANOVA (Hutter et al.
    2014) has none, since 200 forests would take minutes. The verdict comes from `rank_test`, which counts pruned
    trials, too.
    """
    trials = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED))
    return _computed(study, len(trials))


@functools.lru_cache(maxsize=1)
def _computed(study: optuna.Study, finished: int) -> Importance:
    trials = sorted(complete_trials(study), key=lambda trial: trial.number)
    columns = columns_of(trials)
    values = np.array([trial.value for trial in trials], dtype=float)
    if reason := _no_importance(trials, columns):
        return Importance((), reason, len(trials))
    losses = -values if study.direction == StudyDirection.MAXIMIZE else values
    shares = _shares(columns, losses, np.ones((1, len(trials))))
    if not shares:
        reason = "No hyperparameter stands out: the best tenth of the trials is spread out like the rest."
        return Importance((), reason, len(trials))
    rng = np.random.default_rng(0)
    drawn = rng.multinomial(len(trials), np.full(len(trials), 1.0 / len(trials)), DRAWS).astype(float)
    draws = _shares(columns, losses, drawn)
    forest = _fanova(study, trials)
    named = _named(study)
    rows = []
    for path, (share,) in shares.items():
        low, high = np.quantile(draws[path], [(1.0 - LEVEL) / 2, (1.0 + LEVEL) / 2])
        bounds = min(float(low), float(share)), max(float(high), float(share))
        rows.append(Share(path, float(share), *bounds, forest.get(path), path in named))
    rows.sort(key=lambda row: (named.index(row.path) if row.named else len(named), -row.share, row.path))
    return Importance(tuple(rows), _verdict(named, len(rows), len(trials)), len(trials))


def _no_importance(trials: list[FrozenTrial], columns: list[Column]) -> str:
    """Why importance cannot be computed, as a sentence, or "" if it can."""
    if len(trials) < ENOUGH_TRIALS:
        return f"Importance requires at least {ENOUGH_TRIALS} complete trials; there are {len(trials)}."
    if len({column.path for column in columns}) < 2:
        return "Importance requires at least two searched hyperparameters."
    if len({trial.value for trial in trials}) == 1:
        return "Importance requires trials that differ; all complete trials have the same value."
    return ""


def _shares(columns: list[Column], losses: np.ndarray, weights: np.ndarray) -> dict[str, np.ndarray]:
    """By hyperparameter, its share of the sum in each draw; empty if nothing differs in any draw."""
    total: dict[str, np.ndarray] = {}
    for column, each in zip(columns, divergences(columns, losses, weights), strict=True):
        total[column.path] = total.get(column.path, 0.0) + each
    whole = np.sum(list(total.values()), axis=0)
    return {path: each / np.maximum(whole, 1e-12) for path, each in total.items()} if (whole > 1e-9).any() else {}


def _named(study: optuna.Study) -> list[str]:
    """The hyperparameters that stand out among all finished trials."""
    trials = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED))
    return standing_out(scores(trials, study.direction), columns_of(trials))


def _verdict(named: list[str], searched: int, trials: int) -> str:
    """What can be said. That a hyperparameter is not named does not mean that it matters less than those that are."""
    if not named:
        return f"Too few trials to say which hyperparameter matters ({trials} complete)."
    listed = f"{', '.join(named[:-1])} and {named[-1]} matter" if len(named) > 1 else f"{named[0]} matters"
    return f"{listed}{f'; too few trials to say more ({trials} complete)' if len(named) < searched else ''}."


def _fanova(study: optuna.Study, trials: list[FrozenTrial]) -> Mapping[str, float]:
    """FANOVA's shares among the hyperparameters that all trials have; empty if there are none."""
    few = optuna.create_study(direction=study.direction)  # only complete trials with a finite value
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about a forest of few trials
        try:
            for trial in trials[:: math.ceil(len(trials) / FOREST_TRIALS)]:  # without their times, which may be damaged
                few.add_trial(
                    optuna.create_trial(value=trial.value, params=trial.params, distributions=trial.distributions)
                )
            evaluator = optuna.importance.FanovaImportanceEvaluator(seed=0)
            shares = optuna.importance.get_param_importances(few, evaluator=evaluator)
        except (RuntimeError, ValueError):  # all trees are constant; a value is too large, or damaged
            return {}
    return {path: float(share) for path, share in shares.items() if math.isfinite(share)}
