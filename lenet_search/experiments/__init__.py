"""Recipes trained several times, side by side: how good are they, and how much of that is luck?"""

from lenet_search.experiments.files import prepared, write
from lenet_search.experiments.train import Course, Training, train

__all__ = ["Course", "Training", "prepared", "train", "write"]
