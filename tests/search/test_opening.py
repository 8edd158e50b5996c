import json

import optuna
import pytest

from lenet_search.errors import DefinitionChanged, ResultError
from lenet_search.recipe import Recipe
from lenet_search.search import opening
from lenet_search.search.opening import compare_images, derived_seed, remember_folders
from lenet_search.search.search import _data_folders
from lenet_search.storage import DATA_FOLDERS, DEFINITION, open_storage
from lenet_search.storage.definitions import definition_of
from lenet_search.storage.facts import data_folders, fact, store_fact
from lenet_search.study import read
from search.conftest import STUDY, ask, finish


def test_a_new_study_carries_its_definition_and_the_name_of_its_metric(opened, definition):
    study = opened().study
    assert fact(study, DEFINITION) == definition.lines()
    assert study.metric_names == ["val_accuracy"]
    assert study.direction == optuna.study.StudyDirection.MAXIMIZE


def test_start_recipes_are_tried_first_and_queued_only_once(opened, tmp_path):
    (tmp_path / "small.toml").write_text(
        STUDY + '\n[[start]]\noptimizer.kind = "adam"\noptimizer.adam.learning_rate = 0.002\n'
        "[[start]]\nregularize.dropout = 0.25\n"
    )
    first, second = opened(read("small.toml")), opened(read("small.toml"))
    recipes = [ask(first).run.recipe, ask(second).run.recipe, ask(second).run.recipe]
    assert recipes[0].optimizer.kind == "adam"
    assert recipes[0].optimizer.branch.learning_rate == 0.002
    assert recipes[1].regularize.dropout == 0.25
    assert len(first.study.trials) == 3


def test_with_a_reference_the_defaults_are_tried_first_and_it_stays_the_same_study(opened):
    ledger = opened(read("small.toml", overrides=["study.reference=true"]))
    recipe, default = ask(ledger).run.recipe, Recipe()
    assert recipe.optimizer == default.optimizer
    assert recipe.regularize == default.regularize
    opened(read("small.toml"))


def test_the_defaults_come_after_the_starts_unless_they_are_one(opened, tmp_path):
    (tmp_path / "small.toml").write_text(STUDY + "\n[[start]]\nregularize.dropout = 0.25\n")
    ledger = opened(read("small.toml", overrides=["study.reference=true"]))
    assert [ask(ledger).run.recipe.regularize.dropout for _ in range(2)] == [0.25, 0.0]
    defaults = read("small.toml", overrides=["study.reference=true"]).first[1]
    as_start = "".join(f"{path} = {json.dumps(value)}\n" for path, value in defaults.items())
    (tmp_path / "small.toml").write_text(STUDY + "\n[[start]]\n" + as_start)
    assert len(read("small.toml", overrides=["study.reference=true"]).first) == 1


def test_a_changed_definition_is_refused_with_the_lines_that_differ_and_what_to_do(opened):
    opened()
    changed = read("small.toml", overrides=["train.epochs=3"])
    with pytest.raises(DefinitionChanged) as caught:
        opened(changed)
    assert "train.epochs: stored 2, now 3" in str(caught.value)
    assert "batch_size" not in str(caught.value)
    assert "--name" in str(caught.value)
    opened(read("small.toml", overrides=["train.epochs=3"], name="longer"))


def test_another_total_or_timeout_is_still_the_same_study(opened):
    opened()
    opened(read("small.toml", overrides=["study.trials=50", "study.timeout=10"]))


def test_a_study_of_another_tool_is_not_touched(opened, url):
    optuna.create_study(study_name="small", storage=open_storage(url, create=True)).add_trial(
        optuna.create_trial(value=1.0)
    )
    with pytest.raises(DefinitionChanged, match="lenet-search did not create"):
        opened()


