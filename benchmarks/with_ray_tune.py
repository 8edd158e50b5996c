"""Ray Tune's method for the same search: `OptunaSearch` draws trials, and one worker process per core trains them.

It follows Ray's documentation (docs.ray.io: Tune, with its guides to search algorithms, to resources and to Keras):
the space is a define-by-run function, so only selected branches are drawn; a trial has one CPU; the images are stored
once, in Ray's object store, where workers read them (`with_parameters`); a worker is reused for the next trial
(`reuse_actors`); `TuneReportCheckpointCallback` reports every epoch, without checkpoints, which are not needed here.
There is no scheduler, so no trial ends early. Ray's dashboard and usage statistics are off, and it listens only on
127.0.0.1.

    pip install -c constraints.txt -e '.[benchmarks]'
    python benchmarks/with_ray_tune.py --study cifar --trials 8 --epochs 5
"""

import argparse
import os
import tempfile
from functools import partial
from typing import Any

import command_line
import keras_model

from lenet_search.machine import usable_cores
from lenet_search.recipe import Recipe

SETTINGS = {  # Ray's processes inherit them
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # no cluster: its servers bind to 127.0.0.1, on Linux too
    "TF_CPP_MIN_LOG_LEVEL": "2",
}


def arguments() -> argparse.Namespace:
    """The command line; `--storage` is a folder."""
    parser = command_line.parser(__doc__, storage="ray-tune")
    parser.add_argument("--processes", type=int, help="workers that share the trials (default: one per core)")
    parser.set_defaults(threads=1)
    return parser.parse_args()


def main() -> None:
    """Run as many trials as were asked for."""
    options = arguments()
    command_line.need("ray")
    os.environ |= SETTINGS
    import ray

    definition = command_line.read(options)
    split = command_line.images(definition, options.data)
    # A path to a socket holds about a hundred letters, and Ray needs most of them: so a short folder.
    with tempfile.TemporaryDirectory(prefix="ray-", dir="/tmp") as scratch:
        ray.init(
            num_cpus=options.processes or usable_cores(), include_dashboard=False, log_to_driver=False,
            logging_level="error", _temp_dir=scratch,
        )  # fmt: skip
        try:
            results = search(options, definition, split)
        finally:
            ray.shutdown()
    for error in results.errors:
        raise SystemExit(f"a trial failed: {error}")
    command_line.say(
        [result.metrics["training_iteration"] for result in results],
        [result.metrics[definition.metric] for result in results],
    )


def search(options: argparse.Namespace, definition: Any, split: Any) -> Any:
    """Ray Tune's `ResultGrid` of all trials."""
    from ray import tune
    from ray.tune.search.optuna import OptunaSearch

    sampler = definition.sampler.build(definition.seed)
    goal = {"metric": definition.metric, "mode": definition.direction[:3]}
    train = partial(train_once, metric=definition.metric, threads=options.threads)
    tuner = tune.Tuner(
        tune.with_resources(tune.with_parameters(train, split=split), {"cpu": 1}),
        tune_config=tune.TuneConfig(
            num_samples=options.trials,
            search_alg=OptunaSearch(definition.space.sample, sampler=sampler, **goal),
            reuse_actors=True,
        ),
        run_config=tune.RunConfig(name=definition.name, storage_path=str(options.storage.resolve()), verbose=0),
    )
    return tuner.fit()


def train_once(values: dict[str, Any], metric: str, threads: int, split: Any) -> None:
    """One trial, in a process of Ray's."""
    command_line.limit_threads(threads)
    import keras
    from ray.tune.integration.keras import TuneReportCheckpointCallback

    recipe = Recipe.from_values(values)
    keras.backend.clear_session()  # models of earlier trials are forgotten
    report = TuneReportCheckpointCallback(metrics=[metric], checkpoint_on=[])
    keras_model.fit(keras_model.compiled(recipe, split), recipe, split, [report])


if __name__ == "__main__":
    main()
