"""The supervisor: starts workers, hands them trials, hears of every epoch, and outlives whatever happens to them."""

import math
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from itertools import accumulate
from multiprocessing.connection import wait
from pathlib import Path

from lenet_search import errors
from lenet_search.crew.places import Place, places
from lenet_search.crew.signals import Stop
from lenet_search.errors import LenetSearchError, RunError
from lenet_search.look.progress import Best, Progress, RunningTrial, View
from lenet_search.search.ledger import Held, Ledger
from lenet_search.search.messages import EpochDone, Job, Measuring, Orders, Ready, Setup, TrialEpoch, Trouble
from lenet_search.search.pace import Pace
from lenet_search.search.process import WorkerProcess
from lenet_search.search.supply import Supply, fair_share, suitability
from lenet_search.structure import Structure

TICK = 0.25  # seconds between two looks at signals, the clock and the view
LOOK = 2.0  # seconds between two looks at what other runs have done
ORPHANS = 60.0  # seconds between two searches for trials that nobody runs any more
FIRST_SLOTS = 4  # trials that are asked ahead for each worker while it starts: a CPU's default stack
SLOWER = 1000  # ended trials for which trials are asked for one epoch earlier: TPE takes 20 to 30 ms per 1,000
MOST_DEATHS = 3  # workers in a row that may die before any of them has run an epoch


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
        crew: workers that were started already, in the first of the places
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
        crew: Sequence[WorkerProcess] = (),
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
        self._workers = list(crew)
        self._supply = Supply(ledger)
        self._started = len(crew)
        self.deaths = 0  # of workers, in the whole run
        self._deaths_in_row = 0
        self._announced = False
        self._told: set[str] = set()
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
            held += self._supply.give_back()
            for worker in self._workers:
                worker.kill()
            self._workers.clear()
            with ExitStack() as farewell:  # each is tried, whatever becomes of the others
                farewell.callback(self._ledger.beat, over=True)
                for number in held:
                    farewell.callback(self._ledger.requeue, number, reason, death=False)

    def _search(self) -> str:
        looked = orphans = drawn = -math.inf
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
                if not any(worker.held for worker in self._workers) and not self._supply.wanted():
                    return "done"
                self._staff()
                self._feed_idle()
            if now - drawn >= TICK:
                drawn = now
                self._view.update(self.progress())
            short = self._supply.is_short(self._needed_soon())
            if short and len(self._workers) == 1:  # before it is heard: its speed must not decide what is drawn
                self._supply.ask()
                continue
            ready = wait([worker.pipe for worker in self._workers], 0 if short else TICK)
            if short and not ready:
                self._supply.ask()
            for worker in [worker for worker in self._workers if worker.pipe in ready]:
                if worker in self._workers:  # hearing another may have replaced them all
                    self._hear(worker)
                    looked = -math.inf if worker.idle else looked

    def _staff(self) -> None:
        """Start the workers that are missing, but no more than there are trials for."""
        needed = self._supply.wanted() + sum(bool(worker.held) for worker in self._workers)
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

    def _jobs(self, worker: WorkerProcess, room: int, leaving: int = 0) -> tuple[Job, ...]:
        """Up to `room` new trials for a worker that `leaving` are about to leave, so that all have about as many."""
        jobs = []
        elsewhere = set().union(*(other.structures for other in self._workers if other is not worker))

        def suits(structure: Structure) -> int:
            running = [held.structure for held in worker.held.values()]
            return suitability(structure, running, worker.structures, elsewhere, self._stack_size())

        for _ in range(self._share(worker, room, leaving)):
            held = self._supply.take(suits)
            if held is None:
                break
            worker.hold(held)
            jobs.append(Job(held.number, held.recipe.values(), held.seed))
        return tuple(jobs)

    def _share(self, worker: WorkerProcess, room: int, leaving: int) -> int:
        everywhere = sum(len(each.held) for each in self._workers) - leaving
        here = len(worker.held) - leaving
        return fair_share(room, self._supply.wanted(), here, everywhere, len(self._workers))

    def _needed_soon(self) -> int:
        """How many slots will be free when their workers are next heard of.

        Of trials in their last epoch, as many more as lately ended early, and all of a worker that starts. A sampler
        takes the longer, the more trials have ended; then begin earlier, so that a stack whose trials all end together
        finds others. Where trials differ in structure, as many more as all stacks have slots, to choose from.
        """
        epochs = 1 + self._ledger.ended() // SLOWER
        starting = sum(worker.ready is None for worker in self._workers)
        needed = (starting + self._supply.mixed * len(self._workers)) * self._stack_size()
        for worker in self._workers:
            needed += worker.early
            needed += int(sum(max(0, epochs + 1 - held.epochs_left) for held in worker.held.values()) / epochs)
        return needed

    def _stack_size(self) -> int:
        """Slots of a stack, or a guess before any worker has said."""
        asked = self._setup.slots if isinstance(self._setup.slots, int) else FIRST_SLOTS
        return max((worker.ready.slots for worker in self._workers if worker.ready is not None), default=asked)

    def _hear(self, worker: WorkerProcess) -> None:
        message = worker.listen()
        if isinstance(message, Ready):
            self._welcome(worker, message)
        elif isinstance(message, Measuring):
            if message.text not in self._told:  # all workers of a run may wait for the same
                self._told.add(message.text)
                self._view.opening("Slots", message.text)
        elif isinstance(message, EpochDone):
            self._deaths_in_row = 0
            self._answer(worker, message)
        elif isinstance(message, Trouble):
            kind = getattr(errors, message.kind, RunError)
            raise kind(message.message) if issubclass(kind, LenetSearchError) else RunError(message.message)
        else:
            self._bury(worker)

    def _welcome(self, worker: WorkerProcess, ready: Ready) -> None:
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
        if not ready.slots:  # measured only now that the images are known to be there, and the device to be usable
            worker.tell(Orders(measure=sum(place.gpu == worker.place.gpu for place in self._places)))
            return
        worker.ready = ready
        if not self._announced:
            self._announced = True
            if ready.size:
                self._view.opening("Slots", ready.size)
            self._view.opening("Workers", f"{len(self._workers)} x {ready.slots} slots, each on {ready.device}")
        self.pace.begin()

    def _answer(self, worker: WorkerProcess, done: EpochDone) -> None:
        """Say what to train next; whatever can wait until the worker trains again, does."""
        assert worker.ready is not None
        given_up, ended = [], []
        for epoch in done.epochs:
            held = worker.held[epoch.number]
            held.add(epoch, done.images, worker.ready)
            self.pace.add_images(epoch.images)
            value = epoch.measured[self._ledger.definition.metric]
            give_up = self._ledger.report(held, epoch.epoch, value if epoch.finite else math.nan)
            last = epoch.epoch == held.recipe.train.epochs
            if last or give_up or not epoch.finite:
                ended.append((held, epoch))
            if give_up and epoch.finite and not last:
                given_up.append(epoch.number)
        room = min(worker.ready.slots, done.room + len(given_up))
        worker.early = max(len(given_up), worker.early // 2)
        if self._share(worker, room, len(ended)) > len(self._supply):  # new ones must be drawn: knowing how these ended
            self._tell(worker, ended)
            ended = []
        worker.tell(Orders(tuple(given_up), self._jobs(worker, room, len(ended))))
        self._tell(worker, ended)
        self._ledger.flush()

    def _tell(self, worker: WorkerProcess, ended: list[tuple[Held, TrialEpoch]]) -> None:
        """Tell trials that have ended, by completing, diverging or the pruner's word."""
        for held, done in ended:
            value = done.measured[self._ledger.definition.metric]
            if not done.finite:
                reason = f"diverged in epoch {done.epoch}: the loss is not finite"
                self._ended(held, "pruned", reason, self._ledger.prune(held, reason))
            elif done.epoch == held.recipe.train.epochs:
                told = self._ledger.complete(held, value, done.weights)
                self._ended(held, "complete", f"{value:.4f}", told)
            else:
                reason = f"{self._ledger.definition.pruner.kind} after epoch {done.epoch}"
                self._ended(held, "pruned", f"{value:.4f}, {reason}", self._ledger.prune(held, reason))
            del worker.held[held.number]

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
            elsewhere=max(0, stored.elsewhere - len(running) - len(self._supply)),
            seconds=self.pace.seconds,
            seconds_left=left,
            trials_per_hour=self.pace.trials_per_hour,
            images_per_second=self.pace.images_per_second,
        )

    def _from_storage(self) -> Progress:
        ledger = self._ledger
        counts, best = ledger.counts(), ledger.best()
        pick = max if ledger.definition.direction == "maximize" else min
        values = [trial.value for trial in ledger.standings().ended if trial.value is not None]
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
