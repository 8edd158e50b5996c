"""From a search to its ablation and the report that shows it; the runs are in the folder already."""

from pathlib import Path

import optuna
import pytest

from lenet_search import Silent, ablate, report
from lenet_search.experiments.ablate import REFERENCE, WINNER, changed, choices
from lenet_search.experiments.confirm import FIRST_SEED, MOST_SEEDS
from lenet_search.run import Curve, Run
from lenet_search.storage import DEFINITION
from lenet_search.storage.ablated import read_ablated
from lenet_search.storage.trials import attributes_of
from lenet_search.study import read
from tests.experiments.made import IMAGES
from tests.experiments.test_ablate import AFTER, BEFORE, BRINGS, keep

STUDY = """
[data]
name = "digits"
limit = 200
validation = 40
[train]
epochs = 1
batch_size = 20
[regularize]
dropout = { low = 0.0, high = 0.5 }
[augment]
shift = { low = 0, high = 3 }
[optimizer]
kind = { choices = ["adam", "sgd"] }
sgd.momentum = 0.8
[[start]]
optimizer.kind = "adam"
regularize.dropout = 0.0
augment.shift = 0
"""


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> optuna.Study:
    """A study that AFTER has won, with BEFORE as its reference."""
    monkeypatch.chdir(tmp_path)
    Path("mine.toml").write_text(STUDY)
    made = optuna.create_study(study_name="mine", direction="maximize")
    made.set_user_attr(DEFINITION, read("mine.toml").lines())
    made.add_trial(trial(AFTER, 0.9))
    seeds = range(FIRST_SEED + MOST_SEEDS, FIRST_SEED + MOST_SEEDS + 2)
    keep(Path("ablations/mine"), WINNER, AFTER, BRINGS, seeds=seeds)
    keep(Path("ablations/mine"), REFERENCE, BEFORE, BRINGS, seeds=seeds)
    for each in choices(AFTER, BEFORE):
        keep(Path("ablations/mine"), f"without {each.name}", changed(AFTER, each.before), BRINGS, seeds=seeds)
    return made


def trial(recipe, value):
    run = Run(recipe, 3, IMAGES, [(0, 1)], Curve.constant([value]), device="CPU")
    return optuna.trial.create_trial(value=value, user_attrs=attributes_of(run))


def test_an_ablation_is_stored_with_its_study_and_the_report_shows_it_until_another_recipe_wins(study):
    found, files = ablate(study, seeds=2, view=Silent())
    assert [str(each) for each in files] == ["ablations/mine/ablation.json", "ablations/mine/ablation.html"]
    (stored,) = read_ablated(study)
    assert stored == found.summary() | {"values": AFTER.values()}
    page = report(study, out="a.html").read_text(encoding="utf-8")
    assert 'id="ablation"' in page and found.verdict() in page
    study.add_trial(trial(changed(AFTER, {"augment.shift": 3}), 0.95))
    page = report(study, out="a.html").read_text(encoding="utf-8")
    assert 'id="ablation"' not in page and "of an earlier winner" in page
