"""Hyperparameter search for LeNet-5: many trials side by side in one program.

`from lenet_search import Study` is the notebook's way in; the command line is `lenet-search`. The names below
are imported when they are first used, so that `import lenet_search` costs nothing.
"""

from importlib import import_module

TYPE_CHECKING = False  # `typing` may be a file of the user's own: `python -m lenet_search` in its folder
if TYPE_CHECKING:
    from lenet_search.api import Study, ablate, compare, confirm, evaluate, predict, refit, report, reproduce, train
    from lenet_search.look.progress import Silent
    from lenet_search.recipe import Recipe

__all__ = [
    "Recipe",
    "Silent",
    "Study",
    "__version__",
    "ablate",
    "compare",
    "confirm",
    "evaluate",
    "predict",
    "refit",
    "report",
    "reproduce",
    "train",
]
__version__ = "0.1.0"

_HOMES = {"Recipe": "lenet_search.recipe", "Silent": "lenet_search.look.progress"} | dict.fromkeys(
    ("Study", "ablate", "compare", "confirm", "evaluate", "predict", "refit", "report", "reproduce", "train"),
    "lenet_search.api",
)


def __getattr__(name: str) -> object:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
