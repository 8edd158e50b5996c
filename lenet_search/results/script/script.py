"""The script as a whole: docstring, imports, constants, functions, and `main`."""

import re
from collections.abc import Mapping
from pathlib import Path
from pprint import pformat
from textwrap import fill
from typing import Any

from lenet_search.data import DATASETS
from lenet_search.recipe import Recipe
from lenet_search.recipe.loss import LOSSES
from lenet_search.recipe.normalization import normalization
from lenet_search.results.script.augmenting import augment_function
from lenet_search.results.script.building import build_function, own_layer
from lenet_search.results.script.learning_rate import learning_rate, schedule_class
from lenet_search.results.script.loading import data_argument, load_function
from lenet_search.results.script.own_data import reading
from lenet_search.results.script.text import indented
from lenet_search.study.toml_text import comment_lines

SETTINGS = {"floatx": "float32", "dtype_policy": "float32", "epsilon": 1e-7, "image_data_format": "channels_last"}


def beyond_keras(recipe: Recipe, images: Mapping[str, Any]) -> str | None:
    """What a recipe uses that plain Keras does not provide, in words; None where it has all."""
    if own_layer(recipe, images):
        return f"network {recipe.model.network}"
    if not LOSSES[recipe.loss.kind].keras:
        return f"loss {recipe.loss.kind}"
    return None if recipe.optimizer.branch.keras else f"optimizer {recipe.optimizer.kind}"


def train_script(recipe: Recipe, images: Mapping[str, Any], title: str, seed: int = 0, file: Path | None = None) -> str:
    """The script, ready to be written to a file; where plain Keras cannot train the recipe, one that says so.

    Args:
        recipe: what to train
        images: the `images` of the trial's record (`data.Split.describe()`)
        title: first line of the script's docstring: what it trains and where that came from
        seed: default of its `--seed`
        file: where the data set lies on this machine, for one that is not in the registry
    """
    if beyond := beyond_keras(recipe, images):
        return _refusal(beyond, title)
    functions = [
        load_function(recipe, images),
        augment_function(recipe, images),
        build_function(recipe, images),
        schedule_class(recipe),
        _main(recipe, images, seed, file),
        'if __name__ == "__main__":\n    main()',
    ]
    body = "\n\n\n".join(function for function in functions if function)
    return f"{_docstring(recipe, images, title)}\n\n{_imports(body)}\n\n{_constants(recipe, images)}\n\n\n{body}\n"


def _refusal(beyond: str, title: str) -> str:
    lines = [
        *_title(title).splitlines(),
        "",
        f"This recipe uses {beyond}, which plain Keras does not provide, so this script cannot train it.",
        "Train it with the recipe that lies beside this file:  lenet-search train recipe.toml",
    ]
    return '"""' + "\n".join(lines) + '\n"""\n\nraise SystemExit(__doc__)\n'


def _title(title: str) -> str:
    return fill(" ".join(comment_lines(title)), 110).replace("\\", "/").replace('"""', "'''")


def _docstring(recipe: Recipe, images: Mapping[str, Any], title: str) -> str:
    read = reading(recipe.data.name, images)
    needed = ["tensorflow", "numpy", *read.needs]
    lines = [
        _title(title),
        "",
        "    python train.py",
        "    python train.py --seed 1 --epochs 5 --output other.keras",
        "",
        f"It needs {', '.join(needed[:-1])} and {needed[-1]}, and nothing else. On a processor with AVX2, but without",
        "AVX-512, it is two to three times as fast with TF_ENABLE_ONEDNN_OPTS=1 in its environment.",
    ]
    if recipe.train.precision != "float32":
        lines.append("It computes in float32; convolutions and hidden layers of the trial multiplied in bfloat16.")
    if read.default is None:
        lines.append(DATASETS[recipe.data.name].script_note)
    return '"""' + "\n".join(lines) + '\n"""'


def _imports(body: str) -> str:
    standard = ["gzip", "importlib.util", "math", "os", "re", "struct", "zlib"]
    lines = ["import argparse", *(f"import {name}" for name in standard if re.search(rf"(?<![\w.]){name}\.", body))]
    lines += ["from pathlib import Path"] if "Path" in body else []
    lines += ["", "import numpy as np", "import tensorflow as tf"]
    lines += ["from PIL import Image, ImageOps"] if "Image." in body else []
    return "\n".join([*lines, "from tensorflow import keras"])


