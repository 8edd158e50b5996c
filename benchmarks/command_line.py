"""What the ways beside `lenet-search run` have in common: their options, the study, its images, and a last line.

The space is the study's own: the same file, read by the same code. Every way ends with one line of JSON on stdout,
from which `throughput.py` sees that it has trained what was asked for.
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
    """The options of every way; `storage` is where it keeps its trials by default."""
    made = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--study", default="cifar", help="name or path of a study file (default: cifar)")
    made.add_argument("--set", dest="overrides", action="append", default=[], metavar="KEY=VALUE", help="as in run")
    made.add_argument("--trials", type=int, default=10, help="total number of trials in the storage (default: 10)")
    made.add_argument("--epochs", type=int, help="epochs of every trial (default: as the study says)")
    made.add_argument("--limit", type=int, help="use only the first n training images")
    made.add_argument("--data", type=Path, help="folder that is looked at first for NAME.npz")
    made.add_argument("--storage", type=Path, default=Path(storage), help=f"where trials are kept (default: {storage})")
    made.add_argument("--threads", type=int, default=0, help="threads within an operation; 0 leaves it to TensorFlow")
    return made


def need(package: str) -> None:
    """Say how to install what the benchmark's extra brings.

    Raises:
        SystemExit: when `package` is not there.
    """
    if importlib.util.find_spec(package) is None:
        raise SystemExit(f"this needs the package {package}: {INSTALL}")


def read(options: argparse.Namespace) -> Any:
    """The study that the options ask for, as a `Definition`.

    Raises:
        SystemExit: when the study file does not say what it should.
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
        SystemExit: when trials would need different ones, or when they cannot be used.
    """
    from lenet_search import data
    from lenet_search.errors import DataError
    from lenet_search.recipe.data import Images

    fixed = {}
    for field in ("name", "validation", "limit"):  # the scale of the pixels is the model's business
        possible = definition.space.possible(f"data.{field}")
        if not isinstance(possible, tuple) or len(possible) != 1:
            raise SystemExit(f"data.{field} is searched: the benchmark needs one value, such as --set data.{field}=...")
        fixed[field] = possible[0]
    try:
        return data.load(Images(**fixed), folder)
    except DataError as error:
        raise SystemExit(str(error)) from None


def limit_threads(threads: int) -> None:
    """Threads that TensorFlow may use within an operation, 0 for its own choice; before its first operation."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import tensorflow as tf

    if threads:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(1)


def say(epochs: Sequence[int], values: Sequence[float]) -> None:
    """The last line: how many epochs each trial of this process was trained, and what came of it."""
    print(json.dumps({"epochs": list(epochs), "values": [float(value) for value in values]}), flush=True)
