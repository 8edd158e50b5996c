"""The books of a study after the faults: what was asked for, what is stored, and what can be trained again."""

import math
from collections import Counter
from typing import Any

import numpy as np

from faulting.search import EPOCHS, Search

NEAR = 0.02  # by how much a loss may differ when it is trained again beside fewer others, which rounds differently


def check(search: Search, again: int) -> tuple[list[str], dict[str, int]]:
    """What is wrong with the study, and its counts."""
    import optuna
    from optuna.trial import TrialState

    from lenet_search.storage import open_storage
    from lenet_search.storage.trials import REASON, carries_run, run_of

    problems = [*search.problems, *(f"left: {each}" for each in search.left())]
    problems += [f"told: {each}" for each in search.told()]
    storage = open_storage(search.storage.url, create=False)
    study = optuna.load_study(study_name="faults", storage=storage)
    trials = study.get_trials(deepcopy=False)
    states = Counter(trial.state.name for trial in trials)
    ended = [trial for trial in trials if trial.state in (TrialState.COMPLETE, TrialState.PRUNED)]
    if len(ended) != search.total or states["RUNNING"] or states["WAITING"]:
        problems.append(f"total: expected {search.total} ended trials and none open; found {dict(states)}")
    same = Counter(tuple(sorted(trial.params.items())) for trial in ended)
    problems += [f"once: {count} trials have {dict(params)}" for params, count in same.items() if count > 1]
    runs = {}
    for trial in ended:
        if not carries_run(trial):
            problems.append(f"whole: trial {trial.number} ({trial.state.name}) carries no run")
            continue
        run = runs[trial.number] = run_of(trial)
        reported = {epoch + 1: value for epoch, value in enumerate(run.curve["val_accuracy"])}
        if any(not math.isclose(reported.get(e, math.nan), v) for e, v in trial.intermediate_values.items()):
            problems.append(f"whole: trial {trial.number} reported {trial.intermediate_values}, its run has {reported}")
        if len(trial.intermediate_values) != run.epochs or sum(epochs for _, epochs in run.clocks) != run.epochs:
            problems.append(f"whole: trial {trial.number} has {len(trial.intermediate_values)} reports, {run.clocks}")
        if trial.state == TrialState.COMPLETE and (run.epochs != EPOCHS or trial.value != reported[EPOCHS]):
            problems.append(f"value: trial {trial.number} has {trial.value}, its run {run.curve['val_accuracy']}")
    stretched = sorted(runs.values(), key=lambda run: -len(run.clocks))[:again]  # those that were interrupted most
    problems += [problem for run in stretched if (problem := differs(run))]
    facts = {name.lower(): count for name, count in sorted(states.items())}
    failed = (trial for trial in trials if trial.state == TrialState.FAIL)
    facts |= Counter(f"failed: {trial.user_attrs.get(REASON)}"[:60] for trial in failed)
    facts["interrupted and resumed"] = sum(len(run.clocks) > 1 for run in runs.values())
    facts["stretches of the most interrupted"] = max((len(run.clocks) for run in runs.values()), default=0)
    facts["trained again"] = len(stretched)
    facts |= {f"exit code {code}": count for code, count in sorted(search.codes.items())}
    return problems, facts


def differs(run: Any) -> str:
    """Train a run again from its recipe, seed and clocks; how it differs, or nothing."""
    from lenet_search import data
    from lenet_search.engine import Stack
    from lenet_search.space import Space
    from lenet_search.structure import structure_of

    split = data.load(run.recipe.images)
    structure = structure_of(run.recipe, Space.from_recipe(run.recipe))
    state: Any = None
    losses: list[float] = []
    for clock, epochs in run.clocks:
        stack = Stack(structure, split, 1, clock)
        slot = stack.load(run.recipe, run.seed) if state is None else stack.thaw(run.recipe, len(losses), state)
        losses += [stack.epoch()[slot].val_loss for _ in range(epochs)]
        state = stack.freeze(slot)
    if len(losses) != run.epochs:
        return f"again: seed {run.seed} has {run.epochs} epochs, and {run.clocks}"
    close = np.isclose(losses, run.curve["val_loss"], rtol=0, atol=NEAR, equal_nan=True)
    return "" if close.all() else f"again: seed {run.seed} has losses {run.curve['val_loss']}, and {losses} again"
