"""Confirms a search: its best recipes and a reference race on fresh seeds, side by side and in pairs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lenet_search.crew import FREEZE_EVERY
from lenet_search.errors import ResultError
from lenet_search.experiments import race
from lenet_search.experiments.finish import finish
from lenet_search.experiments.race import Standing, State
from lenet_search.experiments.result import Result
from lenet_search.experiments.task import Task
from lenet_search.look.intervals import Difference, Estimate, is_share, mean_of, paired_by_seed
from lenet_search.look.progress import View
from lenet_search.look.words import listed
from lenet_search.recipe import FIELDS, Recipe
from lenet_search.storage.kept import Kept

INDIFFERENCE = 0.002  # a difference in accuracy that nobody would care about: two images in a thousand
FIRST_SEED = 1_000_000  # fresh: searches draw seeds of 31 bits, and `train` counts up from the study's seed
MOST_SEEDS = 1024  # that a command takes
SWITCHES = ("regularize", "augment", "loss", "model.batch_norm")  # what a recipe does without by default


@dataclass(frozen=True)
class Finalist:
    """A recipe in the race.

    `trial` is its number in the search and `searched` its value there; None: the search has not tried it.
    `is_reference`: whether it is what the search has to beat. One finalist at most is.
    """

    name: str
    recipe: Recipe
    trial: int | None = None
    searched: float | None = None
    is_reference: bool = False


@dataclass(frozen=True)
class Row:
    """A recipe after the race: the mean over its seeds with Student's interval, and its place in the race."""

    finalist: Finalist
    mean: Estimate
    standing: Standing
    parameters: int
    needed: int | None  # seeds that would tell it from the leader; None where that is settled or unknown

    @property
    def model_seed(self) -> int | None:
        """The seed nearest the mean, whose model stands for the recipe."""
        values, mean = self.standing.values, self.standing.mean
        return min(values, key=lambda seed: (abs(values[seed] - mean), seed)) if values else None


