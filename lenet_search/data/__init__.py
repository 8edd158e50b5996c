"""Data sets: load, split, describe.

A name is looked for as `NAME.npz` in the folder of `--data` or LENET_SEARCH_DATA; the embedded digits and Keras's
downloads come after that. `load` reads the training arrays only, the test arrays are `load_test`'s alone.

An .npz holds x_train, y_train, x_test, y_test: images uint8 (n, H, W) or (n, H, W, 1 or 3), labels whole numbers from
0, (n,) or (n, 1).
"""

import contextlib
import hashlib
import os
import sys
import tomllib
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lenet_search.errors import DataError
from lenet_search.recipe.data import Images

KERAS = ("cifar10", "cifar100", "fashion_mnist", "mnist")
DATASETS = Path(__file__).parents[1] / "datasets"
DIGITS = DATASETS / "digits.npz"  # UCI, E. Alpaydin and C. Kaynak, CC BY 4.0: see the README beside it
DIGITS_TEST = 360  # images, a fifth, as Keras's sets hold out a sixth or a seventh
# The seeds of the two splits are their own: another seed of a study changes the trials, never the images.
VALIDATION_SEED = 1998
DIGITS_TEST_SEED = 1989
CLASS_NAMES = DATASETS / "classes.toml"


@dataclass(frozen=True, eq=False)
class Split:
    """The images that a search sees, split in two; the test set is not among them.

    x_train, x_val     uint8 (n, H, W, C), padded
    y_train, y_val     int32 (n,)
    mean, std          float64 (C,) of x_train / 255
    pad                pixels of zeros that were added on each side
    digest             16 hex digits of the images, the labels and who is in which part
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
        """What stands in a trial's record, as JSON can hold it; `image_shape` is [H, W, C] with the padding."""
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


def load(wanted: Images, folder: Path | None = None) -> Split:
    """The training images of `wanted.name`, cut to `wanted.limit` and split by `wanted.validation`.

    Args:
        wanted: what a recipe asks for.
        folder: where NAME.npz is looked for first; None takes LENET_SEARCH_DATA.

    Raises:
        DataError: what is missing, damaged or mislabelled, in which file, and what to do.
    """
    origin, arrays = _arrays(wanted.name, "train", folder)
    images, labels = _pairs(arrays, "train", origin)
    classes = _classes(labels, origin)
    labels = labels.astype(np.int32)
    if wanted.limit:
        images, labels = images[: wanted.limit], labels[: wanted.limit]

    count = wanted.validation if isinstance(wanted.validation, int) else round(wanted.validation * len(labels))
    held_out = _stratified(labels, classes, int(count), VALIDATION_SEED, f"{origin}: data.validation")
    kept = np.setdiff1d(np.arange(len(labels)), held_out)

    # The types are spelled out, so that the digest is the same on every machine.
    sha = hashlib.sha256(repr(images.shape).encode())
    for part in (kept.astype("<i8"), held_out.astype("<i8"), labels.astype("<i4"), images):
        sha.update(np.ascontiguousarray(part).data)

    pad = (
        2 if wanted.padded and images.shape[1:3] == (28, 28) else 0
    )  # LeCun et al. 1998: LeNet-5 sees 28x28 digits in a 32x32 field
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


def load_test(name: str, folder: Path | None = None) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    """The test set of `name`: images uint8 (n, H, W, C) as they are, labels int32 (n,), names of the classes.

    Raises:
        DataError: as `load`; also for a label that the training set does not have.
    """
    origin, arrays = _arrays(name, "test", folder)
    images, labels = _pairs(arrays, "test", origin)
    classes = _classes(_labels(arrays, "y_train", origin), origin)
    if labels.min() < 0 or labels.max() >= classes:
        strange = sorted({int(label) for label in np.unique(labels) if not 0 <= label < classes})
        raise DataError(
            f"{origin}: y_test: expected labels that y_train has, 0 to {classes - 1}; received {strange}; "
            "both must number the classes alike"
        )
    return images, labels.astype(np.int32), class_names(name, classes)


