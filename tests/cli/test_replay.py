import json
from pathlib import Path

import optuna
from calls import IMAGES, ROOT, call, store, write_study
from test_help import complete

from lenet_search.recipe import Recipe
from lenet_search.run import Curve, Run
from lenet_search.storage import open_storage
from lenet_search.storage.trials import attributes_of


def with_curves(url: str = "lenet-search.journal") -> None:
    """A study whose six trials reported three epochs each; the best starts slowly."""
    store(write_study(Path("mine.toml")), url, values=())
    study = optuna.load_study(study_name="mine", storage=open_storage(url, create=False))
    for last in (0.5, 0.6, 0.55, 0.52, 0.58, 0.9):
        trial = study.ask()
        for epoch in (1, 2, 3):
            trial.report(last - 0.1 * (3 - epoch) if last < 0.9 else (0.1, 0.2, 0.9)[epoch - 1], epoch)
        run = Run(Recipe(), 0, IMAGES, [(0, 3)], Curve.constant([last] * 3))
        for name, attribute in attributes_of(run).items():
            trial.set_user_attr(name, attribute)
        study.tell(trial, last)


def test_replay_without_a_pruner_shows_the_usual_five():
    with_curves()
    shown = call("replay")
    assert shown.exit_code == 0, shown.stderr
    for name in ("MedianPruner", "PercentilePruner", "SuccessiveHalvingPruner", "HyperbandPruner", "PatientPruner"):
        assert name in shown.stdout
    assert "Spearman" in shown.stdout
    assert "trial 6 with 90.00 %" in shown.stdout


def test_replay_as_json_says_what_each_pruner_would_have_done():
    with_curves()
    answered = call(
        "replay", "--json", "--pruner", '{ kind = "NopPruner" }',
        "--pruner", '{ kind = "MedianPruner", n_startup_trials = 2 }',
    )  # fmt: skip
    answer = json.loads(answered.stdout)
    nothing, median = answer["pruners"]
    assert nothing["pruner"] == {"kind": "NopPruner"}
    assert (nothing["saved"], nothing["best_pruned_at"]) == (0.0, None)
    assert median["best_pruned_at"] == 1
    assert median["saved"] > 0
    assert [row["epoch"] for row in answer["rank_correlation"]] == [1, 2, 3]
    assert "pruned after epoch 1" in answered.stderr


def test_a_pruner_that_is_none_is_a_usage_error_before_the_storage_is_opened():
    failed = call("replay", "--pruner", '{ kind = "Hyperband" }')
    assert failed.exit_code == 2
    assert "--pruner { kind = " in failed.stderr
    assert "HyperbandPruner" in failed.stderr


def test_the_shell_completes_pruners():
    assert ROOT.exists()
    assert "NopPruner" in " ".join(complete("lenet-search replay --pruner ", 3))


def test_a_pruner_that_fails_in_the_middle_of_it_is_an_error_with_its_reason():
    with_curves()
    failed = call("replay", "--pruner", '{ kind = "HyperbandPruner", reduction_factor = 1 }')
    assert failed.exit_code == 2
    assert (
        "HyperbandPruner(reduction_factor = 1) cannot judge these learning curves (float division by zero)"
        in " ".join(failed.stderr.split())
    )
