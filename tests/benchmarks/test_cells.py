import numpy as np
import pytest
from engine import arguments
from measure.cells import AUGMENT, KINDS, OPTIMIZERS, PRECISIONS, STUDY, Cell, images, recipes_of
from measure.table import cells_of, in_order, spread


def test_a_mixed_stack_holds_all_optimizers_in_turn():
    recipes, structure = recipes_of(Cell(9, "none", "mixed"))
    assert [recipe.optimizer.kind for recipe in recipes] == [*KINDS, *list(KINDS)[:2]]
    assert structure.second_moment
    assert not structure.own_images


def test_one_optimizer_needs_no_second_moment():
    recipes, structure = recipes_of(Cell(3, "none", "one"))
    assert {recipe.optimizer.kind for recipe in recipes} == {"sgd"}
    assert not structure.second_moment


@pytest.mark.parametrize("augment", AUGMENT)
def test_a_cell_s_program_has_its_augmentations_and_no_others(augment):
    _, structure = recipes_of(Cell(2, augment, "one"))
    assert {f"augment.{name}" for name in structure.augmentations} == set(AUGMENT[augment])
    assert structure.own_images == bool(AUGMENT[augment])


@pytest.mark.parametrize("series", [("all", "mixed"), ("flip", "one"), (STUDY, STUDY)])
def test_stacks_of_all_sizes_run_the_same_program(series):
    assert recipes_of(Cell(1, *series))[1] == recipes_of(Cell(5, *series))[1]


def test_the_study_s_cell_is_drawn_from_its_whole_space():
    recipes, structure = recipes_of(Cell(8, STUDY, STUDY))
    assert len(set(recipes)) == 8
    assert structure.penalty
    assert structure.dropout
    assert set(structure.augmentations) == {"flip", "shift", "cutout"}


@pytest.mark.parametrize("augment", ["none", STUDY])
def test_a_cell_s_precision_holds_whatever_the_study_says(augment):
    for precision, values in PRECISIONS.items():
        cell = Cell(2, augment, STUDY if augment == STUDY else "one", precision)
        recipes, structure = recipes_of(cell)
        assert {recipe.train.precision for recipe in recipes} == set(values.values()) == {structure.precision}


def test_random_images_have_a_ninth_for_validation():
    split = images(90)
    assert split.x_train.shape == (90, 32, 32, 3)
    assert split.x_val.shape == (10, 32, 32, 3)
    assert split.x_train.dtype == np.uint8


def test_sizes_are_measured_from_the_ends_inward():
    assert spread([1, 2, 4, 8, 16]) == [16, 1, 4, 8, 2]
    assert spread([3]) == [3]


def test_what_a_budget_leaves_out_comes_last():
    cells = cells_of(
        arguments(
            ["--sizes", "1", "2", "4", "--augment", "none", "all", "--optimizers", "one", "--precision", "float32"]
        ),
        gpu=False,
    )
    assert [(cell.slots, cell.augment) for cell in cells] == [
        (4, "none"), (4, "all"), (1, "none"), (1, "all"), (2, "none"), (2, "all"),
    ]  # fmt: skip


def test_a_table_has_every_size_of_every_series_once():
    cells = cells_of(arguments([]), gpu=True)
    assert len(cells) == len(set(cells)) == 9 * 7 * len(PRECISIONS)


def test_rows_stand_by_series_and_size():
    cells = [Cell(size, "none", kind) for size in (8, 1, 2) for kind in OPTIMIZERS]
    ordered = in_order(cells)
    assert [cell.slots for cell in ordered] == [1, 2, 8, 1, 2, 8]
    assert [cell.optimizers for cell in ordered] == ["one"] * 3 + ["mixed"] * 3
