"""What the engine needs from a backend beyond `keras.ops`: one file per backend, with the same functions.

Keras selects the backend: by KERAS_BACKEND or, if it is not set, by ~/.keras/keras.json.
"""

from typing import TYPE_CHECKING

from lenet_search.errors import RunError

CHOICE = "set the environment variable KERAS_BACKEND to tensorflow, or to jax (pip install 'lenet-search[jax]')"

try:
    import keras
except (ModuleNotFoundError, ValueError) as error:  # not installed, or no such backend
    raise RunError(f"Keras cannot start: {error}; {CHOICE}") from error

if TYPE_CHECKING or keras.backend.backend() == "tensorflow":
    from lenet_search.engine.backend import tensorflow as chosen
elif keras.backend.backend() == "jax":
    from lenet_search.engine.backend import jax as chosen
else:
    raise RunError(f"Keras is configured for {keras.backend.backend()}; {CHOICE} before Keras is imported")

UNSUPPORTED = chosen.UNSUPPORTED
best_on_processor = chosen.best_on_processor
compiled = chosen.compiled
compute_capability = chosen.compute_capability
device_name = chosen.device_name
fused = chosen.fused
gather = chosen.gather
kept = chosen.kept
limit_threads = chosen.limit_threads
loop = chosen.loop
on_device = chosen.on_device
on_gpu = chosen.on_gpu
once = chosen.once
recomputed = chosen.recomputed
replaced = chosen.replaced
uniform = chosen.uniform
value_and_gradients = chosen.value_and_gradients
versions = chosen.versions
