"""How far several workers are: a bar for each on a terminal, a line now and then where nobody watches."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import TaskID

QUIET_SECONDS = 30.0  # between two lines about one recipe


@dataclass
class _Open:
    """What one worker is at: its bar, the epochs before it, and when a line was last said about it."""

    bar: "TaskID"
    total: int
    said: float


class Progress:
    """A `experiments.crew.View` on stderr."""

    def __init__(self) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bars

        from lenet_search.cli.terminal import console, on_terminal

        self._console = console(stderr=True)
        self._bars = Bars(
            TextColumn("{task.fields[recipe]}", markup=False), BarColumn(), MofNCompleteColumn(), TextColumn("epochs"),
            TimeRemainingColumn(), TextColumn("{task.description}", markup=False), console=self._console,
            disable=not on_terminal(),
        )  # fmt: skip
        self._open: dict[tuple[str, tuple[int, ...]], _Open] = {}

    def __enter__(self) -> "Progress":
        self._bars.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._bars.stop()

    def note(self, text: str) -> None:
        """A line that stays."""
        self._console.print(text, soft_wrap=True)

    def begin(self, name: str, seeds: Sequence[int], total: int) -> None:
        """A worker starts on some seeds of a recipe."""
        bar = self._bars.add_task("starting", total=total or 1, recipe=_called(name, seeds))
        self._open[name, tuple(seeds)] = _Open(bar, total, time.monotonic())

    def progress(self, name: str, seeds: Sequence[int], done: int, text: str) -> None:
        """It has done so many epochs."""
        each = self._open[name, tuple(seeds)]
        self._bars.update(each.bar, completed=done, description=text)
        now = time.monotonic()
        if self._bars.disable and now - each.said > QUIET_SECONDS:
            each.said = now
            self.note(f"{_called(name, seeds)}: {done} of {each.total} epochs, {text}")

    def end(self, name: str, seeds: Sequence[int]) -> None:
        """It is through."""
        self._bars.remove_task(self._open.pop((name, tuple(seeds))).bar)


def _called(name: str, seeds: Sequence[int]) -> str:
    if len(seeds) == 1:
        return f"{name}, seed {seeds[0]}"
    inside = f"{seeds[0]} to {seeds[-1]}" if seeds[-1] - seeds[0] == len(seeds) - 1 else ", ".join(map(str, seeds))
    return f"{name}, seeds {inside}"
