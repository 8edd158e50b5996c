"""TensorFlow's compiling, gradients, loop, convolution, random numbers and devices."""

import os
from collections.abc import Callable, Sequence
from functools import cache
from time import perf_counter
from typing import Any

import numpy as np
import tensorflow as tf

Tensor = Any
LOWERINGS = ("grouped", "separate")


def limit_threads(threads: int) -> None:
    """Let each operation use at most `threads` threads. Call before anything is computed."""
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    for gpu in tf.config.list_physical_devices("GPU"):
        tf.config.experimental.set_memory_growth(gpu, True)


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


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """One program per combination of argument shapes, traced at its first call."""
    return tf.function(function, autograph=False)  # type: ignore[no-any-return]


def fused(function: Callable[..., Any]) -> Callable[..., Any]:
    """For elementwise work: one pass over memory instead of one per operation.

    Measured 2026-11 on one core, four slots of 62,000 weights: an update takes 0.75 ms so, 1.84 ms operation by
    operation. (Around convolutions XLA is many times slower on a CPU; they stay outside.)
    """
    return tf.function(function, autograph=False, jit_compile=True)  # type: ignore[no-any-return]


def recomputed(function: Callable[..., Any]) -> Callable[..., Any]:
    """`fused`, and so is its gradient, which starts from the arguments again instead of from what was kept."""
    forward = fused(function)

    def pulled(upstream: Tensor, *arguments: Tensor) -> Any:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(arguments)
            value = function(*arguments)
        return tape.gradient(value, arguments, upstream)

    backward = fused(pulled)

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def run(*arguments: Tensor) -> tuple[Tensor, Callable[[Tensor], Any]]:
        return forward(*arguments), lambda upstream: backward(upstream, *arguments)

    return run  # type: ignore[no-any-return]


def on_device(array: np.ndarray) -> Tensor:
    """A host array as a tensor on the device."""
    return tf.constant(array)


def gather(table: Tensor, rows: Tensor) -> Tensor:
    """Rows of `table`."""
    return tf.gather(table, rows)


def value_and_gradients(function: Callable[[], tuple[Tensor, Any]], inputs: Sequence[Tensor]) -> tuple[Any, Any]:
    """`function` returns (what to differentiate, anything else); gives anything else and the gradients."""
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(inputs)
        target, extra = function()
    return extra, tape.gradient(target, inputs, unconnected_gradients="zero")


def loop(count: Tensor, body: Callable[..., Any], state: Any) -> Any:
    """Run `state = body(i, state)` for i = 0 ... count - 1 inside the program."""
    _, final = tf.while_loop(
        lambda i, _: i < count, lambda i, s: (i + 1, body(i, s)), (tf.constant(0), state), parallel_iterations=1
    )
    return final


def uniform(shape: Sequence[int], stream: int, moment: Tensor) -> Tensor:
    """Numbers in [0, 1) that depend on `stream` (what they are for) and `moment` (which step) alone."""
    return tf.random.stateless_uniform(shape, tf.stack([tf.constant(stream, tf.int32), tf.cast(moment, tf.int32)]))


