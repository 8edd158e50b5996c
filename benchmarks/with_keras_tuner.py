"""KerasTuner's method for the same search: a `HyperModel` with the study's space, and a tuner that calls `search`.

It follows KerasTuner's guides (keras.io/guides/keras_tuner: getting_started, distributed_tuning): `build` returns a
compiled model, `fit` chooses the batch size, a branch of the space is a conditional scope, trials are stored in a
folder, and the tuner keeps the weights of each trial's best epoch. Of its tuners, Hyperband ends trials early and
cannot be compared. BayesianOptimization learns from earlier trials, as the study's sampler does, and uses the default
of inactive hyperparameters; its first trials, three times as many as there are hyperparameters, are drawn at random.

With `--processes N` it uses KerasTuner's distributed mode: a chief that owns the trials, and N workers.

    pip install -c constraints.txt -e '.[benchmarks]'
    python benchmarks/with_keras_tuner.py --study cifar --trials 8 --epochs 5
"""

import argparse
import contextlib
import json
import os
import socket
import subprocess
import sys
from typing import Any

import command_line
import keras_model


def arguments() -> argparse.Namespace:
    """The command line; `--storage` is a folder."""
    parser = command_line.parser(__doc__, storage="keras-tuner")
    parser.add_argument("--processes", type=int, default=1, help="workers that share the trials (default: 1)")
    return parser.parse_args()


def main() -> None:
    """Run trials until the folder has all of them."""
    options = arguments()
    command_line.need("keras_tuner")
    if options.processes > 1:
        distribute(options.processes)
    else:
        search(options)


def search(options: argparse.Namespace) -> None:
    """Search in this process: alone or, if environment variables say so, as the chief or a worker."""
    command_line.limit_threads(options.threads)
    import keras_tuner

    definition = command_line.read(options)
    model = hypermodel(definition, command_line.images(definition, options.data))
    tuner = keras_tuner.BayesianOptimization(
        model,
        objective=keras_tuner.Objective(definition.metric, definition.direction[:3]),
        max_trials=options.trials,
        seed=definition.seed,
        directory=str(options.storage),
        project_name=definition.name,
    )
    tuner.search(verbose=0)
    command_line.say(model.epochs, model.values)


def hypermodel(definition: Any, split: Any) -> Any:
    """The study's space and the ordinary Keras model as a `HyperModel`.

    It counts: `epochs` of each trial that was trained to its end, and `values`, its last metric.
    """
    import keras_tuner

    from lenet_search.recipe import Recipe

    class Hyper(keras_tuner.HyperModel):
        def __init__(self) -> None:
            super().__init__()
            self.epochs: list[int] = []
            self.values: list[float] = []

        def build(self, hp: Any) -> Any:
            return keras_model.compiled(Recipe.from_values(draw(definition.space, hp)), split)

        def fit(self, hp: Any, model: Any, *_: Any, callbacks: list[Any], **__: Any) -> Any:
            recipe = Recipe.from_values(draw(definition.space, hp))
            history = keras_model.fit(model, recipe, split, callbacks)
            self.epochs.append(len(history.epoch))
            self.values.append(history.history[definition.metric][-1])
            return history

    return Hyper()


def draw(space: Any, hp: Any) -> dict[str, Any]:
    """The values of one trial, of the picked branches only: what `Space.sample` is for Optuna.

    KerasTuner learns all of the space from the first call, so a branch that was not picked is asked for too, in a scope
    that is not active.
    """
    from lenet_search.recipe import FIELDS
    from lenet_search.space import Choice, Range

    values: dict[str, Any] = {}
    for path, entry in space.entries.items():
        field = FIELDS[path]
        kind = f"{field.section}.kind"
        with contextlib.ExitStack() as scope:
            if field.branch is not None and isinstance(space.entries[kind], Choice):
                scope.enter_context(hp.conditional_scope(kind, [field.branch]))
            value = ask(hp, path, entry) if isinstance(entry, Choice | Range) else entry
        if field.branch is None or values[kind] == field.branch:
            values[path] = value
    return values


def ask(hp: Any, path: str, entry: Any) -> Any:
    """One hyperparameter of KerasTuner's; None where its scope is not active."""
    from lenet_search.space import Choice

    if isinstance(entry, Choice):
        kinds = {type(value) for value in entry.choices}
        return hp.Choice(path, [*map(float, entry.choices)] if kinds == {int, float} else [*entry.choices])
    sampling = "log" if entry.log else "linear"
    suggest = hp.Int if entry.integer else hp.Float
    return suggest(path, entry.low, entry.high, step=entry.step, sampling=sampling)


def distribute(processes: int) -> None:
    """Start this command as a chief and its workers, and add up their last lines.

    Raises:
        SystemExit: if a worker fails; the others are ended.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    service = {"KERASTUNER_ORACLE_IP": "127.0.0.1", "KERASTUNER_ORACLE_PORT": str(port)}

    def start(name: str) -> subprocess.Popen[str]:
        environment = {**os.environ, **service, "KERASTUNER_TUNER_ID": name}
        command = [sys.executable, *sys.argv, "--processes", "1"]  # of an option that is given twice, the last counts
        return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)

    chief = start("chief")
    workers = [start(f"tuner{number}") for number in range(processes)]
    try:
        said = [worker.communicate()[0] for worker in workers]
    finally:
        for process in (chief, *workers):  # the chief would sleep for up to 20 seconds before it ends
            process.kill()
            process.wait()
    if codes := [worker.returncode for worker in workers if worker.returncode]:
        raise SystemExit(f"{len(codes)} of {processes} workers ended with exit code {codes[0]}")
    lines = [json.loads(text.splitlines()[-1]) for text in said]
    command_line.say(*([one for line in lines for one in line[part]] for part in ("epochs", "values")))


if __name__ == "__main__":
    main()
