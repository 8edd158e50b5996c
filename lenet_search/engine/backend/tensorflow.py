"""TensorFlow's compiling, gradients, loop, convolution, random numbers and devices."""

import os
from collections.abc import Callable, Hashable, Sequence
from functools import cache, partial
from typing import Any

import numpy as np
import tensorflow as tf

from lenet_search.engine.backend.gradients import Backward, pulled, with_own_gradient
from lenet_search.engine.backend.gradients import value_and_gradients as value_and_gradients
from lenet_search.machine import has_avx512

Tensor = Any
# With AVX2, oneDNN cannot differentiate groups in bfloat16.
CONVOLUTIONS = ("grouped", "narrow", "separate") if has_avx512() else ("narrow", "separate")
UNSUPPORTED = (tf.errors.InvalidArgumentError, tf.errors.UnimplementedError)  # what has no kernel on this device


def limit_threads(threads: int) -> None:
    """Let each operation use at most `threads` threads, and GPU memory as it is needed. Call before anything else."""
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    # Measured 2026-11 on one core: TensorFlow's own rewriting of graphs takes 0.2 to 0.3 s of each program's 1.7 and
    # makes an epoch no faster (0.98 to 1.01 of the time, also with batch normalization, interpolation, bfloat16).
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
    for gpu in tf.config.list_physical_devices("GPU"):
        tf.config.experimental.set_memory_growth(gpu, True)


def versions() -> dict[str, str]:
    """What computes here, by package."""
    return {"tensorflow": str(tf.__version__)}


def device_name() -> str:
    """What computes, for people: "NVIDIA H100" or "CPU (1 thread)"."""
    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        return str(tf.config.experimental.get_device_details(gpus[0]).get("device_name", "GPU"))
    threads = tf.config.threading.get_intra_op_parallelism_threads() or os.cpu_count() or 1
    return f"CPU ({threads} thread{'s' if threads > 1 else ''})"


def on_gpu() -> bool:
    """Whether TensorFlow sees a GPU."""
    return bool(tf.config.list_physical_devices("GPU"))


def compute_capability() -> float | None:
    """The generation of an NVIDIA GPU, such as 9.0; None for anything else."""
    gpus = tf.config.list_physical_devices("GPU")
    found = tf.config.experimental.get_device_details(gpus[0]).get("compute_capability") if gpus else None
    return None if found is None else float("{}.{}".format(*found))


def compiled(function: Callable[..., Any], consumed: int = 0, xla: bool | None = None) -> Callable[..., Any]:
    """One program per combination of argument shapes, traced at its first call.

    The caller needs its first `consumed` arguments no more; TensorFlow frees them when it is done.

    On a GPU it is XLA's as a whole; on a CPU, where XLA's convolutions are many times slower, it is TensorFlow's.
    `xla` asks for the one or the other.
    """
    return tf.function(function, autograph=False, jit_compile=on_gpu() if xla is None else xla)  # type: ignore[no-any-return]


@cache
def fused(function: Callable[..., Any], *fixed: Hashable) -> Callable[..., Any]:
    """For elementwise work: one pass over memory instead of one per operation. `fixed` are its first arguments.

    Measured 2026-11 on one core, four slots of 62,000 weights: an update takes 0.75 ms so, 1.84 ms operation by
    operation. (Convolutions stay outside on a CPU.) All who ask for the same share it, since XLA takes some 0.1 s for
    each, and never forgets one.
    """
    return _in_one_pass(partial(function, *fixed))


def _in_one_pass(function: Callable[..., Any]) -> Callable[..., Any]:
    return tf.function(function, autograph=False, jit_compile=True)  # type: ignore[no-any-return]


def recomputed(function: Callable[..., Any]) -> Callable[..., Any]:
    """One pass as `fused`, and so is its gradient, which starts from the arguments again, not from what was kept."""
    forward, backward = _in_one_pass(function), _in_one_pass(partial(pulled, function))
    return with_own_gradient(lambda *given: (forward(*given), lambda upstream: backward(upstream, *given)))


def once(array: Tensor) -> Tensor:
    """The array, computed and stored before anything reads it: XLA may compute others anew at each reading."""
    return _stored(array) if on_gpu() else array


@with_own_gradient
def _stored(array: Tensor) -> tuple[Tensor, Backward]:
    from tensorflow.compiler.tf2xla.python.xla import optimization_barrier  # TensorFlow has no other name for it

    (stored,) = optimization_barrier(array)
    return stored, lambda upstream: [upstream]


def on_device(array: np.ndarray) -> Tensor:
    """A host array as a tensor on the device."""
    return tf.constant(array)


def gather(table: Tensor, rows: Tensor) -> Tensor:
    """Rows of `table`."""
    return table[rows] if isinstance(table, np.ndarray) else tf.gather(table, rows)


