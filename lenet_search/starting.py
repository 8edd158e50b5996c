"""Importing the backend, which takes seconds and prints messages that no environment variable turns off."""

import os
import sys

from lenet_search.quiet import DEBUG, quiet


def start_backend() -> None:
    """Import Keras with TensorFlow or JAX, without their messages about processor features and missing GPUs.

    Raises:
        RunError: Keras is configured for another backend, or for one that is not installed.
    """
    if "keras" in sys.modules or os.environ.get(DEBUG):
        return
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # for those that come later
    with quiet():
        import lenet_search.engine.backend  # noqa: F401
