"""The percentile pruner that remembers, against Optuna's own."""

import math
import random
import warnings

import optuna
import pytest

from lenet_search.search.percentiles import RememberingPercentilePruner


@pytest.mark.parametrize("direction", ["maximize", "minimize"])
@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"percentile": 25.0, "n_startup_trials": 0},
        {"percentile": 80.0, "n_warmup_steps": 3, "interval_steps": 2},
        {"percentile": 100.0, "n_startup_trials": 1, "interval_steps": 3},
        {"n_startup_trials": 2, "n_min_trials": 6},
    ],
    ids=str,
)
def test_it_judges_every_report_as_optuna_does(arguments, direction):
    arguments = {"percentile": 50.0, **arguments}
    theirs, ours = optuna.pruners.PercentilePruner(**arguments), RememberingPercentilePruner(**arguments)
    study = optuna.create_study(direction=direction)
    luck = random.Random(1)
    running: dict[int, tuple[optuna.Trial, list[int]]] = {}
    judged = []
    for _ in range(400):  # four trials side by side, of different lengths; some skip steps, some diverge
        while len(running) < 4:
            trial = study.ask()
            steps = sorted(luck.sample(range(9), luck.randint(1, 8)))
            running[trial.number] = trial, steps
        number = luck.choice(list(running))
        trial, steps = running[number]
        trial.report(math.nan if luck.random() < 0.05 else luck.choice([0.1, 0.2, luck.random()]), steps.pop(0))
        frozen = study.trials[number]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # NumPy's, of Optuna's percentile of nothing but NaN
            judged.append(theirs.prune(study, frozen))
        assert ours.prune(study, frozen) == judged[-1]
        if not steps or luck.random() < 0.1:
            complete = not steps and not math.isnan(frozen.intermediate_values[frozen.last_step])
            study.tell(number, 0.5 if complete else None, state=None if complete else optuna.trial.TrialState.PRUNED)
            del running[number]
    assert any(judged)
    assert not all(judged)