def kept(array: Any) -> Any:
    """An array as it is kept from program to program: on a GPU, or NumPy's.

    On a processor nothing would be gained, and where memory is short, TensorFlow ends the process. NumPy raises an
    error.
    """
    return tf.convert_to_tensor(array) if on_gpu() else np.asarray(array)


def replaced(table: Any, places: np.ndarray, rows: Any) -> Any:
    """`table`, an array that is `kept`, with other rows at `places`."""
    if isinstance(table, np.ndarray):
        table = table.copy()
        table[places] = rows
        return table
    return tf.tensor_scatter_nd_update(table, places[:, None], rows)


def loop(count: int, body: Callable[..., Any], state: Any) -> Any:
    """Run `state = body(i, state)` for i = 0 ... count - 1 inside the program."""
    _, final = tf.while_loop(
        lambda i, _: i < count, lambda i, s: (i + 1, body(i, s)), (tf.constant(0), state), parallel_iterations=1
    )
    return final


def uniform(shape: Sequence[int], stream: int, moments: Tensor) -> Tensor:
    """Numbers in [0, 1), (n, *shape), that depend on `stream` (what they are for) and `moments` (n steps) alone."""

    def of(moment: Tensor) -> Tensor:
        seed = tf.stack([tf.constant(stream, tf.int32), tf.cast(moment, tf.int32)])
        bits = tf.random.stateless_uniform(shape, seed, minval=None, maxval=None, dtype=tf.uint32, alg="philox")
        # The 23 lower bits, as TensorFlow's own kernel takes them; under XLA it would take the upper ones.
        return tf.cast(bits & 0x7FFFFF, tf.float32) * 2.0**-23

    spec = tf.TensorSpec(shape, tf.float32)
    return tf.map_fn(of, moments, fn_output_signature=spec, parallel_iterations=1)


