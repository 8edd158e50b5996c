import optuna
import pytest
from hypothesis import given

from lenet_search.recipe import FIELDS, Recipe, Value
from lenet_search.space import Choice, Entry, Range, Space
from lenet_search.study import read as read_study
from lenet_search.study import shipped
from tests.recipe_strategy import recipes

OPEN: dict[str, Entry] = {
    "train.epochs": Range(2, 10, step=4, integer=True),
    "model.batch_norm": Choice((True, False)),
    "augment.shift": Range(0, 3, integer=True),
    "regularize.l2": Range(1e-6, 1e-2, log=True),
    "regularize.dropout": Range(0.0, 0.5, step=0.25),
    "optimizer.kind": Choice(("sgd", "adam")),
    "optimizer.sgd.momentum": Range(0.5, 0.9),
    "optimizer.adam.learning_rate": Range(1e-4, 1e-2, log=True),
}


def space_of(**changed: Entry) -> Space:
    entries: dict[str, Entry] = {**OPEN, **changed}
    kinds = {"sgd", "adam", "constant"}
    return Space(
        {path: entries.get(path, f.default) for path, f in FIELDS.items() if f.branch is None or f.branch in kinds}
    )


def trials_of(space: Space, n: int) -> list[tuple[dict[str, Value], optuna.Trial]]:
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    found = []
    for _ in range(n):
        trial = study.ask()
        found.append((space.sample(trial), trial))
    return found


def test_every_sample_is_a_recipe_and_nothing_but_its_active_values() -> None:
    for values, _ in trials_of(space_of(), 40):
        assert Recipe.from_values(values).values() == values


def test_optuna_is_asked_for_the_open_and_active_paths_only_by_their_dotted_names() -> None:
    both = {"optimizer.sgd.momentum", "optimizer.adam.learning_rate"}
    for values, trial in trials_of(space_of(), 40):
        mine = "optimizer.sgd.momentum" if values["optimizer.kind"] == "sgd" else "optimizer.adam.learning_rate"
        assert set(trial.params) == (set(OPEN) - both) | {mine}
        assert all(values[path] == value for path, value in trial.params.items())


@given(recipes())
def test_the_nearest_trial_can_be_drawn_and_keeps_what_a_trial_can_have(recipe: Recipe) -> None:
    space, wanted = space_of(), recipe.values()
    found = space.nearest(wanted)
    assert Recipe.from_values(found).values() == found
    assert space.nearest(found) == found
    for path, entry in space.searched().items():
        if path in found:
            drawable = entry.choices.__contains__ if isinstance(entry, Choice) else entry.contains
            assert drawable(found[path])
            assert path not in wanted or not drawable(wanted[path]) or found[path] == wanted[path]


@pytest.mark.parametrize(
    ("entry", "wanted", "nearest"),
    [
        (Range(0.0, 0.5), 0.7, 0.5),
        (Range(0.1, 0.7, step=0.2), 0.45, 0.5),
        (Range(0.1, 0.3, step=0.1), 0.463, 0.3),
        (Range(0.1, 0.7, step=0.2), 11.8, 0.7),
        (Range(2, 9, step=4, integer=True), 9, 6),
        (Range(2, 9, integer=True), 4.6, 5),
        (Choice((32, 64, 256)), 128, 64),
        (Choice(("relu", "elu")), "tanh", "relu"),
        (Choice((True, False)), False, False),
        (7, 3, 7),
    ],
)
def test_the_nearest_value_is_on_the_grid_and_within_the_bounds(entry: Entry, wanted: Value, nearest: Value) -> None:
    found = space_of(**{"train.batch_size": entry}).nearest({"train.batch_size": wanted})["train.batch_size"]
    assert found == nearest
    assert not isinstance(entry, Range) or entry.contains(float(found))


def test_samples_keep_to_their_ranges_steps_and_choices() -> None:
    samples = [values for values, _ in trials_of(space_of(), 100)]
    assert {values["train.epochs"] for values in samples} == {2, 6, 10}
    assert {values["augment.shift"] for values in samples} == {0, 1, 2, 3}
    assert {values["regularize.dropout"] for values in samples} == {0.0, 0.25, 0.5}
    assert {values["model.batch_norm"] for values in samples} == {True, False}
    assert all(isinstance(values["augment.shift"], int) for values in samples)
    assert all(1e-6 <= float(values["regularize.l2"]) <= 1e-2 for values in samples)