@dataclass(frozen=True)
class Confirmation:
    """What a race says. `rows` has the leader first, `gain` is the winner minus the reference.

    The winner is the simplest of those that cannot be told from the leader; the reference only if it leads.
    """

    study: str
    metric: str
    rows: tuple[Row, ...]
    winner: Row
    tied: tuple[Row, ...]  # those that cannot be told from the leader, the leader and the winner among them
    gain: Difference | None
    epochs: int | None  # where the finalists trained for other epochs than in the search
    indifference: float
    inside: float = 0.95  # probability of each interval of a difference to the leader

    def __repr__(self) -> str:
        return f"<Confirmation of {self.study!r}: {self.verdict()[0]}>"

    def verdict(self) -> list[str]:
        """The result in sentences, the most important first."""
        found, n = self.winner.mean, self.winner.mean.n
        name = self.winner.finalist.name
        figure = f"{self.metric} {found.figure()} ({found.bounds()}, n = {n} seeds)" if found.bounds() else f"n = {n}"
        if self.winner.finalist.is_reference:
            others = [row.finalist.name for row in self.tied if row is not self.winner]
            lines = [
                f"The search has found nothing {'better than' if others else 'as good as'} the reference: {figure}."
            ]
            if others:
                lines.append(f"{listed(others)} cannot be told apart from it.")
        elif len(self.tied) == 1:
            alone = sum(not row.finalist.is_reference for row in self.rows) == 1
            beats = alone and self.gain is not None
            lines = [f"{name} {'beats the reference' if beats else 'wins'}: {figure}."]
        else:
            names = listed([row.finalist.name for row in self.tied])
            lines = [f"{names} cannot be told apart. Chosen is {name}, which {self._reason()}: {figure}."]
        for row in self.rows:
            if row.finalist.is_reference and row.standing.state == State.DIVERGED:
                lines.append("The reference diverged on some of its seeds.")
        if self.gain is not None and self.gain.low is not None and self.gain.high is not None:
            surely = (
                "better than" if self.gain.low > 0 else "worse than" if self.gain.high < 0 else "not surely better than"
            )
            lines.append(f"It is {surely} the reference: {self._points(self.gain)}, n = {self.gain.n} pairs.")
        first = min(
            (row for row in self.rows if row.finalist.searched is not None), key=self._searched_rank, default=None
        )
        if first is not None and self.epochs is None and first.mean.value is not None:
            shown, own = first.finalist.searched, first.mean.value
            assert shown is not None
            more = (shown - own) * (1 if self.maximize else -1)
            size = f"{100 * abs(more):.2f} points" if is_share(self.metric) else f"{abs(more):.4f}"
            apart = f"{size} {'better' if more > 0 else 'worse'} than" if float(size.split()[0]) else "the same as"
            best = first.finalist.name
            lines.append(
                f"The search had shown {self._figure(shown)} for its best trial, {best}: {apart} on fresh seeds."
            )
        for row in self.rows:
            if row.needed is not None:
                seeds = f"about {row.needed}" if row.needed <= MOST_SEEDS else f"more than {MOST_SEEDS:,}"
                leader = self.rows[0].finalist.name
                lines.append(f"To tell {row.finalist.name} from {leader} would take {seeds} seeds.")
        return lines

    def _reason(self) -> str:
        """Why the winner was taken among those that cannot be told apart."""
        for mine, leaders, words in zip(
            _simplicity(self.winner),
            _simplicity(self.rows[0]),
            ("has the fewest parameters", "uses the fewest techniques", "trains for the fewest epochs"),
            strict=True,
        ):
            if mine < leaders:
                return words
        return "leads"

    @property
    def maximize(self) -> bool:
        """Whether more is better."""
        return is_share(self.metric)

    def _searched_rank(self, row: Row) -> tuple[float, int]:
        assert row.finalist.searched is not None and row.finalist.trial is not None
        return -row.finalist.searched if self.maximize else row.finalist.searched, row.finalist.trial

    def _figure(self, value: float) -> str:
        return Estimate(value, 1, None, None, "seeds", is_share(self.metric)).figure()

    def behind(self, row: Row) -> str:
        """How far a recipe is behind the leader; without an interval where nothing is claimed. '' for the leader."""
        difference = row.standing.behind
        if difference is None:
            return ""
        unclear = row.standing.state in (State.ASIDE, State.DIVERGED)
        return self._points(replace(difference, low=None, high=None) if unclear else difference)

    def _points(self, difference: Difference) -> str:
        if is_share(self.metric):
            return f"{difference} points"
        bounds = "" if difference.low is None else f" ({difference.low:+.4f} to {difference.high:+.4f})"
        return f"{difference.mean:+.4f}{bounds}"

    def summary(self) -> dict[str, Any]:
        """The confirmation as JSON; it is stored with the study."""
        return {
            "study": self.study,
            "metric": self.metric,
            "winner": self.winner.finalist.name,
            "tied": [row.finalist.name for row in self.tied],
            "gain": None if self.gain is None else {**self.gain.to_json(), "inside": self.inside},
            "epochs": self.epochs,
            "indifference": self.indifference,
            "inside": self.inside,
            "verdict": self.verdict(),
            "recipes": [
                {
                    "name": row.finalist.name,
                    "trial": row.finalist.trial,
                    "searched": row.finalist.searched,
                    **row.mean.to_json(),
                    "state": row.standing.state.value,
                    "behind": None if row.standing.behind is None else row.standing.behind.to_json(),
                    "seeds": {str(seed): value for seed, value in row.standing.values.items()},
                    "model_seed": row.model_seed,
                    "needed_seeds": row.needed,
                    "parameters": row.parameters,
                    "values": row.finalist.recipe.values(),
                }
                for row in self.rows
            ],
        }


