"""The engine trains recipes, many side by side in one compiled program. It knows no Optuna."""

from lenet_search.engine.stack import EpochResult, Stack
from lenet_search.engine.structure import Structure, structure_of

__all__ = ["EpochResult", "Stack", "Structure", "structure_of"]