def test_a_logarithmic_range_gives_each_power_of_ten_an_equal_share() -> None:
    low = [float(values["regularize.l2"]) < 1e-5 for values, _ in trials_of(space_of(), 400)]
    # one of four powers of ten: binomial(400, 1/4) lies within 5 standard deviations, 8.7 each, of 100
    assert abs(sum(low) - 100) < 5 * (400 * 0.25 * 0.75) ** 0.5


def test_optuna_takes_every_range_as_it_is_written() -> None:
    _, trial = trials_of(space_of(), 1)[0]
    given = trial.distributions["train.epochs"]
    assert given == optuna.distributions.IntDistribution(2, 10, step=4)
    assert trial.distributions["regularize.l2"] == optuna.distributions.FloatDistribution(1e-6, 1e-2, log=True)


@given(recipes())
def test_the_space_of_a_recipe_has_nothing_open_and_samples_that_recipe(recipe: Recipe) -> None:
    space = Space.from_recipe(recipe)
    assert space.searched() == {}
    assert Recipe.from_values(space.sample(optuna.trial.FixedTrial({}))) == recipe


def test_searched_names_what_is_open() -> None:
    assert space_of().searched() == OPEN


def test_possible_is_a_range_or_all_values_and_nothing_for_a_branch_that_is_never_picked() -> None:
    space = space_of()
    assert space.possible("regularize.l2") == OPEN["regularize.l2"]
    assert space.possible("optimizer.kind") == ("sgd", "adam")
    assert space.possible("regularize.l1") == (0.0,)
    assert space.possible("optimizer.lion.beta_1") == ()


def test_possible_refuses_a_path_that_does_not_exist() -> None:
    with pytest.raises(KeyError, match=r"optimizer\.sgd\.momentun"):
        space_of().possible("optimizer.sgd.momentun")


@pytest.mark.parametrize(
    ("path", "value", "can"),
    [
        ("regularize.l1", 0, False),  # fixed to 0
        ("regularize.l2", 0, True),
        ("regularize.l2", 1e-2, False),  # its upper end
        ("augment.shift", 2, True),
        ("augment.shift", 3, False),
        ("model.batch_norm", 0, True),
        ("optimizer.sgd.nesterov", 0, False),
        ("optimizer.rmsprop.centered", 0, False),  # a kind that is never picked
    ],
)
def test_can_exceed_tells_what_a_trial_could_use(path: str, value: float, can: bool) -> None:
    assert space_of().can_exceed(path, value) is can


def test_a_choice_can_exceed_what_its_largest_exceeds() -> None:
    space = space_of(**{"augment.flip": Choice((0.0, 0.5)), "model.batch_norm": Choice((False,))})
    assert space.can_exceed("augment.flip")
    assert not space.can_exceed("augment.flip", 0.5)
    assert not space.can_exceed("model.batch_norm")


def test_kinds_are_those_that_a_trial_can_pick() -> None:
    assert space_of().kinds("optimizer") == ("sgd", "adam")
    assert space_of().kinds("schedule") == ("constant",)


@pytest.mark.parametrize(
    ("value", "inside"), [(0.1, True), (0.3, True), (0.7, True), (0.35, False), (0.0, False), (0.9, False)]
)
def test_a_stepped_range_contains_its_grid_in_decimals(value: float, inside: bool) -> None:
    assert Range(0.1, 0.7, step=0.2).contains(value) is inside


@pytest.mark.parametrize("name", shipped())
def test_every_sample_of_a_study_that_ships_is_a_recipe(name: str) -> None:
    for values, _ in trials_of(read_study(shipped()[name]).space, 20):
        assert Recipe.from_values(values).values() == values


def test_a_whole_number_is_in_a_range_only_if_a_step_reaches_it() -> None:
    found = Range(1, 1_000_000_001, step=1_000_000_000, integer=True)
    assert found.contains(1) and found.contains(1_000_000_001) and not found.contains(2)


def test_a_value_beyond_counting_is_in_no_range() -> None:
    assert not Range(0.0, 1e300, step=1e-300).contains(0.5e300)
