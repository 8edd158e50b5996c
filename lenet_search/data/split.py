"""The images that a search sees: loaded, cut to the limit, split in two, padded, and described."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from lenet_search.data.dataset import Found, Tell, silent
from lenet_search.data.finding import find
from lenet_search.data.frame import Frame
from lenet_search.data.labels import kind_of, other_labels, shortened, training_labels
from lenet_search.data.pixels import check_pairs, images, resized
from lenet_search.data.registry import class_names
from lenet_search.data.stratify import stratified
from lenet_search.errors import DataError
from lenet_search.recipe.data import Images

VALIDATION_SEED = 1998  # fixed: the seed of a study changes the trials, never the images


@dataclass(frozen=True, eq=False)
class Split:
    """The images that a search sees, split in two, without the test set.

    x_train, x_val     uint8 (n, H, W, C), padded
    y_train, y_val     int32 (n,)
    mean, std          float64 (C,) of x_train / 255
    pad                pixels of zeros added on each side
    digest             16 hex digits that identify the images, the labels and the split
    source             how an exported train.py reads the same images, as JSON: `Found.format` and `Found.files`;
                       whether pixels are "bytes"; whether "labels" are "numbers", "text" or "one-hot"; whether it
                       has its own "validation" images; and the "size" to which they were brought, 0 if to none
    frame              how the images frame what is drawn; None if they do not in any one way
    notes              lines about what was not used, or not read as it is
    """

    name: str
    x_train: np.ndarray
    y_train: np.ndarray
    x_val: np.ndarray
    y_val: np.ndarray
    classes: int
    class_names: tuple[str, ...]
    mean: np.ndarray
    std: np.ndarray
    pad: int
    digest: str
    source: Mapping[str, Any] = field(default_factory=dict)
    frame: Frame | None = None
    notes: tuple[str, ...] = ()

    def describe(self) -> dict[str, Any]:
        """A description for a trial's record, as JSON; `image_shape` is [H, W, C] including the padding."""
        return {
            "name": self.name,
            "digest": self.digest,
            "image_shape": list(self.x_train.shape[1:]),
            "pad": self.pad,
            "classes": self.classes,
            "class_names": list(self.class_names),
            "mean": self.mean.tolist(),
            "std": self.std.tolist(),
            "train": len(self.y_train),
            "validation": len(self.y_val),
            "source": dict(self.source),
            "frame": None if self.frame is None else self.frame.to_json(),
        }


def load(wanted: Images, folder: Path | None = None, tell: Tell = silent, *, download: bool = True) -> Split:
    """The training images of `wanted.name`, cut to `wanted.limit`, and validation images.

    These are the data set's own, or drawn from the training images as `wanted.validation` says. If it is 0, there are
    none: all are training images.

    Args:
        wanted: the images of a recipe
        folder: folder searched for the data set first; None: LENET_SEARCH_DATA
        tell: hears of the progress if it takes long
        download: whether to download images that are not on this machine

    Raises:
        DataError: images are missing, damaged or mislabeled.
    """
    found = find(wanted.name, "train", folder, wanted.size, tell, download=download)
    origin, arrays = found.origin, found.arrays
    x, notes = images(arrays, "x_train", origin)
    y, names, more = training_labels(arrays, origin)
    check_pairs(x, y, "train", origin)
    classes = int(y.max()) + 1
    if wanted.limit:
        x, y = x[: wanted.limit], y[: wanted.limit]
    notes = (*found.notes, *notes, *more)
    if "x_val" in arrays or "y_val" in arrays:
        x_val, y_val, more = _own_validation(found, x.shape[1:], classes, names)
        notes += more if wanted.validation else ()
        held_out, kept = np.arange(len(y), len(y) + len(y_val)), np.arange(len(y))
        x, y = np.concatenate([x, x_val]), np.concatenate([y, y_val])
    elif wanted.validation:
        count = wanted.validation if isinstance(wanted.validation, int) else round(wanted.validation * len(y))
        held_out = stratified(y, classes, int(count), VALIDATION_SEED, f"{origin}: data.validation")
        kept = np.setdiff1d(np.arange(len(y)), held_out)
    if not wanted.validation:
        held_out, kept = np.arange(0), np.arange(len(y))
    x = resized(x, wanted.size, origin)

    frame = Frame.of(x)

    # The types are explicit: the digest must be the same on every machine.
    sha = hashlib.sha256(repr(x.shape).encode() + (b"" if len(held_out) else b" for training"))
    for part in (kept.astype("<i8"), held_out.astype("<i8"), y.astype("<i4"), x):
        sha.update(np.ascontiguousarray(part).data)

    # LeCun et al. 1998: LeNet-5 sees 28x28 digits in a 32x32 field
    pad = 2 if wanted.padded and x.shape[1:3] == (28, 28) else 0
    if pad:
        x = np.pad(x, ((0, 0), (pad, pad), (pad, pad), (0, 0)))
    x_train, x_val = x[kept], x[held_out]
    mean, std = _mean_and_std(x_train)
    return Split(
        name=wanted.name,
        x_train=x_train,
        y_train=y[kept],
        x_val=x_val,
        y_val=y[held_out],
        classes=classes,
        class_names=names or class_names(wanted.name, classes),
        mean=mean,
        std=std,
        pad=pad,
        digest=sha.hexdigest()[:16],
        source=_source(found, wanted.size),
        frame=frame,
        notes=notes,
    )