def convolution(
    images: Tensor, kernels: Tensor, lowering: str, stride: int = 1, padding: str = "valid", finite: bool = False
) -> Tensor:
    """Convolve each slot's images with its kernels.

    Args:
        images: (B, H, W, C) seen by all slots, or (B, H, W, K * C), slot by slot
        kernels: (K, k, k, C, F)
        lowering: "grouped", one convolution with K groups (needs oneDNN on a CPU); "separate", K convolutions;
            "narrow", for vectors of 8 numbers (AVX2): "grouped" but for what is slow or missing there
        stride: of both axes
        padding: "valid" or "same", as Keras means them
        finite: whether the images hold finite numbers whatever a slot has learned

    Returns:
        (B, H', W', K * F), slot by slot
    """
    slots, k, _, channels, filters = kernels.shape
    if images.shape[-1] != channels and _apart(lowering, channels, images.dtype):
        own = zip(tf.split(images, slots, axis=-1), tf.unstack(kernels), strict=True)
        return tf.concat([tf.nn.conv2d(image, kernel, stride, padding.upper()) for image, kernel in own], axis=-1)
    rounded = images.shape[-1] != channels and images.dtype == tf.bfloat16
    if rounded and not finite and (channels % 2 or filters % 2):
        return _in_pairs(images, kernels, stride, padding)
    if rounded and finite and slots % 2 == 0:
        # Matrix units are wider than a slot: two share a group, where each multiplies the other's images by 0
        # (which keeps them apart as long as images are finite). Measured 2026-11 on one core with AMX, first layer,
        # forward and backward: 4.9 ms so, 7.8 ms otherwise.
        pairs = tf.reshape(kernels, (slots // 2, 2, k, k, channels, filters))
        first = tf.pad(pairs[:, :1], ((0, 0), (0, 0), (0, 0), (0, 0), (0, channels), (0, 0)))
        second = tf.pad(pairs[:, 1:], ((0, 0), (0, 0), (0, 0), (0, 0), (channels, 0), (0, 0)))
        kernels = tf.reshape(tf.concat([first, second], 1), (slots, k, k, 2 * channels, filters))
    wide = tf.reshape(tf.transpose(kernels, (1, 2, 3, 0, 4)), (k, k, kernels.shape[3], slots * filters))
    return tf.nn.conv2d(images, wide, stride, padding.upper())


def _apart(lowering: str, channels: int, dtype: tf.DType) -> bool:
    """Whether each slot has a convolution of its own.

    With AVX2, oneDNN cannot differentiate groups in bfloat16, and is slow with groups of three channels (color images).
    Measured 2026-11 on one core of an AMD EPYC (family 25), four slots, batch 128, 5x5, forward and backward: three
    channels 64 ms grouped and 33 ms apart, one channel 17 and 20, two 20 and 28, four 67 and 77, six 22 and 38.
    """
    return lowering == "separate" or (lowering == "narrow" and (channels == 3 or dtype == tf.bfloat16))


def _in_pairs(images: Tensor, kernels: Tensor, stride: int, padding: str) -> Tensor:
    """A grouped `convolution` in bfloat16, with an empty channel or filter where a slot has an odd number of them.

    Processors multiply bfloat16 numbers in pairs (AVX-512). The last of an odd number is paired with the next slot's
    first, times 0, which is not 0 where that slot has diverged. With an even number slots cannot feel each other.
    """
    slots, _, _, channels, filters = kernels.shape
    more, further = channels % 2, filters % 2
    batch, height, width, _ = images.shape
    own = tf.reshape(images, (batch, height, width, slots, channels))
    own = tf.pad(own, ((0, 0), (0, 0), (0, 0), (0, 0), (0, more)))
    wider = tf.pad(kernels, ((0, 0), (0, 0), (0, 0), (0, more), (0, further)))
    own = tf.reshape(own, (batch, height, width, slots * (channels + more)))
    found = convolution(own, wider, "grouped", stride, padding)
    batch, height, width, _ = found.shape
    found = tf.reshape(found, (batch, height, width, slots, filters + further))[..., :filters]
    return tf.reshape(found, (batch, height, width, slots * filters))


def pooled_convolution(images: Tensor, kernels: Tensor, lowering: str, finite: bool = False) -> Tensor:
    """`convolution`, then 2x2 max pooling: (B, H' // 2, W' // 2, K * F).

    A processor multiplies 16 numbers at a time, in which six filters leave ten places empty. So a grouped convolution
    with few filters computes two neighbouring columns at once: as 2 * F filters that are one column wider, with a
    stride of 2 along the rows. Measured 2026-11 on one core (four slots, batch 128, six filters on 32x32x3), with
    pooling, forward and backward: 11.2 ms so, 15.6 ms otherwise. (One that multiplies 8, and lowers as "narrow": 34 and
    17 ms with one channel.)
    """
    slots, k, _, channels, filters = kernels.shape
    height, width = (side - k + 1 for side in images.shape[1:3])
    own = images.shape[-1] != channels
    if not (own and lowering == "grouped" and images.dtype == tf.float32 and filters <= 8) or height % 2 or width % 2:
        return tf.nn.max_pool2d(convolution(images, kernels, lowering, finite=finite), 2, 2, "VALID")
    left = tf.pad(kernels, ((0, 0), (0, 0), (0, 1), (0, 0), (0, 0)))
    right = tf.pad(kernels, ((0, 0), (0, 0), (1, 0), (0, 0), (0, 0)))
    wide = tf.transpose(tf.concat([left, right], -1), (1, 2, 3, 0, 4))
    wide = tf.reshape(wide, (k, k + 1, channels, slots * 2 * filters))
    pairs = tf.nn.conv2d(images, wide, (1, 2), "VALID")  # (B, H', W' / 2, K * 2 * F)
    pooled = _pair_pool(tf.reshape(pairs, (-1, 2, width // 2 * slots, 2, filters)))
    return tf.reshape(pooled, (-1, height // 2, width // 2, slots * filters))


@with_own_gradient
def _pair_pool(pairs: Tensor) -> tuple[Tensor, Backward]:
    """The largest over axes 1 and 3 of (n, 2, m, 2, F); where several are equal, the gradient goes to the first."""
    value, which = fused(_largest)(pairs)
    return value, lambda upstream: [fused(_spread)(which, upstream)]


def _largest(pairs: Tensor) -> tuple[Tensor, Tensor]:
    """The largest of each four, and which it is."""
    above, below = (tf.maximum(pairs[:, row, :, 0], pairs[:, row, :, 1]) for row in (0, 1))
    upper, lower = (tf.where(pairs[:, row, :, 0] >= pairs[:, row, :, 1], 0.0, 1.0) for row in (0, 1))
    return tf.maximum(above, below), tf.where(above >= below, upper, 2.0 + lower)


def _spread(which: Tensor, upstream: Tensor) -> Tensor:
    place = tf.reshape(tf.range(4, dtype=tf.float32), (1, 2, 1, 2, 1))
    return tf.where(which[:, None, :, None] == place, upstream[:, None, :, None], 0.0)


@cache
def best_on_processor() -> str:
    """The fastest that works on this processor: TensorFlow differentiates grouped convolutions only with oneDNN.

    Measured 2026-11 on one core (four slots, batch 128): with AVX-512, `grouped` is 1.3 to 2 times as fast as
    `separate`, and five times as fast as `rows` or `tiles`, also in bfloat16 with AMX. With AVX2, `narrow` takes 0.7 to
    0.85 of the time of `grouped` and of `separate` (the whole space of `cifar`).
    """
    images, kernels = tf.ones((1, 5, 5, 4)), tf.ones((2, 3, 3, 2, 2))

    def probe() -> Tensor:
        def convolve(weights: Tensor) -> tuple[Tensor, None]:
            return tf.reduce_sum(convolution(images, weights, "grouped")), None

        return value_and_gradients(convolve, kernels)[1]

    try:
        compiled(probe)()
    except UNSUPPORTED:
        return "separate"
    return "grouped" if has_avx512() else "narrow"
