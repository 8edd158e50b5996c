"""The table of reported accuracies and ours, for people (Markdown, a page of plots) and for programs (JSON)."""

import json
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from lenet_search.experiments.compare import Comparison, named
from lenet_search.experiments.result import Result
from lenet_search.whole import as_name, folder_written_whole, replace_text

COLUMNS = (
    "recipe", "data", "reported", "test accuracy, 95 % interval", "n", "verdict", "parameters", "epochs", "seconds",
)  # fmt: skip
RIGHT = ("reported", "n", "parameters", "epochs", "seconds")
READING = (
    "Reported: the test accuracy that the authors report. Intervals: Student's t over the seeds; for n = 1, Wilson's "
    "over the test images. The seeds of a recipe differ only in their initial weights: images come in the same order, "
    "with the same random draws. The test set was read once per finished model, and nothing was chosen by it. Seconds: "
    "all seeds together, including loading and compiling."
)


def row(result: Result) -> tuple[str, ...]:
    """A result's cells under `COLUMNS`."""
    claim, mean = result.task.claim, result.mean("test_accuracy")
    return (
        result.name,
        str(result.images["name"]),
        "" if claim is None or claim.test_accuracy is None else f"{100 * claim.test_accuracy:.2f} %",
        str(mean),
        str(mean.n) + (f" ({result.diverged} diverged)" if result.diverged else ""),
        result.verdict(),
        f"{result.parameters:,}",
        str(result.task.recipe.train.epochs),
        f"{result.seconds:.0f}",
    )


def points(comparison: Comparison) -> list[tuple[str, str, str, str]]:
    """The pairs of a comparison: second minus first, difference in points with its interval, n, verdict."""
    return [
        (f"{pair.second} against {pair.first}", str(pair.difference), str(pair.difference.n), pair.verdict())
        for pair in comparison.pairs
    ]


PAIR_COLUMNS = ("pair", "difference in points, 95 % interval", "n", "verdict")


def write_tables(results: Sequence[Result], folder: Path) -> list[Path]:
    """Write reproduce.md and reproduce.json, which is cheap enough to do after every recipe."""
    texts = {
        "reproduce.md": _markdown(results, named(results, "test_accuracy")),
        "reproduce.json": json.dumps(summary(results), indent=2, allow_nan=False) + "\n",
    }
    return _write(texts, folder)


def _write(texts: Mapping[str, str], folder: Path) -> list[Path]:
    with folder_written_whole(folder) as scratch:
        for name, text in texts.items():
            (scratch / name).write_text(text, encoding="utf-8")
    return [folder / name for name in texts]


def summary(results: Sequence[Result]) -> dict[str, Any]:
    """The content of reproduce.json."""
    return {
        "recipes": [result.summary() for result in results],
        "comparisons": [comparison.summary() for comparison in named(results, "test_accuracy")],
    }


def _markdown(results: Sequence[Result], comparisons: Sequence[Comparison]) -> str:
    lines = [markdown_table(COLUMNS, [row(result) for result in results], RIGHT), "", READING]
    notes = [(result.name, result.task.claim) for result in results if result.task.claim is not None]
    lines += ["", *(f"- `{name}`: {claim.source}" + (f" {claim.note}" if claim.note else "") for name, claim in notes)]
    for comparison in comparisons:
        lines += ["", f"**{comparison.name}** (test accuracy)", ""]
        lines += [markdown_table(PAIR_COLUMNS, points(comparison), ("n",))]
    return "\n".join(lines) + "\n"


def markdown_table(columns: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[str] = ()) -> str:
    """A table in Markdown."""
    rule = ["--:" if column in right else "---" for column in columns]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (columns, rule, *rows))


def write_page(results: Sequence[Result], folder: Path) -> Path:
    """Write reproduce.html: the table, and all plots."""
    from lenet_search.experiments.pictures import claims_figure, comparison_figure, course_figure, errors_figure
    from lenet_search.look.page import data_table, page, picture

    done = [result for result in results if result.values("val_accuracy")]
    by_data: dict[str, list[Result]] = {}
    for result in done:
        by_data.setdefault(str(result.images["name"]), []).append(result)
    numbers = frozenset(COLUMNS.index(name) for name in RIGHT)
    parts = [
        "<h1>Published recipes, reproduced</h1>",
        f'<p class="lead">{len(done)} recipes, {sum(len(result.runs) for result in done)} training runs.</p>',
        "<section>",
        data_table(COLUMNS, [[escape(cell) for cell in row(result)] for result in results], numbers),
        f'<p class="small">{escape(READING)}</p></section>',
    ]
    if any(result.values("test_accuracy") for result in done):
        parts.append(picture("claims", claims_figure(done)))
    parts += [picture(f"errors-{name}", errors_figure(name, group)) for name, group in by_data.items()]
    for comparison in named(done, "test_accuracy"):
        parts += [picture(f"comparison-{comparison.name}", comparison_figure(comparison)), _pairs(comparison)]
    parts += [picture(f"course-{result.name}", course_figure(result)) for result in done]
    path = folder / "reproduce.html"
    replace_text(path, page("Published recipes, reproduced", parts))
    return path


def _pairs(comparison: Comparison) -> str:
    from lenet_search.look.page import data_table

    cells = [[escape(cell) for cell in each] for each in points(comparison)]
    return f"<section>{data_table(PAIR_COLUMNS, cells, frozenset({2}))}</section>"


def write_comparison(comparison: Comparison, folder: Path) -> list[Path]:
    """Write compare-NAME.json and compare-NAME.html."""
    from lenet_search.experiments.pictures import ACCURACY, comparison_figure
    from lenet_search.look.page import data_table, page, picture

    label = ACCURACY[comparison.metric].label
    head = ("recipe", f"{label}, 95 % interval", "n", "parameters", "seconds")
    cells = [
        [
            escape(result.name),
            str(result.mean(comparison.metric)),
            str(result.mean(comparison.metric).n),
            f"{result.parameters:,}",
            f"{result.seconds:.0f}",
        ]
        for result in comparison.results
    ]
    parts = [
        f"<h1>{escape(comparison.title)}</h1>",
        f'<p class="lead">{label} on {escape(str(comparison.results[0].images["name"]))}.</p>',
        f"<section>{data_table(head, cells, frozenset({2, 3, 4}))}</section>",
        picture("comparison", comparison_figure(comparison)),
        _pairs(comparison),
    ]
    name = as_name(comparison.name)
    texts = {
        f"compare-{name}.json": json.dumps(comparison.summary(), indent=2, allow_nan=False) + "\n",
        f"compare-{name}.html": page(comparison.title, parts),
    }
    return _write(texts, folder)