def _own_validation(
    found: Found, shape: tuple[int, ...], classes: int, names: tuple[str, ...] | None
) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    """The validation images of a data set that has its own, their labels, and notes."""
    origin = found.origin
    if missing := [key for key in ("x_val", "y_val") if key not in found.arrays]:
        raise DataError(f"{origin}: expected x_val and y_val, or neither; add {missing[0]}, or remove the other")
    x, notes = images(found.arrays, "x_val", origin)
    y = other_labels(found.arrays, "y_val", classes, names, origin)
    check_pairs(x, y, "val", origin)
    if x.shape[1:] != shape:
        raise DataError(
            f"{origin}: x_val: expected images like those of x_train, {'x'.join(map(str, shape))}; received "
            f"{'x'.join(map(str, x.shape[1:]))}"
        )
    if absent := sorted(set(range(classes)) - set(y.tolist())):
        shown = shortened([names[label] for label in absent] if names else absent)
        raise DataError(
            f"{origin}: y_val: expected images of each class; received none of {shown}; add some, or remove x_val and "
            "y_val: then validation images are drawn from the training images"
        )
    return x, y, (*notes, f"{origin}: its own {len(y):,} validation images are used, and data.validation is not")


def _source(found: Found, size: int) -> dict[str, Any]:
    arrays = found.arrays
    x = [arrays[key] for key in ("x_train", "x_val") if key in arrays]
    y = [arrays[key] for key in ("y_train", "y_val") if key in arrays]
    return {
        "format": found.format,
        "files": list(found.files),
        "bytes": all(each.dtype == np.uint8 for each in x),
        "labels": next((kind for kind in map(kind_of, y) if kind != "numbers"), "numbers"),
        "validation": len(x) == 2,
        "size": size,
    }


def _mean_and_std(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation, over 255, of each channel of uint8 images (n, H, W, C), from exact integer sums."""
    channels = images.shape[3]
    count = images.size // channels
    total, squares = np.zeros((2, channels), np.int64)
    for start in range(0, len(images), 500):  # a few megabytes at a time, for the caches; 500 * 255^2 fits an int32
        some = images[start : start + 500].reshape(-1, images[0].size).astype(np.int32)
        total += some.sum(axis=0, dtype=np.int32).reshape(-1, channels).sum(axis=0, dtype=np.int64)
        squares += np.square(some).sum(axis=0, dtype=np.int32).reshape(-1, channels).sum(axis=0, dtype=np.int64)
    mean = total / count
    return mean / 255, np.sqrt(np.maximum(squares / count - mean**2, 0)) / 255
