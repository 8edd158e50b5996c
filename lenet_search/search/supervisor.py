"""The supervisor: starts workers, hands them trials, hears of every epoch, and outlives whatever happens to them."""

import math
import time
from contextlib import ExitStack
from dataclasses import replace
from itertools import accumulate
from multiprocessing.connection import wait
from pathlib import Path

from lenet_search import errors
from lenet_search.errors import LenetSearchError, RunError
from lenet_search.search.devices import Place, places
from lenet_search.search.interrupt import Stop
from lenet_search.search.ledger import Held, Ledger
from lenet_search.search.messages import EpochDone, Job, Orders, Ready, Setup, TrialEpoch, Trouble
from lenet_search.search.pace import Pace
from lenet_search.search.process import WorkerProcess
from lenet_search.search.progress import Best, Progress, RunningTrial, View

TICK = 0.25  # seconds between two looks at signals, the clock and the view
LOOK = 2.0  # seconds between two looks at what other runs have done
ORPHANS = 60.0  # seconds between two searches for trials that nobody runs any more
MOST_DEATHS = 3  # workers in a row that may die before any of them has run an epoch


def fair_share(room: int, wanted: int, here: int, everywhere: int, workers: int) -> int:
    """How many of `wanted` new trials a worker takes that holds `here` and has `room`, so that all end together.

    All workers' trials, the `everywhere` that run and the wanted, are dealt out evenly.
    """
    return min(room, wanted, max(0, math.ceil((wanted + everywhere) / workers) - here))


