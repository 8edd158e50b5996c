"""What a .keras file promises, checked before Keras allocates it: a line of its configuration may ask for terabytes."""

import math
import zipfile
from pathlib import Path

from lenet_search.untrusted import Damaged, check_unpacked, json_object

WAITING = "uninitialized_variables"  # Keras's list of variables that a stateless scope has not allocated


def check_promises(path: Path) -> None:
    """Check that a model's weights are in its file, and that the file does not unpack to much more than it is.

    The model is built without values: in a stateless scope, Keras only notes the shapes of variables.

    Raises:
        Damaged: it promises more than it holds.
        Exception: whatever Keras or zipfile raises for a damaged file, or for one that contains code.
    """
    import keras
    from keras.src.backend.common import global_state

    with zipfile.ZipFile(path) as archive:
        unpacked = sum(member.file_size for member in archive.infolist())
        check_unpacked(unpacked, path.stat().st_size)
        config = json_object(archive.read("config.json"))
    before = list(global_state.get_global_attribute(WAITING, []))
    try:
        with keras.StatelessScope(initialize_variables=False):
            model = keras.saving.deserialize_keras_object(config, safe_mode=True)
            needed = sum(math.prod(each.shape) * _bytes(each.dtype) for each in model.variables)
    finally:
        global_state.set_global_attribute(WAITING, before)
    if needed > 2 * unpacked:
        raise Damaged(f"its layers have weights of {needed:,} bytes, and the file holds {unpacked:,}")


def _bytes(dtype: str) -> int:
    """Bytes of a number, at least one: "float32" has 4, "int4" shares one."""
    digits = "".join(filter(str.isdecimal, dtype))
    return max(1, int(digits or 8) // 8)
