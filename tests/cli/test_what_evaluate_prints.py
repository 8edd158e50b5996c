import io

import numpy as np
import pytest
from rich.console import Console

from lenet_search.cli.evaluate import show_evaluation
from lenet_search.look.intervals import share_of
from lenet_search.model.evaluate import Evaluation

CIFAR = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


def printed(confusion, names, width=80):
    file = io.StringIO()
    show_evaluation(
        Evaluation.of(np.array(confusion), tuple(names)), Console(file=file, width=width, markup=False), "Test accuracy"
    )
    return file.getvalue()


def confused(classes, images=1000, seed=0):
    """A matrix in which a tenth of each class is confused with others at random."""
    made = np.random.default_rng(seed).poisson(images / 10 / classes, (classes, classes))
    np.fill_diagonal(made, 0)
    np.fill_diagonal(made, images - made.sum(axis=1))
    return made


@pytest.mark.parametrize(
    ("classes", "name"),
    [(2, "{}"), (10, "{}"), (10, "class {} with a name of fifty letters in all, spaces"), (100, "{}"),
     (100, "class {} with a name of more than sixty letters, as people do write them"), (100, "c" * 120 + "{}")],
)  # fmt: skip
def test_no_line_is_wider_than_80_columns_and_every_number_is_whole(classes, name):
    text = printed(confused(classes), [name.format(place) for place in range(classes)])
    assert max(map(len, text.splitlines())) <= 80
    assert "…" not in text
    assert text.count("\n") < 100


def test_ten_classes_have_a_matrix_by_name_where_it_fits_and_else_by_number():
    wide, narrow = printed(confused(10), CIFAR, 140), printed(confused(10), CIFAR)
    heads = [text.split("─")[0].splitlines()[-1].split() for text in (wide, narrow)]
    assert heads == [list(CIFAR), [str(place) for place in range(10)]]
    assert "9 truck" in narrow


def test_of_a_hundred_classes_the_ten_most_confused_pairs_and_the_ten_worst_classes_are_shown():
    confusion = confused(100)
    confusion[7, 3] = 500
    confusion[42, 42] //= 9
    text = printed(confusion, [f"class-{place}" for place in range(100)])
    pairs, classes = text.split("The 10 classes of 100 that are recognized least")
    pairs, classes = ([line.split() for line in part.splitlines() if "class-" in line] for part in (pairs, classes))
    assert (len(pairs), pairs[0]) == (10, ["500", "class-7", "class-3"])
    assert (len(classes), classes[0][0]) == (10, "class-42")


def test_imbalanced_classes_have_their_shares_and_a_balanced_accuracy():
    text = " ".join(printed([[90, 10], [2, 8]], ("often", "rare")).split())
    assert "often 100 90.9 % 90.00 % (82.56 to 94.48)" in text
    assert "rare 10 9.1 % 80.00 % (49.02 to 94.33)" in text
    assert f"Test accuracy {share_of(98 / 110, 110)}, 95 % interval, n = 110 images" in text
    assert "Balanced accuracy 85.00 % (" in text and "the mean recall of all classes" in text


def test_balanced_classes_need_no_second_accuracy():
    assert "Balanced accuracy" not in printed([[90, 10], [20, 80]], ("a", "b"))


def test_a_class_without_images_is_left_out_of_the_balanced_accuracy_and_named():
    text = " ".join(printed([[90, 10, 0], [2, 8, 0], [0, 0, 0]], ("often", "rare", "never")).split())
    assert "the mean recall of 2 classes, 1 without images" in text


def test_a_perfect_model_of_many_classes_has_no_confusion_to_show():
    assert "No image of the 30 classes is confused" in printed(np.eye(30, dtype=int) * 5, map(str, range(30)))