def _arrays(name: str, part: str, folder: Path | None) -> tuple[str, Mapping[str, np.ndarray]]:
    """Where the data set came from, in words, and its arrays; of a file, only those that `part` needs are read."""
    if folder is None and os.environ.get("LENET_SEARCH_DATA"):
        folder = Path(os.environ["LENET_SEARCH_DATA"])
    if folder is not None and not folder.expanduser().is_dir():
        raise DataError(f"{folder}: expected a folder with {Path(name).stem}.npz (--data or LENET_SEARCH_DATA)")

    is_path = name.endswith(".npz") or len(Path(name).parts) > 1
    places = [Path(name).expanduser()] if is_path else []
    if folder is not None:
        places.append(folder.expanduser() / (name if is_path else f"{name}.npz"))
    for place in places:
        if place.exists():
            wanted = ("x_train", "y_train") if part == "train" else ("x_test", "y_test", "y_train")
            return str(place), _read_npz(place, wanted)
    if name == "digits":
        return str(DIGITS), _digits()
    if name in KERAS:
        return f"keras.datasets.{name}", _download(name, places)
    looked = f"looked at {', '.join(map(str, places))}" if places else "no folder was given"
    raise DataError(
        f"data.name: no data set is called {name!r} ({looked}); expected digits, {', '.join(KERAS)}, the path of an "
        ".npz file, or the name of one in the folder given by --data or LENET_SEARCH_DATA"
    )


def _read_npz(path: Path, wanted: tuple[str, ...]) -> dict[str, np.ndarray]:
    """The `wanted` arrays of a file. An .npz is read member by member: what is not asked for is not touched."""
    if not zipfile.is_zipfile(path):
        raise DataError(
            f"{path}: expected an .npz file; received something else, or only the beginning of one; "
            "fetch it again, or write it with numpy.savez"
        )
    try:
        with np.load(path, allow_pickle=False) as file:
            if missing := [key for key in wanted if key not in file.files]:
                raise DataError(
                    f"{path}: expected the arrays x_train, y_train, x_test, y_test; received "
                    f"{', '.join(file.files) or 'none'}; add {', '.join(missing)} with numpy.savez"
                )
            return {key: np.asarray(file[key]) for key in wanted}
    except MemoryError as error:
        raise DataError(f"{path}: does not fit into the memory ({error}); use fewer or smaller images") from error
    except (OSError, EOFError, ValueError, zipfile.BadZipFile, zlib.error) as error:
        if "Object arrays" in str(error):
            raise DataError(
                f"{path}: expected plain numbers; received Python objects, which are not loaded since they could run "
                "code; convert them with array.astype('uint8') and save again"
            ) from error
        raise DataError(f"{path}: the file is damaged ({error}); fetch or write it again") from error


def _download(name: str, places: list[Path]) -> dict[str, np.ndarray]:
    """A data set through `keras.datasets`, which downloads once into ~/.keras and checks the hash."""
    from keras import datasets

    try:
        with contextlib.redirect_stdout(sys.stderr):  # its progress bar; stdout is for results
            (x_train, y_train), (x_test, y_test) = getattr(datasets, name).load_data()
    except Exception as error:  # Keras raises a bare Exception when a download fails
        looked = f" (there is no {places[0]})" if places else ""
        raise DataError(
            f"{name}: the download by keras.datasets failed: {error}{looked}; try again, or, without a network, put "
            f"{name}.npz with x_train, y_train, x_test, y_test into a folder and give it with --data FOLDER or "
            "LENET_SEARCH_DATA=FOLDER"
        ) from error
    return {"x_train": x_train, "y_train": y_train, "x_test": x_test, "y_test": y_test}


def _digits() -> dict[str, np.ndarray]:
    """The embedded digits, 8x8 pixels of 0..16, enlarged to 32x32 of 0..255, with a fixed stratified test set."""
    with np.load(DIGITS, allow_pickle=False) as file:
        images, labels = file["images"], file["labels"]
    images = np.rint(images * (255 / 16)).astype(np.uint8).repeat(4, axis=1).repeat(4, axis=2)
    test = _stratified(labels, 10, DIGITS_TEST, DIGITS_TEST_SEED, "digits")
    train = np.setdiff1d(np.arange(len(labels)), test)
    return {"x_train": images[train], "y_train": labels[train], "x_test": images[test], "y_test": labels[test]}


def _pairs(arrays: Mapping[str, np.ndarray], part: str, origin: str) -> tuple[np.ndarray, np.ndarray]:
    """Images and labels of "train" or "test", checked, one label per image."""
    images, labels = _images(arrays, f"x_{part}", origin), _labels(arrays, f"y_{part}", origin)
    if len(images) != len(labels):
        raise DataError(
            f"{origin}: expected one label per image; received {len(images)} images in x_{part} and "
            f"{len(labels)} labels in y_{part}"
        )
    return images, labels


