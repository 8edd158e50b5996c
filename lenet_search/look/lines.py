"""Progress as plain lines, and the texts that both views share."""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lenet_search.look.progress import Progress

if TYPE_CHECKING:
    from rich.console import Console

EVERY = 30.0  # seconds between status lines without a terminal
BARS = "▁▂▃▄▅▆▇█"


class Plain:
    """Prints one line per ended trial, and a status line every 30 seconds."""

    def __init__(self, console: "Console", clock: Callable[[], float] = time.monotonic) -> None:
        self._console = console
        self._clock = clock
        self._status = clock()
        self._last: Progress | None = None

    def opening(self, title: str, text: str) -> None:
        """Print one line of the plan."""
        self._print(f"{title:<8} {text}")

    def update(self, progress: Progress) -> None:
        """Print a status line from time to time."""
        self._last = progress
        if self._clock() - self._status >= EVERY:
            self._status = self._clock()
            self._print(f"{counts(progress)}; {best(progress)}; {rates(progress)}; {left(progress)}")

    def ended(self, number: int, state: str, detail: str) -> None:
        """Print a line for the trial."""
        self._print(f"trial {number} {state}: {detail}")

    def note(self, text: str) -> None:
        """Print a line marked as a note."""
        self._print(f"note: {text}")

    def close(self) -> None:
        """Print the final status."""
        if self._last is not None:
            self._print(f"{counts(self._last)}; {best(self._last)}; {rates(self._last)}")

    def _print(self, line: str) -> None:
        self._console.print(line, markup=False, highlight=False, emoji=False, soft_wrap=True)


def counts(progress: Progress) -> str:
    """'12 of 100 trials done (8 complete, 4 pruned), 8 running'."""
    text = (
        f"{progress.complete + progress.pruned} of {progress.total} trials done "
        f"({progress.complete} complete, {progress.pruned} pruned), {len(progress.running)} running"
    )
    text += f", {progress.elsewhere} elsewhere" if progress.elsewhere else ""
    return text + (f", {progress.failed} failed" if progress.failed else "")


def best(progress: Progress) -> str:
    """'best 0.7131 (trial 12)'."""
    return (
        "none complete yet"
        if progress.best is None
        else f"best {progress.best.value:.4f} (trial {progress.best.number})"
    )


def rates(progress: Progress) -> str:
    """'120 trials/h, 24,000 images/s'."""
    return f"{progress.trials_per_hour:,.0f} trials/h, {progress.images_per_second:,.0f} images/s"


def left(progress: Progress) -> str:
    """'about 12 min left'."""
    return "time left unknown" if progress.seconds_left is None else f"about {duration(progress.seconds_left)} left"


def duration(seconds: float) -> str:
    """'45 s', '12 min', '3 h 05 min'."""
    if seconds < 90:
        return f"{max(0, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"


def recipe_in_short(params: Mapping[str, Any]) -> str:
    """Searched hyperparameters on one line: 'adam  learning_rate 0.0012  he_normal  flip 0.5'.

    Choices are shown by their value alone; numbers and flags with their name, without the section.
    """
    words = []
    for path, value in params.items():
        name = path.rsplit(".", 1)[1]
        if isinstance(value, bool):
            words.append(name if value else f"no {name}")
        elif isinstance(value, str):
            words.append(value)
        else:
            words.append(f"{name} {value:.3g}" if isinstance(value, float) else f"{name} {value}")
    return "  ".join(words)


def sparkline(values: Sequence[float], width: int) -> str:
    """A curve as text of at most `width` characters, scaled from its lowest value to its highest."""
    finite = [value for value in values if math.isfinite(value)]
    if not finite or width < 1:
        return ""
    if len(finite) > width:
        finite = [finite[round(i * (len(finite) - 1) / max(1, width - 1))] for i in range(width)]
    low, high = min(finite), max(finite)
    if high == low:
        return BARS[3] * len(finite)
    scale = (len(BARS) - 1) / (high - low)
    return "".join(BARS[round((value - low) * scale)] for value in finite)
