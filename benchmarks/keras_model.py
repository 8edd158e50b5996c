"""One recipe as an ordinary Keras model: built, compiled and fitted as in Keras's guides.

All other methods that `throughput.py` compares train this model; they differ in how recipes are chosen and in the
number of processes. There are two styles of feeding it:

    ordinary  arrays go into `fit`; augmentation uses Keras's layers, inside the model
    tuned     `tf.data` shuffles, batches, augments with the same layers on all cores, and prefetches

In both, the data set is in memory once, and augmentations that a recipe does not use are not built.
"""

from typing import Any

LECUN_1998 = 2.4  # LeCun et al. 1998: uniform within 2.4 / fan-in


def compiled(recipe: Any, split: Any, style: str = "ordinary", jit: bool = False) -> Any:
    """The recipe's network with its optimizer, loss and accuracy, ready for `fit`."""
    import keras

    # The name of `train.precision` in plain Keras; "auto" is Keras's default.
    keras.config.set_dtype_policy({"auto": "float32"}.get(recipe.train.precision, recipe.train.precision))
    loss: keras.Loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    if smoothing := recipe.loss.label_smoothing:
        loss = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=smoothing)
    inside = augment(recipe, split.x_train.shape[1:]) if style == "ordinary" else []
    model = build(recipe, split, inside)
    steps = len(split.y_train) // recipe.train.batch_size
    model.compile(optimizer(recipe, steps), loss, metrics=["accuracy"], jit_compile=jit)
    return model


def fit(model: Any, recipe: Any, split: Any, callbacks: list[Any], style: str = "ordinary") -> Any:
    """Train a compiled model for the recipe's epochs, with validation after each; returns Keras's History."""
    import keras
    import tensorflow as tf

    y_train, y_val, batch = split.y_train, split.y_val, recipe.train.batch_size
    if recipe.loss.label_smoothing:
        y_train, y_val = (keras.utils.to_categorical(labels, split.classes) for labels in (y_train, y_val))
    common: dict[str, Any] = {"epochs": recipe.train.epochs, "callbacks": callbacks, "verbose": 0}
    if style == "ordinary":
        return model.fit(split.x_train, y_train, batch_size=batch, validation_data=(split.x_val, y_val), **common)
    images = pipeline(split.x_train, y_train, batch, augment(recipe, split.x_train.shape[1:]))
    held_out = tf.data.Dataset.from_tensor_slices((split.x_val, y_val)).batch(512).prefetch(tf.data.AUTOTUNE)
    return model.fit(images, validation_data=held_out, shuffle=False, **common)


def pipeline(x_train: Any, y_train: Any, batch: int, augmentation: list[Any]) -> Any:
    """Shuffled, augmented batches, prepared while the model trains; mapping batches is faster than mapping images."""
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
    """Keras's augmentation layers, for pixels from 0 to 255, that the recipe uses."""
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

    from lenet_search.recipe.normalization import normalization

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
    import keras
    import tensorflow as tf

    branch, total = recipe.optimizer.branch, steps * recipe.train.epochs
    given = branch.keras_arguments()
    rate = given.pop("learning_rate")
    if recipe.schedule.kind != "constant" or recipe.schedule.branch.warmup:
        table = tf.constant(rate * recipe.schedule.factors(0, total, steps, recipe.train.epochs), tf.float32)

        class Schedule(keras.optimizers.schedules.LearningRateSchedule):
            def __call__(self, step: Any) -> Any:
                return tf.gather(table, tf.minimum(tf.cast(step, tf.int32), total - 1))

        rate = Schedule()
    given["clipnorm"] = recipe.optimizer.clip_norm or None
    return getattr(keras.optimizers, branch.keras)(learning_rate=rate, **given)
