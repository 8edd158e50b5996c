"""Optimizers as rows of coefficients: one update rule serves a stack in which every slot has another.

For weights w, gradient g, first moment m and second moment v, all elementwise, one step is

    v <- vv * v + vg * g^2
    d  = sqrt(v + eps_in) + eps_out
    h  = g / d  where `before` is 1, else g
    u  = um * m + uh * h
    u  = sign * sign(u)  where `sign` is not 0
    w <- decay * w - (u  where `before` is 1, else u / d)
    m <- mm * m + mh * h

`coefficients` gives these numbers for each step of an epoch, learning rate and bias correction included.
Where nothing divides, v stays 0 and eps_in is 1, so d = 1. Two columns are switches and use a third accumulator x,
which a program carries only where a study can ask for it: `maximum` (x <- max(x, v) takes v's place in d) and
`centered` (x <- vv * x + vg * g, and d holds v - x^2).

Each optimizer follows its `keras.optimizers` namesake (Keras 3), defaults and epsilon placement included, with
weight_decay as Keras applies it: w <- w - weight_decay * learning_rate * w, before the step, biases too.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from lenet_search.recipe.field import choice, flag, number

Array = np.ndarray
COLUMNS = ("vv", "vg", "eps_in", "eps_out", "before", "um", "uh", "sign", "decay", "mm", "mh", "maximum", "centered")
WEIGHT_DECAY = "decoupled weight decay: fraction of each weight, times the learning rate, taken off per step"
EPSILON = "keeps the division finite"


def rows(steps: int, **columns: Array | float) -> Array:
    """The table (steps, columns); what is not named is 0, except `decay` and `eps_in`, which are 1."""
    table = np.zeros((steps, len(COLUMNS)))
    for name, value in {"decay": 1.0, "eps_in": 1.0, **columns}.items():
        table[:, COLUMNS.index(name)] = value
    return table


class Rule:
    """What an optimizer declares; its fields are its hyperparameters."""

    keras: ClassVar[str] = ""  # its class in keras.optimizers, if there is one
    second_moment: ClassVar[bool] = True  # whether it uses v
    third_moment: ClassVar[str] = ""  # its switch that uses x, if it has one
    learning_rate: float
    initial_accumulator_value: float = 0.0  # where v starts

    def coefficients(self, rate: Array, step: Array) -> Array:
        """The rule's numbers (steps, columns), for the learning rates (steps,) and the steps' numbers (steps,) from 0.

        The docstring of an optimizer's own method states its rule.
        """
        raise NotImplementedError

    def keras_arguments(self) -> dict[str, Any]:
        """Its arguments in `keras.optimizers`. What is 0 or false, and is so by default, is left out."""
        return {name: value for name, value in vars(self).items() if value or getattr(type(self), name)}


class CurvatureRule(Rule):
    """An optimizer whose v is measured before each epoch, from the curvature h of the loss along each weight."""

    images: ClassVar[int] = 500  # training images to measure h on (LeCun et al. 1998, appendix C)
    exact: bool  # whether h is the second derivative itself, or its Gauss-Newton approximation

    def measured(self, h: Array) -> Array:
        """v for the coming epoch, from h; both (weights,)."""
        raise NotImplementedError


@dataclass(frozen=True)
class SGD(Rule):
    """Gradient descent with momentum, plain or Nesterov's (keras.optimizers.SGD)."""

    keras = "SGD"
    second_moment = False
    learning_rate: float = number(0.01, "step size", above=0, high=10)
    momentum: float = number(0.0, "fraction of the last step kept", low=0, below=1)
    nesterov: bool = flag(False, "Nesterov's momentum")
    weight_decay: float = number(0.0, WEIGHT_DECAY, low=0, high=1)

    def coefficients(self, rate: Array, step: Array) -> Array:
        """m <- momentum * m + rate * g;  w <- w - m, or w - momentum * m - rate * g."""
        p = self.momentum
        um, uh = (p * p, rate * (1.0 + p)) if self.nesterov else (p, rate)
        return rows(len(rate), um=um, uh=uh, mm=p, mh=rate, decay=1.0 - self.weight_decay * rate)


