"""Several parents on one study of a server."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from optuna.trial import TrialState
from servers import SERVERS

from lenet_search.search.ledger import TOTAL_REACHED, Ledger
from lenet_search.search.parents import RUN
from lenet_search.storage import artifact_folder, open_storage
from lenet_search.storage.trials import REASON, noted, run_of
from search.conftest import finish

TOTAL = 12


def search(ledger: Ledger) -> int:
    """Run trials until the study has its total; returns how many."""
    count = 0
    while ledger.wanted() and (job := ledger.ask()) is not None:
        count += finish(ledger, job, 0.5 + 0.01 * job.number)
        ledger.flush()
    return count


@pytest.mark.parametrize("parents", [2, 3])
@pytest.mark.parametrize("name", SERVERS)
def test_parents_that_share_a_study_end_it_with_exactly_its_trials(definition, servers, name, parents):
    url = servers(name).new()
    ledgers = [
        Ledger(definition, open_storage(url, create=True, batched=True), artifact_folder(url), TOTAL)
        for _ in range(parents)
    ]
    with ThreadPoolExecutor(parents) as threads:
        counts = list(threads.map(search, ledgers))
    trials = Ledger(definition, open_storage(url, create=True), artifact_folder(url), TOTAL).study.trials
    complete = [trial for trial in trials if trial.state == TrialState.COMPLETE]
    assert len(complete) == sum(counts) == TOTAL
    assert all(len(run_of(trial).curve["val_accuracy"]) == len(trial.intermediate_values) == 2 for trial in complete)
    assert {noted(trial, RUN) for trial in complete} <= {ledger.parent.id for ledger in ledgers}
    others = [trial for trial in trials if trial.state != TrialState.COMPLETE]
    assert all((trial.state, trial.user_attrs[REASON]) == (TrialState.FAIL, TOTAL_REACHED) for trial in others)


def test_an_orphan_that_another_parent_has_just_adopted_is_left_to_it(definition, tmp_path, monkeypatch):
    url = f"sqlite:///{tmp_path}/study.db"
    lost, first, second = (
        Ledger(definition, open_storage(url, create=True, batched=True), artifact_folder(url), TOTAL) for _ in range(3)
    )
    number = lost.ask().number
    lost.beat(over=True)
    seen = second.study.get_trials(deepcopy=False)
    assert first.adopt_orphans() == [number]
    assert first.ask().number == number
    monkeypatch.setattr(second, "_trials", lambda *states: [t for t in seen if t.state in states])
    assert second.adopt_orphans() == []
    assert second.study.trials[0].state == TrialState.RUNNING
