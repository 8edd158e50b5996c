"""A command whose reader has gone, as in `lenet-search run | head`: it ends in order, as if by a signal."""

from pathlib import Path

import optuna
import pytest

from lenet_search.look.progress import Silent
from lenet_search.search import Interrupted, run
from lenet_search.storage import open_storage
from lenet_search.study import read


class Gone(Silent):
    """Nobody reads it any more."""

    gone = True


def test_a_search_that_nobody_reads_ends_with_nothing_running_and_exit_code_141(study: Path):
    with pytest.raises(Interrupted) as stopped:
        run(read(study), workers=1, view=Gone())
    assert stopped.value.exit_code == 141
    assert "To resume" in str(stopped.value)
    (stored,) = optuna.get_all_study_summaries(open_storage("lenet-search.journal", create=False))
    assert stored.study_name == "small"
    trials = open_storage("lenet-search.journal", create=False).get_all_trials(0)
    assert not any(trial.state == optuna.trial.TrialState.RUNNING for trial in trials)
