"""LeNet-5 in Keras's own `fit`, one model: in float32, in mixed bfloat16, and with 32 steps per call.

    KERAS_BACKEND=jax python benchmarks/with_keras_fit.py --goals goals.json

Arrays go into `fit`, SGD with momentum trains in batches of 128, without augmentation or evaluation. Rates are medians
of whole epochs; the first, which compiles, is not counted. `engine.py --against-keras` compares in turns instead.
"""

import argparse
import statistics
import sys
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))  # this checkout's package

from measure import targets  # noqa: E402
from measure.cells import KINDS, Cell, images, recipes_of  # noqa: E402

from lenet_search.starting import start_backend  # noqa: E402

BATCH = 128
WAYS = (("float32", 1), ("mixed_bfloat16", 1), ("mixed_bfloat16", 32))  # policies and steps per call


def arguments(given: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=45_000, help="training images (default: 45000)")
    parser.add_argument("--epochs", type=int, default=2, help="epochs that are timed (default: 2)")
    parser.add_argument("--goals", type=Path, metavar="FILE", help="output of goals.py --json, to compare with")
    return parser.parse_args(given)


def model_of(split: Any, policy: str, steps: int) -> Any:
    """LeNet-5 under a policy, compiled to run so many steps per call."""
    import keras

    from lenet_search.networks.plain import plain_model

    keras.config.set_dtype_policy(policy)
    recipe = recipes_of(Cell(1, "none", "one"), BATCH)[0][0]
    model = plain_model(recipe, split.describe(), softmax=False)
    model.compile(
        keras.optimizers.SGD(**KINDS["sgd"]), keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"], steps_per_execution=steps,
    )  # fmt: skip
    return model


def main() -> None:
    """Measure and print, line by line."""
    options = arguments()
    start_backend()
    import keras

    split, best = images(options.images), 0.0
    print(f"Keras {keras.__version__} with {keras.backend.backend()}", flush=True)
    for policy, steps in WAYS:
        model = model_of(split, policy, steps)
        seconds = []
        for _ in range(1 + options.epochs):
            started = time.perf_counter()
            model.fit(split.x_train, split.y_train, batch_size=BATCH, epochs=1, verbose=0)
            seconds.append(time.perf_counter() - started)
        rate = len(split.y_train) / statistics.median(seconds[1:])
        best = max(best, rate)
        print(f"Keras's fit, {policy}, {steps} steps per call: {rate:,.0f} images/s", flush=True)
    targets.say_ratio("Keras's best", best, targets.KERAS, options.goals)


if __name__ == "__main__":
    main()
