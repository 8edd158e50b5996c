"""The start of what computes: some seconds, and greetings that no environment variable turns off."""

import os
import sys
import tempfile

from lenet_search.cli.group import DEBUG


def start_backend() -> None:
    """Import Keras with TensorFlow or JAX, and keep their lines about processor features and absent GPUs to ourselves.

    They are written below Python, to file descriptor 2. Should the import fail, they come out after all.

    Raises:
        RunError: Keras is set up for another backend, or for one that is not installed.
    """
    if "keras" in sys.modules or os.environ.get(DEBUG):
        return
    sys.stderr.flush()
    before = os.dup(2)
    with tempfile.TemporaryFile() as greeting:
        os.dup2(greeting.fileno(), 2)
        try:
            import lenet_search.engine.backend  # noqa: F401
        except BaseException:
            greeting.seek(0)
            os.write(before, greeting.read())
            raise
        finally:
            os.dup2(before, 2)
            os.close(before)
