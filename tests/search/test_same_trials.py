"""What the search does for speed (batches, lists that last, asking ahead) must not change a single trial.

A search with made-up training is run, and the Optuna calls that it made are noted. Then the same calls, in the same
order and with nothing around them, are made on a plain Optuna study in memory.
"""

import itertools
import math
from collections import Counter
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

import optuna
import pytest
from made_up_worker import MadeUpWorker
from optuna.trial import FrozenTrial, TrialState
from servers import SERVERS
from sqlalchemy import Engine, event

from lenet_search.crew import crew
from lenet_search.crew.crew import Crew
from lenet_search.crew.launcher import Link
from lenet_search.crew.local import Local
from lenet_search.crew.messages import EpochDone, Load, Orders, Ready, RunEpoch, Setup
from lenet_search.crew.pace import Pace
from lenet_search.crew.places import Place
from lenet_search.crew.signals import Stop
from lenet_search.crew.staff import Staff
from lenet_search.look.progress import Silent
from lenet_search.run import Curve
from lenet_search.search import supply
from lenet_search.search.ledger import Ledger
from lenet_search.search.searching import Searching
from lenet_search.storage import open_storage
from lenet_search.storage.trials import run_of
from lenet_search.study import Definition, read

Call = tuple[str, int, Any]
SLOTS, TRIALS = 3, 24
TPE = "{ kind = 'TPESampler', n_startup_trials = 5 }"
PRUNERS = {
    "none": "{ kind = 'NopPruner' }",
    "median": "{ kind = 'MedianPruner', n_startup_trials = 3, n_warmup_steps = 1 }",
    "halving": "{ kind = 'SuccessiveHalvingPruner', min_resource = 1, reduction_factor = 2 }",
    "hyperband": "{ kind = 'HyperbandPruner', max_resource = 4, reduction_factor = 2 }",
}


class MadeUp(Local):
    """Starts workers that train nothing, report values that follow from the recipes, and may say that it is a GPU."""

    def __init__(self, on_gpu: bool) -> None:
        super().__init__(1)
        self.trained: list[tuple[int, int]] = []  # (number of the trial, epoch)
        self._on_gpu = on_gpu

    def places(self) -> list[Place]:
        return [Place("0" if self._on_gpu else None, 1)]

    def start(self, place: Place, log: Path) -> Link:
        return MadeUpWorker(self._live)

    def _live(self, pipe: "Connection[Any, Any]") -> None:
        running: dict[int, tuple[Load, int]] = {}
        pipe.send(Ready("made up", self._on_gpu, SLOTS, versions={}))
        while True:
            orders: Orders = pipe.recv()
            running = {n: each for n, each in running.items() if n not in orders.drop}
            running |= {job.number: (job, 0) for job in orders.load}
            if not running:
                continue
            running = {n: (job, epoch + 1) for n, (job, epoch) in running.items()}
            self.trained += [(n, epoch) for n, (_, epoch) in running.items()]
            done = tuple(made_up_epoch(job, epoch) for job, epoch in running.values())
            running = {
                n: (job, epoch)
                for (n, (job, epoch)), each in zip(running.items(), done, strict=True)
                if each.finite and epoch < job.values["train.epochs"]
            }
            pipe.send(EpochDone(done, {}, SLOTS - len(running)))


def made_up_epoch(job: Load, epoch: int) -> RunEpoch:
    dropout = float(job.values["regularize.dropout"])
    value = 0.9 * (1 - dropout) * (1 - 0.5**epoch) + 0.1 * math.sin(40 * dropout + epoch)
    finite = dropout < 0.45 or epoch < 2  # some diverge
    return RunEpoch(job.number, epoch - 1, epoch, dict.fromkeys(Curve.NAMES, value), 1, finite)


class Searched(NamedTuple):
    """A search: its trials, the Optuna calls that it made, (trial, epoch) as they were trained, and its counts."""

    trials: list[FrozenTrial]
    calls: list[Call]
    trained: list[tuple[int, int]]
    pace: Pace


