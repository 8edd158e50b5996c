import numpy as np
import pytest

from lenet_search.look.intervals import share_of
from lenet_search.model.by_class import balanced_accuracy, by_class, imbalanced, most_confused

CONFUSION = np.array([[90, 10, 0], [2, 8, 0], [0, 0, 0]])
NAMES = ("often", "rare", "never")


def test_each_class_has_its_share_of_the_images_and_its_recall_with_wilsons_interval() -> None:
    often, rare, never = by_class(CONFUSION, NAMES)
    assert (often.images, often.share, often.recall) == (100, pytest.approx(100 / 110), share_of(0.9, 100))
    assert (rare.images, rare.share, rare.recall) == (10, pytest.approx(10 / 110), share_of(0.8, 10))
    assert (never.images, never.share, never.recall.value) == (0, 0.0, None)
    assert rare.to_json() == {
        "class": "rare", "images": 10, "share": rare.share, "recall": 0.8,
        "low": rare.recall.low, "high": rare.recall.high,
    }  # fmt: skip


def test_in_the_balanced_accuracy_every_class_with_images_counts_the_same() -> None:
    found = balanced_accuracy(by_class(CONFUSION, NAMES))
    assert found.value == pytest.approx((0.9 + 0.8) / 2)
    assert found.low is not None and found.high is not None and found.low < 0.85 < found.high
    assert found.high - found.low > 0.2  # ten images of the rare class say little


def test_classes_are_imbalanced_if_their_numbers_of_images_differ() -> None:
    assert imbalanced(by_class(CONFUSION, NAMES))
    assert not imbalanced(by_class(np.array([[5, 5], [1, 9]]), ("a", "b")))


def test_the_most_frequent_confusions_come_first() -> None:
    assert most_confused(CONFUSION, 5) == [(10, 0, 1), (2, 1, 0)]
    assert most_confused(CONFUSION, 1) == [(10, 0, 1)]
    assert most_confused(np.ones((3, 3), int), 3) == [(1, 0, 1), (1, 0, 2), (1, 1, 0)]


def test_images_that_got_no_class_count_as_wrong_in_the_recall_of_theirs():
    first, second = by_class(np.array([[3, 1], [0, 0]]), ("a", "b"), (4, 2))
    assert (first.images, first.share, first.recall.value) == (8, 0.8, 3 / 8)
    assert (second.images, second.recall.value) == (2, 0.0)


def test_where_all_images_are_blank_nothing_is_recalled():
    assert [each.recall.value for each in by_class(np.zeros((2, 2), int), ("a", "b"), (1, 1))] == [0.0, 0.0]
