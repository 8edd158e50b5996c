"""What is best, how sure that is, and how much better than the reference."""

from html import escape
from typing import Any

import optuna

from lenet_search.look.intervals import Estimate, is_share
from lenet_search.look.page import answer, card, data_table, file_text, key_figures
from lenet_search.look.theme import METRICS, value_text
from lenet_search.look.waterfall import difference_text
from lenet_search.results.best import complete_trials, estimate_of, metric_of, top_rows
from lenet_search.results.chosen import confirmed_means
from lenet_search.results.finalists import reference_trial, winner_of
from lenet_search.results.optimism import shrunk_values
from lenet_search.results.verdict import verdict
from lenet_search.storage.confirmed import place_of, read_confirmed
from lenet_search.study import write_recipe

TOP = 10  # rows of the table of the best trials
RACE = "Means over fresh seeds with 95 % intervals. Differences from the leader are paired by seed, and their intervals"
RACE += " hold for all rivals and rounds together. Nothing is claimed of recipes that were set aside."
NOT_CLAIMED = ("set aside", "diverged")  # states of a recipe that left the race without a verdict


def winner(study: optuna.Study) -> list[str]:
    """The cards of this part, after its verdict."""
    sentences = answer(verdict(study))
    if not complete_trials(study):
        return sentences
    confirmed = read_confirmed(study)
    which = "Best recipe of the search" if confirmed is None else "Confirmed recipe"
    return [
        *sentences,
        key_figures(_figures(study, confirmed)),
        *([] if confirmed is None else [card("On fresh seeds", _race(confirmed))]),
        _best(study),
        card(f"{which}, as a study file", file_text(write_recipe(winner_of(study)))),
    ]


def _figures(study: optuna.Study, confirmed: dict[str, Any] | None) -> list[tuple[str, str, str]]:
    """The key figures: value, title, and what else belongs to it."""
    metric = METRICS[metric_of(study)]
    best = complete_trials(study)[0]
    searched = estimate_of(study, best)
    of = f"n = {searched.n:,} {searched.over}"
    bounds = f"95 % interval {searched.bounds()} {metric.unit}, {of}" if searched.bounds() else of
    figures = [(searched.figure(), f"{metric.label} in the search, trial {best.number}", bounds)]
    if (shrunk := shrunk_values(study)) and len(shrunk) > 1:
        expected = metric.text(shrunk[best.number])
        figures.append((expected, f"trial {best.number} on new images, expected", "the value before, shrunk"))
    if confirmed is None:
        return [*figures, *_searched_gain(study)]
    row = next(each for each in confirmed["recipes"] if each["name"] == confirmed["winner"])
    mean = _mean(row, confirmed["metric"])
    more = (
        f"95 % interval {mean.bounds()} {metric.unit}, n = {mean.n} fresh seeds" if mean.bounds() else f"n = {mean.n}"
    )
    figures.insert(0, (mean.figure(), f"{metric.label}, {row['name']}, confirmed", more))
    if (gain := confirmed["gain"]) is not None and gain["mean"] is not None:
        value, _, interval = difference_text(gain, confirmed["metric"]).partition(" ")
        unit = "points" if is_share(confirmed["metric"]) else metric.unit
        inside = 100 * gain.get("inside", 0.95)  # as it was in versions that did not store it
        bounds = f"{inside:.4g} % interval {interval.strip('()')}, " if interval else ""
        more = f"{bounds}n = {gain['n']} pairs"
        figures.insert(1, (f"{value} {unit}", "gain over the reference", more))
    return figures


def _searched_gain(study: optuna.Study) -> list[tuple[str, str, str]]:
    """How much better than the reference the best trial was in the search, if the search tried both."""
    best, reference = complete_trials(study)[0], reference_trial(study)
    if reference is None:
        return []
    if reference.number == best.number:
        return [("none", "gain over the reference", f"trial {best.number} is the reference")]
    metric = metric_of(study)
    sign = 1.0 if is_share(metric) else -1.0
    gain = {"mean": sign * ((best.value or 0.0) - (reference.value or 0.0)), "low": None, "high": None}
    unit = "points" if is_share(metric) else METRICS[metric].unit
    return [
        (
            f"{difference_text(gain, metric)} {unit}",
            "gain over the reference, not confirmed",
            f"trial {reference.number} with {estimate_of(study, reference).figure()}, one seed each",
        )
    ]


def _race(confirmed: dict[str, Any]) -> str:
    """The recipes of the confirmation, the leader first."""
    metric, rows = confirmed["metric"], []
    for row in confirmed["recipes"]:
        rows.append(
            (
                escape(row["name"]),
                "-" if row["trial"] is None else str(row["trial"]),
                str(_mean(row, metric)),
                str(row["n"]),
                _behind(row, metric),
                escape(place_of(confirmed, row)),
                f"{row['parameters']:,}",
            )
        )
    unit = "points" if is_share(metric) else METRICS[metric].unit
    head = ("recipe", "trial", METRICS[metric].label, "seeds", f"against the leader ({unit})", "verdict", "parameters")
    epochs = "" if confirmed["epochs"] is None else f" All trained for {confirmed['epochs']} epochs."
    return f'{data_table(head, rows, frozenset({1, 3, 6}))}<p class="small">{RACE}{epochs}</p>'


def _behind(row: dict[str, Any], metric: str) -> str:
    """How far a recipe is behind the leader; without an interval where nothing is claimed."""
    if row["behind"] is None:
        return "-"
    claimed = row["state"] not in NOT_CLAIMED
    return difference_text(row["behind"] if claimed else row["behind"] | {"low": None, "high": None}, metric)


def _mean(row: dict[str, Any], metric: str) -> Estimate:
    return Estimate(row["mean"], row["n"], row["low"], row["high"], "seeds", is_share(metric))


def _best(study: optuna.Study) -> str:
    """The table of the best trials: in the search, shrunk, and on fresh seeds."""
    rows, shrunk, confirmed = top_rows(study, TOP), shrunk_values(study), confirmed_means(study)
    metric = METRICS[metric_of(study)]
    columns = ["rank", "trial", metric.title, "95 % interval"]
    columns += [*(["shrunk"] if shrunk else []), *(["on fresh seeds"] if confirmed else []), "hyperparameters"]
    cells = []
    for row in rows:
        cell = [str(row.rank), str(row.number), metric.number(row.estimate.value or 0.0), row.estimate.bounds() or "-"]
        cell += [metric.number(shrunk[row.number])] if shrunk else []
        cell += [_fresh(confirmed.get(row.number, "-"))] if confirmed else []
        cells.append([*cell, params_html(row.params)])
    table = data_table(columns, cells, frozenset(range(4 + bool(shrunk))))
    note = (
        '<p class="small">Shrunk: the accuracy to expect of the same weights on new images (empirical Bayes). The '
        "best of many looks better than it is, since these images selected it.</p>"
        if shrunk
        else ""
    )
    return card(f"Best {len(rows)} trials of the search", table + note)


def _fresh(result: str) -> str:
    """The result of a trial on fresh seeds: the mean with its interval in one piece, and below it how it did."""
    mean, *below = escape(result).split("\n")
    return "<br>".join([f'<span class="whole">{mean}</span>', *below])


def params_html(params: dict[str, Any]) -> str:
    """The hyperparameters of a trial in a cell."""
    return ", ".join(f"{escape(path)} <b>{escape(value_text(value))}</b>" for path, value in params.items())
