"""The live view: progress, best trial, speed and running trials, redrawn in place."""

import importlib.util

from rich import box
from rich.console import Console, Group, RenderableType
from rich.live import Live as RichLive
from rich.padding import Padding
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from lenet_search.look.console import Audience
from lenet_search.look.intervals import figure
from lenet_search.look.lines import TITLE, Plain, duration, epochs, leading, rates, recipe_in_short, sparkline, states
from lenet_search.look.progress import Progress, Running, Standing, View
from lenet_search.look.streams import is_watched

ROWS = 8  # runs that are shown; a GPU runs many more
SPARK = 24  # characters
REDRAWS = 4  # per second


def view_for(console: Console) -> View:
    """The view that suits `console`: live where a person watches, in a notebook too, else plain lines.

    Rich takes FORCE_COLOR for a terminal, but colors in a file are no reason to redraw it.
    """
    if console.is_jupyter:  # Rich redraws there with the help of ipywidgets
        return Live(console) if importlib.util.find_spec("ipywidgets") else Plain(console)
    watched = is_watched(console.file) and console.is_terminal and console.is_interactive
    return Live(console) if watched else Plain(console)


class Live:
    """Draws a panel below the printed lines. Its last state remains on the screen after `close`."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._audience = Audience()
        self._live = RichLive(console=console, auto_refresh=False, transient=False)
        self._started = False

    @property
    def gone(self) -> bool:
        """Whether the reader has closed the pipe."""
        return self._audience.gone

    def opening(self, title: str, text: str) -> None:
        """Print one line of the plan."""
        line = Table.grid(padding=(0, 1))
        line.add_column(width=TITLE, style="bold cyan", no_wrap=True)
        line.add_column(overflow="fold")
        line.add_row(title, Text(text))
        self._print(line)

    def update(self, progress: Progress) -> None:
        """Redraw the panel."""
        self._audience.show(lambda: self._draw(progress))

    def _draw(self, progress: Progress) -> None:
        if not self._started:
            self._started = True
            self._live.start()
        self._live.update(panel(progress, self._console.width), refresh=True)

    def ended(self, name: str, state: str, detail: str) -> None:
        """Only failures get a line of their own: the panel shows the rest."""
        if state == "failed":
            self._print(Text(f"{name} failed: {detail}", style="yellow"))

    def note(self, text: str) -> None:
        """Print a line above the panel."""
        self._print(Text(text, style="yellow"))

    def close(self) -> None:
        """Stop redrawing, and restore the cursor."""
        if self._started:
            self._audience.show(self._live.stop)

    def _print(self, content: RenderableType) -> None:
        self._audience.show(lambda: self._console.print(content))


def panel(progress: Progress, width: int) -> RenderableType:
    """The whole picture, for a terminal `width` characters wide."""
    parts: list[RenderableType] = [_how_far(progress), _numbers(progress)]
    if progress.standing.best is not None:
        parts.append(_best(progress.standing, width))
    if text := leading(progress):
        parts.append(Text(text, style="dim"))
    if progress.running:
        parts.append(Padding(_running(progress, width), (1, 0, 0, 0)))
    title = Text.assemble((progress.standing.name, "bold"), f"  {progress.standing.metric}", style="default")
    return Panel(Group(*parts), title=title, title_align="left", box=box.ROUNDED, border_style="cyan", padding=(0, 1))


def _how_far(progress: Progress) -> Table:
    standing = progress.standing
    trained, epochs_in_all = progress.epochs
    under_way = progress.part * len(progress.running)
    done, total = (trained + under_way, epochs_in_all) if epochs_in_all else (standing.done, standing.total)
    line = Table.grid(padding=(0, 2), expand=True)
    line.add_column(ratio=1)
    line.add_column(justify="right")
    open_end = progress.seconds_left is None or done >= total
    when = "" if open_end else f"{duration(progress.seconds_left or 0.0)} left, "
    bar = ProgressBar(total=max(1, total), completed=min(done, total), complete_style="cyan")
    counted = epochs(progress) or f"{done} of {total}"
    line.add_row(bar, Text(f"{counted}   {when}{duration(progress.seconds)} so far"))
    return line


def _numbers(progress: Progress) -> Text:
    standing = progress.standing
    runs = "" if standing.unit == "trial" else f"{standing.done} of {standing.total} {standing.unit}s: "
    return Text.assemble((runs + states(progress), "default"), ("   " + rates(progress), "dim"))


def _best(standing: Standing, width: int) -> Table:
    assert standing.best is not None
    line = Table.grid(padding=(0, 2))
    line.add_column(no_wrap=True)
    line.add_column(overflow="fold")
    value = Text.assemble(("best ", "bold"), (figure(standing.best.value, standing.metric), "bold green"))
    line.add_row(value, Text(sparkline(standing.bests, max(8, min(SPARK, width - 24))), style="green"))
    line.add_row(Text(f"trial {standing.best.number}", style="dim"), Text(recipe_in_short(standing.best.params)))
    return line


def _running(progress: Progress, width: int) -> RenderableType:
    """The runs that are furthest; if several nodes train, some of each, below a line with its name."""
    furthest = sorted(progress.running, key=lambda run: -len(run.values) / run.epochs)
    by_node: dict[str, list[Running]] = {}
    for run in sorted(furthest, key=lambda run: run.node):  # sorting is stable
        by_node.setdefault(run.node, []).append(run)
    if len(by_node) == 1:
        more = len(furthest) - ROWS
        table = _table(furthest[:ROWS], progress, width)
        return Group(table, Text(f"and {more} more", style="dim")) if more > 0 else table
    parts: list[RenderableType] = []
    for node, runs in list(by_node.items())[:ROWS]:
        parts.append(Text.assemble((node, "bold"), f"  {len(runs)} running"))
        parts.append(_table(runs[: max(1, ROWS // len(by_node))], progress, width))
    if len(by_node) > ROWS:
        parts.append(Text(f"and {len(by_node) - ROWS} more nodes", style="dim"))
    return Group(*parts)


def _table(runs: list[Running], progress: Progress, width: int) -> Table:
    table = Table.grid(padding=(0, 2))
    for justify in ("right", "left", "right", "right", "left"):
        table.add_column(justify=justify, no_wrap=True)
    for run in runs:
        table.add_row(*_row(run, progress.standing.metric, max(8, min(30, width - 50))))
    return table


def _row(run: Running, metric: str, width: int) -> list[RenderableType]:
    epoch = len(run.values)
    return [
        Text(run.name, style="dim"),
        ProgressBar(total=run.epochs, completed=epoch + run.part, width=width // 2, complete_style="blue"),
        Text(f"{epoch}/{run.epochs}", style="dim"),
        Text(figure(run.values[-1], metric) if run.values else "first epoch" if run.part else "starting"),
        Text(sparkline(run.values, width // 2), style="blue"),
    ]
