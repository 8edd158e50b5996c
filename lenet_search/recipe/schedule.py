"""Learning-rate schedules: each a plain function from step to a factor on the learning rate.

A schedule is worked out on the host, in float64, for the epoch to come; the compiled program sees an array.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from lenet_search.recipe.field import choice, number, numbers

Array = np.ndarray
WARMUP = "fraction of all steps during which the learning rate first rises linearly"


class Course:
    """What a schedule declares; its fields are its hyperparameters."""

    warmup: float
    start: float = 0.0  # factor before the first step of the warm-up

    def decay(self, progress: Array, epoch: Array) -> Array:
        """The factors after the warm-up.

        Args:
            progress: (steps,) from 0 to 1 over the steps after the warm-up
            epoch: (steps,) epochs since the start of the run, with fractions
        """
        raise NotImplementedError

    def script(self) -> tuple[str, str]:
        """`decay` in TensorFlow, of `progress`, `step` and `self.steps_per_epoch`, and in words; for `train.py`."""
        raise NotImplementedError

    def disagreements(self) -> list[tuple[str, str]]:
        """Fields whose values do not go with the others, and what was expected of them."""
        return []


def _to(alpha: float) -> str:
    return f"{alpha!r} of the learning rate" if alpha else "0"


@dataclass(frozen=True)
class Constant(Course):
    """The same learning rate from the first step to the last."""

    warmup: float = number(0.0, WARMUP, low=0, below=1)

    def decay(self, progress: Array, epoch: Array) -> Array:
        """All ones."""
        return np.ones_like(progress)

    def script(self) -> tuple[str, str]:
        """No change."""
        return "1.0", "stays as it is"


@dataclass(frozen=True)
class Step(Course):
    """Times `factor` every `every` epochs."""

    every: int = number(5, "epochs between changes", low=1, unit="epochs")
    factor: float = number(0.5, "factor at each change", above=0, high=1)
    warmup: float = number(0.0, WARMUP, low=0, below=1)

    def decay(self, progress: Array, epoch: Array) -> Array:
        """factor ** (whole epochs / every)."""
        return self.factor ** (epoch // self.every).astype(float)

    def script(self) -> tuple[str, str]:
        """The same in steps."""
        every = f"{self.every} epochs" if self.every > 1 else "epoch"
        formula = f"{self.factor!r} ** tf.floor(step / ({self.every} * self.steps_per_epoch))"
        return formula, f"times {self.factor!r} every {every}"


@dataclass(frozen=True)
class Piecewise(Course):
    """A factor of its own for each stretch of epochs (keras.optimizers.schedules.PiecewiseConstantDecay)."""

    epochs: tuple[int, ...] = numbers((10, 20), "epochs after which the factor changes, in rising order", low=1)
    factors: tuple[float, ...] = numbers(
        (0.1, 0.01),
        "factor on the learning rate from each of these epochs on; it is 1 before the first",
        low=0,
        high=100,
    )
    warmup: float = number(0.0, WARMUP, low=0, below=1)

    def decay(self, progress: Array, epoch: Array) -> Array:
        """factors[i] from epochs[i] on."""
        return np.array((1.0, *self.factors))[np.searchsorted(self.epochs, epoch, side="right")]

    def script(self) -> tuple[str, str]:
        """The number of epochs passed picks the factor."""
        epochs = [float(epoch) for epoch in self.epochs]
        passed = f"tf.reduce_sum(tf.cast(step / self.steps_per_epoch >= {epochs}, tf.int32))"
        stretches = zip(self.factors, self.epochs, strict=True)
        words = ", ".join(f"times {factor!r} from epoch {epoch} on" for factor, epoch in stretches)
        return f"tf.gather(\n    {[1.0, *self.factors]},\n    {passed},\n)", words

    def disagreements(self) -> list[tuple[str, str]]:
        """Epochs rise, and each has a factor."""
        found = []
        if list(self.epochs) != sorted(set(self.epochs)):
            found.append(("epochs", "increasing epochs"))
        if len(self.epochs) != len(self.factors):
            found.append(("factors", f"as many factors as epochs, {len(self.epochs)}"))
        return found


@dataclass(frozen=True)
class Exponential(Course):
    """Times `decay_rate` over each epoch, smoothly (keras.optimizers.schedules.ExponentialDecay)."""

    decay_rate: float = number(0.9, "factor per epoch", above=0, high=1)
    warmup: float = number(0.0, WARMUP, low=0, below=1)

    def decay(self, progress: Array, epoch: Array) -> Array:
        """decay_rate ** epochs."""
        return self.decay_rate**epoch

    def script(self) -> tuple[str, str]:
        """The same in steps; as a float32 the rate itself may be 0."""
        formula = f"tf.exp(math.log({self.decay_rate!r}) * step / self.steps_per_epoch)"
        return formula, f"times {self.decay_rate!r} over each epoch"


@dataclass(frozen=True)
class Linear(Course):
    """Straight down to `alpha` of the learning rate."""

    alpha: float = number(0.0, "final learning rate, as a fraction of the highest", low=0, high=1)
    warmup: float = number(0.0, WARMUP, low=0, below=1)

    def decay(self, progress: Array, epoch: Array) -> Array:
        """1 - (1 - alpha) * progress."""
        return 1.0 - (1.0 - self.alpha) * progress

    def script(self) -> tuple[str, str]:
        """The same."""
        return f"1.0 - {1.0 - self.alpha!r} * progress", f"straight down to {_to(self.alpha)}"


@dataclass(frozen=True)
class Cosine(Course):
    """Half a cosine down to `alpha` (Loshchilov & Hutter 2017, equation 5; keras CosineDecay)."""

    alpha: float = number(0.0, "final learning rate, as a fraction of the highest", low=0, high=1)
    warmup: float = number(0.0, WARMUP, low=0, below=1)

    def decay(self, progress: Array, epoch: Array) -> Array:
        """alpha + (1 - alpha) * (1 + cos(pi * progress)) / 2."""
        return self.alpha + (1.0 - self.alpha) * 0.5 * (1.0 + np.cos(np.pi * progress))

    def script(self) -> tuple[str, str]:
        """The same."""
        half = "0.5 * (1.0 + tf.cos(math.pi * progress))"
        formula = f"{self.alpha!r} + {1.0 - self.alpha!r} * {half}" if self.alpha else half
        return formula, f"half a cosine down to {_to(self.alpha)}"


@dataclass(frozen=True)
class OneCycle(Cosine):
    """A linear rise, then half a cosine to almost nothing (Smith & Topin 2018); momentum stays as it is."""

    warmup: float = number(0.3, WARMUP, low=0, below=1)
    start: float = number(0.04, "initial learning rate, as a fraction of the highest", low=0, high=1)
    alpha: float = number(0.0, "final learning rate, as a fraction of the highest", low=0, high=1)


SCHEDULES: dict[str, type[Course]] = {
    "constant": Constant,
    "step": Step,
    "piecewise": Piecewise,
    "exponential": Exponential,
    "linear": Linear,
    "cosine": Cosine,
    "one_cycle": OneCycle,
}


@dataclass(frozen=True)
class Schedule:
    """`[schedule]`: the course of the learning rate."""

    BRANCHES: ClassVar[dict[str, type[Course]]] = SCHEDULES
    kind: str = choice("constant", SCHEDULES, "the schedule")
    branch: Course = Constant()

    def factors(self, first: int, steps: int, steps_per_epoch: int, epochs: int) -> Array:
        """Factors on the learning rate, shape (steps,), for the steps `first` to `first + steps - 1` (from 0).

        Over the first `warmup` share of all steps the factor rises linearly, reaching 1 with the last of them
        (from 0, or from `start` for one_cycle). `progress` then runs from 0 to 1 over what is left.
        """
        step = np.arange(first, first + steps, dtype=np.float64)
        total = steps_per_epoch * epochs
        warmup = round(self.branch.warmup * total)
        progress = np.clip((step - warmup) / max(total - warmup, 1), 0.0, 1.0)
        decayed = self.branch.decay(progress, step / steps_per_epoch)
        start = self.branch.start
        rising = start + (1.0 - start) * (step + 1.0) / max(warmup, 1)
        return np.where(step < warmup, rising, decayed)
