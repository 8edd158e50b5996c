"""What the methods other than `lenet-search run` share: their options, the study, its images, and a last line.

The space is that of the study: the same file, read by the same code. Every method ends with one line of JSON on stdout,
from which `throughput.py` checks that it trained all trials.
"""

import argparse
import importlib.util
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

INSTALL = "pip install -c constraints.txt -e '.[benchmarks]'"


def parser(about: str | None, storage: str) -> argparse.ArgumentParser:
    """The options of every method; `storage` is its default storage."""
    made = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--study", default="cifar", help="name or path of a study file (default: cifar)")
    made.add_argument("--set", dest="overrides", action="append", default=[], metavar="KEY=VALUE", help="as in run")
    made.add_argument("--trials", type=int, default=10, help="total number of trials in the storage (default: 10)")
    made.add_argument("--epochs", type=int, help="epochs of every trial (default: as the study says)")
    made.add_argument("--limit", type=int, help="use only the first n training images")
    made.add_argument("--data", type=Path, help="folder searched for NAME.npz before downloading")
    made.add_argument("--storage", type=Path, default=Path(storage), help=f"storage of trials (default: {storage})")
    made.add_argument("--threads", type=int, default=0, help="threads within an operation; 0: TensorFlow decides")
    return made


def need(package: str) -> None:
    """Check that a package of the benchmarks extra is installed.

    Raises:
        SystemExit: it is not; the message says how to install it.
    """
    if importlib.util.find_spec(package) is None:
        raise SystemExit(f"this needs the package {package}: {INSTALL}")


def read(options: argparse.Namespace) -> Any:
    """The study of the options, as a `Definition`.

    Raises:
        SystemExit: the study file is invalid.
    """
    from lenet_search import study
    from lenet_search.errors import StudyFileError

    overrides = [*options.overrides]
    overrides += [f"train.epochs={options.epochs}"] if options.epochs else []
    overrides += [f"data.limit={options.limit}"] if options.limit else []
    try:
        return study.read(options.study, overrides=overrides)
    except StudyFileError as error:
        raise SystemExit(str(error)) from None


def images(definition: Any, folder: Path | None) -> Any:
    """The study's images, loaded once for all trials.

    Raises:
        SystemExit: trials need different images, or the images cannot be used.
    """
    from lenet_search import data
    from lenet_search.errors import DataError
    from lenet_search.recipe.data import Images

    fixed = {}
    for field in ("name", "validation", "limit"):  # the model scales the pixels
        possible = definition.space.possible(f"data.{field}")
        if not isinstance(possible, tuple) or len(possible) != 1:
            raise SystemExit(f"data.{field} is searched: the benchmark needs one value, such as --set data.{field}=...")
        fixed[field] = possible[0]
    try:
        return data.load(Images(**fixed), folder)
    except DataError as error:
        raise SystemExit(str(error)) from None


def limit_threads(threads: int) -> None:
    """Set TensorFlow's threads within an operation, before its first one; 0: TensorFlow decides."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import tensorflow as tf

    if threads:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(1)


def say(epochs: Sequence[int], values: Sequence[float]) -> None:
    """Print the last line: the number of epochs and the result of each trial of this process."""
    print(json.dumps({"epochs": list(epochs), "values": [float(value) for value in values]}), flush=True)
