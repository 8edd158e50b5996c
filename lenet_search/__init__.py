"""Hyperparameter search for LeNet-5: many trials side by side in one program.

`from lenet_search import Study` is the notebook's way in; the command line is `lenet-search`. Both names below
are imported when they are first used, so that `import lenet_search` costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lenet_search.api import Study
    from lenet_search.recipe import Recipe

__all__ = ["Recipe", "Study", "__version__"]
__version__ = "0.1.0"

_HOMES = {"Study": "lenet_search.api", "Recipe": "lenet_search.recipe"}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
