"""LeNet-5 to the letter: LeCun, Bottou, Bengio & Haffner 1998, section II.B.

C1 156, S2 12, C3 1,516, S4 32, C5 48,120, F6 10,164. Subsampling has one coefficient and one bias for each map; each
map of C3 sees the maps of S2 that table I gives it; every unit up to F6 is squashed by 1.7159 tanh(2x/3); the outputs
are squared distances from F6 to fixed bitmaps. The paper's inputs go from -0.1 to 1.175 on 32x32 (data.normalize =
"lecun_1998"), its initial weights are uniform within 2.4/fan-in (model.initializer = "lecun_1998").
"""

from lenet_search.networks.layers import (
    Activation,
    Conv,
    Dense,
    Dropout,
    Flatten,
    Layer,
    RadialBasis,
    SpatialDropout,
    Subsampling,
)
from lenet_search.networks.network import Model, Network

# Table I: the maps of S2 that each map of C3 sees, 60 connections in all.
TABLE_I = (
    *((0, 1, 2), (1, 2, 3), (2, 3, 4), (3, 4, 5), (0, 4, 5), (0, 1, 5)),
    *((0, 1, 2, 3), (1, 2, 3, 4), (2, 3, 4, 5), (0, 3, 4, 5), (0, 1, 4, 5), (0, 1, 2, 5)),
    *((0, 1, 3, 4), (1, 2, 4, 5), (0, 2, 3, 5)),
    (0, 1, 2, 3, 4, 5),
)


def _layers(model: Model, classes: int) -> list[Layer]:
    return [
        *_squashed(Conv("c1", 6, 5)),
        *_squashed(Subsampling("s2")),
        SpatialDropout("spatial_dropout1"),
        *_squashed(Conv("c3", 16, 5, connections=TABLE_I)),
        *_squashed(Subsampling("s4")),
        SpatialDropout("spatial_dropout2"),
        *_squashed(Conv("c5", 120, 5)),
        Flatten("flatten"),
        Dropout("dropout1"),
        *_squashed(Dense("f6", 84)),
        RadialBasis("output", classes),
    ]


def _squashed(layer: Conv | Dense | Subsampling) -> list[Layer]:
    return [layer, Activation(f"{layer.name}_activation", "scaled_tanh")]


LENET5_1998 = Network(
    "LeNet-5 to the letter (LeCun, Bottou, Bengio & Haffner 1998, section II.B).",
    _layers,
    counts={(32, 32, 1): 60_000},
    side=32,
    most_classes=10,  # its outputs are figures of the ten digits
    radial_basis=True,
    curvature="exact",
    without_effect=frozenset({"model.width", "model.activation", "model.pooling", "model.batch_norm"}),
)
