"""Reported accuracies and ours: the verdict and the table, for people (Markdown) and for programs (JSON)."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lenet_search.experiments.compare import Comparison, named
from lenet_search.experiments.result import BELOW, OTHER_IMAGES, REACHED, WITHIN, Result, quick_of
from lenet_search.look.words import counted
from lenet_search.whole import texts_written_whole

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
        result.quick.title(result.name),
        str(result.images["name"]),
        "" if claim is None or claim.test_accuracy is None else f"{100 * claim.test_accuracy:.2f} %",
        str(mean),
        str(mean.n) + (f" ({result.diverged} diverged)" if result.diverged else ""),
        result.verdict(),
        f"{result.parameters:,}",
        str(result.task.recipe.train.epochs),
        f"{result.seconds:.0f}",
    )


def verdict(results: Sequence[Result]) -> list[str]:
    """How many recipes reach the reported accuracy, which do not, and what cannot be said; the first is the answer."""
    told = {result.name: result.verdict() for result in results}
    judged = [result for result in results if told[result.name] in (*REACHED, WITHIN, BELOW)]
    below = [result for result in judged if told[result.name] == BELOW]
    within = [result.name for result in judged if told[result.name] == WITHIN]
    if judged:
        reached = f"{len(judged) - len(below)} of {counted(len(judged), 'recipe')}"
        sentences = [f"{reached} reached the reported accuracy, or had it within the interval."]
    elif any(result.task.quick for result in results):
        sentences = ["A quick run is not compared with the reported accuracies."]
    else:
        sentences = ["No recipe here has a reported accuracy to compare with."]
    if within:
        sentences.append(f"Below it, but with it in the interval: {', '.join(within)}.")
    for result in below:
        cells = row(result)
        sentences.append(f"Below it: {cells[0]}, {cells[3]} against {cells[2]}.")
    if others := [result.name for result in results if told[result.name] == OTHER_IMAGES]:
        sentences.append(f"Reported on other images, so not comparable: {', '.join(others)}.")
    diverged = sum(result.diverged for result in results)
    return [*sentences, *([left_out(diverged, sum(len(result.runs) for result in results))] if diverged else [])]


def left_out(diverged: int, runs: int) -> str:
    """How many of so many runs diverged, as a sentence."""
    return f"{diverged} of {runs} runs diverged; the means leave {'it' if diverged == 1 else 'them'} out."


def points(comparison: Comparison) -> list[tuple[str, str, str, str]]:
    """The pairs of a comparison: second minus first, difference in points with its interval, n, verdict."""
    return [
        (f"{pair.second} against {pair.first}", str(pair.difference), str(pair.difference.n), pair.verdict())
        for pair in comparison.pairs
    ]


PAIR_COLUMNS = ("pair", "difference in points, 95 % interval", "n", "verdict")


def write_tables(results: Sequence[Result], folder: Path) -> list[Path]:
    """Write reproduce.md and reproduce.json, which is cheap enough to do after every recipe.

    In the former, bytes of a file's name that are not UTF-8 become question marks.
    """
    markdown = _markdown(results, named(results, "test_accuracy")).encode("utf-8", "replace").decode("utf-8")
    machine = json.dumps(summary(results), indent=2, allow_nan=False) + "\n"
    return texts_written_whole({"reproduce.md": markdown, "reproduce.json": machine}, folder)


def summary(results: Sequence[Result]) -> dict[str, Any]:
    """The content of reproduce.json."""
    return {
        "quick": quick_of(results).why or None,
        "verdict": verdict(results),
        "recipes": [result.summary() for result in results],
        "comparisons": [comparison.summary() for comparison in named(results, "test_accuracy")],
    }


def _markdown(results: Sequence[Result], comparisons: Sequence[Comparison]) -> str:
    warning = quick_of(results).warning
    lines = [f"**{warning}**", ""] if warning else []
    lines += [" ".join(verdict(results)), ""]
    lines += [markdown_table(COLUMNS, [row(result) for result in results], RIGHT), "", READING]
    notes = [(result.name, result.task.claim) for result in results if result.task.claim is not None]
    lines += ["", *(f"- `{name}`: {claim.source}" + (f" {claim.note}" if claim.note else "") for name, claim in notes)]
    for comparison in comparisons:
        lines += ["", f"**{comparison.name}** (test accuracy): {' '.join(comparison.verdict())}", ""]
        lines += [markdown_table(PAIR_COLUMNS, points(comparison), ("n",))]
    return "\n".join(lines) + "\n"


def markdown_table(columns: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[str] = ()) -> str:
    """A table in Markdown."""
    rule = ["--:" if column in right else "---" for column in columns]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (columns, rule, *rows))