@dataclass(frozen=True)
class RMSprop(Rule):
    """Divides by the root of a running mean of squares (Tieleman & Hinton 2012; keras.optimizers.RMSprop)."""

    keras = "RMSprop"
    third_moment = "centered"
    learning_rate: float = number(0.001, "step size", above=0, high=10)
    rho: float = number(0.9, "decay of the mean of squares", low=0, below=1)
    momentum: float = number(0.0, "fraction of the last step kept", low=0, below=1)
    epsilon: float = number(1e-7, EPSILON, above=0, high=1)
    centered: bool = flag(False, "divide by the variance instead of the mean of squares")
    weight_decay: float = number(0.0, WEIGHT_DECAY, low=0, high=1)

    def coefficients(self, rate: Array, step: Array) -> Array:
        """v <- rho * v + (1 - rho) * g^2;  m <- momentum * m + rate * g / sqrt(v + epsilon);  w <- w - m."""
        return rows(
            len(rate), vv=self.rho, vg=1.0 - self.rho, eps_in=self.epsilon, before=1.0,
            um=self.momentum, uh=rate, mm=self.momentum, mh=rate, centered=float(self.centered),
            decay=1.0 - self.weight_decay * rate,
        )  # fmt: skip


@dataclass(frozen=True)
class Adam(Rule):
    """First and second moments with bias correction (Kingma & Ba 2015, algorithm 1; keras.optimizers.Adam)."""

    keras = "Adam"
    third_moment = "amsgrad"
    learning_rate: float = number(0.001, "step size", above=0, high=10)
    beta_1: float = number(0.9, "decay of the first moment", low=0, below=1)
    beta_2: float = number(0.999, "decay of the second moment", low=0, below=1)
    epsilon: float = number(1e-7, EPSILON, above=0, high=1)
    amsgrad: bool = flag(False, "divide by the largest second moment so far (Reddi et al. 2018)")
    weight_decay: float = number(0.0, WEIGHT_DECAY, low=0, high=1)

    def coefficients(self, rate: Array, step: Array) -> Array:
        """w <- w - rate * sqrt(1 - beta_2^t) / (1 - beta_1^t) * m / (sqrt(v) + epsilon), t from 1."""
        t = step + 1.0
        alpha = rate * np.sqrt(1.0 - self.beta_2**t) / (1.0 - self.beta_1**t)
        return rows(
            len(rate), vv=self.beta_2, vg=1.0 - self.beta_2, eps_in=0.0, eps_out=self.epsilon,
            um=alpha * self.beta_1, uh=alpha * (1.0 - self.beta_1), mm=self.beta_1, mh=1.0 - self.beta_1,
            maximum=float(self.amsgrad), decay=1.0 - self.weight_decay * rate,
        )  # fmt: skip


@dataclass(frozen=True)
class AdamW(Adam):
    """Adam with decoupled weight decay (Loshchilov & Hutter 2019; keras.optimizers.AdamW)."""

    keras = "AdamW"
    weight_decay: float = number(0.004, WEIGHT_DECAY, low=0, high=1)


@dataclass(frozen=True)
class Nadam(Rule):
    """Adam with Nesterov's momentum (Dozat 2016; keras.optimizers.Nadam)."""

    keras = "Nadam"
    learning_rate: float = number(0.001, "step size", above=0, high=10)
    beta_1: float = number(0.9, "decay of the first moment", low=0, below=1)
    beta_2: float = number(0.999, "decay of the second moment", low=0, below=1)
    epsilon: float = number(1e-7, EPSILON, above=0, high=1)
    weight_decay: float = number(0.0, WEIGHT_DECAY, low=0, high=1)

    def coefficients(self, rate: Array, step: Array) -> Array:
        """Adam with mu_t = beta_1 * (1 - 0.96^t / 2) in the bias corrections of the first moment."""
        every = np.arange(1.0, step[-1] + 3.0)  # mu of all steps so far, and of the next: they multiply up
        mu = self.beta_1 * (1.0 - 0.5 * 0.96**every)
        product = np.cumprod(mu)
        now = step.astype(int)
        of_m = mu[now + 1] / (1.0 - product[now + 1])
        of_g = (1.0 - mu[now]) / (1.0 - product[now])
        root = np.sqrt(1.0 - self.beta_2 ** (step + 1.0))  # sqrt(v / c) + eps = (sqrt(v) + eps sqrt(c)) / sqrt(c)
        return rows(
            len(rate), vv=self.beta_2, vg=1.0 - self.beta_2, eps_in=0.0, eps_out=self.epsilon * root,
            um=rate * root * of_m * self.beta_1, uh=rate * root * (of_m * (1.0 - self.beta_1) + of_g),
            mm=self.beta_1, mh=1.0 - self.beta_1, decay=1.0 - self.weight_decay * rate,
        )  # fmt: skip


