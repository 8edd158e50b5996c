"""The runs of a trial from different seeds: its replicates, which count as one trial."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import optuna

from lenet_search.crew.job import Job

Weights = Mapping[str, np.ndarray]


@dataclass(eq=False, kw_only=True)
class TrialJob(Job):
    """A run of a trial of this process, from ask to tell. Most studies have one for each trial."""

    trial: optuna.Trial
    replicates: "Replicates" = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.replicates = Replicates([self])


class Replicates:
    """The runs of one trial, in the order of their seeds.

    Args:
        jobs: the runs that every trial has; `add` adds those of a promising one
    """

    def __init__(self, jobs: Sequence[TrialJob]) -> None:
        self.jobs: list[TrialJob] = []
        self.reason = ""  # why the trial is given up, once it is: its other runs then leave, too
        self.detail = ""  # the same for people
        self._weights: dict[TrialJob, Weights | None] = {}  # of the runs that have ended
        self._first = len(jobs)
        self.add(jobs)

    def add(self, jobs: Sequence[TrialJob]) -> None:
        """Add runs. Nothing of them is reported by epoch: the trial's first runs already were."""
        self.jobs += jobs
        for job in jobs:
            job.replicates = self

    @property
    def name(self) -> str:
        """The trial, for people."""
        return f"trial {self.jobs[0].trial.number}"

    @property
    def over(self) -> bool:
        """Whether all runs have ended."""
        return len(self._weights) == len(self.jobs)

    @property
    def pending(self) -> list[TrialJob]:
        """The runs that have not ended."""
        return [job for job in self.jobs if job not in self._weights]

    def is_added(self, job: TrialJob) -> bool:
        """Whether a run was added because the trial was promising."""
        return job in self.jobs[self._first :]

    def end(self, job: TrialJob, weights: Weights | None = None) -> None:
        """Note that a run has ended; its weights, if it is complete."""
        self._weights[job] = weights

    def give_up(self, reason: str, detail: str = "") -> None:
        """Give the trial up, unless it is already; `detail` is the reason in more words, for people."""
        if not self.reason:
            self.reason, self.detail = reason, detail or reason

    def mean_at(self, epoch: int, metric: str) -> float | None:
        """The mean of a metric over the first runs after `epoch` epochs; None until all have got there.

        NaN if one diverged: it will never get there, and the trial is as good as lost.
        """
        runs = [job.run for job in self.jobs[: self._first]]
        if any(run.diverged for run in runs):
            return math.nan
        if any(run.epochs < epoch for run in runs):
            return None
        return math.fsum(run.curve[metric][epoch - 1] for run in runs) / len(runs)

    def values(self, metric: str) -> list[float]:
        """A metric of all runs, each after its last epoch."""
        return [job.run.curve[metric][-1] for job in self.jobs]

    def mean(self, metric: str) -> float:
        """The mean of `values`."""
        return math.fsum(self.values(metric)) / len(self.jobs)

    def representative(self, metric: str) -> tuple[TrialJob, Weights | None]:
        """The run that is nearest the mean, and stands for the trial; the first of several."""
        mean = self.mean(metric)
        job = min(self.jobs, key=lambda each: abs(each.run.curve[metric][-1] - mean))
        return job, self._weights.get(job)
