"""The handwritten digits that ship with the package: a first search needs no network."""

from pathlib import Path

import numpy as np

from lenet_search.data.dataset import Arrays, Dataset
from lenet_search.data.stratify import stratified

FILE = Path(__file__).parents[1] / "datasets" / "digits.npz"  # the README beside it names the source
TEST = 360  # test images, a fifth; Keras's data sets hold out a sixth or a seventh
TEST_SEED = 1989  # fixed: the seed of a study changes the trials, never the images


def read() -> Arrays:
    """The digits, enlarged from 8x8 pixels of 0..16 to 32x32 of 0..255, with a fixed stratified test set."""
    with np.load(FILE, allow_pickle=False) as file:
        images, labels = file["images"], file["labels"]
    images = np.rint(images * (255 / 16)).astype(np.uint8).repeat(4, axis=1).repeat(4, axis=2)
    test = stratified(labels, 10, TEST, TEST_SEED, "digits")
    train = np.setdiff1d(np.arange(len(labels)), test)
    return {"x_train": images[train], "y_train": labels[train], "x_test": images[test], "y_test": labels[test]}


# The file is only looked up in the package, which is not imported
_SCRIPT = f"""\
if path is None:
    package = importlib.util.find_spec("lenet_search")
    if package is None:
        raise SystemExit("The digits come with lenet-search: install it, or give its digits.npz with --data.")
    path = f"{{package.submodule_search_locations[0]}}/datasets/digits.npz"
with np.load(path, allow_pickle=False) as file:
    shipped = "x_train" not in file
    images, labels = (file["images"], file["labels"]) if shipped else (file["x_train"], file["y_train"])
if shipped:  # 8x8 pixels from 0 to 16, the test images among them
    images = np.rint(images * (255 / 16)).astype("uint8").repeat(4, axis=1).repeat(4, axis=2)
    test = held_out(labels, {TEST}, seed={TEST_SEED})
    images, labels = np.delete(images, test, axis=0), np.delete(labels, test)"""

DIGITS = Dataset(
    name="digits",
    classes=tuple("0123456789"),
    image_shape=(32, 32, 1),
    images=(1437, TEST),
    source="E. Alpaydin and C. Kaynak, UCI, CC BY 4.0",
    fetched="comes with the package; 8x8 pixels, enlarged",
    origin=str(FILE),
    is_here=FILE.exists,
    read=read,
    script=_SCRIPT,
    script_note="It reads the digits from an installed lenet-search, or from that package's file: --data digits.npz.",
)
