"""What keeps a network from fitting its training images too well."""

from dataclasses import dataclass

from lenet_search.recipe.field import number

DROPOUTS = ("input_dropout", "dropout", "spatial_dropout")


@dataclass(frozen=True)
class Regularize:
    """`[regularize]`: penalties on kernels (not on biases), and dropout."""

    l1: float = number(0.0, "adds l1 * sum |w| over all kernels to the loss (keras.regularizers.L1)", low=0, high=1)
    l2: float = number(0.0, "adds l2 * sum w^2 over all kernels to the loss (keras.regularizers.L2)", low=0, high=1)
    input_dropout: float = number(0.0, "fraction of input values dropped", low=0, below=1)
    dropout: float = number(
        0.0,
        "fraction of hidden dense units dropped; in the all_cnn networks, of values after each of the two stages",
        low=0,
        below=1,
    )
    spatial_dropout: float = number(0.0, "fraction of feature maps dropped after pooling", low=0, below=1)
