"""The learning rate in `train.py`: a number, or a schedule class that holds the recipe's formula alone."""

from lenet_search.recipe import Recipe


def learning_rate(recipe: Recipe) -> str:
    """What the script gives to its optimizer."""
    return "LearningRate(len(batches), arguments.epochs)" if schedule_class(recipe) else "LEARNING_RATE"


def schedule_class(recipe: Recipe) -> str:
    """The class `LearningRate`, with the same factors as `recipe.schedule.factors`; "" when the rate never changes."""
    branch = recipe.schedule.branch
    factor, words = branch.script()
    if factor == "1.0" and not branch.warmup:
        return ""
    factor = factor.replace("\n", "\n" + " " * 8)
    needs_progress, needs_epochs = "progress" in factor, "self.steps_per_epoch" in factor
    docstring = f"{words[0].upper()}{words[1:]}."
    if branch.warmup:
        start = branch.start
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
