"""A run: a recipe and a seed with nothing left open, where it began, and what came of it."""

import csv
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

from lenet_search.recipe import Recipe

ROUNDING = 1e-6  # by which a mean of shares may exceed 1


@dataclass
class Curve:
    """What was measured by epoch, one number for each. Losses are plain cross-entropy in nats, accuracies shares.

    The balanced accuracy is the mean of the classes' accuracies (recalls).
    """

    NAMES: ClassVar = (
        "train_loss",
        "train_accuracy",
        "val_loss",
        "val_accuracy",
        "val_balanced_accuracy",
        "learning_rate",
    )

    train_loss: list[float] = field(default_factory=list)
    train_accuracy: list[float] = field(default_factory=list)
    val_loss: list[float] = field(default_factory=list)
    val_accuracy: list[float] = field(default_factory=list)
    val_balanced_accuracy: list[float] = field(default_factory=list)
    learning_rate: list[float] = field(default_factory=list)

    @classmethod
    def constant(cls, values: Sequence[float]) -> Self:
        """A curve that has `values` under every name, for tests and examples."""
        return cls(*(list(values) for _ in cls.NAMES))

    def __getitem__(self, name: str) -> list[float]:
        if name not in self.NAMES:
            raise KeyError(name)
        values: list[float] = getattr(self, name)
        return values

    def __len__(self) -> int:
        return len(self.val_loss)

    def add(self, measured: Mapping[str, float]) -> None:
        """Append an epoch."""
        for name in self.NAMES:
            self[name].append(float(measured[name]))

    def last(self) -> dict[str, float]:
        """What was measured after the last epoch, by name."""
        return {name: self[name][-1] for name in self.NAMES}

    def to_json(self) -> dict[str, list[float | None]]:
        """By name. NaN and infinity become None: JSON has no word for them."""
        return {name: [x if math.isfinite(x) else None for x in self[name]] for name in self.NAMES}

    @classmethod
    def from_json(cls, content: Mapping[str, Sequence[float | None]]) -> Self:
        """The inverse of `to_json`, with NaN for None, and for what the version that wrote it did not measure.

        Raises:
            KeyError, TypeError, ValueError: it is no curve.
        """
        columns = {
            name: [math.nan if x is None else float(x) for x in content[name]] for name in cls.NAMES if name in content
        }
        lengths = {len(column) for column in columns.values()}
        if not lengths:
            raise KeyError(cls.NAMES[0])
        if len(lengths) > 1:
            raise ValueError("a curve has as many numbers under each name")
        for name, column in columns.items():
            if name.endswith("accuracy") and any(x < 0 or x > 1 + ROUNDING for x in column):  # NaN is neither
                raise ValueError(f"{name} is a share, from 0 to 1")
        unmeasured = [math.nan] * lengths.pop()
        return cls(*(columns.get(name) or list(unmeasured) for name in cls.NAMES))


