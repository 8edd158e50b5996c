"""JAX's compiling, gradients, loop, random numbers and devices."""

import os
from collections.abc import Callable, Hashable, Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import jaxlib
import numpy as np
from jax import lax

from lenet_search.engine.backend import program_cache
from lenet_search.engine.backend.philox import random_bits

if os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1"):  # else JAX gives up where a GPU is there, but hidden
    jax.config.update("jax_platforms", "cpu")

Tensor = Any
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


def compiled(function: Callable[..., Any], consumed: int = 0) -> Callable[..., Any]:
    """One program per combination of argument shapes, traced at its first call.

    Its first `consumed` arguments are used up: their memory becomes that of the results.
    """
    return jax.jit(function, donate_argnums=tuple(range(consumed)))  # type: ignore[no-any-return]


def fused(function: Callable[..., Any], *fixed: Hashable) -> Callable[..., Any]:
    """For elementwise work, one pass over memory instead of one per operation: XLA sees to it anyway.

    `fixed` are its first arguments.
    """
    return partial(function, *fixed)


def recomputed(function: Callable[..., Any]) -> Callable[..., Any]:
    """For elementwise work whose gradient starts from the arguments again: XLA weighs that by itself."""
    return function


def once(array: Tensor) -> Tensor:
    """The array, computed and stored before anything reads it: XLA may compute others anew at each reading."""
    return lax.optimization_barrier(array)


def on_device(array: np.ndarray) -> Tensor:
    """A host array as one on the device."""
    return jax.device_put(array)


def gather(table: Tensor, rows: Tensor) -> Tensor:
    """Rows of `table`. All that are asked for exist, which spares JAX a check."""
    return jnp.take(table, rows, axis=0, mode="clip")


def kept(array: Any) -> Tensor:
    """An array as it is kept from program to program: on the device."""
    return jax.device_put(array)


def replaced(table: Tensor, places: Tensor, rows: Tensor) -> Tensor:
    """`table`, with other rows at `places`."""
    return _replace(table, places, rows)


_replace = jax.jit(lambda table, places, rows: table.at[places].set(rows, unique_indices=True))


def value_and_gradients(function: Callable[[Any], tuple[Tensor, Any]], inputs: Any) -> tuple[Any, Any]:
    """`function(inputs)` is (what to differentiate, anything else); gives anything else, and the gradients."""
    (_, extra), gradients = jax.value_and_grad(function, has_aux=True)(inputs)
    return extra, gradients


def loop(count: int, body: Callable[..., Any], state: Any) -> Any:
    """Run `state = body(i, state)` for i = 0 ... count - 1 inside the program."""
    return lax.fori_loop(0, count, body, state)


def uniform(shape: Sequence[int], stream: int, moments: Tensor) -> Tensor:
    """Numbers in [0, 1), (n, *shape), that depend on `stream` (what they are for) and `moments` (n steps) alone.

    They are TensorFlow's, to the bit. Their loop over rounds stands before the loop over steps: with one in each step,
    a step was 514 kernels on an H100, and 51 without augmentation (measured 2026-11).
    """
    return (random_bits(shape, stream, moments) & 0x7FFFFF).astype("float32") * 2.0**-23


def best_on_processor() -> str:
    """XLA's convolutions are slow on a processor.

    Measured 2026-11 on one core with AVX-512 (LeNet-5, four slots, batch 128, trial-images/s in whole epochs): `tiles`
    6,800, `rows` 5,300, and 1,600 with a convolution per slot; with shift, flip, cutout and dropout 5,000 and 4,600.
    """
    return "tiles"
