"""How a stack computes convolutions, and with that how its maps lie in memory: the lowerings, by name."""

import keras

from lenet_search.engine import backend
from lenet_search.engine.maps import Maps
from lenet_search.engine.slots_first import SlotsFirst

LOWERINGS: dict[str, Maps] = {"rows": SlotsFirst(), "tiles": SlotsFirst(widest=4)}
if keras.backend.backend() == "tensorflow":
    from lenet_search.engine.backend.tensorflow import CONVOLUTIONS
    from lenet_search.engine.interleaved import Interleaved

    LOWERINGS |= {name: Interleaved(name) for name in CONVOLUTIONS}


def best_lowering() -> str:
    """The fastest lowering for the device.

    On a GPU it is `rows`, of which a prototype was measured (see `engine.slots_first`); `tiles` has not been, there.
    """
    return "rows" if backend.on_gpu() else backend.best_on_processor()
