"""How many trials a study can have: a finite space is not searched twice."""

import math
from dataclasses import dataclass

from lenet_search.study import Definition

EVERY_ONCE = "BruteForceSampler"  # tries each combination of a finite space once
GRID = "GridSampler"


@dataclass(frozen=True)
class Total:
    """The number of trials of a study and, if it is not the number requested, the reason, as words that follow it."""

    trials: int
    reason: str = ""


def total_of(definition: Definition, trials: int) -> Total:
    """The total of a study for which `trials` trials were requested.

    A study that searches nothing is one recipe, so it has one trial; with `repeat = true`, it has `trials` trials with
    different seeds. Samplers that try each combination once end with the last one.
    """
    if not definition.space.searched():
        if definition.repeat:
            return Total(trials, " of one recipe, with different seeds")
        return Total(1, ", because every value is fixed (study.repeat = true: several seeds)" if trials > 1 else "")
    kind, most, before = definition.sampler.kind, None, 0
    if kind == EVERY_ONCE:
        most = definition.space.combinations()
    elif kind == GRID:
        before = len(definition.first)  # Optuna counts none of them as a point of the grid
        most = before + math.prod(len(values) for values in definition.sampler.arguments["search_space"].values())
    if most is None or most >= trials:
        return Total(trials)
    more = f", and {before} to begin with" if before else ""
    return Total(most, f", the number of combinations for {kind}{more}")
