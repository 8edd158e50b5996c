"""Ablations, from runs that are in the folder already: nothing is trained here."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import optuna
import pytest
from hypothesis import given

from lenet_search import data
from lenet_search.errors import ResultError
from lenet_search.experiments.ablate import REFERENCE, WINNER, Ablation, ablate, changed, choices
from lenet_search.experiments.pages import write_ablation
from lenet_search.look.progress import Silent
from lenet_search.look.waterfall import ablation_figure, cells, choice_words
from lenet_search.recipe import FIELDS, Recipe
from lenet_search.run import Curve, Run
from lenet_search.storage.kept import Kept
from lenet_search.study import read, read_recipe, shipped, write_recipe
from tests.experiments.made import a_zip
from tests.recipe_strategy import recipes

SMALL = {"data.name": "digits", "data.limit": 200, "data.validation": 40, "train.epochs": 1, "train.batch_size": 20}
BEFORE = Recipe.from_values(SMALL | {"optimizer.kind": "adam", "optimizer.adam.learning_rate": 0.001})
AFTER = Recipe.from_values(
    SMALL | {"optimizer.kind": "sgd", "optimizer.sgd.momentum": 0.8, "regularize.dropout": 0.3, "augment.shift": 2}
)
BRINGS = {"optimizer": 0.03, "regularize.dropout": 0.01, "augment.shift": -0.02}
SEEDS = range(8)


@given(recipes(), recipes())
def test_all_choices_together_lead_from_one_recipe_to_the_other(winner: Recipe, reference: Recipe) -> None:
    found = choices(winner, reference)
    back, there = winner, reference
    for each in found:
        back, there = changed(back, each.before), changed(there, each.after)
    assert back == reference
    assert there == winner


@pytest.mark.parametrize("name", sorted(shipped("studies")))
def test_any_mixture_of_two_recipes_of_a_study_is_a_recipe_of_it(name: str, tmp_path: Path) -> None:
    space, rng = read(name).space, np.random.default_rng(0)
    drawing = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    reference = Recipe.from_values(space.nearest(read(name).start[0] if read(name).start else {}))
    for _ in range(10):
        mixture = reference
        for each in choices(Recipe.from_values(space.sample(drawing.ask())), reference):
            if rng.random() < 0.5:
                mixture = changed(mixture, each.after)
        (tmp_path / "mixture.toml").write_text(write_recipe(mixture, header=""))
        assert read_recipe(tmp_path / "mixture.toml")[1] == mixture


def test_a_branch_with_another_kind_is_one_choice() -> None:
    optimizer = next(each for each in choices(AFTER, BEFORE) if each.name == "optimizer")
    assert choice_words(vars(optimizer) | {"choice": optimizer.name}) == "optimizer: adam \N{RIGHTWARDS ARROW} sgd"
    assert optimizer.after["optimizer.sgd.momentum"] == 0.8
    assert {FIELDS[path].section for path in optimizer.after} == {"optimizer"}


def keep(
    folder: Path, name: str, recipe: Recipe, brings: Mapping[str, float], noise: float = 0.001,
    seeds: Sequence[int] = SEEDS,
) -> None:  # fmt: skip
    """Runs of a variant: 0.8, and what each choice that it has brings."""
    have = [each.name for each in choices(AFTER, BEFORE) if changed(recipe, each.after) == recipe]
    kept, rng = Kept(folder / name), np.random.default_rng(len(name))
    images = data.load(recipe.images).describe()
    kept.begin(recipe, images, "")
    for seed in seeds:
        curve = Curve.constant([0.8 + sum(brings[each] for each in have) + float(rng.normal(0, noise))])
        kept.keep_model(seed, a_zip())
        kept.keep(Run(recipe, seed, images, [(0, 1)], curve, False, "CPU", {"keras": "3"}, 1.0))


def made(folder: Path, brings: Mapping[str, float] = BRINGS, *, path: bool = False, noise: float = 0.001) -> Ablation:
    different = choices(AFTER, BEFORE)
    keep(folder, WINNER, AFTER, brings, noise)
    keep(folder, REFERENCE, BEFORE, brings, noise)
    for each in different:
        keep(folder, f"without {each.name}", changed(AFTER, each.before), brings, noise)
    left, recipe, place = sorted(different, key=lambda each: -brings[each.name]), BEFORE, 1
    while left:
        for each in left:
            keep(folder, f"step {place}, {each.name}", changed(recipe, each.after), brings, noise)
        recipe, place = changed(recipe, left.pop(0).after), place + 1
    return ablate(
        AFTER, BEFORE, folder, study="mine", metric="val_accuracy", seeds=SEEDS, view=Silent(), path=path
    )  # fmt: skip


def test_each_choice_brings_what_is_lost_without_it(tmp_path: Path) -> None:
    found = made(tmp_path)
    assert [step.choice.name for step in found.steps] == ["optimizer", "regularize.dropout", "augment.shift"]
    for step in found.steps:
        assert step.brings.low is not None and step.brings.high is not None
        assert step.brings.low < BRINGS[step.choice.name] + 0.002
        assert step.brings.high > BRINGS[step.choice.name] - 0.002
    assert [step.verdict() for step in found.steps] == ["helps", "helps", "harms"]
    assert found.verdict() == "optimizer and regularize.dropout help; augment.shift harms."


def test_a_path_makes_the_best_choice_first_and_ends_at_the_winner(tmp_path: Path) -> None:
    found = made(tmp_path, path=True)
    assert [step.choice.name for step in found.steps] == ["optimizer", "regularize.dropout", "augment.shift"]
    assert found.gain is not None
    assert sum(step.brings.mean for step in found.steps) == pytest.approx(found.gain.mean)


def test_choices_that_bring_nothing_are_not_said_to_matter(tmp_path: Path) -> None:
    found = made(tmp_path, dict.fromkeys(BRINGS, 0.0), noise=0.01)
    assert found.verdict() == "No single choice of the winner makes a significant difference."


def test_a_winner_that_is_the_reference_has_nothing_to_put_back(tmp_path: Path) -> None:
    with pytest.raises(ResultError, match="nothing to put back"):
        ablate(AFTER, AFTER, tmp_path, study="mine", metric="val_accuracy", seeds=SEEDS, view=Silent())


@pytest.mark.parametrize("path", [False, True])
def test_the_page_and_the_json_have_every_choice(tmp_path: Path, path: bool) -> None:
    found = made(tmp_path, path=path)
    machine, page = write_ablation(found, tmp_path / "written")
    content = json.loads(machine.read_text())
    assert [step["choice"] for step in content["steps"]] == [step.choice.name for step in found.steps]
    assert all(words in page.read_text() for words, *_ in cells(content))
    (bars,) = ablation_figure(content).data
    assert [name.replace("<br>", " ") for name in bars.y] == [words for words, *_ in cells(content)]
    ends = [start + width for start, width in zip(bars.base, bars.x, strict=True)]
    if path:  # a waterfall: each bar begins where the one before ends, the last at the winner
        assert list(bars.base)[1:] == pytest.approx(ends[:-1])
        assert ends[-1] == pytest.approx(100 * (found.winner.value or 0))


def test_the_page_begins_with_the_verdict_and_says_that_it_is_quick(tmp_path: Path) -> None:
    found = replace(made(tmp_path), study="<img src=x>")
    machine, page = write_ablation(found, tmp_path / "written")
    why = "only the first 200 training images were used"
    text = page.read_text()
    assert "<h1>Ablation of &lt;img src=x&gt; (quick)</h1>" in text
    assert text.index(why) < text.index(f"<b>{found.verdict()}</b>") < text.index('id="ablation"')
    assert "<h2>What each choice brings: &lt;img src=x&gt; (quick)</h2>" in text
    assert json.loads(machine.read_text())["quick"] == why
