"""All commands as functions, for notebooks and scripts.

    from lenet_search import Study, train

    study = Study.read("digits", overrides=["train.epochs=5"])
    study.run(trials=20)
    number, value, recipe = study.best()[0]
    study.export("exports/digits")

    training = train(recipe, seeds=8)
    training.result.mean("val_accuracy")

`ablate`, `confirm`, `report`, `train`, `compare`, `reproduce`, `evaluate` and `predict` are the commands of these
names, and `refit` is `best --export --refit`. Arrays work wherever a data set does: `data=(x_train, y_train)`. Progress
appears in the terminal or notebook; `view=Silent()` turns it off.
"""

from lenet_search.api.classifiers import evaluate, predict
from lenet_search.api.follow_up import ablate, confirm, refit, report
from lenet_search.api.recipes import compare, published, reproduce, results_folder, train
from lenet_search.api.study import Best, Study

__all__ = [
    "Best",
    "Study",
    "ablate",
    "compare",
    "confirm",
    "evaluate",
    "predict",
    "published",
    "refit",
    "report",
    "reproduce",
    "results_folder",
    "train",
]
