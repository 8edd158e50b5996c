"""What the engine needs of a backend beyond `keras.ops`; one file per backend, with the same functions."""

import keras

from lenet_search.errors import RunError

if keras.backend.backend() != "tensorflow":
    raise RunError(
        f"Keras is set up for {keras.backend.backend()} here; expected tensorflow: "
        "set KERAS_BACKEND=tensorflow before Keras is imported"
    )

from lenet_search.engine.backend.tensorflow import (
    LOWERINGS,
    best_lowering,
    best_precision,
    compiled,
    convolution,
    device_name,
    fused,
    gather,
    limit_threads,
    loop,
    multiplying_dtype,
    on_device,
    on_gpu,
    pooled_convolution,
    recomputed,
    uniform,
    value_and_gradients,
)

__all__ = [
    "LOWERINGS",
    "best_lowering",
    "best_precision",
    "compiled",
    "convolution",
    "device_name",
    "fused",
    "gather",
    "limit_threads",
    "loop",
    "multiplying_dtype",
    "on_device",
    "on_gpu",
    "pooled_convolution",
    "recomputed",
    "uniform",
    "value_and_gradients",
]