def confirm(
    finalists: Sequence[Finalist],
    folder: Path,
    *,
    study: str,
    metric: str,
    seeds: int,
    view: View,
    indifference: float = 0.0,
    grain: float = 0.0,
    epochs: int | None = None,
    data_folder: Path | None = None,
    workers: int | None = None,
    freeze_every: float = FREEZE_EVERY,
    ray: str | None = None,
) -> Confirmation:
    """Race recipes on fresh seeds; only runs missing from the folder are trained.

    Args:
        finalists: recipes with distinct names; the reference stays to the end
        folder: folder with a folder for each recipe
        study: name of the study, for people
        metric: the metric that decides, one of `study.METRICS`
        seeds: seeds of those that stay to the end, 2 or more
        view: where progress is shown; closed at the end
        indifference: which difference is none, in the metric's unit
        grain: the step of the metric: 1 / validation images of an accuracy
        epochs: epochs of every recipe; None: as in the search
        data_folder: folder searched for NAME.npz before downloading
        workers: number of processes; else one per GPU, or one per core
        freeze_every: seconds between two copies of each run's state
        ray: address of a Ray cluster, or "auto", whose nodes train; else this machine trains

    Raises:
        ResultError: the folder contains other results, or every recipe diverged.
        Interrupted: by a signal; call again to resume.
        LenetSearchError: as `finish`.
    """
    reference = next((each.name for each in finalists if each.is_reference), None)
    plan = race.plan(
        sum(not each.is_reference for each in finalists),
        seeds,
        reference=reference is not None,
        indifference=indifference,
        maximize=is_share(metric),
        grain=grain,
    )
    left: dict[str, State] = {}
    place = 0
    standings: Mapping[str, Standing] = {}

    def task(each: Finalist, count: int) -> Task:
        return Task(each.name, f"{study}, {each.name}", each.recipe, None, tuple(range(FIRST_SEED, FIRST_SEED + count)))

    def next_round(results: Sequence[Result]) -> list[Task]:
        nonlocal place, standings
        standings = race.look(plan, place, {result.name: result.values(metric) for result in results}, left)
        for name, each in standings.items():
            if each.state in (State.WORSE, State.DIVERGED) and (name != reference or each.state == State.DIVERGED):
                left[name] = each.state
        if place + 1 == len(plan.seeds) or race.is_over(standings):
            return []
        for name in race.set_aside(plan, place, standings, reference):
            left[name] = State.ASIDE
        place += 1
        return [task(each, plan.seeds[place]) for each in finalists if each.name not in left]

    results = finish(
        [task(each, plan.seeds[0]) for each in finalists],
        {each.name: Kept(folder / each.name) for each in finalists},
        name=f"{study}, confirming",
        test=False,
        view=view,
        metric=metric,
        data_folder=data_folder,
        workers=workers,
        freeze_every=freeze_every,
        ray=ray,
        more=next_round,
    )
    return _confirmation(finalists, results, standings, study, metric, epochs, plan, grain)


def _confirmation(
    finalists: Sequence[Finalist],
    results: Sequence[Result],
    standings: Mapping[str, Standing],
    study: str,
    metric: str,
    epochs: int | None,
    plan: race.Plan,
    grain: float,
) -> Confirmation:
    named = {each.name: each for each in finalists}
    parameters = {result.name: result.parameters for result in results}
    leader = next(iter(standings.values()))
    rows = []
    for name, standing in standings.items():
        mean = mean_of(list(standing.values.values()), share=is_share(metric), grain=grain)
        rows.append(Row(named[name], mean, standing, parameters[name], _needed(leader, standing, plan.indifference)))
    staying = set(race.staying(standings))
    if not staying:
        raise ResultError(
            f"nothing of study {study!r} is confirmed: every recipe diverged on some of its fresh seeds; search with "
            "smaller learning rates, or with optimizer.clip_norm"
        )
    tied = [row for row in rows if row.finalist.name in staying]
    winner = rows[0]
    if not winner.finalist.is_reference:  # else the search has found nothing that is better
        winner = min((row for row in tied if not row.finalist.is_reference), key=_simplicity)
    reference = next((row for row in rows if row.finalist.is_reference), None)
    gain = None
    # Seeds on which the reference did not diverge are no fair sample.
    if reference is not None and reference is not winner and reference.standing.state != State.DIVERGED:
        share = is_share(metric)
        before, after = reference.standing.values, winner.standing.values
        gain = paired_by_seed(before, after, maximize=share, inside=plan.inside, grain=grain, share=share)
    return Confirmation(
        study, metric, tuple(rows), winner, tuple(tied), gain, epochs, plan.indifference, round(plan.inside, 6)
    )


def _needed(leader: Standing, other: Standing, indifference: float) -> int | None:
    """How many seeds would tell a recipe from the leader, if the difference is what it seems to be."""
    if other.state != State.TIED or other.behind is None or other.behind.n < 2:
        return None
    seeds = [seed for seed in leader.values if seed in other.values]
    apart = max(abs(other.behind.mean), indifference)
    return race.seeds_needed([leader.values[s] - other.values[s] for s in seeds], apart) if apart else None


def _simplicity(row: Row) -> tuple[int, int, int]:
    """Fewest parameters, then fewest techniques, then fewest epochs; of rows alike in all, the first leads."""
    recipe = row.finalist.recipe
    used = sum(value != FIELDS[path].default for path, value in recipe.values().items() if path.startswith(SWITCHES))
    return row.parameters, used, recipe.train.epochs
