"""What the engine needs of a backend beyond `keras.ops`: one file per backend, with the same functions.

Which one runs is for Keras to say: KERAS_BACKEND, or ~/.keras/keras.json where that is not set.
"""

from typing import TYPE_CHECKING

from lenet_search.errors import RunError

try:
    import keras
except ModuleNotFoundError as error:
    if error.name != "jax":
        raise
    raise RunError(
        "Keras is set up for jax, which is not installed: pip install 'lenet-search[jax]', or set "
        "KERAS_BACKEND=tensorflow"
    ) from error

if TYPE_CHECKING or keras.backend.backend() == "tensorflow":
    from lenet_search.engine.backend import tensorflow as chosen
elif keras.backend.backend() == "jax":
    from lenet_search.engine.backend import jax as chosen
else:
    raise RunError(
        f"Keras is set up for {keras.backend.backend()}; expected tensorflow or jax: set the environment variable "
        "KERAS_BACKEND to one of them (before Keras is imported, in a notebook)"
    )

LOWERINGS = chosen.LOWERINGS
best_lowering = chosen.best_lowering
compiled = chosen.compiled
convolution = chosen.convolution
device_name = chosen.device_name
fused = chosen.fused
gather = chosen.gather
limit_threads = chosen.limit_threads
loop = chosen.loop
on_device = chosen.on_device
on_gpu = chosen.on_gpu
uniform = chosen.uniform
value_and_gradients = chosen.value_and_gradients
versions = chosen.versions
