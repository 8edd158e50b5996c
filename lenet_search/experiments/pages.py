"""Pages of plots that work offline: published recipes, a comparison, an ablation, the training of one recipe."""

import json
import math
from collections.abc import Sequence
from html import escape
from pathlib import Path

from lenet_search.experiments.ablate import Ablation
from lenet_search.experiments.compare import Comparison, named
from lenet_search.experiments.courses import course_figure, errors_figure
from lenet_search.experiments.pictures import ACCURACY, claims_figure, comparison_figure
from lenet_search.experiments.result import Result, quick_of
from lenet_search.experiments.tables import COLUMNS, PAIR_COLUMNS, READING, RIGHT, left_out, points, row, verdict
from lenet_search.look import waterfall
from lenet_search.look.page import data_table, heading, page, picture
from lenet_search.look.theme import METRICS
from lenet_search.look.words import counted
from lenet_search.whole import as_name, replace_text, texts_written_whole

HOLM = "Each interval is for its pair alone; verdicts hold at 5 % over all pairs together (Holm)."


def write_page(results: Sequence[Result], folder: Path) -> Path:
    """Write reproduce.html: the verdict, all plots, and the table."""
    title, quick = "Published recipes, reproduced", quick_of(results)
    done = [result for result in results if result.values("val_accuracy")]
    comparisons = named(done, "test_accuracy")
    by_data: dict[str, list[Result]] = {}
    for result in done:
        by_data.setdefault(str(result.images["name"]), []).append(result)
    sentences = verdict(results) + [
        f"Comparison {comparison.name}: {' '.join(comparison.verdict())}" for comparison in comparisons
    ]
    runs = counted(sum(len(result.runs) for result in results), "training run")
    lead = f"{counted(len(results), 'recipe')}, {runs}."
    figures = [claims_figure(done)] if any(result.values("test_accuracy") for result in done) else []
    figures += [errors_figure(name, group) for name, group in by_data.items()]
    parts = heading(title, quick, sentences, lead)
    parts += [picture(f"figure-{place}", quick.figure(figure)) for place, figure in enumerate(figures)]
    for place, comparison in enumerate(comparisons):
        parts += [picture(f"comparison-{place}", quick.figure(comparison_figure(comparison))), _pairs(comparison)]
    parts += [
        picture(f"course-{place}", result.quick.figure(course_figure(result))) for place, result in enumerate(results)
    ]
    numbers = frozenset(COLUMNS.index(name) for name in RIGHT)
    table = data_table(COLUMNS, [[escape(cell) for cell in row(result)] for result in results], numbers)
    parts.append(f'<section><h2>All figures</h2>{table}<p class="small">{escape(READING)}</p></section>')
    path = folder / "reproduce.html"
    replace_text(path, page(quick.title(title), parts))
    return path


def write_comparison(comparison: Comparison, folder: Path) -> list[Path]:
    """Write compare-NAME.json and compare-NAME.html."""
    quick, label = quick_of(comparison.results), ACCURACY[comparison.metric].label
    head = ("recipe", f"{label}, 95 % interval", "n", "diverged", "parameters", "seconds")
    cells = [
        [
            escape(result.quick.title(result.name)),
            str(result.mean(comparison.metric)),
            str(result.mean(comparison.metric).n),
            str(result.diverged or ""),
            f"{result.parameters:,}",
            f"{result.seconds:.0f}",
        ]
        for result in comparison.results
    ]
    lead = f"{label[0].upper()}{label[1:]} on {comparison.results[0].images['name']}."
    parts = [
        *heading(comparison.title, quick, comparison.verdict(), lead),
        picture("comparison", quick.figure(comparison_figure(comparison))),
        _pairs(comparison),
        f"<section><h2>Means over seeds</h2>{data_table(head, cells, frozenset({2, 3, 4, 5}))}</section>",
    ]
    name = as_name(comparison.name)
    texts = {
        f"compare-{name}.json": json.dumps(comparison.summary(), indent=2, allow_nan=False) + "\n",
        f"compare-{name}.html": page(quick.title(comparison.title), parts),
    }
    return texts_written_whole(texts, folder)


