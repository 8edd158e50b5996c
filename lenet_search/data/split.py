"""The images that a search sees: loaded, cut to the limit, split in two, padded, and described."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lenet_search.data.checks import count_classes, pairs
from lenet_search.data.finding import find
from lenet_search.data.registry import class_names
from lenet_search.data.stratify import stratified
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
        }


def load(wanted: Images, folder: Path | None = None, *, download: bool = True) -> Split:
    """The training images of `wanted.name`, cut to `wanted.limit` and split by `wanted.validation`.

    Args:
        wanted: the images of a recipe
        folder: folder searched for NAME.npz first; None: LENET_SEARCH_DATA
        download: whether to download images that are not on this machine

    Raises:
        DataError: images are missing, damaged or mislabeled.
    """
    origin, arrays = find(wanted.name, ("x_train", "y_train"), folder, download=download)
    images, labels = pairs(arrays, "train", origin)
    classes = count_classes(labels, origin)
    labels = labels.astype(np.int32)
    if wanted.limit:
        images, labels = images[: wanted.limit], labels[: wanted.limit]

    count = wanted.validation if isinstance(wanted.validation, int) else round(wanted.validation * len(labels))
    held_out = stratified(labels, classes, int(count), VALIDATION_SEED, f"{origin}: data.validation")
    kept = np.setdiff1d(np.arange(len(labels)), held_out)

    # The types are explicit: the digest must be the same on every machine.
    sha = hashlib.sha256(repr(images.shape).encode())
    for part in (kept.astype("<i8"), held_out.astype("<i8"), labels.astype("<i4"), images):
        sha.update(np.ascontiguousarray(part).data)

    # LeCun et al. 1998: LeNet-5 sees 28x28 digits in a 32x32 field
    pad = 2 if wanted.padded and images.shape[1:3] == (28, 28) else 0
    if pad:
        images = np.pad(images, ((0, 0), (pad, pad), (pad, pad), (0, 0)))
    x_train, x_val = images[kept], images[held_out]
    mean, std = _mean_and_std(x_train)
    return Split(
        name=wanted.name,
        x_train=x_train,
        y_train=labels[kept],
        x_val=x_val,
        y_val=labels[held_out],
        classes=classes,
        class_names=class_names(wanted.name, classes),
        mean=mean,
        std=std,
        pad=pad,
        digest=sha.hexdigest()[:16],
    )


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