def curves_csv(key: str, curves: Iterable[tuple[Any, Curve]]) -> str:
    """A table with a line per curve and epoch: `key` names the first column, which tells the curves apart."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow((key, "epoch", *Curve.NAMES))
    for name, curve in curves:
        for epoch, values in enumerate(zip(*(curve[each] for each in Curve.NAMES), strict=True), 1):
            rows.writerow((name, epoch, *values))
    return text.getvalue()


@dataclass
class Run:
    """A recipe trained once, from the initial weights of `seed`.

    recipe    with nothing left open; once a device is known, "auto" as its precision is settled
    seed      of the initial weights
    images    what it saw: `data.Split.describe()`
    clocks    (clock, epochs) for each stretch: so many epochs in a stack whose clock stood there when the stretch
              began. Recipe, seed and clocks decide the course. A run that was never frozen has one stretch.
    curve     what was measured
    diverged  whether the loss or a weight stopped being finite
    device    what trained it, for people
    versions  of the packages that trained it
    seconds   its share of the time that its stacks trained: each epoch's, divided by the runs in it
    right, n  how many of `n` test images its model recognizes; None where the test set was not read
    """

    recipe: Recipe
    seed: int
    images: Mapping[str, Any] = field(default_factory=dict)
    clocks: list[tuple[int, int]] = field(default_factory=list)
    curve: Curve = field(default_factory=Curve)
    diverged: bool = False
    device: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    right: int | None = None
    n: int | None = None

    @property
    def epochs(self) -> int:
        """Epochs done."""
        return len(self.curve)

    @property
    def over(self) -> bool:
        """Whether there is nothing left to train."""
        return self.diverged or self.epochs >= self.recipe.train.epochs

    @property
    def test_accuracy(self) -> float | None:
        """Share of the test images that its model recognizes; None where they were not read."""
        return None if self.right is None or not self.n else self.right / self.n

    def add(self, clock: int, measured: Mapping[str, float], *, finite: bool, seconds: float) -> None:
        """Note an epoch that a stack has trained, whose clock stood at `clock` before it."""
        self.curve.add(measured)
        self.diverged = not finite
        self.seconds += seconds
        if self.clocks and sum(self.clocks[-1]) == clock:
            self.clocks[-1] = self.clocks[-1][0], self.clocks[-1][1] + 1
        else:
            self.clocks.append((clock, 1))

    def is_of(self, recipe: Recipe, seed: int) -> bool:
        """Whether this is a run of `recipe` from `seed`; where the recipe says "auto", of any precision."""
        return self.seed == seed and self.recipe == recipe.settled(self.recipe.train.precision)

    def back_to(self, epochs: int) -> None:
        """Forget all epochs but the first `epochs`: they have to be trained again. Their seconds were spent."""
        kept, clocks = epochs, []
        for clock, length in self.clocks:
            if kept > 0:
                clocks.append((clock, min(length, kept)))
            kept -= length
        self.clocks, self.diverged = clocks, False
        for name in Curve.NAMES:
            del self.curve[name][epochs:]

    def to_json(self) -> dict[str, Any]:
        """All of it, under its fields' names."""
        return {
            "recipe": self.recipe.values(),
            "seed": self.seed,
            "images": dict(self.images),
            "clocks": [list(stretch) for stretch in self.clocks],
            "curve": self.curve.to_json(),
            "diverged": self.diverged,
            "device": self.device,
            "versions": dict(self.versions),
            "seconds": round(self.seconds, 3),
            "right": self.right,
            "n": self.n,
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`; what an older version did not note is empty. Version 0.1.0 had one `clock`.

        Raises:
            KeyError: it lacks what makes it a run: a recipe, a seed, a curve, or where it began.
            ValueError: it is no run.
        """
        try:
            return cls._from_json(content)
        except (TypeError, AttributeError, OverflowError) as error:
            raise ValueError(f"it is no run ({error})") from error

    @classmethod
    def _from_json(cls, content: Mapping[str, Any]) -> Self:
        curve = Curve.from_json(content["curve"])
        clocks = content["clocks"] if "clocks" in content else [[content["clock"], len(curve)]]
        right, n = (_whole(content[name]) if content.get(name) is not None else None for name in ("right", "n"))
        if right is not None and n is not None and right > n:
            raise ValueError(f"{right} of {n} test images are right")
        seconds = float(content.get("seconds", 0.0))
        if not 0 <= seconds < math.inf:
            raise ValueError(f"it took {seconds} s")
        return cls(
            recipe=Recipe.from_values(content["recipe"]),
            seed=_whole(content["seed"]),
            images=dict(content.get("images", {})),
            clocks=[(_whole(clock), _whole(epochs)) for clock, epochs in clocks],
            curve=curve,
            diverged=bool(content.get("diverged", False)),
            device=str(content.get("device", "")),
            versions=dict(content.get("versions", {})),
            seconds=seconds,
            right=right,
            n=n,
        )


def _whole(value: Any) -> int:
    """A number that counts or names something.

    Raises:
        ValueError: it is not a whole number from 0 to below 2^63.
    """
    if type(value) is int and 0 <= value < 2**63:
        return value
    raise ValueError(f"expected a whole number from 0; received {str(value)[:100]}")