def _constants(recipe: Recipe, images: Mapping[str, Any]) -> str:
    lines = [
        f"EPOCHS = {recipe.train.epochs}",
        f"BATCH_SIZE = {recipe.train.batch_size}  # an incomplete last batch is left out",
    ]
    read = reading(recipe.data.name, images)
    if not read.own_validation:
        lines.append(f"VALIDATION = {images['validation']}  # images held out of the training set")
    if recipe.data.limit:
        lines.append(f"LIMIT = {recipe.data.limit}  # only so many of the first training images are used")
    scale, offset = normalization(recipe.data.normalize, images["mean"], images["std"])
    lines += [
        f"# The network sees pixels from 0 to 1, times SCALE plus OFFSET, by channel: {recipe.data.normalize}",
        f"SCALE = {[round(float(value), 6) for value in scale]}",
        f"OFFSET = {[round(float(value), 6) for value in offset]}",
    ]
    lines.append(f"LEARNING_RATE = {recipe.optimizer.branch.learning_rate!r}")
    lines += [f"{name} = {pformat(value, width=110, compact=True)}" for name, value in read.constants.items()]
    return "\n".join(lines)


def _optimizer(recipe: Recipe) -> str:
    """The optimizer, as it says that Keras makes it."""
    branch = recipe.optimizer.branch
    written = {name: repr(value) for name, value in branch.keras_arguments().items()}
    written["learning_rate"] = learning_rate(recipe)
    if recipe.optimizer.clip_norm:
        written["clipnorm"] = repr(recipe.optimizer.clip_norm)
    arguments = "".join(f"    {name}={value},\n" for name, value in written.items())
    return f"optimizer = keras.optimizers.{branch.keras}(\n{arguments})"


def _main(recipe: Recipe, images: Mapping[str, Any], seed: int, file: Path | None) -> str:
    height, width, channels = images["image_shape"]
    pad, smoothing = images["pad"], recipe.loss.label_smoothing
    one_hot = []
    name = LOSSES[recipe.loss.kind].keras
    loss = f"keras.losses.Sparse{name}(from_logits=True)"
    if smoothing:
        one_hot = [f"y_train, y_val = (keras.utils.to_categorical(y, {images['classes']}) for y in (y_train, y_val))"]
        loss = f"keras.losses.{name}(from_logits=True, label_smoothing={smoothing!r})"
    first = f"keras.layers.ZeroPadding2D({pad}), " if pad else ""
    lines = [
        "parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)",
        data_argument(reading(recipe.data.name, images), file),
        'parser.add_argument("--epochs", type=int, default=EPOCHS)',
        f'parser.add_argument("--seed", type=int, default={seed})',
        'parser.add_argument("--output", metavar="FILE.keras", default="trained.keras", help="where the model goes")',
        "arguments = parser.parse_args()",
        "",
        "# Whatever another project has left in keras.json",
        *(f"keras.config.set_{name}({value!r})" for name, value in SETTINGS.items()),
        "",
        "keras.utils.set_random_seed(arguments.seed)",
        "x_train, y_train, x_val, y_val = load(arguments.data)",
        *one_hot,
        "batches = tf.data.Dataset.from_tensor_slices((x_train, y_train)).shuffle(len(x_train))",
        "batches = batches.batch(BATCH_SIZE, drop_remainder=True)",
        *(["batches = batches.map(augment)"] if augment_function(recipe, images) else []),
        "batches = batches.prefetch(2)",
        "",
        "network = build()",
        _optimizer(recipe),
        f"loss = {loss}",
        'network.compile(optimizer=optimizer, loss=loss, metrics=["accuracy"])',
        "network.summary()",
        "network.fit(batches, epochs=arguments.epochs, validation_data=(x_val, y_val), shuffle=False, verbose=2)",
        'accuracy = network.evaluate(x_val, y_val, verbose=0, return_dict=True)["accuracy"]',
        'print(f"validation accuracy: {accuracy:.2%} of {len(x_val)} images")',
        "",
        "# What is kept takes images as the data set has them, and gives probabilities",
        f"pixels = keras.Input(({height - 2 * pad}, {width - 2 * pad}, {channels}))",
        f"model = keras.Sequential([pixels, {first}*network.layers, keras.layers.Softmax()])",
        "model.save(arguments.output)",
        'print(f"model: {arguments.output}")',
    ]
    return "def main():\n" + indented("\n".join(lines))
