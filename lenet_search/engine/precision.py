"""What a program multiplies in: `train.precision`, and what "auto" means on this device."""

from collections.abc import Callable
from functools import cache
from time import perf_counter

import numpy as np
from keras import ops

from lenet_search.engine import backend
from lenet_search.engine.augmentation import repeated
from lenet_search.engine.lowerings import LOWERINGS, best_lowering

MUCH_FASTER = 0.7  # of float32's time
MUCH_SLOWER = 2.0  # as without AVX-512, where bfloat16 takes seven times as long: the answer is clear after two turns
BFLOAT16_UNITS = 8.0  # the compute capability from which NVIDIA's matrix units multiply bfloat16 (Ampere, 2020)


def multiplying_dtype(precision: str) -> str:
    """The dtype for `train.precision`."""
    settled = best_precision() if precision == "auto" else precision
    return {"float32": "float32", "mixed_bfloat16": "bfloat16"}[settled]


@cache
def best_precision() -> str:
    """mixed_bfloat16 where a matrix unit multiplies it, else float32. A GPU is asked what it has, a CPU is timed.

    On GPUs whose compute capability is not known (AMD's, Apple's) it is float32: nothing was measured there.
    """
    if backend.on_gpu():
        capability = backend.compute_capability()
        return "float32" if capability is None or capability < BFLOAT16_UNITS else "mixed_bfloat16"
    return "mixed_bfloat16" if _is_much_faster() else "float32"


def _is_much_faster() -> bool:
    """Whether a small stack's first convolution, both ways, takes at most 0.7 of float32's time in bfloat16.

    With a matrix unit (AMX) it takes about half. With vector instructions only (AVX512-BF16) it is about 0.9, and a
    whole epoch 0.85, which is not worth the rounding, nor trials of one study that differ in it by chance. (On a GPU
    memory bounds this one convolution, so that its time says nothing of matrix units.)
    """
    try:
        probes = {dtype: _probe(dtype) for dtype in ("bfloat16", "float32")}
        taken: dict[str, list[float]] = {dtype: [] for dtype in probes}
        for turn in range(8):  # in turn: what disturbs one disturbs the other
            for dtype, probe in probes.items():
                started = perf_counter()
                probe()
                taken[dtype].append(perf_counter() - started)
            if turn and min(taken["bfloat16"]) > MUCH_SLOWER * min(taken["float32"]):
                return False
    except backend.UNSUPPORTED:
        return False
    return min(taken["bfloat16"]) < MUCH_FASTER * min(taken["float32"])


def _probe(dtype: str) -> Callable[[], object]:
    """What runs the convolution, compiled."""
    maps = LOWERINGS[best_lowering()]
    images = maps.of_each(repeated(ops.ones((64, 32, 32, 3), dtype), 4, maps.ORDER))
    kernels = ops.ones((4, 5, 5, 3, 6), dtype)

    def both_ways(images: object, kernels: object) -> object:
        return backend.value_and_gradients(
            lambda own: (ops.sum(maps.pooled_convolution(images, own, finite=True)), None), kernels
        )[1]

    compiled = backend.compiled(both_ways)

    def run() -> object:
        return np.asarray(compiled(images, kernels))

    run()
    return run
