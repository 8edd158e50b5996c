"""The data in `train.py`: where the images come from, and the same validation images as in the search."""

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lenet_search.data.split import VALIDATION_SEED
from lenet_search.data.stratify import held_out
from lenet_search.recipe import Recipe
from lenet_search.results.script.own_data import Reading, reading
from lenet_search.results.script.text import indented, quoted

HELD_OUT = inspect.getsource(held_out).rstrip()  # the script holds the search's own function


def load_function(recipe: Recipe, images: Mapping[str, Any]) -> str:
    """`load(path)`, which gives training and validation images, padded, and their labels; and what it calls."""
    read, pad = reading(recipe.data.name, images), images["pad"]
    lines = [
        '"""Images (n, height, width, channels) from 0 to 255 and labels: training, then validation."""',
        *read.lines,
    ]
    if recipe.data.limit:
        lines.append("images, labels = images[:LIMIT], labels[:LIMIT]")
    if pad:
        lines += [f"{x} = np.pad({x}, ((0, 0), ({pad}, {pad}), ({pad}, {pad}), (0, 0)))" for x, _ in read.held]
    if read.own_validation:
        lines.append("return images, labels, x_val, y_val")
        return "\n\n\n".join([*read.functions, "def load(path):\n" + indented("\n".join(lines))])
    lines += [
        f"validation = held_out(labels, VALIDATION, seed={VALIDATION_SEED})",
        "x_train, y_train = np.delete(images, validation, axis=0), np.delete(labels, validation)",
        "return x_train, y_train, images[validation], labels[validation]",
    ]
    return "\n\n\n".join([HELD_OUT, *read.functions, "def load(path):\n" + indented("\n".join(lines))])


def data_argument(read: Reading, file: Path | None) -> str:
    """The line that declares `--data`; by default it names the `file` (or folder) in which the images were found."""
    if read.default is None:
        return 'parser.add_argument("--data", metavar="FILE.npz", help="read x_train and y_train from here instead")'
    if file is not None and read.takes == "FOLDER" and not file.is_dir():
        file = file.parent
    default = quoted(str(file.absolute()) if file else read.default)
    return f'parser.add_argument("--data", metavar="{read.takes}", default={default}, help="the images")'
