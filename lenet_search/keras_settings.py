"""Keras's settings, of which only the backend is left as another project has set it, and one of TensorFlow's."""

import hashlib
import json
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from lenet_search.machine import writable_cache
from lenet_search.whole import replace_text

# What keras.json can set besides the backend, with Keras's defaults (keras/src/backend/config.py).
DEFAULTS: dict[str, Any] = {
    "floatx": "float32",
    "epsilon": 1e-7,
    "image_data_format": "channels_last",
    "nnx_enabled": False,
}
# What the environment can set, in Keras and in JAX, that would change what is computed or end it with an error.
VARIABLES = (
    "KERAS_MAX_EPOCHS", "KERAS_MAX_STEPS_PER_EPOCH", "KERAS_NNX_ENABLED", "JAX_ENABLE_X64", "JAX_DEBUG_NANS",
    "JAX_DEBUG_INFS", "JAX_DISABLE_JIT", "JAX_CHECK_TRACER_LEAKS", "JAX_DEFAULT_DTYPE_BITS",
    "JAX_DEFAULT_MATMUL_PRECISION", "JAX_NUMPY_DTYPE_PROMOTION", "JAX_NUMPY_RANK_PROMOTION",
)  # fmt: skip


def set_aside() -> None:
    """Have Keras start with its defaults, in a process of our own. Call before Keras is imported.

    If keras.json says anything but the defaults and a backend, or is not readable, Keras gets another home for this
    process, with the same backend and the same downloads. TensorFlow uses oneDNN, unless the user has chosen.
    """
    for name in VARIABLES:
        os.environ.pop(name, None)
    if platform.machine() == "x86_64":
        # TensorFlow leaves oneDNN off where a processor lacks AVX512-VNNI, as many laptops do. Measured 2026-11 on a
        # core with AVX2: an epoch of LeNet-5 takes 2 to 3 times as long without, in a stack as in Keras's `fit`.
        os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    home = _home()
    if not os.path.exists(home / "keras.json"):
        return
    settings = _read(home / "keras.json")
    if settings is not None and all(_same(settings.get(key, value), value) for key, value in DEFAULTS.items()):
        return
    backend = (settings or {}).get("backend")
    if isinstance(backend, str) and backend.isidentifier() and not os.environ.get("KERAS_BACKEND"):
        os.environ["KERAS_BACKEND"] = backend
    with suppress(OSError):  # no folder can be written to: Keras says what it does not like
        os.environ["KERAS_HOME"] = str(_another(home))


@contextmanager
def defaults() -> Iterator[None]:
    """Keras's defaults while a model is built, loaded or used in a process of the user's, such as a notebook."""
    from keras import config

    before = [getattr(config, name)() for name in _SET]
    try:
        for name, value in _SET.items():
            getattr(config, f"set_{name}")(value)
        yield
    finally:
        for name, value in zip(_SET, before, strict=True):
            getattr(config, f"set_{name}")(value)


# What a program can set with `keras.config`.
_SET: dict[str, Any] = {
    "floatx": DEFAULTS["floatx"],
    "epsilon": DEFAULTS["epsilon"],
    "image_data_format": DEFAULTS["image_data_format"],
    "dtype_policy": "float32",
    "max_epochs": None,
    "max_steps_per_epoch": None,
}


def _home() -> Path:
    """Keras's own rule."""
    chosen = os.environ.get("KERAS_HOME")
    if chosen is not None:
        return Path(os.path.expanduser(chosen))
    user = os.path.expanduser("~")
    return Path(user if os.access(user, os.W_OK) else "/tmp", ".keras")


def _read(path: Path) -> dict[str, Any] | None:
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return settings if isinstance(settings, dict) and isinstance(settings.get("backend", ""), str) else None


def _same(value: Any, default: Any) -> bool:
    return bool(value == default) and type(value) is type(default)


def _another(home: Path) -> Path:
    """A home for Keras in the cache folder, with the data sets of `home`."""
    another = writable_cache() / "keras" / hashlib.sha256(os.fsencode(home)).hexdigest()[:16]
    another.mkdir(parents=True, exist_ok=True)
    replace_text(another / "keras.json", json.dumps(DEFAULTS))
    with suppress(OSError):  # without links, they are downloaded again
        if (home / "datasets").is_dir():
            (another / "datasets").symlink_to(home.absolute() / "datasets", target_is_directory=True)
    return another