class Supervisor:
    """Runs a study's trials in worker processes until there are enough, the time is up, or a signal comes.

    Args:
        ledger: the study
        where: one place per worker
        setup: what workers need to know; their places give the threads
        cores: to fall back on, should the GPUs be of no use
        count: how many workers were asked for, None to suit the device
        logs: folder for the workers' logs
        view: where progress is shown
        stop: holds a signal, once one came
        deadline: when to stop, on the monotonic clock
    """

    def __init__(
        self,
        ledger: Ledger,
        where: list[Place],
        setup: Setup,
        cores: int,
        count: int | None,
        logs: Path,
        view: View,
        stop: Stop,
        deadline: float,
    ) -> None:
        self.pace = Pace()
        self._ledger = ledger
        self._places = where
        self._setup = setup
        self._cores = cores
        self._count = count
        self._logs = logs
        self._view = view
        self._stop = stop
        self._deadline = deadline
        self._workers: list[WorkerProcess] = []
        self._started = 0
        self.deaths = 0  # of workers, in the whole run
        self._deaths_in_row = 0
        self._announced = False
        self._shown: tuple[float, Progress] | None = None

    def run(self) -> str:
        """Search; says why it ended: "done", "timeout" or "signal". No trial of this run is RUNNING afterwards.

        Raises:
            LenetSearchError: workers keep dying, or cannot do what the study asks for.
        """
        reason = "the search was ended by an error"
        try:
            ended = self._search()
            reason = "interrupted" if ended == "signal" else "the time was up"
            return ended
        finally:
            held = [number for worker in self._workers for number in worker.held]
            for worker in self._workers:
                worker.kill()
            self._workers.clear()
            with ExitStack() as farewell:  # each is tried, whatever becomes of the others
                farewell.callback(self._ledger.beat, over=True)
                for number in held:
                    farewell.callback(self._ledger.requeue, number, reason, death=False)

    def _search(self) -> str:
        looked = orphans = -math.inf
        while True:
            if self._stop.signal is not None:
                return "signal"
            now = time.monotonic()
            if now >= self._deadline:
                return "timeout"
            self._ledger.beat()
            if now - orphans >= ORPHANS:
                orphans = now
                for number in self._ledger.adopt_orphans():
                    self._view.note(f"trial {number} was left behind by a run that ended: it is queued again")
            if now - looked >= LOOK:
                looked = now
                if not any(worker.held for worker in self._workers) and not self._ledger.wanted():
                    return "done"
                self._staff()
                self._feed_idle()
            self._view.update(self.progress())
            ready = wait([worker.pipe for worker in self._workers], TICK)
            for worker in [worker for worker in self._workers if worker.pipe in ready]:
                if worker in self._workers:  # hearing another may have replaced them all
                    self._hear(worker)
                    looked = -math.inf if worker.idle else looked

    def _staff(self) -> None:
        """Start the workers that are missing, but no more than there are trials for."""
        needed = self._ledger.wanted() + sum(bool(worker.held) for worker in self._workers)
        while len(self._workers) < min(len(self._places), needed):
            taken = [worker.place for worker in self._workers]
            free = list(self._places)
            for place in taken:
                free.remove(place)
            self._started += 1
            setup = replace(self._setup, threads=free[0].threads)
            self._workers.append(WorkerProcess(free[0], setup, self._logs / f"worker-{self._started}.log"))

    def _feed_idle(self) -> None:
        for worker in self._workers:
            if worker.idle and worker.ready is not None and (jobs := self._jobs(worker, worker.ready.slots)):
                worker.tell(Orders(new=jobs))

    def _jobs(self, worker: WorkerProcess, room: int) -> tuple[Job, ...]:
        """Up to `room` new trials for a worker, so that all workers have about as many."""
        everywhere = sum(len(each.held) for each in self._workers)
        jobs = []
        for _ in range(fair_share(room, self._ledger.wanted(), len(worker.held), everywhere, len(self._workers))):
            held = self._ledger.ask()
            if held is None:
                break
            worker.held[held.number] = held
            jobs.append(Job(held.number, held.recipe.values(), held.seed))
        return tuple(jobs)

    def _hear(self, worker: WorkerProcess) -> None:
        message = worker.listen()
        if isinstance(message, Ready):
            self._welcome(worker, message)
        elif isinstance(message, EpochDone):
            self._deaths_in_row = 0
            self._answer(worker, message)
        elif isinstance(message, Trouble):
            kind = getattr(errors, message.kind, RunError)
            raise kind(message.message) if issubclass(kind, LenetSearchError) else RunError(message.message)
        else:
            self._bury(worker)

    def _welcome(self, worker: WorkerProcess, ready: Ready) -> None:
        worker.ready = ready
        if worker.place.gpu is not None and not ready.on_gpu:
            self._view.note(
                "this machine has a GPU that cannot be used: pip install 'lenet-search[gpu]' (for JAX 'jax[cuda12]'). "
                "Going on with the CPU."
            )
            for each in self._workers:
                each.kill()
                for number in each.held:
                    self._ledger.requeue(number, "its GPU could not be used", death=False)
            self._workers.clear()
            self._places = places(self._count, [], self._cores)
            return
        if not self._announced:
            self._announced = True
            self._view.opening("Workers", f"{len(self._workers)} x {ready.slots} slots, each on {ready.device}")
        self.pace.begin()

    def _answer(self, worker: WorkerProcess, done: EpochDone) -> None:
        assert worker.ready is not None
        given_up = []
        for epoch in done.epochs:
            held = worker.held[epoch.number]
            held.add(epoch, done.images, worker.ready)
            self.pace.add_images(epoch.images)
            still = self._judge(held, epoch)
            if not still:
                del worker.held[epoch.number]
                if epoch.finite and epoch.epoch < held.recipe.train.epochs:
                    given_up.append(epoch.number)
        new = self._jobs(worker, min(worker.ready.slots, done.room + len(given_up)))
        worker.tell(Orders(tuple(given_up), new))

    def _judge(self, held: Held, done: TrialEpoch) -> bool:
        """Report an epoch, and tell the trial if it ended; whether it goes on."""
        value = done.measured[self._ledger.definition.metric]
        if not done.finite:
            self._ledger.report(held, done.epoch, math.nan)
            reason = f"diverged in epoch {done.epoch}: the loss is not finite"
            self._ended(held, "pruned", reason, self._ledger.prune(held, reason))
            return False
        give_up = self._ledger.report(held, done.epoch, value)
        if done.epoch == held.recipe.train.epochs:
            told = self._ledger.complete(held, value, done.weights)
            self._ended(held, "complete", f"{value:.4f}", told)
            return False
        if give_up:
            reason = f"{self._ledger.definition.pruner.kind} after epoch {done.epoch}"
            self._ended(held, "pruned", f"{value:.4f}, {reason}", self._ledger.prune(held, reason))
        return not give_up

    def _ended(self, held: Held, state: str, detail: str, told: bool) -> None:
        self._shown = None
        if told:
            self.pace.trials += 1
            self._view.ended(held.number, state, detail)
        else:
            self._view.note(f"trial {held.number} was taken over by another run")

    def _bury(self, worker: WorkerProcess) -> None:
        reason = worker.last_words()
        worker.kill()
        self._workers.remove(worker)
        self.deaths += 1
        self._deaths_in_row += 1
        for number in worker.held:
            again = self._ledger.requeue(number, reason, death=True)
            self._view.ended(number, "failed", f"{reason}; {'queued again' if again else 'given up'}")
        worker.held.clear()
        if self._deaths_in_row >= MOST_DEATHS:
            raise RunError(
                f"{self._deaths_in_row} workers in a row died before they had trained for an epoch; "
                f"the last one: {reason}\n"
                f"What they wrote is in {self._logs}"
            )
        self._view.note(f"{reason}; another takes its place (log: {worker.log})")

    def progress(self) -> Progress:
        """Where the search stands. The storage is read every `LOOK` seconds and when a trial ended."""
        now = time.monotonic()
        if self._shown is None or now - self._shown[0] >= LOOK:
            self._shown = now, self._from_storage()
        stored = self._shown[1]
        running = [
            RunningTrial(held.number, held.recipe.train.epochs, held.curve[stored.metric])
            for worker in self._workers
            for held in worker.held.values()
        ]
        done = stored.complete + stored.pruned + sum(len(trial.values) / trial.epochs for trial in running)
        left = self.pace.seconds_left(done, stored.total)
        if self._deadline < math.inf:
            left = min(left if left is not None else math.inf, self._deadline - now)
        return replace(
            stored,
            running=running,
            elsewhere=max(0, stored.elsewhere - len(running)),
            seconds=self.pace.seconds,
            seconds_left=left,
            trials_per_hour=self.pace.trials_per_hour,
            images_per_second=self.pace.images_per_second,
        )

    def _from_storage(self) -> Progress:
        ledger = self._ledger
        counts, best, completed = ledger.counts(), ledger.best(), ledger.completed()
        pick = max if ledger.definition.direction == "maximize" else min
        values = [trial.value for trial in completed if trial.value is not None]
        return Progress(
            study=ledger.study.study_name,
            metric=ledger.definition.metric,
            total=ledger.total,
            complete=counts.complete,
            pruned=counts.pruned,
            failed=counts.failed,
            elsewhere=counts.running,
            best=None if best is None or best.value is None else Best(best.number, best.value, best.params),
            bests=tuple(accumulate(values, pick)),
        )
