"""The measurements of a benchmark worker: rates, stacks, Keras's `fit`, memory."""

import importlib.metadata
import platform
import resource
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from measure import cells, limits
from measure.cells import Cell


@dataclass(frozen=True)
class Settings:
    """The settings shared by all workers. With `images` 0, there are 45,000 on a GPU and 9,000 on a CPU."""

    batch: int = 128
    images: int = 0
    data: Path | None = None


class Measuring:
    """A process's device, its images, and its compiled stacks."""

    def __init__(self, settings: Settings, threads: int) -> None:
        import keras

        from lenet_search.engine import backend, device

        device.configure(threads)
        limits.finish(keras.ops.ones((1,)) + 1.0)
        self._gpu = backend.on_gpu()
        self._settings = settings
        self._stacks: dict[Cell, Any] = {}
        self._models: dict[str, Any] = {}

    def about(self) -> dict[str, Any]:
        """The device, and the versions of its software."""
        from keras.backend import backend

        from lenet_search.engine import device

        packages = ["lenet-search", "keras", "numpy", backend(), *(["jaxlib"] if backend() == "jax" else [])]
        return {
            "device": device.describe(),
            "gpu": self._gpu,
            "backend": backend(),
            "default_slots": device.default_slots(),
            "images": self._images,
            "versions": {name: _version(name) for name in packages} | {"python": platform.python_version()},
        }

    @property
    def _images(self) -> int:
        return self._settings.images or (45_000 if self._gpu else 9_000)

    def rates(self, precision: str) -> limits.Rates:
        """How fast this worker multiplies matrices and moves memory, now."""
        return limits.measure("GPU" if self._gpu else "CPU", precision)

    def compile(self, cell: Cell) -> dict[str, float]:
        """Create a cell's stack; returns the seconds of its first two epochs (the first compiles), and facts."""
        from lenet_search.engine import Stack

        recipes, structure = cells.recipes_of(cell, self._settings.batch)
        started = time.perf_counter()
        stack = Stack(structure, cells.images(self._images, self._settings.data), cell.slots)
        for seed, recipe in enumerate(recipes):
            stack.load(recipe, seed)
        stack.epoch()
        first = time.perf_counter() - started
        self._stacks[cell] = stack
        return {
            "first": first,
            "epoch": self.train(cell, 1)["seconds"],
            "own_images": structure.own_images,
            "moments": 1 + structure.second_moment + structure.third_moment,
        }

    def train(self, cell: Cell, epochs: int) -> dict[str, float]:
        """Train and evaluate for some epochs; returns trial-images and seconds."""
        stack = self._stacks[cell]
        started = time.perf_counter()
        trained = sum(result.images for _ in range(epochs) for result in stack.epoch().values())
        return {"images": trained, "seconds": time.perf_counter() - started}

    def fit(self, augment: str, epochs: int) -> dict[str, float]:
        """The same network, batch and images in Keras's `fit`, with evaluation after each epoch.

        Arrays go directly into `fit`, and augmentation uses Keras's layers, as most people write it. The first call
        builds and compiles.
        """
        split = cells.images(self._images, self._settings.data)
        if augment not in self._models:
            self._models[augment] = _keras_model(augment, split, self._settings.batch)
        model = self._models[augment]
        started = time.perf_counter()
        model.fit(
            split.x_train, split.y_train, batch_size=self._settings.batch, epochs=epochs, verbose=0,
            validation_data=(split.x_val, split.y_val),
        )  # fmt: skip
        return {"images": epochs * len(split.y_train), "seconds": time.perf_counter() - started}

    def memory(self, cell: Cell) -> int:
        """Peak memory of this process for two epochs of a cell, in bytes of the GPU's or the machine's memory."""
        self.compile(cell)
        peak = _gpu_peak() if self._gpu else None
        return peak if peak is not None else _host_peak()

    def breakdown(self, cell: Cell, repeat: int) -> dict[str, float]:
        """Where the time of a cell's epoch goes, in seconds by part; see `breakdown.py`."""
        from measure import breakdown

        recipes, structure = cells.recipes_of(cell, self._settings.batch)
        split = cells.images(self._images, self._settings.data)
        return breakdown.parts(recipes, structure, split, repeat)

    def operations(self, cell: Cell) -> list[tuple[str, float]]:
        """TensorFlow's operations in one epoch by self time in seconds, longest first."""
        from measure import breakdown

        if cell not in self._stacks:
            self.compile(cell)
        return breakdown.operations(self._stacks[cell].epoch)


def _keras_model(augment: str, split: Any, batch: int) -> Any:
    import keras
    from keras_model import augment as augmentation

    from lenet_search.networks.plain import plain_model

    recipe = cells.recipes_of(Cell(1, augment, "one"), batch)[0][0]
    network = plain_model(recipe, split.describe(), softmax=False)
    model = keras.Sequential(
        [keras.Input(split.x_train.shape[1:]), *augmentation(recipe, split.x_train.shape[1:]), network]
    )
    model.compile(
        keras.optimizers.SGD(**cells.KINDS["sgd"]),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    return model


def _gpu_peak() -> int | None:
    """Bytes as counted by the backend; None if it does not count them."""
    from keras.backend import backend

    if backend() == "tensorflow":
        import tensorflow

        return int(tensorflow.config.experimental.get_memory_info("GPU:0")["peak"])
    if backend() == "jax":
        import jax

        return int(jax.local_devices()[0].memory_stats()["peak_bytes_in_use"])
    return None


def _host_peak() -> int:
    """Peak resident memory of this process, in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:  # a checkout on the path
        return str(__import__(package.replace("-", "_")).__version__)
