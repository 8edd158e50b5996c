"""LeNet-5 as it is taught today: two 5x5 convolutions, 2x2 pooling, dense layers of 120, 84 and one per class.

After LeCun, Bottou, Bengio & Haffner 1998, section II.B, without its connection table, trainable subsampling
and radial-basis outputs. On 32x32 images its third convolution (120 maps of 5x5 on 5x5) is a dense layer.
61,706 parameters on 32x32x1 and ten classes, 62,006 on 32x32x3.
"""

from lenet_search.networks.layers import (
    Activation,
    BatchNorm,
    Conv,
    Dense,
    Dropout,
    Flatten,
    Layer,
    Pool,
    SpatialDropout,
)
from lenet_search.recipe.model import Model

SMALLEST_SIDE = 16  # two 5x5 convolutions and two 2x2 poolings leave one pixel


def lenet5(model: Model, classes: int) -> list[Layer]:
    """The layers for a recipe's `[model]`."""

    def scaled(count: int) -> int:
        return max(1, round(count * model.width))

    def hidden(layer: Conv | Dense) -> list[Layer]:
        norm: list[Layer] = [BatchNorm(f"{layer.name}_norm")] if model.batch_norm else []
        return [layer, *norm, Activation(f"{layer.name}_activation", model.activation)]

    layers: list[Layer] = []
    for number, maps in ((1, 6), (2, 16)):
        layers += hidden(Conv(f"conv{number}", scaled(maps), 5))
        layers += [Pool(f"pool{number}", model.pooling), SpatialDropout(f"spatial_dropout{number}")]
    layers += [Flatten("flatten")]
    for number, units in ((1, 120), (2, 84)):
        layers += [*hidden(Dense(f"dense{number}", scaled(units))), Dropout(f"dropout{number}")]
    return [*layers, Dense("logits", classes)]
