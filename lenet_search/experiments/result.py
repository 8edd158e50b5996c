"""The result of a recipe on several seeds: its figures with their intervals, and the verdict on its claim."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from lenet_search.experiments.task import SEEDS, Task
from lenet_search.look.intervals import Estimate, grain_of, is_share, mean_of, share_of
from lenet_search.look.quick import Quick, images_left_out
from lenet_search.look.words import counted
from lenet_search.run import Run
from lenet_search.storage.kept import Kept

# Verdicts on a claim
REACHED = ("above", "reached")
WITHIN, BELOW, OTHER_IMAGES = "within the interval", "below", "other images"
METRICS = ("test_accuracy", "val_accuracy", "val_loss", "val_balanced_accuracy")


@dataclass(frozen=True)
class Result:
    """A task, its runs in the order of its seeds, its images and the number of its trainable parameters."""

    task: Task
    runs: tuple[Run, ...]
    images: Mapping[str, Any]
    parameters: int

    @classmethod
    def of(cls, task: Task, kept: Kept, images: Mapping[str, Any], parameters: int) -> "Result":
        """Read the result from the files of its folder, without seeds that are not done."""
        runs = tuple(run for run in map(kept.run, task.seeds) if run is not None)
        return cls(task, runs, images, parameters)

    def __repr__(self) -> str:
        return f"<Result {self.name!r}: val_accuracy {self.mean('val_accuracy')}, n = {len(self.runs)}>"

    @property
    def name(self) -> str:
        """The recipe's name."""
        return self.task.name

    @property
    def seconds(self) -> float:
        """Training time of all seeds; the time of a stack is divided among its runs."""
        return sum(run.seconds for run in self.runs)

    @property
    def diverged(self) -> int:
        """The number of runs that diverged; means leave them out."""
        return sum(run.diverged for run in self.runs)

    def values(self, metric: str) -> dict[int, float]:
        """The metric after the last epoch, by seed, without runs that diverged or were not measured."""
        values = {}
        for run in self.runs:
            value = run.test_accuracy if metric == "test_accuracy" else run.curve[metric][-1]
            if not run.diverged and value is not None and math.isfinite(value):
                values[run.seed] = value
        return values

    def mean(self, metric: str) -> Estimate:
        """The mean over seeds, with Student's t interval.

        A single run says nothing about the spread over seeds. It gets Wilson's interval over its images instead.
        """
        values, images = list(self.values(metric).values()), self._images(metric)
        if len(values) == 1 and images:
            return replace(share_of(values[0], images), n=1)
        return mean_of(values, share=is_share(metric), grain=self.grain(metric))

    def grain(self, metric: str) -> float:
        """The step of the metric, since accuracies are multiples of one image; 0 for a loss."""
        return grain_of(metric, self._images(metric))

    def _images(self, metric: str) -> int:
        if metric == "test_accuracy":
            return next((run.n for run in self.runs if run.n), 0)
        return int(self.images["validation"]) if metric == "val_accuracy" else 0

    @property
    def quick(self) -> Quick:
        """Whether these figures come from a shortened recipe or from a part of the images."""
        recipe, reasons = self.task.recipe, []
        if self.task.quick:
            reasons = [counted(recipe.train.epochs, "epoch"), counted(len(self.task.seeds), "seed")]
            tested = self._images("test_accuracy")
            reasons += [counted(tested, "test image")] if tested else []
        return Quick.check(*reasons, images_left_out(recipe.data.limit, self.images))

    def verdict(self) -> str:
        """How the mean test accuracy compares with the reported one, in words; empty if either is missing."""
        claim, mean = self.task.claim, self.mean("test_accuracy")
        if claim is None or claim.test_accuracy is None or mean.value is None:
            return ""
        if not claim.comparable:
            return OTHER_IMAGES
        if mean.value >= claim.test_accuracy:
            surely = mean.low is not None and mean.low > claim.test_accuracy
            return REACHED[0] if surely else REACHED[1]
        if mean.high is None or mean.high >= claim.test_accuracy:
            return WITHIN
        return BELOW

    def summary(self) -> dict[str, Any]:
        """The result as JSON, without the curves."""
        claim = self.task.claim
        told = None if claim is None else {
            "source": claim.source,
            "test_accuracy": claim.test_accuracy,
            "comparable": claim.comparable,
            "note": claim.note,
        }  # fmt: skip
        return {
            "name": self.name,
            "title": self.task.title,
            "quick": self.quick.why or None,
            "claim": told,
            "metrics": {metric: self.mean(metric).to_json() for metric in METRICS},
            "verdict": self.verdict() or None,
            "parameters": self.parameters,
            "epochs": self.task.recipe.train.epochs,
            "seconds": round(self.seconds, 1),
            "diverged": self.diverged,
            "images": {key: self.images[key] for key in ("name", "digest", "train", "validation")}
            | {"test": next((run.n for run in self.runs if run.n), None)},
            "seeds": [
                {"seed": run.seed, "diverged": run.diverged}
                | {metric: self.values(metric).get(run.seed) for metric in METRICS}
                for run in self.runs
            ],
            "device": next((run.device for run in self.runs), None),
            "versions": next((run.versions for run in self.runs), None),
            "values": self.task.recipe.values(),
        }


def quick_of(results: Sequence[Result]) -> Quick:
    """Whether results are quick checks, all or some of them by name, or of fewer seeds than usual."""
    if not results:
        return Quick()
    names: dict[str, list[str]] = {}
    for result in results:
        if result.quick:
            names.setdefault(result.quick.why, []).append(result.name)
    if names:
        return Quick.check(
            *(why if len(of) == len(results) else f"{', '.join(of)}: {why}" for why, of in names.items())
        )
    return Quick.few_seeds(min(len(result.task.seeds) for result in results), SEEDS)
