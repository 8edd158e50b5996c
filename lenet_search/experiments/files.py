"""What is left of a training: recipe and results, curves as a table and as a picture, and a model."""

import csv
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from lenet_search.errors import ResultError
from lenet_search.experiments.train import Training
from lenet_search.storage import CURVES
from lenet_search.study import write_recipe


@contextmanager
def prepared(folder: Path) -> Iterator[None]:
    """Make the folder, so that what is in the way shows before the training and not after it.

    When nothing comes of the training, what was made is taken away again.

    Raises:
        ResultError: if it cannot be made.
    """
    made = [each for each in (folder, *folder.parents) if not os.path.exists(each)]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ResultError(f"{folder}: cannot be made a folder for the results: {error.strerror}") from error
    try:
        yield
    except BaseException:
        for each in made:
            with suppress(OSError):  # what is not empty stays
                each.rmdir()
        raise


def write(training: Training, folder: Path, title: str) -> list[Path]:
    """Write recipe.toml, recipe.json, curves.csv, curves.html and, where a run came through, model.keras.

    The model is the first seed's, not the best one's: picking by validation accuracy would flatter it.
    recipe.json holds the results too, and tells `evaluate` which data set the model beside it is for.
    """
    folder.mkdir(parents=True, exist_ok=True)
    recipe, summary, table, picture = (
        folder / name for name in ("recipe.toml", "recipe.json", "curves.csv", "curves.html")
    )
    recipe.write_text(write_recipe(training.recipe, header=title), encoding="utf-8")
    summary.write_text(json.dumps(training.summary(), indent=2, allow_nan=False) + "\n", encoding="utf-8")
    _write_curves(training, table)
    _draw_curves(training, title, picture)
    model = folder / "model.keras"
    if training.weights is None:
        model.unlink(missing_ok=True)  # an earlier training's would look like this one's
        return [recipe, summary, table, picture]
    from lenet_search.networks.plain import plain_model

    plain_model(training.recipe, training.images, training.weights).save(model)
    return [recipe, summary, table, picture, model]


def _write_curves(training: Training, path: Path) -> None:
    """One line per seed and epoch; accuracies from 0 to 1, losses in nats."""
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(("seed", "epoch", *CURVES))
        for course in training.courses:
            for epoch, values in enumerate(zip(*(course.curve[name] for name in CURVES), strict=True), 1):
                rows.writerow((course.seed, epoch, *values))


def _draw_curves(training: Training, title: str, path: Path) -> None:
    """Accuracy and loss by epoch: a line per seed, validation solid, training dotted."""
    from plotly.subplots import make_subplots

    from lenet_search.look.theme import METRICS, PALETTE, titled

    figure = make_subplots(1, 2, horizontal_spacing=0.09)
    for place, course in enumerate(training.courses):
        for column, panel in enumerate(("accuracy", "loss"), 1):
            for part, dash in (("val", "solid"), ("train", "dot")):
                shown = METRICS[f"{part}_{panel}"]
                values = [value * shown.factor for value in course.curve[f"{part}_{panel}"]]
                figure.add_scatter(
                    x=list(range(1, len(values) + 1)),
                    y=values,
                    mode="lines+markers" if len(values) < 2 else "lines",
                    name=f"seed {course.seed}" + (", diverged" if course.diverged else ""),
                    legendgroup=course.seed,
                    showlegend=(column, part) == (1, "val"),
                    line={"color": PALETTE[place % len(PALETTE)], "dash": dash, "width": 2},
                    hovertemplate=f"seed {course.seed}, epoch %{{x}}: {shown.label} %{{y:.{shown.digits}f}}"
                    f" {shown.unit}<extra></extra>",
                    row=1,
                    col=column,
                )
    figure.update_xaxes(title_text="epoch")
    figure.update_yaxes(title_text="accuracy (%)", row=1, col=1)
    figure.update_yaxes(title_text="cross-entropy", row=1, col=2)
    titled(figure, title, "solid: validation images, dotted: training images, as augmented; click a seed to hide it")
    figure.write_html(path, include_plotlyjs=True)
