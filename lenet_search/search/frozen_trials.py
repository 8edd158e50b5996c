"""The files from which interrupted trials resume: a frozen run for each of their seeds, and runs that are over.

They lie in a folder beside the artifacts, under names that trials note. The storage is not needed to write them.
"""

import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import numpy as np

from lenet_search.errors import ResultError
from lenet_search.frozen import read_finished, read_frozen, write_finished, write_frozen
from lenet_search.run import Run
from lenet_search.search.replicates import TrialJob
from lenet_search.storage.trials import noted

FROZEN = "frozen"  # noted of a trial: the name of its file, in a folder of this name


class FrozenTrials:
    """The files of a study's trials.

    Args:
        artifacts: folder of the study's artifacts
        note: called with messages for people
    """

    def __init__(self, artifacts: Path, note: Callable[[str], None]) -> None:
        self._folder = artifacts / FROZEN
        self._note = note

    def freeze(self, job: TrialJob) -> None:
        """Write a frozen run, from which its trial can resume."""
        assert job.state is not None
        state = job.state
        self._write(job, lambda: write_frozen(self._frozen(job), job.run, state))

    def keep(self, job: TrialJob, weights: Mapping[str, np.ndarray]) -> None:
        """Write a run that is over, whose trial is not, for the case that the trial is interrupted."""
        self._write(job, lambda: write_finished(self._finished(job), job.run, weights))

    def thaw(self, job: TrialJob) -> None:
        """Resume a run of a trial from its file, if the trial was interrupted."""
        try:
            finished = read_finished(self._finished(job))
            if finished is not None and _is_of(job, finished[0]) and len(job.replicates.pending) > 1:
                job.run, weights = finished
                job.replicates.end(job, weights)
                return
            frozen = read_frozen(self._frozen(job))
        except ResultError as error:
            self._note(f"{job.name} starts again from the beginning: {error}")
            return
        if frozen is not None and _is_of(job, frozen[0]):
            job.run, state = frozen
            job.froze(job.run.epochs, state)
        elif job.trial._cached_frozen_trial.intermediate_values and not job.replicates.is_added(job):
            why = "it is not in" if frozen is None else "another run has its name in"
            self._note(f"{job.name} starts again from the beginning: {why} {self._folder}")

    def forget(self, job: TrialJob) -> None:
        """Remove the files of a trial that is over, if there are any and they can be removed."""
        for each in job.replicates.jobs:
            for file in (self._frozen(each), self._finished(each)):
                with suppress(OSError):
                    file.unlink()

    def _write(self, job: TrialJob, write: Callable[[], None]) -> None:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            write()
        except OSError as error:  # a full disk must not end a search
            self._note(f"cannot save the state of {job.name}: {error}")

    def _frozen(self, job: TrialJob) -> Path:
        name = Path(noted(job.trial._cached_frozen_trial, FROZEN))
        place = job.replicates.jobs.index(job)
        return self._folder / (f"{name.stem}-{place + 1}.npz" if place else name.name)

    def _finished(self, job: TrialJob) -> Path:
        return self._frozen(job).with_suffix(".finished.npz")


def new_name() -> str:
    """A name for the file of a frozen run."""
    return f"{uuid.uuid4().hex}.npz"


def _is_of(job: TrialJob, run: Run) -> bool:
    return run.is_of(job.run.recipe, job.run.seed)
