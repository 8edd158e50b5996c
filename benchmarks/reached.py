"""How soon a search is good: the best value so far by time, of this tool and of the ordinary way, seen from outside.

    python benchmarks/reached.py FOLDER --study cifar --minutes 15 --turns 3 --data DATA
    python benchmarks/reached.py FOLDER --study benchmarks/own_space.toml --data DATA
        --portfolio PORTFOLIO/without-cifar10.toml --ways portfolio:5:4,ordinary_parallel:1:15

Each way searches the study for `--minutes`, `--turns` times, and is then stopped; the ways take turns.
WAY:TURNS:MINUTES says both for one of them. They are

    lenet_search       `lenet-search run`, the study as it is
    plain_start        the same without a portfolio
    portfolio          the same with 8 recipes of `--portfolio`, a file of `portfolio.py`, in place of those that ship:
                       those of `without-FAMILY.toml` were chosen without that data set
    ordinary           Optuna and Keras, one trial after another (`plain.py`)
    ordinary_parallel  the same in one process per core, each with one thread, sharing one journal

A study's journal is read as it grows. "Any epoch" is the best value after any epoch of any trial, which the live view
shows; "complete" is that of complete trials, which can be exported. What is to be reached is the median, over the
turns, of what `--target` (default: ordinary_parallel) had in the end; a way that does not reach it counts as infinitely
late in its median.

Every search is kept in FOLDER; run again, the command goes on. It writes reached.json and reached.html there.
"""

import argparse
import json
import math
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import plotly.graph_objects as go

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))  # this checkout's package

import ways  # noqa: E402
from measure.journal import Journal, Seen  # noqa: E402

from lenet_search import study  # noqa: E402
from lenet_search.look.theme import METRICS, PALETTE, faded, titled  # noqa: E402
from lenet_search.machine import usable_cores  # noqa: E402
from lenet_search.study.locate import find  # noqa: E402

LOOK = 0.1  # seconds between two looks into the journal
EIGHT = 8  # recipes of a portfolio
OTHER_PORTFOLIO = """
import sys
from pathlib import Path
from lenet_search.study import portfolio
portfolio.FILE = Path(sys.argv.pop(1))
from lenet_search.__main__ import main
main()
"""
OURS = ("lenet_search", "plain_start", "portfolio")
CRITERIA = ("any epoch", "complete")
Steps = list[tuple[float, float]]  # seconds, and the best value since then


class Way(NamedTuple):
    """A way to search: how often, and for how long."""

    name: str
    turns: int
    minutes: float


def arguments(given: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="folder for the results")
    parser.add_argument("--study", default="cifar", help="name or path of a study (default: cifar)")
    parser.add_argument("--minutes", type=float, default=15.0, help="length of a search (default: 15)")
    parser.add_argument("--turns", type=int, default=3, help="searches of each way (default: 3)")
    parser.add_argument(
        "--ways", default="lenet_search,ordinary_parallel", metavar="WAY[:TURNS[:MINUTES]],...", help="see above"
    )
    parser.add_argument("--target", default="ordinary_parallel", help="the way whose last value is to be reached")
    parser.add_argument("--portfolio", type=Path, help="file with recipes, for the way of that name")
    parser.add_argument("--set", dest="overrides", action="append", default=[], metavar="KEY=VALUE", help="as in run")
    parser.add_argument("--data", type=Path, help="folder with the images")
    options = parser.parse_args(given)
    try:
        options.ways = [length_of(text, options.turns, options.minutes) for text in options.ways.split(",")]
    except ValueError as error:
        parser.error(f"--ways: {error}")
    if options.portfolio is None and any(way.name == "portfolio" for way in options.ways):
        parser.error("--portfolio: expected a file with recipes, for the way of that name")
    return options