def test_a_study_whose_maker_was_stopped_before_it_described_it_is_taken_over(opened, definition, url, monkeypatch):
    monkeypatch.setattr(opening, "PATIENCE", 0.0)
    optuna.create_study(study_name="small", storage=open_storage(url, create=True), direction="maximize")
    assert fact(opened().study, DEFINITION) == definition.lines()


def test_a_study_that_is_killed_at_any_write_of_its_creation_has_all_its_starts_once_it_is_opened_again(
    definition, tmp_path, monkeypatch
):
    monkeypatch.setattr(opening, "PATIENCE", 0.0)
    overrides = ["study.reference=true", "study.portfolio=3"]
    definition, journal = read("small.toml", overrides=overrides), tmp_path / "whole.journal"
    assert len(definition.first) >= 3
    opening.open_study(definition, open_storage(str(journal), create=True), "0" * 12)
    lines = journal.read_bytes().splitlines(keepends=True)
    assert len(lines) >= len(definition.first) + 3
    for length in range(len(lines) + 1):
        cut = tmp_path / f"{length}.journal"
        cut.write_bytes(b"".join(lines[:length]))
        study = opening.open_study(definition, open_storage(str(cut), create=True), "1" * 12)
        assert [trial.system_attrs["fixed_params"] for trial in study.trials] == list(definition.first)
        assert [trial.user_attrs["start"] for trial in study.trials] == list(range(1, len(definition.first) + 1))
        assert fact(study, DEFINITION) == definition.lines()
        if 3 < length < len(lines):  # a start is queued: another study of this name has other ones
            cut.write_bytes(b"".join(lines[:length]))
            other = read("small.toml", overrides=["study.reference=true", "train.epochs=3", "study.portfolio=0"])
            with pytest.raises(DefinitionChanged, match="interrupted with other starts"):
                opening.open_study(other, open_storage(str(cut), create=True), "1" * 12)


@pytest.mark.parametrize(
    "damage",
    [lambda lines: "x", lambda lines: [], lambda lines: 3, lambda lines: {"a": 3},
     *(lambda lines, key=key: {path: text for path, text in lines.items() if path != key}
       for key in ("study.seed", "study.sampler", "study.pruner")),
     *(lambda lines, key=key, text=text: lines | {key: text}
       for key, text in {"study.metric": '"foo', "study.sampler": "3", "study.pruner": "{ kind = 3 }",
                         "study.seed": '"x"', "regularize.l2": "{ low = 3 }", "start.1": "7", "train.epochs": "x y",
                         "optimizer.kind": '"nobody"'}.items()),
     lambda lines: lines | {"study.metric": '"foo"'}],
)  # fmt: skip
def test_a_damaged_definition_is_an_error_that_names_the_study(opened, definition, damage):
    study = opened().study
    store_fact(study, DEFINITION, damage(definition.lines()))
    with pytest.raises(ResultError, match="the definition that is stored with study 'small' is damaged"):
        definition_of(study)
    with pytest.raises(ResultError, match="damaged"):
        opened()


def test_other_images_under_the_same_name_are_noticed(opened):
    study = opened().study
    compare_images(study, "0123456789abcdef")
    compare_images(study, "0123456789abcdef")
    with pytest.raises(DefinitionChanged, match="fedcba9876543210"):
        compare_images(study, "fedcba9876543210")


def test_a_resumed_search_does_not_draw_the_same_trials_again(opened):
    first = opened()
    drawn = [finish_one(first) for _ in range(3)]
    second = opened()
    assert not {finish_one(second) for _ in range(3)} & set(drawn)


def test_the_same_seed_draws_the_same_trials_in_a_new_study(opened):
    first = opened()
    second = opened(read("small.toml", name="again"))
    assert [finish_one(first) for _ in range(3)] == [finish_one(second) for _ in range(3)]


def test_hyperband_knows_the_longest_trial_from_the_start(opened):
    ledger = opened(read("small.toml", overrides=['study.pruner={ kind = "HyperbandPruner" }']))
    assert ledger.study.pruner._max_resource == 2


