"""LeNet-5 as it is taught today: two 5x5 convolutions, 2x2 pooling, dense layers of 120, 84 and one per class.

After LeCun, Bottou, Bengio & Haffner 1998, section II.B, without its connection table, trainable subsampling
and radial-basis outputs; `lenet5_1998` has those. Parameters for ten classes:

lenet5      61,706 on 32x32x1, 62,006 on 32x32x3. On 32x32 its third convolution (120 maps of 5x5 on 5x5) is a
            dense layer. With width = 2.535: 395,565 on 32x32x3 (15 and 41 maps, 304 and 213 units)
lenet5_28   44,426 on 28x28x1: no padding, so the third convolution is one of 4x4
"""

from lenet_search.errors import DataError
from lenet_search.networks.layers import (
    Activation,
    BatchNorm,
    Conv,
    Dense,
    Dropout,
    Flatten,
    Layer,
    Pool,
    Shape,
    SpatialDropout,
)
from lenet_search.recipe.model import Model


def lenet5(model: Model, image_shape: Shape, classes: int) -> list[Layer]:
    """The layers for a recipe's `[model]`, for images of at least 16x16.

    Raises:
        DataError: when the images are smaller.
    """
    at_least(16, model, image_shape)  # two 5x5 convolutions and two 2x2 poolings leave one pixel
    third = Dense("dense1", scaled(120, model))
    return [*_maps(model), Flatten("flatten"), *hidden(third, model), Dropout("dropout1"), *_end(model, classes)]


def lenet5_28(model: Model, image_shape: Shape, classes: int) -> list[Layer]:
    """The layers for a recipe's `[model]`, for images of 28x28.

    Raises:
        DataError: for images of another size.
    """
    exactly(28, model, image_shape)
    third = Conv("conv3", scaled(120, model), 4)
    return [*_maps(model), *hidden(third, model), Flatten("flatten"), Dropout("dropout1"), *_end(model, classes)]


def _maps(model: Model) -> list[Layer]:
    layers: list[Layer] = []
    for number, maps in ((1, 6), (2, 16)):
        layers += hidden(Conv(f"conv{number}", scaled(maps, model), 5), model)
        layers += [Pool(f"pool{number}", model.pooling), SpatialDropout(f"spatial_dropout{number}")]
    return layers


def _end(model: Model, classes: int) -> list[Layer]:
    return [*hidden(Dense("dense2", scaled(84, model)), model), Dropout("dropout2"), Dense("logits", classes)]


def scaled(count: int, model: Model) -> int:
    """`count` maps or units times the recipe's width, at least one."""
    return max(1, round(count * model.width))


def hidden(layer: Conv | Dense, model: Model) -> list[Layer]:
    """A hidden layer with its batch normalization, where the recipe asks for it, and its activation."""
    norm: list[Layer] = [BatchNorm(f"{layer.name}_norm")] if model.batch_norm else []
    return [layer, *norm, Activation(f"{layer.name}_activation", model.activation)]


def at_least(side: int, model: Model, image_shape: Shape) -> None:
    """Refuse images that are smaller than `side` x `side`."""
    if min(image_shape[:2]) < side:
        raise DataError(
            f"{model.network} needs images of at least {side}x{side} pixels; "
            f"received {image_shape[0]}x{image_shape[1]}: enlarge them, or pad them with background"
        )


def exactly(side: int, model: Model, image_shape: Shape) -> None:
    """Refuse images that are not `side` x `side`."""
    if tuple(image_shape[:2]) != (side, side):
        raise DataError(
            f"{model.network} needs images of {side}x{side} pixels; received {image_shape[0]}x{image_shape[1]}: "
            "scale or pad them, or choose lenet5, which takes any from 16x16"
        )