def length_of(text: str, turns: int, minutes: float) -> Way:
    """WAY, WAY:TURNS or WAY:TURNS:MINUTES.

    Raises:
        ValueError: there is no such way, or these are no numbers.
    """
    name, *lengths = text.split(":")
    if name not in (*OURS, "ordinary", "ordinary_parallel"):
        raise ValueError(f"there is no way {name!r}")
    asked = [*lengths, *(turns, minutes)[len(lengths) :]]
    return Way(name, int(asked[0]), float(asked[1]))


def commands(options: argparse.Namespace, way: str, turn: int, folder: Path) -> list[list[str]]:
    """What a way starts, all at once, with `folder`/journal as its storage."""
    common = [part for text in (*options.overrides, f"study.seed={turn}") for part in ("--set", text)]
    common += ["--trials", "1000000", "--storage", str(folder / "journal")]
    common += ["--data", str(options.data)] if options.data else []
    source = find(options.study)
    if way in OURS:
        program = ["-c", OTHER_PORTFOLIO, str(options.portfolio)] if way == "portfolio" else ["-m", "lenet_search"]
        begin = {"plain_start": ["--set", "study.portfolio=0"], "portfolio": ["--set", f"study.portfolio={EIGHT}"]}
        line = [sys.executable, *program, "run", "--study", str(source), ways.NO_RACE]
        return [[*line, *common, *begin.get(way, [])]]
    line = [sys.executable, str(HERE / "plain.py"), "--study", str(source), *common]
    return [line] if way == "ordinary" else [[*line, "--threads", "1"]] * usable_cores()


