"""A decider that lets Optuna choose the next trial, and which trials to prune."""

import math
from collections.abc import Sequence
from contextlib import ExitStack
from itertools import accumulate
from time import monotonic

from lenet_search.crew.handle import WorkerHandle
from lenet_search.crew.job import Job
from lenet_search.crew.messages import RunEpoch, Tested, Testing
from lenet_search.look.intervals import figure, grain_of, is_share, mean_of
from lenet_search.look.progress import Best, Standing, View
from lenet_search.search.ledger import Ledger
from lenet_search.search.replicates import TrialJob
from lenet_search.search.supply import FIRST_SLOTS, Supply, fair_share, suitability
from lenet_search.storage.trials import carries_run
from lenet_search.structure import Structure

ALONE = 1  # runs of a worker until the first trial of a portfolio has ended
ORPHANS = 60.0  # seconds between two searches for trials that ended processes left behind


class Searching:
    """The `crew.decider.Decider` of a search.

    Args:
        ledger: the study
        view: where the ends of trials are shown
        slots: slots per stack, if known
    """

    def __init__(self, ledger: Ledger, view: View, slots: int = FIRST_SLOTS) -> None:
        self._ledger = ledger
        self._view = view
        self._slots = slots  # per stack, or a guess until a worker reports it
        self._prunes = ledger.definition.pruner.kind != "NopPruner"
        self._supply = Supply(ledger, prunes=self._prunes)
        self._looked = -math.inf

    def wanted(self) -> int:
        """How many trials could start now or soon, those included that ended processes left behind."""
        if not self._supply.wanted():  # before the search ends
            self._adopt()
        return self._supply.wanted() or self._ledger.doubtful

    def is_short(self, workers: Sequence[WorkerHandle]) -> bool:
        """Whether more trials should be asked for ahead."""
        self._slots = max((each.ready.slots for each in workers if each.ready is not None), default=self._slots)
        return self._supply.is_short(workers, self._slots)

    def ask(self) -> None:
        """Ask for one trial."""
        self._supply.ask()

    def can_deal(self, worker: WorkerHandle, workers: Sequence[WorkerHandle], room: int, leaving: int) -> bool:
        """Whether enough trials are ready. If not, those that ended are told first, so new ones are drawn from them."""
        return self._share(worker, workers, room, leaving) <= len(self._supply)

    def deal(self, worker: WorkerHandle, workers: Sequence[WorkerHandle], room: int, leaving: int) -> list[TrialJob]:
        """Up to `room` new trials, those that suit this worker best. All workers get about the same number."""
        others = set().union(*(other.structures for other in workers if other is not worker))
        running = [job.structure for job in worker.held.values()]
        known = set(worker.structures)

        def suits(structure: Structure) -> int:
            return suitability(structure, running, known, others, self._slots)

        jobs: list[TrialJob] = []
        share = self._share(worker, workers, room, leaving)
        while len(jobs) < share:
            empty = len(worker.held) == leaving and not jobs  # then it takes what it can
            job = self._supply.take(suits, math.inf if empty or not self._prunes else share - len(jobs))
            if job is None:
                break
            running.append(job.structure)
            known.add(job.structure)
            jobs.append(job)
        return jobs

    def _share(self, worker: WorkerHandle, workers: Sequence[WorkerHandle], room: int, leaving: int) -> int:
        everywhere = sum(len(each.held) for each in workers) - leaving
        here = len(worker.held) - leaving
        room = min(room, max(0, ALONE - here)) if self._is_early(worker) else room
        return fair_share(room, self._supply.wanted(), here, everywhere, len(workers))

    def _is_early(self, worker: WorkerHandle) -> bool:
        """Whether the first recipes of a portfolio train alone, so that a good one is complete soon.

        On a processor, a trial alone takes less than half the time that it takes as one of four. A GPU trains as many
        at once in hardly more time.
        """
        return self._ledger.definition.portfolio > 0 and worker.place.gpu is None and not self._ledger.ended()

    def take_back(self, job: Job) -> None:
        """Take back a trial, to be dealt before others."""
        self._supply.take_back(_trial(job))

    def report(self, job: Job, epoch: RunEpoch) -> bool:
        """Report the mean over a trial's runs to Optuna, once all have trained the epoch; returns whether to stop."""
        trial, replicates = _trial(job), _trial(job).replicates
        if replicates.reason or replicates.is_added(trial):
            return bool(replicates.reason)
        mean = replicates.mean_at(epoch.epoch, self._ledger.definition.metric)
        if mean is None:
            return False
        given_up = self._ledger.report(trial, mean)
        if given_up and not job.run.over:
            shown = figure(mean, self._ledger.definition.metric)
            reason = f"{self._ledger.definition.pruner.kind} after epoch {epoch.epoch}"
            replicates.give_up(reason, f"{shown}, {reason}")
        return given_up

    def ended(self, job: Job, last: RunEpoch) -> Testing | None:
        """Note that a run has ended, by completing, diverging or the pruner's word; the last one ends its trial."""
        trial, replicates = _trial(job), _trial(job).replicates
        replicates.end(trial, last.weights)
        if job.run.diverged:
            replicates.give_up(f"diverged in epoch {job.run.epochs}: the loss is not finite")
        more = self._ledger.grow(trial) if replicates.over and not replicates.reason else []
        for each in reversed(more):
            self._supply.take_back(each)
        if replicates.over:
            self._conclude(trial)
        elif not replicates.reason and last.weights is not None:
            self._ledger.frozen.keep(trial, last.weights)
        return None

    def refused(self, job: Job, reason: str) -> None:
        """Give up a trial that cannot be trained here."""
        trial = _trial(job)
        trial.replicates.give_up(reason)
        trial.replicates.end(trial)
        if trial.replicates.over:
            self._conclude(trial)

    def _conclude(self, job: TrialJob) -> None:
        """Tell a trial whose runs have all ended. One that was given up is pruned, so that the sampler learns of it."""
        replicates, metric = job.replicates, self._ledger.definition.metric
        if replicates.reason:
            state, detail, told = "pruned", replicates.detail, self._ledger.prune(job, replicates.reason)
        else:
            representative, weights = replicates.representative(metric)
            value = replicates.mean(metric)
            grain = grain_of(metric, int(representative.run.images.get("validation", 0)))
            state = "complete"
            detail = str(mean_of(replicates.values(metric), share=is_share(metric), grain=grain))
            told = self._ledger.complete(representative, value, weights)
        if told:
            self._view.ended(replicates.name, state, detail)
        else:
            self._view.note(f"{replicates.name} was taken over by another process")

    def froze(self, job: Job) -> None:
        """Keep the trial's state."""
        self._ledger.frozen.freeze(_trial(job))

    def tested(self, done: Tested) -> None:
        """Never: a search does not read the test set."""

    def settled(self, precision: str) -> str:
        """The precision that "auto" means in this study; an earlier choice stands."""
        settled = self._ledger.settle(precision)
        self._view.opening("Precision", f"{settled}, for all trials of this study")
        return settled

    def attend(self) -> None:
        """Send a heartbeat, and adopt trials that ended processes left behind."""
        self._ledger.beat()
        if monotonic() - self._looked >= ORPHANS:
            self._looked = monotonic()
            self._adopt()

    def _adopt(self) -> None:
        for number in self._ledger.adopt_orphans():
            self._view.note(f"resuming trial {number}, left behind by a process that ended")

    def flush(self) -> None:
        """Write what was reported so far."""
        self._ledger.flush()

    def give_back(self, jobs: Sequence[Job]) -> None:
        """Leave unfinished trials to the next run of the study."""
        with ExitStack() as farewell:  # gives back all, even if one fails
            farewell.callback(self._ledger.beat, over=True)
            trials = {_trial(job).trial.number: job for job in (*jobs, *self._supply.give_back())}
            for number, job in trials.items():
                reason = f"after {job.frozen} of {job.run.recipe.train.epochs} epochs"
                farewell.callback(self._give_back, number, reason)

    def _give_back(self, number: int, reason: str) -> None:
        if self._ledger.holds(number):
            self._ledger.give_back(number, reason)

    def standing(self) -> Standing:
        """The study's current state in the storage."""
        ledger = self._ledger
        counts, best = ledger.counts(), ledger.best()
        pick = max if ledger.definition.direction == "maximize" else min
        ended = ledger.standings().ended
        values = [trial.value for trial in ended if trial.value is not None and carries_run(trial)]
        return Standing(
            name=ledger.study.study_name,
            metric=ledger.definition.metric,
            total=max(ledger.total, counts.complete + counts.pruned),  # --trials may ask for fewer than are done
            complete=counts.complete,
            pruned=counts.pruned,
            failed=counts.failed,
            interrupted=counts.interrupted,
            running=counts.running - self._supply.untouched(),
            best=None if best is None or best.value is None else Best(best.number, best.value, best.params),
            bests=tuple(accumulate(values, pick)),
            maximize=ledger.definition.direction == "maximize",
        )


def _trial(job: Job) -> TrialJob:
    assert isinstance(job, TrialJob)
    return job
