"""How Keras makes a layer, as plain data: `networks.plain` makes the call, `results.script` writes it down."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Call:
    """`keras.layers.<name>(*arguments, **options)`."""

    name: str
    arguments: tuple[Any, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    kernel: bool = False  # whether it also takes the recipe's kernel_initializer and kernel_regularizer
    part: str = ""  # which part of a layer it is, where one of ours takes several of Keras's
    own: bool = False  # a class of `networks.keras_layers`, since Keras has none
