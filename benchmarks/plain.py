"""The ordinary way to do the same search: an Optuna objective that builds a Keras model and calls `fit`.

This is what `throughput.py` compares with, in two styles:

    ordinary  arrays go into `fit`, augmentation is Keras's own layers, inside the model
    tuned     `tf.data` shuffles, batches, augments with the same layers on all cores, and prefetches

In both, the data set lies in memory once, an augmentation that a trial switches off is not built at all, and models
of earlier trials are forgotten. The space is the study's own: the same file, sampled by the same code.

    python benchmarks/plain.py --study cifar --trials 8 --epochs 5 --style tuned
"""

import argparse
import os
from pathlib import Path
from typing import Any

LECUN_1998 = 2.4  # LeCun et al. 1998: uniform within 2.4 / fan-in


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--study", default="cifar", help="name or path of a study file (default: cifar)")
    parser.add_argument("--set", dest="overrides", action="append", default=[], metavar="KEY=VALUE", help="as in run")
    parser.add_argument("--trials", type=int, default=10, help="total number of trials in the storage (default: 10)")
    parser.add_argument("--epochs", type=int, help="epochs of every trial (default: as the study says)")
    parser.add_argument("--limit", type=int, help="use only the first n training images")
    parser.add_argument("--data", type=Path, help="folder that is looked at first for NAME.npz")
    parser.add_argument(
        "--storage", type=Path, default=Path("plain.journal"), help="journal file (default: plain.journal)"
    )
    parser.add_argument("--threads", type=int, default=0, help="threads within an operation; 0 leaves it to TensorFlow")
    parser.add_argument(
        "--style", choices=("ordinary", "tuned"), default="ordinary", help="how images reach the model, see above"
    )
    parser.add_argument("--jit", action="store_true", help="compile with XLA (slower on a processor)")
    return parser.parse_args()


def main() -> None:
    """Run trials until the storage has as many as were asked for."""
    options = arguments()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import optuna
    import tensorflow as tf
    from optuna.storages.journal import JournalFileBackend, JournalStorage

    from lenet_search import data, study
    from lenet_search.recipe import Recipe

    if options.threads:
        tf.config.threading.set_intra_op_parallelism_threads(options.threads)
        tf.config.threading.set_inter_op_parallelism_threads(1)
    overrides = [*options.overrides]
    overrides += [f"train.epochs={options.epochs}"] if options.epochs else []
    overrides += [f"data.limit={options.limit}"] if options.limit else []
    definition = study.read(options.study, overrides=overrides)
    storage = JournalStorage(JournalFileBackend(str(options.storage)))
    sampler = getattr(optuna.samplers, definition.sampler.kind)(**definition.sampler.arguments)
    pruner = getattr(optuna.pruners, definition.pruner.kind)(**definition.pruner.arguments)
    search = optuna.create_study(
        study_name="plain", storage=storage, sampler=sampler, pruner=pruner,
        direction=definition.direction, load_if_exists=True,
    )  # fmt: skip
    splits: dict[Any, data.Split] = {}

    def objective(trial: optuna.Trial) -> float:
        if trial.number >= options.trials:  # another process has begun the last one
            search.stop()
            raise optuna.TrialPruned
        recipe = Recipe.from_values(definition.space.sample(trial))
        if recipe.data not in splits:
            splits[recipe.data] = data.load(recipe.data, options.data)
        return run(trial, recipe, splits[recipe.data], definition.metric, options)

    search.optimize(objective, n_trials=options.trials)


def run(trial: Any, recipe: Any, split: Any, metric: str, options: argparse.Namespace) -> float:
    """Train one recipe and report every epoch; the value is the metric after the last."""
    import keras
    import optuna
    import tensorflow as tf

    class Report(keras.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
            trial.report((logs or {})[metric], epoch + 1)
            if trial.should_prune():
                self.model.stop_training = True
                self.pruned = True

    keras.backend.clear_session()
    keras.utils.set_random_seed(trial.number)
    batch = recipe.train.batch_size
    augmentation = augment(recipe, split.x_train.shape[1:])
    steps = len(split.y_train) // batch
    y_train, y_val = split.y_train, split.y_val
    loss: keras.Loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    if recipe.loss.label_smoothing:
        y_train, y_val = (keras.utils.to_categorical(labels, split.classes) for labels in (y_train, y_val))
        loss = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=recipe.loss.label_smoothing)
    # What `train.precision` is called in plain Keras. "auto" is what someone does who does not care: nothing.
    keras.config.set_dtype_policy({"auto": "float32"}.get(recipe.train.precision, recipe.train.precision))
    tuned = options.style == "tuned"
    model = build(recipe, split, [] if tuned else augmentation)
    model.compile(optimizer(recipe, steps), loss, metrics=["accuracy"], jit_compile=options.jit)
    report = Report()
    report.pruned = False
    common: dict[str, Any] = {"epochs": recipe.train.epochs, "callbacks": [report], "verbose": 0}
    if tuned:
        images = pipeline(split.x_train, y_train, batch, augmentation)
        held_out = tf.data.Dataset.from_tensor_slices((split.x_val, y_val)).batch(512).prefetch(tf.data.AUTOTUNE)
        history = model.fit(images, validation_data=held_out, shuffle=False, **common)
    else:
        history = model.fit(split.x_train, y_train, batch_size=batch, validation_data=(split.x_val, y_val), **common)
    if report.pruned:
        raise optuna.TrialPruned
    return float(history.history[metric][-1])


