"""The live view: progress, best trial, speed and running trials, redrawn in place."""

from rich import box
from rich.console import Console, Group, RenderableType
from rich.live import Live as RichLive
from rich.padding import Padding
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from lenet_search.look.lines import Plain, counts, duration, rates, recipe_in_short, sparkline
from lenet_search.look.progress import Progress, RunningTrial, View

ROWS = 8  # maximum number of running trials shown; a GPU runs many more
SPARK = 24  # characters
REDRAWS = 4  # per second


def view_for(console: Console) -> View:
    """The view for `console`: live on a terminal, else plain lines."""
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

    def ended(self, number: int, state: str, detail: str) -> None:
        """Print a line for a failed trial. The panel shows the others."""
        if state == "failed":
            self._console.print(Text(f"trial {number} failed: {detail}", style="yellow"))

    def note(self, text: str) -> None:
        """Print a line above the panel."""
        self._console.print(Text(text, style="yellow"))

    def close(self) -> None:
        """Stop redrawing, and restore the cursor."""
        if self._started:
            self._live.stop()


def panel(progress: Progress, width: int) -> RenderableType:
    """The panel for a terminal `width` characters wide."""
    parts: list[RenderableType] = [_how_far(progress), _numbers(progress)]
    if progress.best is not None:
        parts.append(_best(progress))
    if progress.running:
        parts.append(Padding(_running(progress, width), (1, 0, 0, 0)))
    title = Text.assemble((progress.study, "bold"), f"  {progress.metric}", style="default")
    return Panel(Group(*parts), title=title, title_align="left", box=box.ROUNDED, border_style="cyan", padding=(0, 1))


def _how_far(progress: Progress) -> Table:
    done = progress.complete + progress.pruned
    line = Table.grid(padding=(0, 2), expand=True)
    line.add_column(ratio=1)
    line.add_column(no_wrap=True, justify="right")
    open_end = progress.seconds_left is None or done >= progress.total
    when = "" if open_end else f"{duration(progress.seconds_left or 0.0)} left, "
    bar = ProgressBar(total=max(1, progress.total), completed=min(done, progress.total), complete_style="cyan")
    line.add_row(bar, Text(f"{done} of {progress.total}   {when}{duration(progress.seconds)} so far"))
    return line


def _numbers(progress: Progress) -> Text:
    words = counts(progress).partition(" trials done ")[2].replace("(", "", 1).replace(")", "", 1)
    return Text.assemble((words, "default"), ("   " + rates(progress), "dim"))


def _best(progress: Progress) -> Table:
    assert progress.best is not None
    line = Table.grid(padding=(0, 2))
    line.add_column(no_wrap=True)
    line.add_column(overflow="fold")
    value = Text.assemble(("best ", "bold"), (f"{progress.best.value:.4f}", "bold green"))
    line.add_row(value, Text(sparkline(progress.bests, SPARK), style="green"))
    line.add_row(Text(f"trial {progress.best.number}", style="dim"), Text(recipe_in_short(progress.best.params)))
    return line


def _running(progress: Progress, width: int) -> RenderableType:
    table = Table.grid(padding=(0, 2))
    for justify in ("right", "left", "right", "right", "left"):
        table.add_column(justify=justify, no_wrap=True)
    furthest = sorted(progress.running, key=lambda trial: (-len(trial.values) / trial.epochs, trial.number))
    for trial in furthest[:ROWS]:
        table.add_row(*_row(trial, max(8, min(30, width - 50))))
    if len(furthest) <= ROWS:
        return table
    return Group(table, Text(f"and {len(furthest) - ROWS} more", style="dim"))


def _row(trial: RunningTrial, width: int) -> list[RenderableType]:
    epoch = len(trial.values)
    return [
        Text(f"trial {trial.number}", style="dim"),
        ProgressBar(total=trial.epochs, completed=epoch, width=width // 2, complete_style="blue"),
        Text(f"{epoch}/{trial.epochs}", style="dim"),
        Text(f"{trial.values[-1]:.4f}" if trial.values else "starting"),
        Text(sparkline(trial.values, width // 2), style="blue"),
    ]
