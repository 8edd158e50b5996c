"""The result of a search, for programs."""

import dataclasses
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Summary:
    """The result of a search.

    `trials` contains the study's `total` and the number of `complete`, `pruned`, `failed` and `interrupted` trials,
    including those of other runs. `storage` lacks its password. `best` contains `number`, `value` and `params` of the
    best complete trial, or is None. `ended` is "done", "timeout" or "signal". Seconds and rates are those of this run.
    So are `epochs_in_vain`, those that trials trained while a pruner gave them up.
    """

    study: str
    storage: str
    metric: str
    trials: dict[str, int]
    best: dict[str, Any] | None
    ended: str
    seconds: float
    trials_per_hour: float
    images_per_second: float
    epochs_in_vain: int = 0

    def to_json(self) -> dict[str, Any]:
        """The summary as `--json` prints it, with the target `total` and, of it, what is `finished`."""
        finished = self.trials["complete"] + self.trials["pruned"]
        return dataclasses.asdict(self) | {"total": self.trials["total"], "finished": finished}
