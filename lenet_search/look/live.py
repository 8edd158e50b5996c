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

from lenet_search.look.lines import Plain, duration, rates, recipe_in_short, sparkline, states
from lenet_search.look.progress import Progress, Running, Standing, View

ROWS = 8  # runs that are shown; a GPU runs many more
SPARK = 24  # characters
REDRAWS = 4  # per second


def view_for(console: Console) -> View:
    """The view that suits `console`: live where a person watches, in a notebook too, else plain lines."""
    if console.is_jupyter:  # Rich redraws there with the help of ipywidgets
        return Live(console) if importlib.util.find_spec("ipywidgets") else Plain(console)
    return Live(console) if console.is_terminal and not console.is_dumb_terminal else Plain(console)


class Live:
    """Draws a panel below the printed lines. Its last state remains on the screen after `close`."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = RichLive(console=console, auto_refresh=False, transient=False)
        self._started = False

    def opening(self, title: str, text: str) -> None:
        """Print one line of the plan."""
        line = Table.grid(padding=(0, 1))
        line.add_column(width=8, style="bold cyan", no_wrap=True)
        line.add_column(overflow="fold")
        line.add_row(title, Text(text))
        self._console.print(line)

    def update(self, progress: Progress) -> None:
        """Redraw the panel."""
        if not self._started:
            self._started = True
            self._live.start()
        self._live.update(panel(progress, self._console.width), refresh=True)

    def ended(self, name: str, state: str, detail: str) -> None:
        """Only failures get a line of their own: the panel shows the rest."""
        if state == "failed":
            self._console.print(Text(f"{name} failed: {detail}", style="yellow"))

    def note(self, text: str) -> None:
        """Print a line above the panel."""
        self._console.print(Text(text, style="yellow"))

    def close(self) -> None:
        """Stop redrawing, and restore the cursor."""
        if self._started:
            self._live.stop()


def panel(progress: Progress, width: int) -> RenderableType:
    """The whole picture, for a terminal `width` characters wide."""
    parts: list[RenderableType] = [_how_far(progress), _numbers(progress)]
    if progress.standing.best is not None:
        parts.append(_best(progress.standing))
    if progress.running:
        parts.append(Padding(_running(progress, width), (1, 0, 0, 0)))
    title = Text.assemble((progress.standing.name, "bold"), f"  {progress.standing.metric}", style="default")
    return Panel(Group(*parts), title=title, title_align="left", box=box.ROUNDED, border_style="cyan", padding=(0, 1))


def _how_far(progress: Progress) -> Table:
    done, total = progress.standing.done, progress.standing.total
    line = Table.grid(padding=(0, 2), expand=True)
    line.add_column(ratio=1)
    line.add_column(no_wrap=True, justify="right")
    open_end = progress.seconds_left is None or done >= total
    when = "" if open_end else f"{duration(progress.seconds_left or 0.0)} left, "
    bar = ProgressBar(total=max(1, total), completed=min(done, total), complete_style="cyan")
    line.add_row(bar, Text(f"{done} of {total}   {when}{duration(progress.seconds)} so far"))
    return line


def _numbers(progress: Progress) -> Text:
    return Text.assemble((states(progress), "default"), ("   " + rates(progress), "dim"))


def _best(standing: Standing) -> Table:
    assert standing.best is not None
    line = Table.grid(padding=(0, 2))
    line.add_column(no_wrap=True)
    line.add_column(overflow="fold")
    value = Text.assemble(("best ", "bold"), (f"{standing.best.value:.4f}", "bold green"))
    line.add_row(value, Text(sparkline(standing.bests, SPARK), style="green"))
    line.add_row(Text(f"trial {standing.best.number}", style="dim"), Text(recipe_in_short(standing.best.params)))
    return line


def _running(progress: Progress, width: int) -> RenderableType:
    table = Table.grid(padding=(0, 2))
    for justify in ("right", "left", "right", "right", "left"):
        table.add_column(justify=justify, no_wrap=True)
    furthest = sorted(progress.running, key=lambda run: -len(run.values) / run.epochs)
    for run in furthest[:ROWS]:
        table.add_row(*_row(run, max(8, min(30, width - 50))))
    if len(furthest) <= ROWS:
        return table
    return Group(table, Text(f"and {len(furthest) - ROWS} more", style="dim"))


def _row(run: Running, width: int) -> list[RenderableType]:
    epoch = len(run.values)
    return [
        Text(run.name, style="dim"),
        ProgressBar(total=run.epochs, completed=epoch, width=width // 2, complete_style="blue"),
        Text(f"{epoch}/{run.epochs}", style="dim"),
        Text(f"{run.values[-1]:.4f}" if run.values else "starting"),
        Text(sparkline(run.values, width // 2), style="blue"),
    ]