def convolution(
    images: Tensor, kernels: Tensor, lowering: str, finite: bool = False, stride: int = 1, padding: str = "valid"
) -> Tensor:
    """Convolve each slot's images with its kernels.

    Args:
        images: (B, H, W, C) seen by all slots, or (B, H, W, K * C), slot by slot
        kernels: (K, k, k, C, F)
        lowering: "grouped", one convolution with K groups (needs oneDNN on a CPU), or "separate", K convolutions
        finite: whether the images hold finite numbers whatever a slot has learned
        stride: of rows and columns
        padding: "valid" or "same", as Keras means them

    Returns:
        (B, H', W', K * F), slot by slot
    """
    slots, k, _, channels, filters = kernels.shape
    if images.shape[-1] != channels and lowering == "separate":
        own = zip(tf.split(images, slots, axis=-1), tf.unstack(kernels), strict=True)
        return tf.concat([tf.nn.conv2d(image, kernel, stride, padding.upper()) for image, kernel in own], axis=-1)
    if images.shape[-1] != channels and images.dtype == tf.bfloat16 and finite and slots % 2 == 0:
        # Matrix units are wider than a slot: two share a group, where each multiplies the other's images by 0
        # (which keeps them apart as long as images are finite). Measured 2026-11 on one core with AMX, first layer,
        # forward and backward: 4.9 ms so, 7.8 ms otherwise.
        pairs = tf.reshape(kernels, (slots // 2, 2, k, k, channels, filters))
        first = tf.pad(pairs[:, :1], ((0, 0), (0, 0), (0, 0), (0, 0), (0, channels), (0, 0)))
        second = tf.pad(pairs[:, 1:], ((0, 0), (0, 0), (0, 0), (0, 0), (channels, 0), (0, 0)))
        kernels = tf.reshape(tf.concat([first, second], 1), (slots, k, k, 2 * channels, filters))
    wide = tf.reshape(tf.transpose(kernels, (1, 2, 3, 0, 4)), (k, k, kernels.shape[3], slots * filters))
    return tf.nn.conv2d(images, wide, stride, padding.upper())


def pooled_convolution(images: Tensor, kernels: Tensor, lowering: str, finite: bool = False) -> Tensor:
    """`convolution` with stride 1 and no padding, then 2x2 max pooling: (B, H' // 2, W' // 2, K * F).

    A processor multiplies 16 numbers at a time, in which six filters leave ten places empty. So a grouped convolution
    with few filters computes two neighbouring columns at once: as 2 * F filters that are one column wider, with a
    stride of 2 along the rows. Measured 2026-11 on one core (four slots, batch 128, six filters on 32x32x3), with
    pooling, forward and backward: 11.2 ms so, 15.6 ms otherwise.
    """
    slots, k, _, channels, filters = kernels.shape
    height, width = (side - k + 1 for side in images.shape[1:3])
    own = images.shape[-1] != channels
    if not (own and lowering == "grouped" and images.dtype == tf.float32 and filters <= 8) or height % 2 or width % 2:
        return tf.nn.max_pool2d(convolution(images, kernels, lowering, finite), 2, 2, "VALID")
    left = tf.pad(kernels, ((0, 0), (0, 0), (0, 1), (0, 0), (0, 0)))
    right = tf.pad(kernels, ((0, 0), (0, 0), (1, 0), (0, 0), (0, 0)))
    wide = tf.transpose(tf.concat([left, right], -1), (1, 2, 3, 0, 4))
    wide = tf.reshape(wide, (k, k + 1, channels, slots * 2 * filters))
    pairs = tf.nn.conv2d(images, wide, (1, 2), "VALID")  # (B, H', W' / 2, K * 2 * F)
    pooled = _pair_pool(tf.reshape(pairs, (-1, 2, width // 2 * slots, 2, filters)))
    return tf.reshape(pooled, (-1, height // 2, width // 2, slots * filters))


@tf.custom_gradient  # type: ignore[untyped-decorator]
def _pair_pool(pairs: Tensor) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
    """The largest over axes 1 and 3 of (n, 2, m, 2, F); where several are equal, the gradient goes to the first."""

    def largest(x: Tensor) -> tuple[Tensor, Tensor]:
        above, below = (tf.maximum(x[:, row, :, 0], x[:, row, :, 1]) for row in (0, 1))
        upper, lower = (tf.where(x[:, row, :, 0] >= x[:, row, :, 1], 0.0, 1.0) for row in (0, 1))
        return tf.maximum(above, below), tf.where(above >= below, upper, 2.0 + lower)

    def spread(which: Tensor, upstream: Tensor) -> Tensor:
        place = tf.reshape(tf.range(4, dtype=tf.float32), (1, 2, 1, 2, 1))
        return tf.where(which[:, None, :, None] == place, upstream[:, None, :, None], 0.0)

    value, which = fused(largest)(pairs)
    return value, lambda upstream: fused(spread)(which, upstream)


@cache
def best_lowering() -> str:
    """The faster lowering that works here: TensorFlow differentiates grouped convolutions on a CPU only with oneDNN.

    Measured 2026-11 on one core (four slots, batch 128): grouped is 1.3 to 2 times as fast as separate.
    """
    images, kernels = tf.ones((1, 5, 5, 4)), tf.ones((2, 3, 3, 2, 2))

    def probe() -> Tensor:
        def convolve() -> tuple[Tensor, None]:
            return tf.reduce_sum(convolution(images, kernels, "grouped")), None

        return value_and_gradients(convolve, [kernels])[1]

    try:
        compiled(probe)()
    except (tf.errors.InvalidArgumentError, tf.errors.UnimplementedError):
        return "separate"
    return "grouped"


def multiplying_dtype(precision: str) -> str:
    """The dtype for `train.precision`."""
    settled = best_precision() if precision == "auto" else precision
    return {"float32": "float32", "mixed_bfloat16": "bfloat16"}[settled]


@cache
def best_precision() -> str:
    """mixed_bfloat16 where a small stack's first convolution, both ways, takes at most 0.8 of float32's time."""
    lowering = best_lowering()

    def seconds(dtype: str) -> float:
        images, kernels = tf.ones((64, 32, 32, 4 * 3), dtype), tf.ones((4, 5, 5, 3, 6), dtype)

        def convolve() -> tuple[Tensor, None]:
            return tf.reduce_sum(pooled_convolution(images, kernels, lowering, finite=True)), None

        probe = compiled(lambda: value_and_gradients(convolve, [kernels])[1][0])
        taken = []
        for _ in range(8):
            started = perf_counter()
            probe().numpy()
            taken.append(perf_counter() - started)
        return min(taken[2:])

    try:
        return "mixed_bfloat16" if seconds("bfloat16") < 0.8 * seconds("float32") else "float32"
    except (tf.errors.InvalidArgumentError, tf.errors.UnimplementedError):
        return "float32"
