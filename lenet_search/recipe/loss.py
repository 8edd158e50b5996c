"""What training minimizes: cross-entropy, or one of the two criteria of LeCun et al. 1998, with smoothed labels.

With the energies y = -logits (of radial-basis outputs: squared distances) and the smoothed target
t = (1 - s) * one_hot + s / classes (Szegedy et al. 2016, section 7; Keras's formula), a loss is t . y, what pulls the
right class in, and where classes compete log(exp(-none) + sum exp(-y)), what pushes the others away.

The loss is what training follows. What is reported is plain cross-entropy: with l1, l2, smoothing or another kind in
the reported loss, a search for the lowest would switch them off, or compare what cannot be compared.
"""

from dataclasses import dataclass

from lenet_search.recipe.field import choice, number


@dataclass(frozen=True)
class Criterion:
    """What a loss is made of; `engine.losses` computes it from this."""

    meaning: str
    competing: bool = True  # whether classes compete: the second term
    none: float | None = None  # energy of "none of the classes", which competes with them
    radial_basis: bool = False  # whether it needs radial-basis outputs
    keras: str = ""  # its class in keras.losses, if there is one; for labels that are numbers, Sparse stands before it

    @property
    def softmax(self) -> bool:
        """Whether the second term's derivatives are a softmax, which leaves nothing for "none of the classes"."""
        return self.competing and self.none is None


LOSSES = {
    "cross_entropy": Criterion("The negative log-likelihood under a softmax.", keras="CategoricalCrossentropy"),
    "map": Criterion(
        'Cross-entropy with one more class, "none of these", of fixed energy 0.1 (LeCun et al. 1998, equation 9).',
        none=0.1,
    ),
    "mse": Criterion(
        "Squared distance to the right class's figure (LeCun et al. 1998, equation 8); needs radial-basis outputs.",
        competing=False,
        radial_basis=True,
    ),
}


@dataclass(frozen=True)
class Loss:
    """`[loss]`: the loss, and how far labels are smoothed."""

    kind: str = choice("cross_entropy", LOSSES, "the loss")
    label_smoothing: float = number(0.0, "share of the label spread over all classes", low=0, below=1)
