"""From a search to its confirmation, with real training on tiny images."""

import json
from pathlib import Path
from uuid import UUID

import optuna
import pytest
from optuna_dashboard import get_note

from lenet_search import Silent, Study, api
from lenet_search.errors import ResultError
from lenet_search.experiments.confirm import FIRST_SEED
from lenet_search.experiments.refit import SEED
from lenet_search.results.best import pick_study
from lenet_search.storage import DEFINITION
from lenet_search.storage.confirmed import read_confirmed
from lenet_search.storage.facts import fact
from lenet_search.study import read_recipe
from tests.cli.calls import call

STUDY = """
[study]
sampler = { kind = "RandomSampler" }
[data]
name = "tiny"
[train]
epochs = 1
batch_size = 24
[optimizer]
kind = "adam"
adam.learning_rate = { low = 1e-4, high = 1e-2, log = true }
[[start]]
optimizer.adam.learning_rate = 1e-4
"""


@pytest.fixture
def searched(tiny_npz: Path, monkeypatch: pytest.MonkeyPatch) -> Study:
    monkeypatch.chdir(tiny_npz.parent)
    monkeypatch.setenv("LENET_SEARCH_DATA", str(tiny_npz.parent))
    Path("small.toml").write_text(STUDY)
    study = Study.read("small.toml")
    study.run(trials=4, workers=1, view=Silent())
    return study


def test_a_confirmation_is_kept_with_the_study_and_more_seeds_train_only_those_that_are_missing(
    searched: Study,
) -> None:
    first = searched.confirm(finalists=2, seeds=2, workers=1, view=Silent())
    assert [row.finalist.is_reference for row in first.rows].count(True) == 1
    reference = next(row for row in first.rows if row.finalist.is_reference)
    assert reference.finalist.trial == 0  # the study's first start was tried
    assert reference.finalist.recipe.optimizer.branch.learning_rate == 1e-4
    folder = Path("lenet-search-artifacts/confirm/small")
    files = {path: path.stat().st_mtime_ns for path in folder.rglob("seed-*.json")}
    assert len(files) == 6

    second = searched.confirm(finalists=2, seeds=4, workers=1, view=Silent())
    assert {path: path.stat().st_mtime_ns for path in files} == files
    seeds = {seed for row in second.rows for seed in row.standing.values}
    assert seeds == set(range(FIRST_SEED, FIRST_SEED + 4))

    stored = searched.stored()
    assert read_confirmed(stored) == second.summary()
    beside = optuna.load_study(study_name="small.confirm", storage=stored._storage)
    assert fact(beside, DEFINITION) is None  # `best` without a name does not take it for a search
    assert len(beside.trials) == 3
    with pytest.raises(ResultError, match="is the confirmation of study 'small'"):
        pick_study(stored._storage, "small.confirm")
    assert second.verdict()[0].split(":")[0] in get_note(stored).replace("\\", "")
    names = [UUID(path.name) for path in Path("lenet-search-artifacts").iterdir() if path.is_file()]
    assert sorted(name.version or 0 for name in names) == [4] * 4 + [5] * 4  # weights, and models with names from them
    assert all(len(trial.intermediate_values) == 4 for trial in beside.trials)
    assert api.Study(searched.definition).stored().study_name == "small"

    searched.export("exported", refit=True, view=Silent())
    summary = json.loads(Path("exported/recipe.json").read_text())
    row = second.summary()["recipes"]
    (winner,) = [each for each in row if each["name"] == second.winner.finalist.name]
    assert summary["confirmed"]["mean"] == winner["mean"]
    assert summary["seed"] == winner["model_seed"]
    assert summary["not_measured"] is None

    assert summary["refit"] == {"seed": SEED, "images": 240, "epochs": 1}  # the 216 and 24 of the search
    tested = api.evaluate("exported/refit.keras")
    assert (tested.accuracy.n, tested.same_images) == (60, True)
    definition, recipe = read_recipe("exported/recipe.toml")
    assert recipe == second.winner.finalist.recipe
    assert definition.seed == max(seeds)  # so `train` has none of the seeds that chose the recipe


def test_a_share_limits_the_race_by_the_epochs_that_the_search_has_trained(searched: Study) -> None:
    def size(share: float) -> tuple[int, int] | None:
        overrides = [f"confirm.share={share}", "confirm.finalists=3"]
        return Study.read("small.toml", overrides=overrides).race_size()

    assert size(100.0) == (3, 16)
    assert size(3.0) == (2, 4)  # 12 runs, of two finalists and the reference, for 4 epochs of searching
    assert size(2.9) is None
    assert searched.race_size() == (8, 16)  # no share: as large as asked for
    with pytest.raises(ResultError, match=r"too short.*confirm\.share"):
        Study.read("small.toml", overrides=["confirm.share=0.5"]).confirm(view=Silent())


def test_run_ends_with_the_race_unless_the_search_was_too_short_for_it(searched: Study) -> None:
    words = ["run", "--study", "small.toml", "--trials", "4", "--workers", "1"]
    raced = call(*words, "--set", "confirm.share=3.0")
    assert "The search had shown" in raced.stdout and "Best in the search: trial" in raced.stdout
    short = call(*words, "--set", "confirm.share=0.5")
    assert "Not confirmed: even a small race would train more than" in short.stdout
    assert "lenet-search confirm --study small\n" in short.stdout
    assert "Not confirmed" not in call(*words, "--set", "confirm.share=0.5", "--no-confirm").stdout
