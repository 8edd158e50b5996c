"""A crew trains runs: it deals them to workers, hears of every epoch, and survives the death of workers.

It knows nothing of Optuna, study files or result folders: a `Decider` says which run comes next.
"""

import math
import signal
import time
from collections import Counter, deque
from collections.abc import Sequence
from contextlib import ExitStack
from multiprocessing.connection import wait

from lenet_search import errors
from lenet_search.crew import FREEZE_EVERY
from lenet_search.crew.decider import Decider
from lenet_search.crew.epochs import Heard, judge, record
from lenet_search.crew.handle import WorkerHandle
from lenet_search.crew.job import Job
from lenet_search.crew.messages import (
    EpochDone,
    FromWorker,
    Froze,
    Halved,
    Measuring,
    Orders,
    PartDone,
    Ready,
    Refused,
    Tested,
    Testing,
    Trouble,
)
from lenet_search.crew.pace import Pace
from lenet_search.crew.signals import Stop
from lenet_search.crew.staff import MOST_PROGRAMS, Staff
from lenet_search.crew.suspects import Suspects
from lenet_search.errors import LenetSearchError, RunError
from lenet_search.look.progress import Progress, Running, Standing, View

TICK = 0.25  # seconds between two looks at signals, the clock and the view
LOOK = 2.0  # seconds between two looks at the work of other commands
MOST_DEATHS = 3  # workers in a row that may die before they hold a run
MOST_LOSSES = 6  # workers in a row that may die with runs, before any run completes an epoch
SHOWING_SHARE = 0.05  # largest share of the time that the view may take, unless it waits for `LOOK`
FREEZE_SHARE = 0.02  # largest share of the time that copies may take
FREEZE_PATIENCE = 10.0  # seconds for workers to freeze their runs at the end; they need much less than one
RETIRE_PATIENCE = 20.0  # seconds for a worker to end its runs once its successor is up


