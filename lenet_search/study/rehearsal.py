"""A few trials in memory, without training: whether sampler and pruner can do their work in this study."""

import inspect
import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from lenet_search.space import Range, Space
from lenet_search.study.component import Component, component_class
from lenet_search.study.hub import FAULTS, is_of_hub, reason
from lenet_search.study.source import Source

if TYPE_CHECKING:
    import optuna

TRIALS = 6
# So many trials take these samplers from their first draws, at random, to those that they are chosen for.
SOON = {"n_startup_trials": 2, "population_size": 2}
MOST_EPOCHS = 30  # that a trial reports


def report_failures(source: Source, sampler: Component, pruner: Component, space: Space) -> None:
    """Ask, report and tell as a search does, and report what Optuna refuses."""
    import optuna

    level = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # shown once, in the search
            _rehearse(source, sampler, pruner, space)
    finally:
        optuna.logging.set_verbosity(level)


def longest_trial(space: Space) -> int:
    """The most epochs that a trial can have."""
    epochs = space.possible("train.epochs")
    return int(epochs.high) if isinstance(epochs, Range) else max(int(n) for n in epochs)


def _rehearse(source: Source, sampler: Component, pruner: Component, space: Space) -> None:
    import optuna

    least, longest = pruner.arguments.get("min_resource", "auto"), longest_trial(space)
    if isinstance(least, int) and least > longest:
        expected = f"at most {longest}, the epochs of the longest trial: {pruner.kind} would prune none"
        source.report(("study", "pruner", "min_resource"), expected, least)
        return
    try:
        study = optuna.create_study(
            sampler=_sooner(sampler).build(0), pruner=pruner.for_epochs(longest_trial(space)).build(0)
        )
        for number in range(TRIALS):
            trial = study.ask()
            space.sample(trial)
            if not _judge(source, trial, pruner, space) or not _tell(study, trial, float(number % 3)):
                return
    except FAULTS as error:
        expected = f"a sampler that can draw from this space ({reason(error)})"
        source.report(("study", "sampler"), expected, sampler.table())


def _judge(source: Source, trial: "optuna.Trial", pruner: Component, space: Space) -> bool:
    """Report a trial's epochs, and ask the pruner after each. False if it fails, which is reported."""
    try:
        for epoch in range(1, min(longest_trial(space), MOST_EPOCHS) + 1):
            trial.report(1.0 / epoch, epoch)
            trial.should_prune()
    except FAULTS as error:
        epochs = longest_trial(space)
        expected = f"a pruner for trials of up to {epochs} epoch{'' if epochs == 1 else 's'} ({reason(error)})"
        source.report(("study", "pruner"), expected, pruner.table())
        return False
    return True


def _tell(study: "optuna.Study", trial: "optuna.Trial", value: float) -> bool:
    """Whether more trials can be asked for."""
    try:
        study.tell(trial, value)
    except RuntimeError as error:  # raised, after telling, by a sampler that has tried every combination
        if "Study.stop" not in str(error):
            raise
        return False
    return True


def _sooner(component: Component) -> Component:
    """The component, and those that it wraps, with fewer trials to wait for.

    Those of OptunaHub stay as they are: what their arguments of these names may be is not known here.
    """
    arguments: dict[str, Any] = {
        name: _sooner(value) if isinstance(value, Component) else value for name, value in component.arguments.items()
    }
    soon = {} if is_of_hub(component.kind) else SOON
    for name in soon.keys() & inspect.signature(component_class(component.kind)).parameters:
        arguments[name] = min(SOON[name], arguments.get(name, SOON[name]))
    return replace(component, arguments=arguments)