def write_ablation(ablation: Ablation, folder: Path) -> list[Path]:
    """Write ablation.json and ablation.html, or path.json and path.html."""
    found, title, quick = ablation.summary(), f"Ablation of {ablation.study}", ablation.quick
    lead = METRICS[ablation.metric].label
    lead = f"{lead[0].upper()}{lead[1:]}."
    if found["gain"] is not None and found["gain"]["n"]:
        gain = waterfall.difference_text(found["gain"], ablation.metric)
        lead += f" Winner {ablation.winner}, reference {ablation.reference}: {gain}, n = {found['gain']['n']}."
    table = data_table(waterfall.COLUMNS, [map(escape, row) for row in waterfall.cells(found)], frozenset({2}))
    parts = [
        *heading(title, quick, [ablation.verdict()], lead),
        picture("ablation", quick.figure(waterfall.ablation_figure(found))),
        f'<section>{table}<p class="small">{waterfall.HOLM}</p></section>',
    ]
    name = "path" if ablation.path else "ablation"
    texts = {
        f"{name}.json": json.dumps(found, indent=2, allow_nan=False) + "\n",
        f"{name}.html": page(quick.title(title), parts),
    }
    return texts_written_whole(texts, folder)


def training_page(result: Result, title: str) -> str:
    """The page of one recipe on its seeds: the means, the curves, and a table with a line for each seed."""
    metrics = ("val_accuracy", "val_loss", "train_accuracy", "train_loss")
    head = ("seed", "epochs", *(METRICS[metric].title for metric in metrics), "note")
    cells = [
        [str(run.seed), str(run.epochs)]
        + [
            METRICS[metric].number(run.curve[metric][-1])
            if run.epochs and (run.diverged or math.isfinite(run.curve[metric][-1]))
            else "-"
            for metric in metrics
        ]
        + ["diverged" if run.diverged else ""]
        for run in result.runs
    ]
    images = result.images
    lead = (
        f"{images['name']}: {images['train']:,} training and {images['validation']:,} validation images; "
        f"{result.parameters:,} parameters. The test set was not used."
    )
    parts = [
        *heading(title, result.quick, _trained(result), lead),
        picture("course", result.quick.figure(course_figure(result, "Learning curves"))),
        f"<section><h2>After the last epoch</h2>{data_table(head, cells, frozenset(range(6)))}</section>",
    ]
    return page(result.quick.title(title), parts)


def _trained(result: Result) -> list[str]:
    accuracy, loss = result.mean("val_accuracy"), result.mean("val_loss")
    if accuracy.value is None and result.diverged < len(result.runs):
        return [
            f"Trained on all {result.images['train']:,} images, with none for validation. Only the test set says how "
            "good the model is (lenet-search evaluate)."
        ]
    if accuracy.value is None:
        return [f"All {len(result.runs)} runs diverged." if len(result.runs) != 1 else "The run diverged."]
    if accuracy.n == 1:
        sentences = [
            f"Validation accuracy {accuracy}, from one seed: the interval is over {result.images['validation']:,} "
            "images, and does not show how much seeds differ."
        ]
    else:
        values = result.values("val_accuracy").values()
        sentences = [
            f"Validation accuracy {accuracy}, mean of {accuracy.n} seeds with its 95 % interval.",
            f"Single seeds reach from {100 * min(values):.2f} to {100 * max(values):.2f} %.",
        ]
    sentences.append(f"Validation cross-entropy {loss}.")
    if result.diverged:
        sentences.append(left_out(result.diverged, len(result.runs)))
    return sentences


def _pairs(comparison: Comparison) -> str:
    cells = [[escape(cell) for cell in each] for each in points(comparison)]
    table = data_table(PAIR_COLUMNS, cells, frozenset({2}))
    return f'<section><h2>Paired differences</h2>{table}<p class="small">{HOLM}</p></section>'
