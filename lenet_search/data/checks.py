"""Checks of images and labels from any source; errors say how to convert them."""

import numpy as np

from lenet_search.data.dataset import Arrays
from lenet_search.errors import DataError


def pairs(arrays: Arrays, part: str, origin: str) -> tuple[np.ndarray, np.ndarray]:
    """Checked images, uint8 (n, H, W, C), and labels, (n,), of "train" or "test", with one label per image.

    Raises:
        DataError: starting with `origin` and the name of the array.
    """
    x, y = images(arrays, f"x_{part}", origin), labels(arrays, f"y_{part}", origin)
    if len(x) != len(y):
        raise DataError(
            f"{origin}: expected one label per image; received {len(x)} images in x_{part} and "
            f"{len(y)} labels in y_{part}"
        )
    return x, y


def images(arrays: Arrays, key: str, origin: str) -> np.ndarray:
    """Images as uint8 (n, H, W, C), or a DataError that says how to convert them."""
    x = arrays[key]
    if not _has_shape(x) or x.dtype != np.uint8:
        told = (
            f"{origin}: {key}: expected uint8 images of shape (n, height, width) or (n, height, width, 1 or 3)",
            f"received {x.dtype} of shape {x.shape}",
        )
        raise DataError("; ".join([*told, *_reshape(x), *_convert(x)]))
    if x.size == 0:
        raise DataError(f"{origin}: {key}: expected images; received none (shape {x.shape})")
    return x if x.ndim == 4 else x[..., np.newaxis]


def _has_shape(x: np.ndarray) -> bool:
    return x.ndim == 3 or (x.ndim == 4 and x.shape[3] in (1, 3))


def _reshape(x: np.ndarray) -> list[str]:
    """What to do if `x` does not have the shape of images."""
    if not _has_shape(x) and x.ndim == 4 and x.shape[1] in (1, 3):
        return ["move the channels to the end with numpy.moveaxis(x, 1, 3)"]
    if not _has_shape(x) and x.ndim == 4 and x.shape[3] == 4:
        return ["drop the alpha channel with x[..., :3]"]
    return []


# Common ranges of pixels that are not bytes, and how to convert `x`; the first range that contains all values is used
_RANGES = (
    (0, 1, "(x * 255).round().astype('uint8')"),
    (-0.5, 0.5, "((x + 0.5) * 255).round().astype('uint8')"),
    (-1, 1, "((x + 1) * 127.5).round().astype('uint8')"),
    (0, 255, "x.round().astype('uint8')"),
)


def _convert(x: np.ndarray) -> list[str]:
    """What to do if pixels are not bytes: their range, and the expression that converts them."""
    if x.dtype == np.uint8 or x.dtype.kind not in "biuf" or x.size == 0:
        return []
    if x.dtype.kind == "f" and (strange := np.count_nonzero(~np.isfinite(x))):
        return [f"{strange} of its {x.size} values are NaN or infinite: correct them before converting it"]
    low, high = float(x.min()), float(x.max())
    if x.dtype.kind != "f" and low >= 0 and high <= 255:
        how = "x.astype('uint8')" + (" * 255" if high <= 1 else "")
    elif fitting := [how for least, most, how in _RANGES if least <= low and high <= most]:
        how = fitting[0]
    elif low == high:
        return [f"every value is {low:g}: expected pixels from 0 to 255"]
    else:
        how = f"numpy.interp(x, ({low!r}, {high!r}), (0, 255)).round().astype('uint8')"
    return [f"its values are from {low:g} to {high:g}: convert it with {how}"]


def labels(arrays: Arrays, key: str, origin: str) -> np.ndarray:
    """Labels as whole numbers (n,), or a DataError that says how to convert them."""
    y = arrays[key]
    column = y.ndim == 2 and y.shape[1] == 1
    if y.dtype.kind not in "iu" or not (y.ndim == 1 or column):
        what_to_do = ""
        if y.ndim == 2 and not column:
            what_to_do = "; turn one-hot labels into numbers with y.argmax(axis=1)"
        elif y.ndim in (1, 2):
            what_to_do = "; number the classes with numpy.unique(y, return_inverse=True)[1]"
        raise DataError(
            f"{origin}: {key}: expected whole numbers of shape (n,) or (n, 1); "
            f"received {y.dtype} of shape {y.shape}{what_to_do}"
        )
    return y.reshape(-1)


def count_classes(labels: np.ndarray, origin: str) -> int:
    """The number of classes of `y_train`; a DataError unless every number from 0 to the highest occurs."""
    numbers = np.unique(labels)
    if len(numbers) < 2 or not np.array_equal(numbers, np.arange(len(numbers))):
        shown = ", ".join(map(str, numbers[:12])) + (", ..." if len(numbers) > 12 else "")
        raise DataError(
            f"{origin}: y_train: expected labels from 0 up without gaps, and at least two classes; received {shown}; "
            "renumber the classes with numpy.unique(y, return_inverse=True)[1]"
        )
    return len(numbers)


def check_test_labels(labels: np.ndarray, classes: int, origin: str) -> None:
    """Raise a DataError for a label of `y_test` that is not among the classes of `y_train`."""
    if labels.min() < 0 or labels.max() >= classes:
        strange = sorted({int(label) for label in np.unique(labels) if not 0 <= label < classes})
        raise DataError(
            f"{origin}: y_test: expected the labels of y_train, 0 to {classes - 1}; received {strange}; "
            "number the classes of both arrays the same way"
        )
