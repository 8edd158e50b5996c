"""The engine trains recipes, many side by side in one compiled program. It knows no Optuna."""

from lenet_search.engine.stack import EpochResult, Stack

__all__ = ["EpochResult", "Stack"]
