"""What a run came to, for a program to read."""

import dataclasses
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Summary:
    """The end of a run.

    `trials` has the study's `total` and how many are `complete`, `pruned`, `failed` and `interrupted`, other runs'
    included; `best` the `number`, `value` and `params` of the best complete trial, or None. `ended` is "done",
    "timeout", or "signal". Seconds and rates are this run's.
    """

    study: str
    storage: str
    trials: dict[str, int]
    best: dict[str, Any] | None
    ended: str
    seconds: float
    trials_per_hour: float
    images_per_second: float

    def to_json(self) -> dict[str, Any]:
        """The summary as `--json` prints it."""
        return dataclasses.asdict(self)
