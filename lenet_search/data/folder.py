"""A folder of images as a data set: one subfolder per class, perhaps inside train/, val/ and test/."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lenet_search.data.class_folders import class_folders, counts, image_files, printable
from lenet_search.data.dataset import Found, Part, Tell
from lenet_search.data.decoded import decoded
from lenet_search.data.labels import shortened
from lenet_search.errors import DataError

NAMES = {"train": ("train", "training"), "val": ("val", "valid", "validation"), "test": ("test", "testing")}
ORDER_SEED = 1998  # of the order of the images: data.limit takes the first ones, which must not be all of one class
LAYOUT = "expected one subfolder per class with its images, or train/, and perhaps val/ and test/, with such subfolders"


@dataclass(frozen=True)
class Listed:
    """The files of a folder of classes, in a fixed order that mixes the classes, and their labels (n,)."""

    folder: Path
    classes: tuple[str, ...]
    files: Sequence[Path]
    labels: np.ndarray
    notes: tuple[str, ...]


def read_folder(folder: Path, part: Part, size: int, tell: Tell) -> Found:
    """The training and validation images of a folder, or its test images. Of the others, not even a name is read.

    Args:
        folder: the data set
        part: what is read
        size: pixels per side; 0: as `decoded` chooses for the training images
        tell: hears of the progress if it takes long

    Raises:
        DataError: the folder is no data set, or images are not readable.
    """
    try:
        parts = _parts(folder)
        train = listed(parts["train"])
        x_train = decoded(train.folder, train.files, (size, size) if size else None, None, tell)
        arrays = {"x_train": x_train, "y_train": train.labels, "class_names": np.array(train.classes)}
        notes = [*_not_used(folder, parts), *train.notes]
        other = "val" if part == "train" else "test"
        if part == "test" and other not in parts:
            raise DataError(
                f"{printable(folder)}: the data set has no test set: expected the folders train and test in it, each "
                "with one subfolder per class"
            )
        if other in parts:
            more = _like(listed(parts[other], classes_needed=1), train, every=other == "val")
            images = decoded(more.folder, more.files, x_train.shape[1:3], x_train.shape[3], tell)
            arrays |= {f"x_{other}": images, f"y_{other}": more.labels}
            notes += more.notes
    except OSError as error:
        raise DataError(f"{printable(folder)}: cannot be read: {error}") from error
    names = tuple(str(parts[each].relative_to(folder)) for each in ("train", "val") if each in parts)
    return Found(printable(folder), arrays, tuple(notes), "folder", names)


def holds_classes(folder: Path) -> bool:
    """Whether a folder has the layout of a data set: for a folder that may be there for another reason."""
    return any(image_files(each) for each in class_folders(_parts(folder)["train"]))


def listed(folder: Path, classes_needed: int = 2) -> Listed:
    """The images of a folder with one subfolder per class. Labels follow the natural order of the subfolders' names.

    Raises:
        DataError: there are too few classes, or one is empty or there twice.
        OSError: a folder cannot be read.
    """
    where, classes = printable(folder), class_folders(folder)
    if len(classes) < classes_needed:
        loose = len(image_files(folder))
        received = f"{loose:,} images directly in it" if loose and not classes else ""
        received = received or shortened([f"{printable(each.name)}/" for each in classes]) or "none"
        raise DataError(f"{where}: {LAYOUT}, and at least two classes; received {received}")
    images = {each: image_files(each) for each in classes}
    if empty := [each for each in classes if not images[each]]:
        nested = any(class_folders(each) for each in empty)
        raise DataError(
            f"{where}: expected images in each subfolder; received {'only subfolders' if nested else 'none'} in "
            f"{shortened([printable(each.name) for each in empty])}; {LAYOUT if nested else 'add some, or remove it'}"
        )
    folded: dict[str, Path] = {}
    for each in classes:
        if (other := folded.setdefault(each.name.casefold(), each)) != each:
            raise DataError(
                f"{where}: two classes differ only in upper and lower case: {printable(other.name)} and "
                f"{printable(each.name)}; merge or rename them"
            )
    files = [path for each in classes for path in images[each]]
    labels = np.repeat(np.arange(len(classes)), [len(images[each]) for each in classes])
    order = np.random.default_rng(ORDER_SEED).permutation(len(files))
    names = tuple(printable(each.name) for each in classes)
    return Listed(folder, names, [files[place] for place in order], labels[order], tuple(_loose(folder, images)))


def _parts(folder: Path) -> Mapping[str, Path]:
    """The folders of the parts, by name alone. Without one for training, which has classes, all of it is for training.

    Raises:
        DataError: two folders are the same part.
        OSError: the folder cannot be read.
    """
    inside = class_folders(folder)
    if not any(each.name.lower() in NAMES["train"] and class_folders(each) for each in inside):
        return {"train": folder}  # "train" may be a class, beside "bus"
    found: dict[str, Path] = {}
    for part, names in NAMES.items():
        those = [each for each in inside if each.name.lower() in names]
        if len(those) > 1:
            raise DataError(
                f"{printable(folder)}: {' and '.join(each.name for each in those)} are the same part of the data set: "
                "expected one of them"
            )
        if those:
            found[part] = those[0]
    return found


def _like(listed: Listed, train: Listed, *, every: bool) -> Listed:
    """Validation or test images with the labels of the training images; `every` class must have one."""
    known = {name.casefold(): label for label, name in enumerate(train.classes)}
    where = printable(listed.folder)
    if strange := [name for name in listed.classes if name.casefold() not in known]:
        raise DataError(
            f"{where}: expected the classes of {printable(train.folder)}; received {shortened(strange)}, which it lacks"
        )
    missing = sorted(set(range(len(train.classes))) - {known[name.casefold()] for name in listed.classes})
    if every and missing:
        absent = shortened([train.classes[label] for label in missing])
        raise DataError(
            f"{where}: expected images of each class; received none of {absent}; "
            "add some, or remove this folder: then validation images are drawn from the training images"
        )
    numbers = np.array([known[name.casefold()] for name in listed.classes])
    return Listed(listed.folder, train.classes, listed.files, numbers[listed.labels], listed.notes)


def _not_used(folder: Path, parts: Mapping[str, Path]) -> list[str]:
    if parts["train"] == folder:
        return []
    others = [each.name for each in folder.iterdir() if counts(each.name) and each not in parts.values()]
    return [f"{printable(folder)}: not used: {shortened(sorted(map(printable, others)))}"] if others else []


def _loose(folder: Path, images: Mapping[Path, Sequence[Path]]) -> list[str]:
    """Notes on what lies in a folder of classes, and is no image of a class."""
    loose = [each.name for each in folder.iterdir() if counts(each.name) and each not in images]
    for each, files in images.items():
        known = {path.name for path in files}
        loose += [f"{each.name}/{name}" for name in os.listdir(each) if name not in known and counts(name)]
    shown = shortened(sorted(map(printable, loose)))
    return [f"{printable(folder)}: not used, because they are not images in a class's folder: {shown}"] if loose else []
