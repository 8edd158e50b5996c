"""JAX's compiling, gradients, loop, convolution, random numbers and devices."""

import os
from collections.abc import Callable, Hashable, Sequence
from functools import cache, partial
from typing import Any

import jax
import jax.numpy as jnp
import jaxlib
import numpy as np
from jax import lax

from lenet_search.engine.backend import program_cache
from lenet_search.engine.backend.patches import largest_of_four, product_of_patches
from lenet_search.engine.backend.philox import random_bits

if os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1"):  # else JAX gives up where a GPU is there, but hidden
    jax.config.update("jax_platforms", "cpu")

Tensor = Any
LOWERINGS = ("grouped", "separate", "patches")
UNSUPPORTED = (jax.errors.JaxRuntimeError,)  # what this device cannot do


def limit_threads(threads: int) -> None:
    """Let each operation use at most `threads` threads, and GPU memory as it is needed. Call it before anything else.

    JAX reads both when it looks for its devices, for which it waits until it is asked to compute.
    """
    os.environ["PJRT_NPROC"] = str(threads)
    os.environ["XLA_PYTHON_CLIENT_PREALLOCATE"] = "false"
    try:
        gpu = on_gpu()
    except RuntimeError:  # a GPU that JAX cannot use: it goes on with the CPU when it is asked again
        gpu = False
    if gpu:  # programs for a CPU would suit this very processor only
        _keep_programs()


def _keep_programs() -> None:
    """Keep compiled programs, and how XLA has tuned their parts, from run to run.

    Users who have given JAX a folder keep their own settings.
    """
    if jax.config.jax_compilation_cache_dir is not None:
        return
    folder = program_cache.folder("jax")
    if folder is None:
        return
    jax.config.update("jax_compilation_cache_dir", str(folder))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)  # a study has many that take less than 1 s
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)  # also the smallest
    jax.config.update("jax_persistent_cache_enable_xla_caches", "xla_gpu_per_fusion_autotune_cache_dir")


def versions() -> dict[str, str]:
    """What computes here, by package."""
    return {"jax": jax.__version__, "jaxlib": jaxlib.__version__}


def device_name() -> str:
    """What computes, for people: "NVIDIA H100" or "CPU (1 thread)"."""
    if on_gpu():
        return str(jax.devices()[0].device_kind)
    threads = int(os.environ.get("PJRT_NPROC") or os.cpu_count() or 1)
    return f"CPU ({threads} thread{'s' if threads > 1 else ''})"


def on_gpu() -> bool:
    """Whether JAX sees a GPU."""
    return bool(jax.default_backend() == "gpu")


def compute_capability() -> float | None:
    """The generation of an NVIDIA GPU, such as 9.0; None for anything else."""
    try:
        return float(jax.devices()[0].compute_capability)
    except (AttributeError, TypeError, ValueError):  # a CPU; AMD's are named "gfx942"
        return None


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """One program per combination of argument shapes, traced at its first call."""
    return jax.jit(function)  # type: ignore[no-any-return]


def fused(function: Callable[..., Any], *fixed: Hashable) -> Callable[..., Any]:
    """For elementwise work, one pass over memory instead of one per operation: XLA sees to it anyway.

    `fixed` are its first arguments.
    """
    return partial(function, *fixed)


def recomputed(function: Callable[..., Any]) -> Callable[..., Any]:
    """For elementwise work whose gradient starts from the arguments again: XLA weighs that by itself."""
    return function


def on_device(array: np.ndarray) -> Tensor:
    """A host array as one on the device."""
    return jax.device_put(array)


def gather(table: Tensor, rows: Tensor) -> Tensor:
    """Rows of `table`. All that are asked for exist, which spares JAX a check."""
    return jnp.take(table, rows, axis=0, mode="clip")


def value_and_gradients(function: Callable[[Any], tuple[Tensor, Any]], inputs: Any) -> tuple[Any, Any]:
    """`function(inputs)` is (what to differentiate, anything else); gives anything else, and the gradients."""
    (_, extra), gradients = jax.value_and_grad(function, has_aux=True)(inputs)
    return extra, gradients


def loop(count: int, body: Callable[..., Any], state: Any) -> Any:
    """Run `state = body(i, state)` for i = 0 ... count - 1 inside the program."""
    return lax.fori_loop(0, count, body, state)


def uniform(shape: Sequence[int], stream: int, moment: Tensor) -> Tensor:
    """Numbers in [0, 1) that depend on `stream` (what they are for) and `moment` (which step) alone.

    They are TensorFlow's, to the bit.
    """
    return (random_bits(shape, (stream, moment)) & 0x7FFFFF).astype("float32") * 2.0**-23


def convolution(
    images: Tensor, kernels: Tensor, lowering: str, stride: int = 1, padding: str = "valid", finite: bool = False
) -> Tensor:
    """Convolve each slot's images with its kernels.

    Args:
        images: (B, H, W, C) seen by all slots, or (B, H, W, K * C), slot by slot
        kernels: (K, k, k, C, F)
        lowering: "grouped", one convolution with K groups, "separate", K convolutions, or "patches", one matrix
            product per slot with the k * k neighbourhoods of all pixels
        stride: of both axes
        padding: "valid" or "same", as Keras means them
        finite: whether the images hold finite numbers whatever a slot has learned; no lowering here makes use of it

    Returns:
        (B, H', W', K * F), slot by slot
    """
    slots, k, _, channels, filters = kernels.shape
    shared = images.shape[-1] == channels
    if lowering == "patches" or (shared and lowering == "separate"):
        return product_of_patches(images, kernels, stride, padding)
    if lowering == "grouped":
        wide = kernels.transpose(1, 2, 3, 0, 4).reshape(k, k, channels, slots * filters)
        return _convolve(images, wide, stride, padding, groups=1 if shared else slots)
    own = zip(jnp.split(images, slots, axis=-1), kernels, strict=True)
    return jnp.concatenate([_convolve(image, kernel, stride, padding) for image, kernel in own], axis=-1)


def _convolve(images: Tensor, kernel: Tensor, stride: int, padding: str, groups: int = 1) -> Tensor:
    return lax.conv_general_dilated(
        images,
        kernel,
        (stride, stride),
        padding.upper(),
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
        feature_group_count=groups,
    )


def pooled_convolution(images: Tensor, kernels: Tensor, lowering: str, finite: bool = False) -> Tensor:
    """`convolution`, then 2x2 max pooling: (B, H' // 2, W' // 2, K * F)."""
    if lowering == "patches":
        return product_of_patches(images, kernels, pooled=True)
    return largest_of_four(convolution(images, kernels, lowering, finite=finite), axis=1)


@cache
def best_lowering() -> str:
    """The fastest lowering for the device.

    Measured 2026-11 on one core (four slots, batch 128, forward and back): the second convolution of LeNet-5 takes
    50 ms separate, 136 as patches and 600 grouped; the first with images of each slot's own 156, 283 and 2,282. On a
    GPU not measured yet: the product of patches is there for its matrix units.
    """
    return "patches" if on_gpu() else "separate"