def pipeline(x_train: Any, y_train: Any, batch: int, augmentation: list[Any]) -> Any:
    """Shuffled, augmented batches, prepared while the model trains; whole batches are faster than single images."""
    import keras
    import tensorflow as tf

    pixels, labels, n = tf.constant(x_train), tf.constant(y_train), len(y_train)
    numbers = tf.data.Dataset.range(n).shuffle(n).batch(batch, drop_remainder=True)
    images = numbers.map(lambda i: (tf.gather(pixels, i), tf.gather(labels, i)), num_parallel_calls=tf.data.AUTOTUNE)
    if augmentation:
        chain = keras.Sequential(augmentation)
        images = images.map(lambda x, y: (chain(x, training=True), y), num_parallel_calls=tf.data.AUTOTUNE)
    return images.prefetch(tf.data.AUTOTUNE)


def augment(recipe: Any, shape: tuple[int, ...]) -> list[Any]:
    """Keras's augmentation layers for pixels from 0 to 255, those that the recipe switches on."""
    from keras import layers

    a, (height, width, _) = recipe.augment, shape
    found: list[Any] = []
    if a.flip:
        found.append(layers.RandomFlip("horizontal"))
    if a.shift:
        found.append(layers.RandomTranslation(a.shift / height, a.shift / width, fill_mode="constant"))
    if a.rotate:
        found.append(layers.RandomRotation(a.rotate / 360, fill_mode="constant"))
    if a.zoom:
        found.append(layers.RandomZoom(a.zoom, fill_mode="constant"))
    if a.brightness:
        found.append(layers.RandomBrightness(a.brightness))
    if a.contrast:
        found.append(layers.RandomContrast(a.contrast))
    if a.cutout:
        side = a.cutout / min(height, width)
        found.append(layers.RandomErasing((1.0, 1.0), scale=(side, side), fill_value=0.0))
    return found


def build(recipe: Any, split: Any, augmentation: list[Any]) -> Any:
    """LeNet-5 in Keras's layers: augmentation, normalization, two convolutions, three dense layers."""
    import keras
    from keras import layers

    from lenet_search.recipe.data import normalization

    m, r = recipe.model, recipe.regularize
    initial: Any = m.initializer
    penalty = keras.regularizers.L1L2(r.l1, r.l2) if r.l1 or r.l2 else None
    scale, offset = normalization(recipe.data.normalize, split.mean, split.std)

    def start(fan_in: int) -> Any:
        if initial != "lecun_1998":
            return initial
        return keras.initializers.RandomUniform(-LECUN_1998 / fan_in, LECUN_1998 / fan_in)

    def units(count: int) -> int:
        return max(1, round(count * m.width))

    def activation() -> list[Any]:
        norm = [layers.BatchNormalization()] if m.batch_norm else []
        if m.activation != "scaled_tanh":
            return [*norm, layers.Activation(m.activation)]
        return [*norm, layers.Rescaling(2 / 3), layers.Activation("tanh"), layers.Rescaling(1.7159)]

    shape = split.x_train.shape[1:]
    flow = [keras.Input(shape), *augmentation, layers.Rescaling((scale / 255).tolist(), offset.tolist())]
    height, width, channels = shape
    for maps in (units(6), units(16)):
        flow.append(layers.Conv2D(maps, 5, kernel_initializer=start(25 * channels), kernel_regularizer=penalty))
        flow += [*activation(), layers.AveragePooling2D(2) if m.pooling == "average" else layers.MaxPooling2D(2)]
        height, width, channels = (height - 4) // 2, (width - 4) // 2, maps
        if r.spatial_dropout:
            flow.append(layers.SpatialDropout2D(r.spatial_dropout))
    flow.append(layers.Flatten())
    fan_in = height * width * channels
    for count in (units(120), units(84)):
        flow.append(layers.Dense(count, kernel_initializer=start(fan_in), kernel_regularizer=penalty))
        flow += [*activation(), *([layers.Dropout(r.dropout)] if r.dropout else [])]
        fan_in = count
    logits = {"kernel_initializer": start(fan_in), "kernel_regularizer": penalty, "dtype": "float32"}
    flow.append(layers.Dense(split.classes, **logits))
    return keras.Sequential(flow)


def optimizer(recipe: Any, steps: int) -> Any:
    """The recipe's optimizer from keras.optimizers, with its learning-rate schedule."""
    import dataclasses

    import keras
    import tensorflow as tf

    names = {"sgd": "SGD", "rmsprop": "RMSprop", "adam": "Adam", "adamw": "AdamW", "nadam": "Nadam",
             "adagrad": "Adagrad", "lion": "Lion"}  # fmt: skip
    branch, total = recipe.optimizer.branch, steps * recipe.train.epochs
    given = {f.name: getattr(branch, f.name) for f in dataclasses.fields(branch)}
    rate = given.pop("learning_rate")
    if recipe.schedule.kind != "constant" or recipe.schedule.branch.warmup:
        table = tf.constant(rate * recipe.schedule.factors(0, total, steps, recipe.train.epochs), tf.float32)

        class Schedule(keras.optimizers.schedules.LearningRateSchedule):
            def __call__(self, step: Any) -> Any:
                return tf.gather(table, tf.minimum(tf.cast(step, tf.int32), total - 1))

        rate = Schedule()
    given["weight_decay"] = given.get("weight_decay") or None
    given["clipnorm"] = recipe.optimizer.clip_norm or None
    return getattr(keras.optimizers, names[recipe.optimizer.kind])(learning_rate=rate, **given)


if __name__ == "__main__":
    main()