def searched(definition: Definition, url: str, monkeypatch: pytest.MonkeyPatch, *, on_gpu: bool = False) -> Searched:
    """A search with one made-up worker."""
    calls: list[Call] = []
    workers = MadeUp(on_gpu)

    def noting(owner: type, name: str, note: Callable[..., Call]) -> None:
        real = getattr(owner, name)

        def noted(self: Any, *given: Any, **named: Any) -> Any:
            answer = real(self, *given, **named)
            calls.append(note(self, answer, *given))
            return answer

        patch.setattr(owner, name, noted)

    with monkeypatch.context() as patch:
        noting(Ledger, "ask", lambda _, held: ("ask", held.number, None))
        noting(optuna.Trial, "report", lambda trial, _, value, step: ("report", trial.number, (value, step)))
        noting(optuna.Trial, "should_prune", lambda trial, answer: ("prune?", trial.number, answer))
        noting(optuna.Study, "tell", lambda _, __, number, value, state: ("tell", number, (value, state)))
        ledger = Ledger(definition, open_storage(url, create=True, batched=True), Path("weights"), TRIALS)
        staff = Staff(workers, Setup(definition.space, 1, SLOTS, None))
        training = Crew(staff, Silent(), Stop())
        assert training.run(Searching(ledger, Silent(), SLOTS)) == "done"
    return Searched(ledger.study.trials, calls, workers.trained, training.pace)


def replayed(definition: Definition, calls: list[Call]) -> list[FrozenTrial]:
    """The trials of the same calls on a plain study, whose pruner must say the same each time."""
    study = optuna.create_study(
        study_name=definition.name,  # Hyperband's brackets follow from it
        direction=definition.direction,
        sampler=definition.sampler.build(definition.seed),
        pruner=definition.pruner.build(definition.seed),
    )
    trials = {}
    for call, number, detail in calls:
        if call == "ask":
            trials[number] = study.ask()
            definition.space.sample(trials[number])
        elif call == "report":
            trials[number].report(*detail)
        elif call == "prune?":
            assert trials[number].should_prune() == detail
        else:
            study.tell(number, *detail)
    return study.trials


def course(trial: FrozenTrial) -> tuple[object, ...]:
    return trial.number, trial.state, trial.params, str(trial.intermediate_values), trial.values


@pytest.mark.parametrize("pruner", PRUNERS)
@pytest.mark.parametrize("sampler", [TPE, "{ kind = 'RandomSampler' }"], ids=["tpe", "random"])
@pytest.mark.parametrize("on_gpu", [False, True], ids=["cpu", "gpu"])
def test_a_search_makes_the_trials_that_plain_optuna_makes(definition, url, sampler, pruner, on_gpu, monkeypatch):
    overrides = [f"study.sampler={sampler}", f"study.pruner={PRUNERS[pruner]}", "train.epochs=4"]
    chosen = read("small.toml", overrides=overrides)
    trials, calls, *_ = searched(chosen, url, monkeypatch, on_gpu=on_gpu)
    assert [course(trial) for trial in trials] == [course(trial) for trial in replayed(chosen, calls)]
    assert len(trials) == TRIALS
    states = {trial.state for trial in trials}
    assert TrialState.COMPLETE in states
    assert any(call == "prune?" and answer for call, _, answer in calls) == (pruner != "none")


@pytest.mark.parametrize("name", SERVERS)
def test_on_a_server_too_a_search_makes_the_trials_that_plain_optuna_makes(definition, name, servers, monkeypatch):
    overrides = [f"study.sampler={TPE}", f"study.pruner={PRUNERS['halving']}", "train.epochs=4"]
    chosen = read("small.toml", overrides=overrides)
    trials, calls, *_ = searched(chosen, servers(name).new(), monkeypatch)
    assert [course(trial) for trial in trials] == [course(trial) for trial in replayed(chosen, calls)]