def searched(options: argparse.Namespace, way: Way, turn: int) -> list[Seen]:
    """What a search has reported, from the command on; it is stopped when its time is over.

    Raises:
        SystemExit: it ended before, with what it said.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        journal, log = Journal(folder / "journal"), folder / "log"
        with log.open("w") as said:
            started = time.monotonic()
            running = [
                subprocess.Popen(line, stdout=said, stderr=said, env=ways.environment())
                for line in commands(options, way.name, turn, folder)
            ]
            try:
                while (now := time.monotonic() - started) < 60 * way.minutes:
                    journal.look(now)
                    if any(process.poll() is not None for process in running):
                        raise SystemExit(f"{way.name} ended after {now:.0f} s:\n{log.read_text()[-3000:]}")
                    time.sleep(LOOK)
            finally:
                ways.stop(running)
    return journal.seen


def best_by_time(seen: Sequence[Seen], criterion: str, *, maximize: bool) -> Steps:
    """When the best value so far became better, and what it was then."""
    steps: Steps = []
    for one in seen:
        better = not steps or (one.value > steps[-1][1] if maximize else one.value < steps[-1][1])
        if math.isfinite(one.value) and better and (one.complete or criterion == "any epoch"):
            steps.append((one.seconds, one.value))
    return steps


def reached(steps: Steps, target: float, *, maximize: bool) -> float:
    """Seconds until the target was reached; infinity if it was not."""
    return next((seconds for seconds, value in steps if (value >= target) == maximize or value == target), math.inf)


def at(steps: Steps, seconds: float, end: float = math.inf) -> float | None:
    """The best value at a time; None before the first, and after the end of the search."""
    return None if seconds > end else next((value for moment, value in reversed(steps) if moment <= seconds), None)


def table(found: Mapping[Way, Sequence[Steps]], target: float, metric: str, *, maximize: bool) -> str:
    """When each way reached the target, and what it had at some times, in Markdown: medians (lowest to highest)."""
    shown = METRICS[metric]
    longest = max(way.minutes for way in found)
    moments = [longest * share for share in (1 / 15, 1 / 5, 1 / 3, 1)]
    rows = [
        f"| way | {shown.text(target)} after | " + " | ".join(f"at {moment:.2g} min" for moment in moments) + " |",
        "|---|---|" + "---|" * len(moments),
    ]
    for way, searches in found.items():
        late = [reached(steps, target, maximize=maximize) / 60 for steps in searches]
        cells = [spread(late, lambda minutes: f"{minutes:.1f} min" if math.isfinite(minutes) else "never")]
        for moment in moments:
            values = [at(steps, 60 * moment, 60 * way.minutes) for steps in searches]
            some = [value for value in values if value is not None]
            cells.append(spread(some, shown.text) if len(some) == len(values) else "-")
        rows.append(f"| {way.name} | {' | '.join(cells)} |")
    return "\n".join(rows)


def spread(values: Sequence[float], text: Callable[[float], str]) -> str:
    """The median, with the lowest and the highest if there are several."""
    low, middle, high = (text(pick(values)) for pick in (min, statistics.median, max))
    return f"{middle} ({low} to {high})" if len(values) > 1 else middle


def figure(found: Mapping[Way, Sequence[Steps]], target: float, metric: str, criterion: str) -> go.Figure:
    """The best so far by time: the median search of each way, and the range of all as a band."""
    shown, drawn = METRICS[metric], go.Figure()
    moments = [max(way.minutes for way in found) * 60 * place / 180 for place in range(1, 181)]
    for place, (way, searches) in enumerate(found.items()):
        color = PALETTE[place % len(PALETTE)]
        levels = [(moment / 60, [at(steps, moment, 60 * way.minutes) for steps in searches]) for moment in moments]
        known = [(x, sorted(shown.factor * value for value in values)) for x, values in levels if None not in values]
        x = [moment for moment, _ in known]
        common: dict[str, Any] = {"legendgroup": way.name, "mode": "lines"}
        drawn.add_scatter(
            x=[*x, *x[::-1]], y=[*(values[-1] for _, values in known), *(values[0] for _, values in known[::-1])],
            fill="toself", fillcolor=faded(color, 0.12), line={"width": 0}, showlegend=False, hoverinfo="skip",
            **common,
        )  # fmt: skip
        drawn.add_scatter(
            x=x, y=[statistics.median(values) for _, values in known], name=f"{way.name}, n = {len(searches)}",
            line={"color": color, "width": 2.5, "shape": "hv"}, **common,
        )  # fmt: skip
    drawn.add_hline(shown.factor * target, line={"dash": "dot", "width": 1})
    titled(drawn, "Best so far by time", f"{criterion}; medians of n searches, all of them as bands", height=520)
    drawn.update_xaxes(title_text="minutes since the command")
    return drawn.update_yaxes(title_text=shown.title)


def main() -> None:
    """Search in turns, and compare."""
    options = arguments()
    options.folder.mkdir(parents=True, exist_ok=True)
    definition = study.read(options.study, overrides=options.overrides)
    maximize = definition.direction == "maximize"
    kept: dict[Way, list[list[Seen]]] = {way: [] for way in options.ways}
    for turn in range(max(way.turns for way in options.ways)):
        for way, searches in kept.items():
            if turn >= way.turns:
                continue
            file = options.folder / f"{way.name}-{turn}.json"
            if not file.exists():
                file.write_text(json.dumps(searched(options, way, turn)))
            searches.append([Seen(*one) for one in json.loads(file.read_text())])
            print(f"turn {turn + 1}: {way.name}, {sum(not one.complete for one in searches[-1])} epochs", flush=True)
    results = {}
    for criterion in CRITERIA:
        found = {
            way: [best_by_time(seen, criterion, maximize=maximize) for seen in searches]
            for way, searches in kept.items()
        }
        ends = [
            steps[-1][1] for way, all_of in found.items() if way.name == options.target for steps in all_of if steps
        ]
        if not ends:
            print(f"\n{criterion}: no trial of {options.target} was complete in time")
            continue
        target = statistics.median(ends)
        print(f"\n{criterion}\n\n{table(found, target, definition.metric, maximize=maximize)}")
        drawn = figure(found, target, definition.metric, criterion)
        drawn.write_html(options.folder / f"reached-{criterion.replace(' ', '-')}.html")
        results[criterion] = {"target": target, "found": {way.name: steps for way, steps in found.items()}}
    (options.folder / "reached.json").write_text(json.dumps({"study": options.study, **results}, indent=2) + "\n")


if __name__ == "__main__":
    main()
