"""The limits of a machine, and the demands of a network.

**Work.** Training on an image costs, per slot, two floating-point operations for each multiplication of a convolution
or dense layer, three times: forward, the weights' gradient, the input's gradient (not for the first layer). Biases,
activations, pooling, the loss and the update are not counted: they are at most a few percent.

**Bytes.** The traffic that no program can avoid, per slot, if all intermediate values stay in registers and caches:

    per step    each weight is read once and written once, as is each of the optimizer's moments; each weight's
                gradient is written once and read once. Always float32, shared by the batch
    per image   the output of each convolution and dense layer is written once (forward) and read once (backward)
                and, if slots have separate images, the image is written once and read once; 4 bytes per number,
                2 in bfloat16. The cost of images shared by all slots is negligible

**Limit.** The larger of two times: FLOPs over the measured rate of matrix products, and bytes over the measured
bandwidth of main memory. Only training counts as work; evaluation, augmentation and the host increase the distance to
the limit. A cache that holds a batch's activations is faster than main memory, so if bytes are the bound, a program
can exceed 100 %.
"""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lenet_search.networks import Layer, Shape, parameters, walk
from lenet_search.networks.layers import Conv, Dense

FLOAT32, BFLOAT16 = 4, 2  # bytes
COPY_BYTES = {"CPU": 2**27, "GPU": 2**30}  # size of an array: many times a core's share of the cache
PRODUCT_SIDE = {"CPU": 1024, "GPU": 8192}


@dataclass(frozen=True)
class Rates:
    """Measured rates of one worker or of all together; a multiply-add counts as two operations."""

    flops: float  # floating-point operations per second, matrix products
    bandwidth: float  # bytes per second, read and written


@dataclass(frozen=True)
class Limit:
    """The largest number of trial-images per second that a machine's rates allow."""

    by_flops: float
    by_bytes: float

    @property
    def images_per_second(self) -> float:
        """The smaller of the two."""
        return min(self.by_flops, self.by_bytes)

    @property
    def bound_by(self) -> str:
        """Which of the two is the bound."""
        return "arithmetic" if self.by_flops <= self.by_bytes else "memory"


def multiplications(layer: Layer, shape: Shape) -> int:
    """Multiplications of a layer for one image, with an input of `shape`."""
    match layer:
        case Conv():
            return math.prod(layer.output(shape)) * layer.kernel_size**2 * shape[-1]
        case Dense():
            return shape[0] * layer.units
    return 0


def flops(layers: Sequence[Layer], image_shape: Shape) -> int:
    """Floating-point operations of training on one image: forward, weights' gradients, inputs' gradients."""
    each = [count for layer, shape in walk(layers, image_shape) if (count := multiplications(layer, shape))]
    return 2 * (3 * sum(each) - each[0])


def traffic(
    layers: Sequence[Layer], image_shape: Shape, batch: int, moments: int, own_images: bool, itemsize: int = FLOAT32
) -> float:
    """Bytes that no program can avoid in training on one image, see the module's docstring.

    Args:
        layers: the network
        image_shape: (H, W, C)
        batch: images per step
        moments: numbers that the optimizer stores per weight, 1 to 3
        own_images: whether slots train on separate images
        itemsize: bytes per number of an activation or image
    """
    weights = sum(parameter.size for parameter in parameters(layers, image_shape))
    outputs = [layer.output(shape) for layer, shape in walk(layers, image_shape) if isinstance(layer, Conv | Dense)]
    numbers = sum(math.prod(output) for output in outputs)
    numbers += math.prod(image_shape) if own_images else 0
    per_step = 2 * FLOAT32 * weights * (2 + moments)
    return per_step / batch + 2 * itemsize * numbers


def state_bytes(layers: Sequence[Layer], image_shape: Shape, moments: int) -> int:
    """Bytes of a slot's weights and moments."""
    return FLOAT32 * (1 + moments) * sum(parameter.size for parameter in parameters(layers, image_shape))


def limit(rates: Rates, work_flops: float, work_bytes: float) -> Limit:
    """The limit, given the work and the bytes of one image."""
    return Limit(rates.flops / work_flops, rates.bandwidth / work_bytes)


def measure(device: str, precision: str, seconds: float = 0.3) -> Rates:
    """The rates of this process on "CPU" or "GPU", with the engine's threads and settings.

    Matrix products are computed by Keras and, on a CPU, also by NumPy; the faster counts. Bandwidth is the better of
    copying an array (one read, one written) and adding two (two read, one written), by NumPy on a CPU, because only
    NumPy writes to memory already allocated, and by the backend on a GPU.
    """
    products = [_backend_products(PRODUCT_SIDE[device], precision, seconds)]
    if device == "CPU" and precision == "float32":
        products.append(_numpy_products(PRODUCT_SIDE[device], seconds))
    moved = _numpy_bandwidth if device == "CPU" else _backend_bandwidth
    return Rates(max(products), moved(COPY_BYTES[device], seconds))


def _per_second(run: Callable[[], Any], amount: float, seconds: float) -> float:
    """`amount` per second over warmed-up calls of `run`, which returns when its work is done."""
    run()
    calls, started = 0, time.perf_counter()
    while (spent := time.perf_counter() - started) < seconds or not calls:
        run()
        calls += 1
    return amount * calls / spent


def _numpy_products(side: int, seconds: float) -> float:
    a, b = (np.random.default_rng(i).normal(size=(side, side)).astype(np.float32) for i in (0, 1))
    out = np.empty_like(a)
    return _per_second(lambda: np.matmul(a, b, out=out), 2.0 * side**3, seconds)


def _backend_products(side: int, precision: str, seconds: float) -> float:
    from keras import ops

    dtype = "bfloat16" if precision == "bfloat16" else "float32"
    a, b = (
        ops.cast(np.random.default_rng(i).normal(size=(side, side)).astype(np.float32) / side**0.5, dtype)
        for i in (0, 1)
    )
    chain = 4  # products per synchronization: the device must not wait for Python

    def run() -> None:
        x = a
        for _ in range(chain):
            x = ops.matmul(x, b)
        finish(x[0, :1])

    return _per_second(run, 2.0 * side**3 * chain, seconds)


def _numpy_bandwidth(size: int, seconds: float) -> float:
    a, b, out = (np.ones(size // 4, np.float32) for _ in range(3))
    copied = _per_second(lambda: np.copyto(out, a), 2.0 * size, seconds)
    added = _per_second(lambda: np.add(a, b, out=out), 3.0 * size, seconds)
    return max(copied, added)


def _backend_bandwidth(size: int, seconds: float) -> float:
    from keras import ops

    a, b = ops.ones((size // 4,)), ops.ones((size // 4,))

    def copy() -> None:
        x = a
        for _ in range(8):
            x = x + 1.0
        finish(x[:1])

    def add() -> None:
        x = a
        for _ in range(8):
            x = x + b
        finish(x[:1])

    copied = _per_second(copy, 8 * 2.0 * size, seconds)
    return max(copied, _per_second(add, 8 * 3.0 * size, seconds))


def finish(result: Any) -> None:
    """Wait until the device has computed a result."""
    from keras import ops

    ops.convert_to_numpy(result)