def test_a_search_on_a_database_takes_few_statements_for_a_report_and_for_a_trial(definition, monkeypatch):
    statements: list[str] = []

    def listed(*given: Any) -> None:
        statements.append(given[2])

    chosen = read("small.toml", overrides=[f"study.pruner={PRUNERS['halving']}", "train.epochs=40"])
    event.listen(Engine, "before_cursor_execute", listed)
    try:
        calls = searched(chosen, "sqlite:///study.db", monkeypatch).calls
    finally:
        event.remove(Engine, "before_cursor_execute", listed)
    reports = sum(call == "report" for call, _, _ in calls)
    assert len(statements) <= 4 * reports + 40 * TRIALS  # Optuna's storage takes seven for a look at all trials


@pytest.mark.parametrize("on_gpu", [False, True], ids=["cpu", "gpu"])
def test_with_one_worker_a_search_takes_the_same_course_every_time(definition, on_gpu, monkeypatch):
    chosen = read(
        "small.toml", overrides=[f"study.sampler={TPE}", f"study.pruner={PRUNERS['median']}", "train.epochs=4"]
    )
    first, second = (
        searched(chosen, f"{name}.journal", monkeypatch, on_gpu=on_gpu).calls for name in ("first", "second")
    )
    assert str(first) == str(second)


@pytest.mark.parametrize("sampler", [TPE, "{ kind = 'RandomSampler' }"], ids=["tpe", "random"])
def test_without_a_pruner_a_gpu_makes_the_calls_and_trials_that_a_cpu_makes(definition, sampler, monkeypatch):
    monkeypatch.setattr(supply, "FEW_WORKERS", 0)  # so that trials are asked for ahead on both
    chosen = read("small.toml", overrides=[f"study.sampler={sampler}", "train.epochs=4"])
    cpu, gpu = (searched(chosen, f"{on}.journal", monkeypatch, on_gpu=on) for on in (False, True))
    assert str(gpu.calls) == str(cpu.calls)
    assert gpu.trained == cpu.trained
    for ours, theirs in zip(gpu.trials, cpu.trials, strict=True):
        assert course(ours) == course(theirs)
        assert run_of(ours).clocks == run_of(theirs).clocks
    assert gpu.pace.vain == 0


@pytest.mark.parametrize("on_gpu", [False, True], ids=["cpu", "gpu"])
@pytest.mark.parametrize("pruner", ["median", "halving", "hyperband"])
def test_a_pruned_trial_trains_at_most_one_epoch_more_on_a_gpu_and_none_on_a_cpu(
    definition, pruner, on_gpu, monkeypatch
):
    monkeypatch.setattr(crew, "LOOK", math.inf)  # else the search may end before the last worker has reported
    chosen = read("small.toml", overrides=[f"study.pruner={PRUNERS[pruner]}", "train.epochs=6"])
    trials, _, trained, pace = searched(chosen, "study.journal", monkeypatch, on_gpu=on_gpu)
    epochs = Counter(number for number, _ in trained)
    more = {trial.number: epochs[trial.number] - run_of(trial).epochs for trial in trials}
    assert {more[trial.number] for trial in trials if trial.state == TrialState.COMPLETE} == {0}
    assert max(more[trial.number] for trial in trials if trial.state == TrialState.PRUNED) == on_gpu
    assert pace.vain == sum(more.values())
    assert pace.epochs == sum(run_of(trial).epochs for trial in trials)


def test_a_gpu_s_trials_are_asked_for_before_its_slots_are_free_a_processor_s_are_not(definition, monkeypatch):
    chosen = read("small.toml", overrides=["train.epochs=4"])
    for on_gpu in (True, False):
        calls = searched(chosen, f"{on_gpu}.journal", monkeypatch, on_gpu=on_gpu).calls
        balance = [(call == "ask") - (call == "tell") for call, _, _ in calls]
        assert (max(itertools.accumulate(balance)) > SLOTS) == on_gpu