class Crew:
    """Trains a decider's runs until none is left, the time is up, or a signal arrives.

    Args:
        staff: the workers
        view: where progress is shown
        stop: the signal, once one has arrived
        freeze_every: seconds between two copies of each run's state; infinity for no copies
    """

    def __init__(self, staff: Staff, view: View, stop: Stop, freeze_every: float = FREEZE_EVERY) -> None:
        self.pace = Pace()
        self._staff = staff
        self._view = view
        self._stop = stop
        self._freeze_every = freeze_every
        self._decider: Decider
        self._deadline = math.inf
        self._precision = "float32"  # the meaning of "auto"
        self._suspects = Suspects()
        self._to_test: deque[Testing] = deque()
        self._attempts: Counter[int] = Counter()  # workers that have died with a test
        self._losses = 0  # deaths since the last epoch
        self._trained = False  # whether any run has completed an epoch
        self._announced: set[str] = set()  # nodes
        self._told: set[str] = set()
        self._shown: tuple[float, Standing] | None = None

    def run(self, decider: Decider, deadline: float = math.inf, to_test: Sequence[Testing] = ()) -> str:
        """Train, then freeze and give back the runs that are still running.

        Args:
            decider: chooses the runs
            deadline: when to stop, on the monotonic clock
            to_test: models of earlier runs to measure on the test set

        Returns:
            Why it ended: "done", "timeout" or "signal".

        Raises:
            LenetSearchError: workers keep dying, or cannot train the runs.
        """
        self._decider, self._deadline = decider, deadline
        self._to_test.extend(to_test)
        try:
            return self._work()
        finally:
            with ExitStack() as farewell:  # calls both, even if one fails
                farewell.callback(self._give_back)
                farewell.callback(self._freeze_all)

    def _work(self) -> str:
        looked = draw_at = -math.inf
        while True:
            if self._view.gone:  # `lenet-search run | head`: what else ends of a closed pipe
                self._stop(signal.SIGPIPE)
            if self._stop.signal is not None:
                return "signal"
            now = time.monotonic()
            if now >= self._deadline:
                return "timeout"
            self._decider.attend()
            if now - looked >= LOOK:
                looked = now
                if self._is_done():
                    return "done"
                self._staff.start(self._needed())
                self._staff.announce(self._view)
                self._feed_idle()
                self._let_go()
            if now >= draw_at:
                self._view.update(self.progress())
                drawn = time.monotonic()
                draw_at = drawn + min(max(TICK, (drawn - now) / SHOWING_SHARE), LOOK)
            active = self._staff.active
            short = self._decider.is_short(active)
            if short and len(active) == 1:  # before listening: a worker's speed must not decide what is drawn
                self._decider.ask()
                continue
            ready = wait([worker.pipe for worker in self._staff.all], 0 if short else TICK)
            if short and not ready:
                self._decider.ask()
            for worker in [worker for worker in self._staff.all if worker.pipe in ready]:
                if worker in self._staff.all:  # a message from another may have replaced them all
                    self._hear(worker, worker.listen())
                    looked = -math.inf if worker.idle else looked
            if ready:
                self._decider.flush()

    def _is_done(self) -> bool:
        busy = any(worker.held or worker.testing for worker in self._staff.all)
        return not (busy or self._suspects.waiting or self._to_test or self._decider.wanted())

    def _needed(self) -> int:
        """How many workers have work to do."""
        busy = sum(bool(worker.held or worker.testing) for worker in self._staff.active)
        return busy + self._decider.wanted() + len(self._suspects.waiting) + len(self._to_test)

    # Messages from workers.

    def _hear(self, worker: WorkerHandle, message: FromWorker | None) -> None:
        match message:
            case Ready():
                self._welcome(worker, message)
            case Measuring():
                if message.text not in self._told:  # all workers may report the same
                    self._told.add(message.text)
                    self._view.opening("Slots", message.text)
            case PartDone():
                worker.parts |= dict.fromkeys(message.numbers, message.share)
            case EpochDone():
                self._answer(worker, message)
            case Froze():
                self._keep(worker, message)
                if message.last:  # the worker retires
                    self._take_back(worker)
            case Tested():
                del worker.testing[message.number]
                self._decider.tested(message)
            case Halved():
                worker.parts.clear()
                self._view.note(
                    f"out of memory: at most {message.slots} {'run' if message.slots == 1 else 'runs'} of this shape "
                    "will now train side by side"
                )
            case Refused():
                self._hear_refusal(worker, message)
            case Trouble():
                kind = getattr(errors, message.kind, RunError)
                raise kind(message.message) if issubclass(kind, LenetSearchError) else RunError(message.message)
            case None:
                self._bury(worker)

    def _welcome(self, worker: WorkerHandle, ready: Ready) -> None:
        if worker.place.gpu is not None and not ready.on_gpu:
            said, going = self._staff.do_without(worker.place)
            self._view.note(said)
            for each in going:
                self._take_back(each)
            return
        worker.up = ready
        if ready.precision and self._staff.probing:
            self._staff.probing = False
            self._precision = self._decider.settled(ready.precision)
        if not self._staff.probing:  # the precision must be settled before anything is measured or trained
            for each in self._staff.all:
                self._make_ready(each)

    def _make_ready(self, worker: WorkerHandle) -> None:
        """Let a worker that is up receive runs, once it knows the size of its stacks."""
        if worker.ready is not None or worker.up is None:
            return
        if not worker.up.slots:  # measured only now: the images are there and the device is usable
            if not worker.measuring:
                worker.measuring = True
                worker.tell(Orders(measure=self._staff.sharing(worker), precision=self._precision))
            return
        worker.ready = worker.up
        worker.freeze_at = time.monotonic() + self._freeze_every
        if worker.place.node not in self._announced:
            self._announced.add(worker.place.node)
            self._introduce(worker, worker.ready)
        self.pace.begin()

    def _introduce(self, worker: WorkerHandle, ready: Ready) -> None:
        """Say what the workers of a node are, once the first of them is ready."""
        node = worker.place.node
        where = f"{node}: " if node else ""
        if ready.size:
            self._view.opening("Slots", where + ready.size)
        workers = sum(each.place.node == node for each in self._staff.active)
        cohorts = worker.setup.space is None  # a cohort gets a stack of its own size
        slots = "" if cohorts else f" x {ready.slots} slots"
        self._view.opening("Workers", f"{where}{workers}{slots}, {'each ' if workers > 1 else ''}on {ready.device}")

    def _answer(self, worker: WorkerHandle, done: EpochDone) -> None:
        """Say what to train next; everything that can wait is done while the worker trains again.

        On a GPU, so is judging the epoch: reports and a pruner's decisions about a full stack take as long as a part of
        its next epoch. What is given up then leaves its slot at the next answer. On a CPU, where an epoch takes
        seconds, a run would lose more by another epoch than its worker by the wait.
        """
        assert worker.ready is not None
        heard = self._record(worker, done)
        over = sum(job.run.over for job, _ in heard)
        drop = tuple(worker.given_up)
        room = min(worker.ready.slots, done.room + len(drop))
        at_once = worker.ready.on_gpu and self._can_deal(worker, room, over)
        if at_once:
            worker.tell(self._orders(worker, drop, room, over))
        ended, given_up = judge(heard, self._decider)
        if at_once:
            worker.early, worker.given_up = len(given_up), given_up
        else:
            worker.early, worker.given_up = max(len(given_up), worker.early // 2), {}
            drop += tuple(given_up)
            room = min(worker.ready.slots, room + len(given_up))
            if not self._can_deal(worker, room, len(ended)):
                self._tell(worker, ended)
                ended = []
            worker.tell(self._orders(worker, drop, room, len(ended)))
        self._tell(worker, ended)

    def _can_deal(self, worker: WorkerHandle, room: int, leaving: int) -> bool:
        """Whether new runs for a worker need not wait for what came of the present ones."""
        return worker.retiring or self._decider.can_deal(worker, self._staff.active, room, leaving)

    def _record(self, worker: WorkerHandle, done: EpochDone) -> list[Heard]:
        """Record an epoch. Returns the runs that are to be judged by it."""
        self._losses, self._trained = 0, True
        heard = record(worker, done, self.pace, self._suspects)
        worker.retiring = worker.retiring or worker.programs >= MOST_PROGRAMS
        return heard

    def _tell(self, worker: WorkerHandle, ended: Sequence[Heard]) -> None:
        """Tell the decider of runs that are over."""
        for job, epoch in ended:
            del worker.held[job.number]
            self._shown = None
            self.pace.runs += job.share
            testing = self._decider.ended(job, epoch)
            if testing is not None:
                self._to_test.append(testing)

    # Orders to workers.

    def _feed_idle(self) -> None:
        for worker in list(self._staff.active):
            if worker.idle and not worker.testing:
                assert worker.ready is not None
                orders = self._orders(worker, (), worker.ready.slots, 0)
                if orders.load or orders.test:
                    worker.tell(orders)

    def _orders(self, worker: WorkerHandle, drop: tuple[int, ...], room: int, leaving: int) -> Orders:
        jobs = [] if worker.retiring else self._jobs(worker, room, leaving)
        for job in jobs:
            job.run.recipe = job.run.recipe.settled(self._precision)
            worker.hold(job)
        freeze = time.monotonic() >= worker.freeze_at
        if freeze:
            worker.freeze_at = math.inf  # until the copies arrive
        return Orders(drop, tuple(job.load() for job in jobs), self._tests_for(worker), freeze=freeze)

    def _jobs(self, worker: WorkerHandle, room: int, leaving: int) -> list[Job]:
        """New runs for a worker; `leaving` of its present runs are about to leave."""
        jobs = self._suspects.deal(worker, leaving, self._staff.active)
        return list(self._decider.deal(worker, self._staff.active, room, leaving)) if jobs is None else jobs

    def _tests_for(self, worker: WorkerHandle) -> tuple[Testing, ...]:
        """At most one test; workers that train nothing come first."""
        others = [each for each in self._staff.active if each is not worker]
        spared = bool(worker.held) and any(each.idle and not each.testing for each in others)
        if worker.retiring or worker.testing or spared or not self._to_test:
            return ()
        order = self._to_test.popleft()
        worker.testing[order.number] = order
        return (order,)

    # Freezing runs, and workers that leave.

    def _keep(self, worker: WorkerHandle, froze: Froze) -> None:
        """Keep copies of states, and schedule the next so that copying takes a small share of the time."""
        started = time.monotonic()
        for number, (epochs, state) in froze.states.items():
            job = worker.held.get(number)
            if job is not None:
                job.froze(epochs, state)
                self._decider.froze(job)
        now = time.monotonic()
        worker.freeze_at = now + max(self._freeze_every, (froze.seconds + now - started) / FREEZE_SHARE)

    def _let_go(self) -> None:
        """Let retiring workers leave: when they hold no more runs, or some time after their successors are up."""
        for worker in [each for each in self._staff.all if each.retiring]:
            if not worker.held and not worker.testing:
                self._staff.remove(worker)
            elif worker.leave_at == math.inf and all(each.ready is not None for each in self._staff.active):
                worker.leave_at = time.monotonic() + RETIRE_PATIENCE
            elif time.monotonic() > worker.leave_at:
                worker.leave_at = math.inf
                worker.ask_to_leave()

    def _freeze_all(self) -> None:
        """Have all workers freeze their runs and leave. Messages they sent before still count.

        If the decider fails, the others' states are still kept before its error is raised.
        """
        failed: list[LenetSearchError] = []
        for worker in [each for each in self._staff.all if each.held]:
            worker.ask_to_leave()
        leaving = {worker.pipe: worker for worker in self._staff.all if worker.held}
        deadline = time.monotonic() + FREEZE_PATIENCE
        while leaving and (left := deadline - time.monotonic()) > 0:
            for worker in [leaving[pipe] for pipe in wait(list(leaving), left)]:  # type: ignore[index]
                message = worker.listen()
                try:
                    if isinstance(message, EpochDone):
                        self._tell(worker, judge(self._record(worker, message), self._decider)[0])
                    elif isinstance(message, Froze):
                        self._keep(worker, message)
                    elif isinstance(message, Refused):
                        self._hear_refusal(worker, message)
                except LenetSearchError as error:
                    failed.append(error)
                if message is None or (isinstance(message, Froze) and message.last):
                    del leaving[worker.pipe]
        if failed:
            raise failed[0]

    def _give_back(self) -> None:
        """Give unfinished runs back when the crew ends."""
        jobs = [job for worker in self._staff.all for job in worker.held.values()]
        self._staff.close()
        self._decider.give_back([*jobs, *self._suspects.waiting])
        self._shown = None

    def _bury(self, worker: WorkerHandle) -> None:
        """Replace a worker that died. Its runs resume elsewhere from their last copies, apart if it had several."""
        death = worker.death()
        if death.innocent:
            if death.reason not in self._told:  # all workers of a node end together
                self._told.add(death.reason)
                self._view.note(f"{death.reason}; its runs resume elsewhere")
            self._take_back(worker)
            return
        reason = death.reason
        held, testing = list(worker.held.values()), list(worker.testing.values())
        trained = [*held, *worker.given_up.values()]  # it may have died of one that was given up
        self._staff.remove(worker)
        self._staff.deaths += 1
        self._losses += 1
        for order in testing:
            self._attempts[order.number] += 1
            self._to_test.appendleft(order)
        if self._losses >= (MOST_LOSSES if trained else MOST_DEATHS) or self._attempts.total() >= MOST_DEATHS:
            self._suspects.waiting.extend(held)
            raise RunError(
                f"{self._losses} workers in a row died before completing an epoch. "
                f"The last one: {reason}\n"
                f"Their logs are in {self._staff.logs}"
            )
        training = f" while training {', '.join(job.name for job in trained)}" if trained else ""
        self._view.note(f"{reason}{training}; another worker takes its place (log: {worker.log})")
        for job in self._suspects.add(held, beside=len(worker.given_up), trained=self._trained):
            self._refuse(job, f"two workers died while training only this run; the last one: {reason}")

    def _take_back(self, worker: WorkerHandle) -> None:
        """End a worker that is not to blame. Its runs resume elsewhere, and its tests are repeated."""
        for job in worker.held.values():
            self._decider.take_back(job)
        self._to_test.extendleft(worker.testing.values())
        self._staff.remove(worker)

    def _hear_refusal(self, worker: WorkerHandle, refused: Refused) -> None:
        if worker.given_up.pop(refused.number, None) is None:  # else it was given up already
            self._refuse(worker.held.pop(refused.number), refused.reason)

    def _refuse(self, job: Job, reason: str) -> None:
        self._shown = None
        self._decider.refused(job, reason)

    def progress(self) -> Progress:
        """The current progress. The decider is asked every `LOOK` seconds, and after a run has ended."""
        now = time.monotonic()
        if self._shown is None or now - self._shown[0] >= LOOK:
            self._shown = now, self._decider.standing()
        standing = self._shown[1]
        held = [(worker, job) for worker in self._staff.all for job in worker.held.values()]
        jobs = [job for _, job in held]
        running = [
            Running(
                job.name, job.run.recipe.train.epochs, job.run.curve[standing.metric], worker.place.node,
                worker.parts.get(job.number, 0.0),
            )
            for worker, job in held
        ]  # fmt: skip
        units = len({job.number if job.unit is None else job.unit for job in jobs})
        done = standing.done + sum(job.share * job.run.epochs / job.run.recipe.train.epochs for job in jobs)
        return Progress(
            standing,
            running,
            units=units,
            other=max(0, standing.running - units - len(self._suspects.waiting)),
            starting=sum(worker.up is None for worker in self._staff.all),
            seconds=self.pace.seconds,
            seconds_left=self.pace.seconds_left(done, standing.total, self._deadline - now),
            per_hour=self.pace.runs_per_hour,
            images_per_second=self.pace.images_per_second,
        )
