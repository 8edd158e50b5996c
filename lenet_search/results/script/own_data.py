"""Reading the images in `train.py`: the same ones in the same order as the search, which `source` describes.

`source` is that of `Split.describe()`; runs of version 0.1 have none and read arrays of bytes. The script holds the
search's own functions.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lenet_search.data import DATASETS, class_folders, decode, idx, labels, matlab, pixels
from lenet_search.data.folder import ORDER_SEED
from lenet_search.results.script.text import quoted

PLAIN = {"format": "", "files": [], "bytes": True, "labels": "numbers", "validation": False, "size": 0}
NEEDS = {"folder": ("pillow",)}  # packages beside tensorflow and numpy, by format

# Of a folder with one subfolder per class. The order is that of `lenet_search.data.folder.listed`.
_READ_FOLDER = f'''\
def read_folder(folder):
    """Images and labels, in the order of the search."""
    known = [name.casefold() for name in CLASSES]
    classes = [(each, known.index(printable(each.name).casefold())) for each in class_folders(folder)]
    files = [(file, label) for each, label in classes for file in image_files(each)]
    files = [files[place] for place in np.random.default_rng({ORDER_SEED}).permutation(len(files))]
    images = [np.asarray(upright(file).convert(MODE)) for file, _ in files]
    images = [fitted(image.reshape(*image.shape[:2], -1), SIZE) for image in images]
    return np.stack(images), np.array([label for _, label in files])'''


@dataclass
class Reading:
    """What a script needs to read a data set.

    lines      assign `images` and `labels` and, if it has validation images, `x_val` and `y_val`, from `path`
    functions  the text of what these lines call
    constants  what these functions use, by name
    needs      packages beside tensorflow and numpy
    default    what --data is without being given; None: nothing
    takes      what --data takes
    held       names of the arrays of images and of labels
    """

    lines: list[str] = field(default_factory=list)
    functions: list[str] = field(default_factory=list)
    constants: dict[str, Any] = field(default_factory=dict)
    needs: list[str] = field(default_factory=list)
    default: str | None = None
    takes: str = "FOLDER"
    held: list[tuple[str, str]] = field(default_factory=lambda: [("images", "labels")])

    @property
    def own_validation(self) -> bool:
        """Whether the data set has validation images, so that none are held out."""
        return len(self.held) == 2


def reading(name: str, images: Mapping[str, Any]) -> Reading:
    """How the data set `name` of a trial's `images` is read."""
    source = PLAIN | images.get("source", {})
    made = Reading(needs=list(NEEDS.get(source["format"], ())))
    if source["validation"]:
        made.held.append(("x_val", "y_val"))
    height, width, channels = images["image_shape"]
    size = height - 2 * images["pad"], width - 2 * images["pad"]
    if source["format"] == "folder":
        _from_folder(made, name, source)
        made.constants |= {"CLASSES": images["class_names"], "MODE": "L" if channels == 1 else "RGB", "SIZE": size}
    elif source["format"] in ("idx", "mat"):
        _from_files(made, name, source)
    elif name in DATASETS and source | {"format": "", "size": 0} == PLAIN:
        made.lines, made.takes = DATASETS[name].script.splitlines(), "FILE.npz"
    else:
        made.default, made.takes = name if name.endswith(".npz") else f"{name}.npz", "FILE.npz"
        made.lines.append("with np.load(path, allow_pickle=False) as file:")
        for (x, y), part in zip(made.held, ("train", "val"), strict=False):
            made.lines.append(f'    {x}, {y} = file["x_{part}"], file["y_{part}"]')
    for x, y in made.held:
        if not source["bytes"]:
            made.lines.append(f"{x} = as_bytes({x})")
        if source["labels"] != "numbers":
            made.lines.append(f"{y} = as_numbers({y}, CLASSES)")
        made.lines.append(f"{x}, {y} = {x}.reshape(*{x}.shape[:3], -1), {y}.reshape(-1).astype(int)")
        if source["size"] and source["format"] != "folder":
            made.lines.append(f"{x} = np.stack([fitted(image, SIZE) for image in {x}])")
    if not source["bytes"]:
        made.functions.append(_text(pixels.as_bytes))
    if source["labels"] != "numbers" and source["format"] != "folder":
        made.functions += [_text(labels.texts), _text(labels.as_numbers)]
        made.constants["CLASSES"] = images["class_names"]
    if source["size"] and source["format"] != "folder":
        made.functions.append(_text(decode.fitted))
        made.constants["SIZE"] = size
        made.needs.append("pillow")
    return made


def _from_folder(made: Reading, name: str, source: Mapping[str, Any]) -> None:
    made.default = name
    made.lines += [
        f"{x}, {y} = read_folder(Path(path, {quoted(part)}))"
        for (x, y), part in zip(made.held, source["files"], strict=True)
    ]
    made.constants |= {"SUFFIXES": class_folders.SUFFIXES, "SYSTEM": class_folders.SYSTEM}
    functions: list[Callable[..., Any]] = [
        class_folders.natural,
        class_folders.counts,
        class_folders.printable,
        class_folders.class_folders,
        class_folders.image_files,
        decode.upright,
        decode.fitted,
    ]
    made.functions += [*map(_text, functions), _READ_FOLDER]


def _from_files(made: Reading, name: str, source: Mapping[str, Any]) -> None:
    """From files in a folder, which `name` is, or one of which it names."""
    files = source["files"]
    made.default = str(Path(name).parent) if Path(name).name == files[0] else name
    if source["format"] == "mat":
        made.lines += [
            f'file = read_mat(Path(path, {quoted(files[0])}), ("X", "y"))',
            'images, labels = file["X"].transpose(3, 0, 1, 2), file["y"] % 10',
        ]
        made.functions.append(_text(matlab.read_mat))
        return
    made.functions.append(_text(idx.read_idx))
    for array, file in zip(("images", "labels"), files, strict=True):
        made.lines.append(f"{array} = read_idx(Path(path, {quoted(file)}))")
    if idx.is_turned(files[0]):
        made.lines.append("images = images.swapaxes(1, 2)")
    if source["labels"] == "text":
        made.lines.append("labels = labels.astype(str)")


def _text(function: Callable[..., Any]) -> str:
    return inspect.getsource(function).rstrip()
