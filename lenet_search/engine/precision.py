"""What a program multiplies in: `train.precision`, and what "auto" means on this device."""

from functools import cache
from time import perf_counter

import numpy as np
from keras import ops

from lenet_search.engine import backend


def multiplying_dtype(precision: str) -> str:
    """The dtype for `train.precision`."""
    settled = best_precision() if precision == "auto" else precision
    return {"float32": "float32", "mixed_bfloat16": "bfloat16"}[settled]


@cache
def best_precision() -> str:
    """mixed_bfloat16 where a small stack's first convolution, both ways, takes at most 0.8 of float32's time."""
    try:
        return "mixed_bfloat16" if _seconds("bfloat16") < 0.8 * _seconds("float32") else "float32"
    except backend.UNSUPPORTED:
        return "float32"


def _seconds(dtype: str) -> float:
    images, kernels = ops.ones((64, 32, 32, 4 * 3), dtype), ops.ones((4, 5, 5, 3, 6), dtype)
    lowering = backend.best_lowering()

    def both_ways(images: object, kernels: object) -> object:
        return backend.value_and_gradients(
            lambda own: (ops.sum(backend.pooled_convolution(images, own, lowering, finite=True)), None), kernels
        )[1]

    probe = backend.compiled(both_ways)
    taken = []
    for _ in range(8):
        started = perf_counter()
        np.asarray(probe(images, kernels))
        taken.append(perf_counter() - started)
    return min(taken[2:])
