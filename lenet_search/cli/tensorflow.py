"""TensorFlow's start: four seconds, and a greeting that no environment variable turns off."""

import os
import sys
import tempfile

from lenet_search.cli.group import DEBUG


def start_tensorflow() -> None:
    """Import TensorFlow and keep its lines about processor features and absent GPUs to itself.

    They are written below Python, to file descriptor 2. Should the import fail, they come out after all.
    """
    os.environ["KERAS_BACKEND"] = "tensorflow"  # whatever else Keras is set up for on this machine
    if "tensorflow" in sys.modules or os.environ.get(DEBUG):
        return
    sys.stderr.flush()
    before = os.dup(2)
    with tempfile.TemporaryFile() as greeting:
        os.dup2(greeting.fileno(), 2)
        try:
            import tensorflow  # noqa: F401
        except BaseException:
            greeting.seek(0)
            os.write(before, greeting.read())
            raise
        finally:
            os.dup2(before, 2)
            os.close(before)
