"""How many trials a study can have: a space that is finite is not searched twice."""

import math
from dataclasses import dataclass

from lenet_search.study import Definition

EVERY_ONCE = "BruteForceSampler"  # tries each combination of a finite space once
GRID = "GridSampler"


@dataclass(frozen=True)
class Total:
    """How many trials a study is to have, and why fewer than were asked for, as words that go behind the number."""

    trials: int
    reason: str = ""


def total_of(definition: Definition, trials: int) -> Total:
    """The total for a study that was asked for so many `trials`.

    A study with nothing open is one recipe: one trial, unless it says `repeat = true`, and then each trial is another
    seed. Samplers that try each combination once end with the last one.
    """
    if not definition.space.searched():
        if definition.repeat:
            return Total(trials, " of one recipe, each with another seed")
        return Total(
            1, ", since nothing is open (study.repeat = true trains it with several seeds)" if trials > 1 else ""
        )
    kind, most = definition.sampler.kind, None
    if kind == EVERY_ONCE:
        most = definition.space.combinations()
    elif kind == GRID:
        most = math.prod(len(values) for values in definition.sampler.arguments["search_space"].values())
    if most is None or most >= trials:
        return Total(trials)
    return Total(most, f": {kind} ends with the last combination")
