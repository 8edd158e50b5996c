"""The text of `train.py`: one recipe as a script in plain TensorFlow and Keras, without this package.

Only what the recipe uses is written; a recipe without augmentation gives a script without an augmentation
function. The pieces stand in the order in which the script reads, one file each.
"""

from lenet_search.results.script.script import train_script

__all__ = ["train_script"]
