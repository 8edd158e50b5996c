import pytest

from lenet_search.cli.run import _conclude
from lenet_search.cli.terminal import console
from lenet_search.search import Summary

COUNTS = dict.fromkeys(("total", "complete", "pruned", "failed", "interrupted"), 0)


@pytest.mark.parametrize(
    ("ended", "frozen", "said"),
    [
        ("timeout", 2, "The time is up; 2 running trials are frozen, and no trial is complete yet. Run the same command"
                       " again to resume."),
        ("done", 0, "No trial is complete. Run the same command again with a larger --trials."),
    ],
)  # fmt: skip
def test_a_run_without_a_complete_trial_says_one_thing_to_do(ended, frozen, said, capsys):
    counts = COUNTS | {"interrupted": frozen}
    _conclude(Summary("mine", "mine.journal", "val_accuracy", counts, None, ended, 1.0, 0.0, 0.0), console())
    assert " ".join(capsys.readouterr().out.split()) == said
