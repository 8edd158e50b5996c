"""The registry of named data sets. To add one, write its record and list it here."""

from lenet_search.data.digits import DIGITS
from lenet_search.data.keras_datasets import CIFAR10, CIFAR100, FASHION_MNIST, MNIST

DATASETS = {dataset.name: dataset for dataset in (DIGITS, CIFAR10, CIFAR100, FASHION_MNIST, MNIST)}


def class_names(name: str, classes: int) -> tuple[str, ...]:
    """The names of a data set's classes; if unknown, the numbers from 0 to `classes` - 1."""
    known = DATASETS[name].classes if name in DATASETS else ()
    return known if len(known) == classes else tuple(map(str, range(classes)))
