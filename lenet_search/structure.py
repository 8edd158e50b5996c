"""What a compiled program depends on: recipes that agree in it can share a stack."""

from dataclasses import dataclass

from lenet_search.recipe import Recipe
from lenet_search.recipe.augment import AUGMENTATIONS, Augment
from lenet_search.recipe.data import Images
from lenet_search.recipe.model import Model
from lenet_search.recipe.optimizer import OPTIMIZERS
from lenet_search.space import Space


@dataclass(frozen=True)
class Structure:
    """Shapes, and which rules a program contains.

    A rule that no trial of a study can switch on is left out of the program; one that some can is in it for
    all slots, with strength 0 where it is off. So a slot is refilled without compiling anything.
    """

    images: Images
    batch_size: int
    precision: str
    model: Model  # with a fixed initializer: it only decides how a slot starts
    loss: str
    augmentations: tuple[str, ...]
    augment: Augment | None  # strengths that all slots have; None where theirs may differ
    own_normalization: bool  # whether slots may see differently normalized images
    input_dropout: bool
    dropout: bool
    spatial_dropout: bool
    penalty: bool
    clip: bool
    second_moment: bool
    third_moment: bool

    @property
    def own_images(self) -> bool:
        """Whether each slot trains on images of its own, or all on the same.

        Slots share random draws, so what is augmented alike comes out alike, and need be done once only.
        """
        return self.own_normalization or (bool(self.augmentations) and self.augment is None)


def structure_of(recipe: Recipe, space: Space) -> Structure:
    """The structure of a recipe that was sampled from `space`."""
    model = recipe.model
    rules = {kind: OPTIMIZERS[kind] for kind in space.kinds("optimizer")}
    return Structure(
        images=recipe.images,
        batch_size=recipe.train.batch_size,
        precision=recipe.train.precision,
        model=Model(model.network, model.width, model.activation, model.pooling, batch_norm=model.batch_norm),
        loss=recipe.loss.kind,
        augmentations=tuple(name for name in AUGMENTATIONS if space.can_exceed(f"augment.{name}")),
        augment=None if any(f"augment.{name}" in space.searched() for name in AUGMENTATIONS) else recipe.augment,
        own_normalization="data.normalize" in space.searched(),
        input_dropout=space.can_exceed("regularize.input_dropout"),
        dropout=space.can_exceed("regularize.dropout"),
        spatial_dropout=space.can_exceed("regularize.spatial_dropout"),
        penalty=space.can_exceed("regularize.l1") or space.can_exceed("regularize.l2"),
        clip=space.can_exceed("optimizer.clip_norm"),
        second_moment=any(rule.second_moment for rule in rules.values()),
        third_moment=any(
            space.can_exceed(f"optimizer.{kind}.{rule.third_moment}")
            for kind, rule in rules.items()
            if rule.third_moment
        ),
    )
