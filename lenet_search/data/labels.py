"""Labels of any source as whole numbers from 0, with the names of the classes."""

from collections.abc import Sequence

import numpy as np

from lenet_search.data.class_folders import natural
from lenet_search.data.dataset import Arrays
from lenet_search.errors import DataError


def training_labels(arrays: Arrays, origin: str) -> tuple[np.ndarray, tuple[str, ...] | None, tuple[str, ...]]:
    """The labels of `y_train`, int32 (n,), the names of their classes, None if they have none, and notes.

    The names are `class_names` or, if the labels are text, those in natural order.

    Raises:
        DataError: they are no labels, or not those of at least two classes without gaps.
    """
    y = _checked(arrays["y_train"], f"{origin}: y_train")
    names = _names(arrays["class_names"], origin) if "class_names" in arrays else None
    notes: tuple[str, ...] = ()
    if y.dtype.kind in "US":
        if names is None:
            names = sorted(set(texts(y)), key=natural)
            _check_printable(names, f"{origin}: y_train")
            notes = (f"{origin}: y_train: text, numbered in the order {shortened(names)}",)
        _check_known(y, names, f"{origin}: y_train: expected the names of class_names")
    elif y.ndim == 2:
        notes = (f"{origin}: y_train: one-hot rows, read as the numbers of {y.shape[1]} classes",)
    labels = as_numbers(y, names or [])
    numbers = np.unique(labels)
    if len(numbers) < 2 or not np.array_equal(numbers, np.arange(len(numbers))):
        shown = [names[number] for number in numbers] if y.dtype.kind in "US" and names else numbers
        raise DataError(
            f"{origin}: y_train: expected labels from 0 up without gaps, and at least two classes; received "
            f"{shortened(shown)}; renumber the classes with numpy.unique(y, return_inverse=True)[1]"
        )
    if names is not None and len(names) != len(numbers):
        raise DataError(
            f"{origin}: class_names: expected one name for each of the {len(numbers)} classes of y_train; received "
            f"{len(names)}: {shortened(names)}"
        )
    return labels.astype(np.int32), None if names is None else tuple(names), notes


def other_labels(arrays: Arrays, key: str, classes: int, names: Sequence[str] | None, origin: str) -> np.ndarray:
    """The labels of `y_val` or `y_test`, int32 (n,), which number the `classes` of `y_train` in the same way.

    Raises:
        DataError: they are no labels, or `y_train` lacks one.
    """
    y = _checked(arrays[key], f"{origin}: {key}")
    if y.dtype.kind in "US":
        _check_known(y, names or (), f"{origin}: {key}: expected the labels of y_train")
    labels = as_numbers(y, list(names or ()))
    if labels.size and (labels.min() < 0 or labels.max() >= classes):
        strange = sorted({int(label) for label in np.unique(labels) if not 0 <= label < classes})
        raise DataError(
            f"{origin}: {key}: expected the labels of y_train, 0 to {classes - 1}; received {strange}; "
            "number the classes of both arrays the same way"
        )
    return labels.astype(np.int32)


def as_numbers(labels: np.ndarray, names: list[str]) -> np.ndarray:
    """Labels (n,) as numbers; text is looked up in `names`. An exported train.py holds this function too."""
    if labels.ndim == 2 and labels.shape[1] > 1:  # one-hot rows
        return np.asarray(labels.argmax(axis=1))
    if labels.dtype.kind not in "US":
        return labels.reshape(-1).astype(int)
    found, places = np.unique(labels.reshape(-1), return_inverse=True)
    return np.array([names.index(text) for text in texts(found)], int)[places]


def kind_of(labels: np.ndarray) -> str:
    """What labels are: "numbers", "text" or "one-hot"."""
    if labels.dtype.kind in "US":
        return "text"
    return "one-hot" if labels.ndim == 2 and labels.shape[1] > 1 else "numbers"


def texts(labels: np.ndarray) -> list[str]:
    """An array of text as strings; bytes are UTF-8. An exported train.py holds this function too."""
    return [each.decode(errors="backslashreplace") if isinstance(each, bytes) else each for each in labels.tolist()]


def shortened(values: Sequence[object] | np.ndarray) -> str:
    """The first twelve of some values, as text."""
    return ", ".join(map(str, values[:12])) + (", ..." if len(values) > 12 else "")


def _checked(y: np.ndarray, where: str) -> np.ndarray:
    """Whole numbers (n,) or text (n,), from rows or columns, or one-hot rows (n, classes)."""
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if y.ndim == 1 and y.dtype.kind in "iuUS":
        return y
    one_hot = y.ndim == 2 and y.dtype.kind in "biuf" and ((y == 0) | (y == 1)).all() and (y.sum(axis=1) == 1).all()
    if one_hot and y.shape[1] > 1:
        return y
    what_to_do = ""
    if y.ndim == 2:
        what_to_do = (
            "; in each row of one-hot labels, one value is 1 and the others 0: y.argmax(axis=1) numbers the largest"
        )
    elif y.ndim == 1:
        what_to_do = "; number the classes with numpy.unique(y, return_inverse=True)[1]"
    raise DataError(
        f"{where}: expected whole numbers or text of shape (n,) or (n, 1), or one-hot rows; received {y.dtype} of "
        f"shape {y.shape}{what_to_do}"
    )


def _names(given: np.ndarray, origin: str) -> list[str]:
    names = texts(given) if given.ndim == 1 and given.dtype.kind in "US" else []
    if not names or len(set(names)) < len(names):
        raise DataError(
            f"{origin}: class_names: expected different names, as an array of text; received {given.dtype} of shape "
            f"{given.shape}{': ' + shortened(names) if names else ''}"
        )
    _check_printable(names, f"{origin}: class_names")
    return names


def _check_printable(names: Sequence[str], where: str) -> None:
    """Names go to terminals and pages, where a control character could do anything."""
    if strange := [ascii(name) for name in names if not name.isprintable()]:
        raise DataError(f"{where}: expected names of classes that can be printed; received {shortened(strange)}")


def _check_known(y: np.ndarray, names: Sequence[str], where: str) -> None:
    if strange := [text for text in texts(np.unique(y)) if text not in names]:
        raise DataError(
            f"{where}, {shortened(names) or 'which are numbers'}; received {shortened(strange)}; use the same labels "
            "in all arrays"
        )