def _images(arrays: Mapping[str, np.ndarray], key: str, origin: str) -> np.ndarray:
    """Images as uint8 (n, H, W, C), or a DataError that says how to make them so."""
    images = arrays[key]
    shape_is_right = images.ndim == 3 or (images.ndim == 4 and images.shape[3] in (1, 3))
    if not shape_is_right or images.dtype != np.uint8:
        what_to_do = ""
        if images.ndim == 4 and not shape_is_right and images.shape[1] in (1, 3):
            what_to_do = "; move the channels to the end with numpy.moveaxis(x, 1, 3)"
        elif shape_is_right:
            what_to_do = "; convert 0..255 with x.astype('uint8'), 0..1 with (x * 255).round().astype('uint8')"
        raise DataError(
            f"{origin}: {key}: expected uint8 images of shape (n, height, width) or (n, height, width, 1 or 3); "
            f"received {images.dtype} of shape {images.shape}{what_to_do}"
        )
    if images.size == 0:
        raise DataError(f"{origin}: {key}: expected images; received none (shape {images.shape})")
    return images if images.ndim == 4 else images[..., np.newaxis]


def _labels(arrays: Mapping[str, np.ndarray], key: str, origin: str) -> np.ndarray:
    """Labels as whole numbers (n,), or a DataError that says how to make them so."""
    labels = arrays[key]
    column = labels.ndim == 2 and labels.shape[1] == 1
    if labels.dtype.kind not in "iu" or not (labels.ndim == 1 or column):
        one_hot = labels.ndim == 2 and not column
        what_to_do = "; turn one-hot labels into numbers with y.argmax(axis=1)" if one_hot else ""
        raise DataError(
            f"{origin}: {key}: expected whole numbers of shape (n,) or (n, 1); "
            f"received {labels.dtype} of shape {labels.shape}{what_to_do}"
        )
    return labels.reshape(-1)


def _classes(labels: np.ndarray, origin: str) -> int:
    """How many classes there are; every number from 0 to the highest must occur."""
    found = np.unique(labels)
    if len(found) < 2 or not np.array_equal(found, np.arange(len(found))):
        shown = ", ".join(map(str, found[:12])) + (", ..." if len(found) > 12 else "")
        raise DataError(
            f"{origin}: y_train: expected labels from 0 up, two classes or more and none left out; received {shown}; "
            "number the classes anew with numpy.unique(y, return_inverse=True)[1]"
        )
    return len(found)


def class_names(name: str, classes: int) -> tuple[str, ...]:
    """What the classes of a data set are called; their numbers where that is not known."""
    known = tomllib.loads(CLASS_NAMES.read_text(encoding="utf-8")).get(name, "").split()
    return tuple(known) if len(known) == classes else tuple(map(str, range(classes)))


def _stratified(labels: np.ndarray, classes: int, count: int, seed: int, what: str) -> np.ndarray:
    """Indices, rising, of `count` images drawn so that every class gives its share.

    Shares that are no whole number are rounded by the largest remainder, so that the total is exact. Every class
    gives at least one image and keeps at least one.

    Raises:
        DataError: where that cannot be; `what` begins the message.
    """
    sizes = np.bincount(labels, minlength=classes)
    if sizes.min() < 2:
        raise DataError(
            f"{what}: expected at least two images of each class; received {sizes.min()} of class {sizes.argmin()} in "
            f"{len(labels)} images; where data.limit cuts them, raise it, or shuffle a file that is sorted by class"
        )
    if not classes <= count <= len(labels) - classes:
        raise DataError(
            f"{what}: expected from {classes} to {len(labels) - classes} of {len(labels)} images, so that each of the "
            f"{classes} classes has one on either side; received {count}; give another data.validation or data.limit"
        )
    quotas = sizes * (count / len(labels))
    taken = np.clip(np.floor(quotas).astype(int), 1, sizes - 1)
    while taken.sum() < count:
        taken[np.where(taken < sizes - 1, quotas - taken, -np.inf).argmax()] += 1
    while taken.sum() > count:
        taken[np.where(taken > 1, quotas - taken, np.inf).argmin()] -= 1

    shuffled = np.random.default_rng(seed).permutation(len(labels))
    drawn = [shuffled[labels[shuffled] == label][: taken[label]] for label in range(classes)]
    return np.sort(np.concatenate(drawn))


def _mean_and_std(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of each channel of uint8 images (n, H, W, C), over 255; exact, from whole sums."""
    channels = images.shape[3]
    count = images.size // channels
    total, squares = np.zeros((2, channels), np.int64)
    for start in range(0, len(images), 500):  # a few megabytes at a time, for the caches; 500 * 255^2 fits an int32
        some = images[start : start + 500].reshape(-1, images[0].size).astype(np.int32)
        total += some.sum(axis=0, dtype=np.int32).reshape(-1, channels).sum(axis=0, dtype=np.int64)
        squares += np.square(some).sum(axis=0, dtype=np.int32).reshape(-1, channels).sum(axis=0, dtype=np.int64)
    mean = total / count
    return mean / 255, np.sqrt(np.maximum(squares / count - mean**2, 0)) / 255
