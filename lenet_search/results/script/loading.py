"""The data in `train.py`: where the images come from, and the same validation images as in the search."""

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lenet_search.data import DATASETS, files
from lenet_search.data.split import VALIDATION_SEED
from lenet_search.data.stratify import held_out
from lenet_search.recipe import Recipe
from lenet_search.results.script.text import indented, quoted

HELD_OUT = inspect.getsource(held_out).rstrip()  # the script holds the search's own function


def load_function(recipe: Recipe, images: Mapping[str, Any]) -> str:
    """`load(path)`, which gives training and validation images, padded, and their labels."""
    name, pad = recipe.data.name, images["pad"]
    lines = [
        '"""Images (n, height, width, channels) from 0 to 255 and labels: training, then validation."""',
        DATASETS[name].script if name in DATASETS else files.SCRIPT,
        "images, labels = images.reshape(*images.shape[:3], -1), labels.reshape(-1).astype(int)",
    ]
    if recipe.data.limit:
        lines.append("images, labels = images[:LIMIT], labels[:LIMIT]")
    if pad:
        lines.append(f"images = np.pad(images, ((0, 0), ({pad}, {pad}), ({pad}, {pad}), (0, 0)))")
    lines += [
        f"validation = held_out(labels, VALIDATION, seed={VALIDATION_SEED})",
        "x_train, y_train = np.delete(images, validation, axis=0), np.delete(labels, validation)",
        "return x_train, y_train, images[validation], labels[validation]",
    ]
    return "def load(path):\n" + indented("\n".join(lines))


def data_argument(name: str, file: Path | None) -> str:
    """The line that declares `--data`; by default it names the `file` of a data set that is not in the registry."""
    if name in DATASETS:
        return 'parser.add_argument("--data", metavar="FILE.npz", help="read x_train and y_train from here instead")'
    default = quoted(str(file.absolute()) if file else name if name.endswith(".npz") else f"{name}.npz")
    return f'parser.add_argument("--data", metavar="FILE.npz", default={default}, help="x_train and y_train")'