@dataclass(frozen=True)
class Adagrad(Rule):
    """Divides by the root of the sum of all squares so far (Duchi et al. 2011; keras.optimizers.Adagrad)."""

    keras = "Adagrad"
    learning_rate: float = number(0.001, "step size", above=0, high=10)
    initial_accumulator_value: float = number(0.1, "initial sum of squares", low=0, high=100)
    epsilon: float = number(1e-7, EPSILON, above=0, high=1)
    weight_decay: float = number(0.0, WEIGHT_DECAY, low=0, high=1)

    def coefficients(self, rate: Array, step: Array) -> Array:
        """v <- v + g^2;  w <- w - rate * g / sqrt(v + epsilon)."""
        return rows(
            len(rate), vv=1.0, vg=1.0, eps_in=self.epsilon, before=1.0, uh=rate, decay=1.0 - self.weight_decay * rate
        )


@dataclass(frozen=True)
class Lion(Rule):
    """The sign of an interpolated momentum (Chen et al. 2023, algorithm 2; keras.optimizers.Lion)."""

    keras = "Lion"
    second_moment = False
    learning_rate: float = number(0.001, "step size", above=0, high=10)
    beta_1: float = number(0.9, "weight of the momentum in the step", above=0, below=1)
    beta_2: float = number(0.99, "decay of the momentum", low=0, below=1)
    weight_decay: float = number(0.0, WEIGHT_DECAY, low=0, high=1)

    def coefficients(self, rate: Array, step: Array) -> Array:
        """w <- w - rate * sign(beta_1 * m + (1 - beta_1) * g);  m <- beta_2 * m + (1 - beta_2) * g."""
        return rows(
            len(rate), um=self.beta_1, uh=1.0 - self.beta_1, sign=rate, mm=self.beta_2, mh=1.0 - self.beta_2,
            decay=1.0 - self.weight_decay * rate,
        )  # fmt: skip


@dataclass(frozen=True)
class SDLM(CurvatureRule):
    """Stochastic diagonal Levenberg-Marquardt: each weight's step follows its curvature (LeCun et al. 1998)."""

    learning_rate: float = number(0.0005, "step size eta, divided by mu + h for each weight", above=0, high=10)
    mu: float = number(0.02, "damping: keeps steps small where curvature is near 0", above=0, high=10)
    exact: bool = flag(
        False, "measure true second derivatives instead of the Gauss-Newton approximation; takes seconds per epoch"
    )

    def coefficients(self, rate: Array, step: Array) -> Array:
        """w <- w - rate * g / sqrt(v), where v stays as it was measured."""
        return rows(len(rate), vv=1.0, eps_in=0.0, before=1.0, uh=rate)

    def measured(self, h: Array) -> Array:
        """(mu + |h|)^2."""
        v: Array = np.square(self.mu + np.abs(h))
        return v


OPTIMIZERS: dict[str, type[Rule]] = {
    "sgd": SGD,
    "rmsprop": RMSprop,
    "adam": Adam,
    "adamw": AdamW,
    "nadam": Nadam,
    "adagrad": Adagrad,
    "lion": Lion,
    "sdlm": SDLM,
}


@dataclass(frozen=True)
class Optimizer:
    """`[optimizer]`: the optimizer, with arguments of its own."""

    BRANCHES: ClassVar[dict[str, type[Rule]]] = OPTIMIZERS
    kind: str = choice("sgd", OPTIMIZERS, "the optimizer")
    clip_norm: float = number(
        0.0, "largest norm of each variable's gradient (Keras's clipnorm); 0 turns clipping off", low=0
    )
    branch: Rule = SGD()