def test_derived_seeds_are_reproducible_and_fit_into_31_bits():
    seeds = [derived_seed(0, number) for number in range(1000)]
    assert len(set(seeds)) == 1000
    assert all(0 <= seed < 2**31 for seed in seeds)
    assert derived_seed(0, 1) == seeds[1]


def finish_one(ledger) -> float:
    held = ask(ledger)
    finish(ledger, held, 0.5)
    return held.run.recipe.regularize.dropout


@pytest.mark.parametrize("place", [1, 99, [1], None])
def test_an_enqueued_trial_of_another_tool_is_not_taken_for_a_start(opened, url, monkeypatch, place):
    monkeypatch.setattr(opening, "PATIENCE", 0.0)
    study = optuna.create_study(study_name="small", storage=open_storage(url, create=True), direction="maximize")
    study.enqueue_trial({"regularize.dropout": 0.123}, user_attrs={"start": place})
    with pytest.raises(DefinitionChanged, match="lenet-search did not create"):
        opened()


@pytest.mark.parametrize("directions", [["minimize"], ["maximize", "minimize"]])
def test_an_empty_study_that_goes_another_way_is_not_taken_over(opened, url, monkeypatch, directions):
    monkeypatch.setattr(opening, "PATIENCE", 0.0)
    optuna.create_study(study_name="small", storage=open_storage(url, create=True), directions=directions)
    with pytest.raises(DefinitionChanged, match="lenet-search did not create"):
        opened()


def test_where_images_were_found_is_kept_and_written_only_when_it_changes(opened, definition, tmp_path, monkeypatch):
    study, folders = opened().study, _data_folders(definition.space, None)
    assert folders == {"tiny": str(tmp_path)}
    remember_folders(study, folders)
    remember_folders(study, {"other": "/somewhere"})
    assert fact(study, DATA_FOLDERS) == {"tiny": str(tmp_path), "other": "/somewhere"}
    monkeypatch.setattr(opening, "store_fact", None)  # nothing is written again
    remember_folders(study, folders)
    remember_folders(study, {})


@pytest.mark.parametrize("stored", ["x", 3, [], {"tiny": 3}])
def test_where_images_were_found_is_forgotten_where_it_is_damaged(opened, stored):
    study = opened().study
    store_fact(study, DATA_FOLDERS, stored)
    assert data_folders(study) == {}
    remember_folders(study, {"tiny": "/somewhere"})
    assert data_folders(study) == {"tiny": "/somewhere"}


def test_images_that_come_from_no_file_are_not_looked_for_in_a_folder(definition):
    assert _data_folders(read("digits").space, None) == {}


def test_what_programs_read_of_a_study_is_not_listed_among_what_people_read(opened):
    ledger = opened()
    compare_images(ledger.study, "0123456789abcdef")
    remember_folders(ledger.study, {"tiny": "/somewhere"})
    ledger.settle("float32")
    assert ledger.study.user_attrs == {}


def test_a_study_whose_definition_is_a_user_attribute_is_resumed_and_compared(opened, definition, url, monkeypatch):
    with monkeypatch.context() as before:  # as in version 0.1.0
        before.setattr(opening, "store_fact", lambda study, *what: study.set_user_attr(*what))
        study = opened().study
        compare_images(study, "0123456789abcdef")
    assert study.user_attrs[DEFINITION] == definition.lines()
    again = opened().study
    with pytest.raises(DefinitionChanged, match="other images"):
        compare_images(again, "fedcba9876543210")
    with pytest.raises(DefinitionChanged, match=r"train\.epochs: stored 2, now 3"):
        opened(read("small.toml", overrides=["train.epochs=3"]))


def test_two_runs_that_begin_at_the_same_moment_draw_different_parameters(opened):
    first, second = opened(), opened()
    drawn = [tuple(sorted(ask(ledger).trial.params.items())) for ledger in (first, second, first, second)]
    assert len(set(drawn)) == 4
