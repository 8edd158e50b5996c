"""The data sets that `keras.datasets` downloads, once, to ~/.keras."""

import contextlib
import os
import sys
from functools import partial
from pathlib import Path
from textwrap import indent

from lenet_search.data import files
from lenet_search.data.dataset import Arrays, Dataset
from lenet_search.data.frame import Frame
from lenet_search.errors import DataError
from lenet_search.quiet import quiet


def download(name: str) -> Arrays:
    """A data set from `keras.datasets`, which verifies the hash of each download.

    Raises:
        DataError: the download failed.
    """
    with quiet():
        from keras import datasets

    try:
        with contextlib.redirect_stdout(sys.stderr):  # its progress bar; stdout is for results
            (x_train, y_train), (x_test, y_test) = getattr(datasets, name).load_data()
    except Exception as error:  # Keras raises a bare Exception when a download fails
        raise DataError(
            f"{name}: the download by keras.datasets failed: {error}; try again, or, without a network, put "
            f"{name}.npz with x_train, y_train, x_test, y_test into a folder and add --data FOLDER or set "
            "LENET_SEARCH_DATA=FOLDER"
        ) from error
    return {"x_train": x_train, "y_train": y_train, "x_test": x_test, "y_test": y_test}


def is_downloaded(*paths: str) -> bool:
    """Whether Keras has these files in its folder: KERAS_HOME, or ~/.keras, or /tmp/.keras for lack of a home."""
    home = os.path.expanduser("~")
    folder = os.environ.get("KERAS_HOME") or os.path.join(home if os.access(home, os.W_OK) else "/tmp", ".keras")
    return all(Path(folder, "datasets", path).exists() for path in paths)


def _dataset(
    name: str,
    classes: str,
    image_shape: tuple[int, int, int],
    images: tuple[int, int],
    megabytes: int,
    source: str,
    files_of_keras: tuple[str, ...],
    frame: Frame | None = None,
) -> Dataset:
    return Dataset(
        name=name,
        classes=tuple(classes.split()),
        image_shape=image_shape,
        images=images,
        source=source,
        fetched=f"downloaded by Keras, {megabytes} MB",
        origin=f"keras.datasets.{name}",
        is_here=partial(is_downloaded, *files_of_keras),
        read=partial(download, name),
        script="if path:\n"
        + indent(files.SCRIPT, "    ")
        + f"\nelse:\n    (images, labels), _ = keras.datasets.{name}.load_data()",
        script_note="Without a network: --data FILE.npz with the arrays x_train and y_train.",
        frame=frame,
    )


CIFAR10 = _dataset(
    "cifar10",
    "airplane automobile bird cat deer dog frog horse ship truck",
    (32, 32, 3),
    (50_000, 10_000),
    megabytes=170,
    source="A. Krizhevsky, 2009, no license stated",
    files_of_keras=("cifar-10-batches-py-target_archive",),
)
CIFAR100 = _dataset(
    "cifar100",
    """
    apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly
    camel can castle caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup
    dinosaur dolphin elephant flatfish forest fox girl hamster house kangaroo keyboard lamp lawn_mower
    leopard lion lizard lobster man maple_tree motorcycle mountain mouse mushroom oak_tree orange orchid
    otter palm_tree pear pickup_truck pine_tree plain plate poppy porcupine possum rabbit raccoon ray
    road rocket rose sea seal shark shrew skunk skyscraper snail snake spider squirrel streetcar
    sunflower sweet_pepper table tank telephone television tiger tractor train trout tulip turtle
    wardrobe whale willow_tree wolf woman worm
    """,
    (32, 32, 3),
    (50_000, 10_000),
    megabytes=169,
    source="A. Krizhevsky, 2009, no license stated",
    files_of_keras=("cifar-100-python-target_archive",),
)
FASHION_MNIST = _dataset(
    "fashion_mnist",
    "t-shirt trouser pullover dress coat sandal shirt sneaker bag ankle_boot",
    (28, 28, 1),
    (60_000, 10_000),
    megabytes=31,
    source="H. Xiao, K. Rasul and R. Vollgraf, Zalando SE, MIT",
    files_of_keras=tuple(
        f"fashion-mnist/{part}-{kind}-ubyte.gz" for part in ("train", "t10k") for kind in ("images-idx3", "labels-idx1")
    ),
)
MNIST = _dataset(
    "mnist",
    "0 1 2 3 4 5 6 7 8 9",
    (28, 28, 1),
    (60_000, 10_000),
    megabytes=11,
    source="Y. LeCun and C. Cortes, CC BY-SA 3.0",
    files_of_keras=("mnist.npz",),
    frame=Frame(side=20, by="mass"),
)
