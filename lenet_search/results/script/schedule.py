"""The learning rate in `train.py`: a number, or a schedule class that holds the recipe's formula alone."""

from typing import Any

from lenet_search.recipe import Recipe
from lenet_search.recipe.schedule import Constant, Cosine, Exponential, Linear, OneCycle, Piecewise, Step


def learning_rate(recipe: Recipe) -> str:
    """What the script gives to its optimizer."""
    return "LearningRate(len(batches), arguments.epochs)" if schedule_class(recipe) else "LEARNING_RATE"


def schedule_class(recipe: Recipe) -> str:
    """The class `LearningRate`, with the same factors as `recipe.schedule.factors`; "" when the rate never changes."""
    branch = recipe.schedule.branch
    if isinstance(branch, Constant) and not branch.warmup:
        return ""
    factor, words = _formula(branch)
    factor = factor.replace("\n", "\n" + " " * 8)
    needs_progress, needs_epochs = "progress" in factor, "self.steps_per_epoch" in factor
    docstring = f"{words[0].upper()}{words[1:]}."
    if branch.warmup:
        start = getattr(branch, "start", 0.0)
        came_from = f" from {start!r} of the learning rate" if start else ""
        docstring = f"Rises linearly{came_from} over {branch.warmup!r} of all steps; then {words}."
    lines = [
        "class LearningRate(keras.optimizers.schedules.LearningRateSchedule):",
        f'    """{docstring}"""',
        "",
        "    def __init__(self, steps_per_epoch, epochs):",
        *(["        self.steps_per_epoch = steps_per_epoch"] if needs_epochs else []),
        *(["        self.steps = steps_per_epoch * epochs"] if needs_progress else []),
    ]
    if branch.warmup:
        lines.append(f"        self.warmup = round({branch.warmup!r} * (steps_per_epoch * epochs))")
    lines += ["", "    def __call__(self, step):", "        step = tf.cast(step, tf.float32)"]
    if needs_progress and branch.warmup:
        lines.append("        progress = (step - self.warmup) / max(self.steps - self.warmup, 1)")
        lines.append("        progress = tf.clip_by_value(progress, 0.0, 1.0)")
    elif needs_progress:
        lines.append("        progress = tf.minimum(step / self.steps, 1.0)")
    if branch.warmup:
        rising = "(step + 1) / max(self.warmup, 1)"
        rising = f"{start!r} + {1.0 - start!r} * {rising}" if start else rising
        lines.append(f"        rising = {rising}")
        lines.append(f"        factor = tf.where(step < self.warmup, rising, {factor})")
    else:
        lines.append(f"        factor = {factor}")
    lines.append("        return LEARNING_RATE * factor")
    return "\n".join(lines)


def _formula(branch: Any) -> tuple[str, str]:
    """The factor after the warm-up as an expression, and in words."""
    match branch:
        case Step():
            every = f"{branch.every} * self.steps_per_epoch"
            times = (
                f"times {branch.factor!r} every {branch.every} epochs"
                if branch.every > 1
                else f"times {branch.factor!r} every epoch"
            )
            return f"{branch.factor!r} ** tf.floor(step / ({every}))", times
        case Piecewise():
            passed = (
                f"tf.reduce_sum(tf.cast(step / self.steps_per_epoch >= {[float(e) for e in branch.epochs]}, tf.int32))"
            )
            return f"tf.gather(\n    {[1.0, *branch.factors]},\n    {passed},\n)", _stretches(branch)
        case Exponential():
            return (
                f"{branch.decay_rate!r} ** (step / self.steps_per_epoch)",
                f"times {branch.decay_rate!r} over each epoch",
            )
        case Linear():
            return f"1.0 - {1.0 - branch.alpha!r} * progress", f"straight down to {_end(branch.alpha)}"
        case Cosine() | OneCycle():
            half = "0.5 * (1.0 + tf.cos(math.pi * progress))"
            formula = f"{branch.alpha!r} + {1.0 - branch.alpha!r} * {half}" if branch.alpha else half
            return formula, f"half a cosine down to {_end(branch.alpha)}"
    return "1.0", "stays as it is"


def _stretches(branch: Piecewise) -> str:
    """In words, like: times 0.1 from epoch 10 on, times 0.01 from epoch 20 on."""
    pairs = zip(branch.factors, branch.epochs, strict=True)
    return ", ".join(f"times {factor!r} from epoch {epoch} on" for factor, epoch in pairs)


def _end(alpha: float) -> str:
    return f"{alpha!r} of the learning rate" if alpha else "0"
