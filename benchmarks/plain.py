"""The ordinary method for the same search: an Optuna objective that builds a Keras model and calls `fit`.

Several of these processes can share one journal: they continue until the storage has all trials.
`keras_model.py` defines the model and the styles.

    python benchmarks/plain.py --study cifar --trials 8 --epochs 5 --style tuned
"""

import argparse
from typing import Any

import command_line
import keras_model


def arguments() -> argparse.Namespace:
    """The command line; `--storage` is a journal file."""
    parser = command_line.parser(__doc__, storage="plain.journal")
    parser.add_argument(
        "--style", choices=("ordinary", "tuned"), default="ordinary", help="how images reach the model, see above"
    )
    parser.add_argument("--jit", action="store_true", help="compile with XLA (slower on a processor)")
    return parser.parse_args()


def main() -> None:
    """Run trials until the storage has all of them."""
    options = arguments()
    command_line.limit_threads(options.threads)
    import keras
    import optuna
    from optuna.storages.journal import JournalFileBackend, JournalStorage

    from lenet_search.recipe import Recipe

    definition = command_line.read(options)
    split = command_line.images(definition, options.data)
    storage = JournalStorage(JournalFileBackend(str(options.storage)))
    sampler = getattr(optuna.samplers, definition.sampler.kind)(**definition.sampler.arguments)
    pruner = getattr(optuna.pruners, definition.pruner.kind)(**definition.pruner.arguments)
    search = optuna.create_study(
        study_name="plain", storage=storage, sampler=sampler, pruner=pruner,
        direction=definition.direction, load_if_exists=True,
    )  # fmt: skip
    epochs: list[int] = []
    values: list[float] = []

    def objective(trial: optuna.Trial) -> float:
        if trial.number >= options.trials:  # another process has started the last one
            search.stop()
            raise optuna.TrialPruned
        recipe = Recipe.from_values(definition.space.sample(trial))
        keras.backend.clear_session()  # forget models of earlier trials
        keras.utils.set_random_seed(trial.number)
        model = keras_model.compiled(recipe, split, options.style, options.jit)
        report = reporting(trial, definition.metric)
        history = keras_model.fit(model, recipe, split, [report], options.style).history[definition.metric]
        epochs.append(len(history))
        values.append(history[-1])
        if report.pruned:
            raise optuna.TrialPruned
        return float(history[-1])

    search.optimize(objective, n_trials=options.trials)
    command_line.say(epochs, values)


def reporting(trial: Any, metric: str) -> Any:
    """A callback that reports every epoch and stops a trial that is pruned."""
    import keras

    class Report(keras.callbacks.Callback):
        pruned = False

        def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
            trial.report((logs or {})[metric], epoch + 1)
            if trial.should_prune():
                self.model.stop_training = self.pruned = True

    return Report()


if __name__ == "__main__":
    main()
