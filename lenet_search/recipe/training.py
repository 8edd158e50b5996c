"""How long a run is, and how many images make a step."""

from dataclasses import dataclass

from lenet_search.recipe.field import choice, number


@dataclass(frozen=True)
class Train:
    """`[train]`: the length of a run and its batch."""

    epochs: int = number(10, "passes over the training images", low=1, unit="epochs")
    batch_size: int = number(128, "images per step; an incomplete last batch is dropped", low=1, unit="images")
    precision: str = choice(
        "float32",
        ("float32", "mixed_bfloat16", "auto"),
        'what layers multiply in while training; "auto" is bfloat16 where the device has matrix units for it',
    )
