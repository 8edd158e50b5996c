"""A confusion matrix class by class: how frequent each class is, and how much of it is recognized."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lenet_search.look.intervals import Estimate, mean_of_shares, share_of


@dataclass(frozen=True)
class OneClass:
    """A class in a test set: its number of images, their share of all, and the recall, None without an image."""

    name: str
    images: int
    share: float
    recall: Estimate

    def to_json(self) -> dict[str, Any]:
        """Name, images, share, and the recall with its interval."""
        return {
            "class": self.name,
            "images": self.images,
            "share": self.share,
            "recall": self.recall.value,
            "low": self.recall.low,
            "high": self.recall.high,
        }


def by_class(confusion: np.ndarray, names: Sequence[str], unclassified: Sequence[int] = ()) -> list[OneClass]:
    """Each class, in the order of `names`, of one image or more in all.

    `confusion[i, j]` counts the images of class i predicted as class j, `unclassified[i]` those that got no class.
    """
    counts = confusion.sum(axis=1) + (np.array(unclassified, int) if unclassified else 0)
    total = int(counts.sum())
    classes = []
    for place, name in enumerate(names):
        images = int(counts[place])
        recall = (
            share_of(int(confusion[place, place]) / images, images)
            if images
            else Estimate(None, 0, None, None, "images")
        )
        classes.append(OneClass(name, images, images / total, recall))
    return classes


def balanced_accuracy(classes: Sequence[OneClass]) -> Estimate:
    """The mean of the recalls of the classes that have images: each class counts the same, however rare it is."""
    return mean_of_shares([each.recall for each in classes if each.images])


def imbalanced(classes: Sequence[OneClass]) -> bool:
    """Whether classes have different numbers of images."""
    return len({each.images for each in classes}) > 1


def most_confused(confusion: np.ndarray, most: int) -> list[tuple[int, int, int]]:
    """The pairs of classes confused most often, at most `most` of them, as (images, true class, predicted class).

    Most images first; among equals, the first classes first.
    """
    pairs = [(int(n), int(i), int(j)) for (i, j), n in np.ndenumerate(confusion) if i != j and n]
    return sorted(pairs, key=lambda pair: (-pair[0], pair[1:]))[:most]
