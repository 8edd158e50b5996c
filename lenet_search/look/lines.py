"""Progress in plain lines, and the words that both views use."""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lenet_search.look.console import Audience
from lenet_search.look.intervals import figure
from lenet_search.look.progress import Progress

if TYPE_CHECKING:
    from rich.console import Console

EVERY = 10.0  # seconds between two status lines where there is no terminal
UNCHANGED = 60.0  # the same while nothing happens
TITLE = len("Precision")  # the longest title of a line of the plan
BARS = "▁▂▃▄▅▆▇█"


class Plain:
    """One line per ended run, and how it stands: every ten seconds, or every minute if nothing was trained since."""

    def __init__(self, console: "Console", clock: Callable[[], float] = time.monotonic) -> None:
        self._console = console
        self._audience = Audience()
        self._clock = clock
        self._status = clock()
        self._said: list[str] = []
        self._last: Progress | None = None

    @property
    def gone(self) -> bool:
        """Whether the reader has closed the pipe."""
        return self._audience.gone

    def opening(self, title: str, text: str) -> None:
        """Print one line of the plan."""
        self._print(f"{title:<{TITLE}} {text}")

    def update(self, progress: Progress) -> None:
        """Print a status line from time to time."""
        self._last = progress
        waited = self._clock() - self._status
        if waited >= EVERY and (waited >= UNCHANGED or trained(progress) != self._said):
            self._status, self._said = self._clock(), trained(progress)
            self._print("; ".join([*words(progress), left(progress)]))

    def ended(self, name: str, state: str, detail: str) -> None:
        """A line for the run."""
        self._print(f"{name} {state}: {detail}")

    def note(self, text: str) -> None:
        """Print a line marked as a note."""
        self._print(f"note: {text}")

    def close(self) -> None:
        """Print the final status."""
        if self._last is not None:
            self._print("; ".join(words(self._last)))

    def _print(self, line: str) -> None:
        def printing() -> None:
            self._console.print(line, markup=False, highlight=False, emoji=False, soft_wrap=True)

        self._audience.show(printing)


def words(progress: Progress) -> list[str]:
    """How far, how good and how fast: the parts of a status line."""
    return [*trained(progress), *filter(None, [rates(progress)])]


def trained(progress: Progress) -> list[str]:
    """How far and how good: what changes only if something happens."""
    standing = progress.standing
    counted = f"{standing.done} of {standing.total} {standing.unit}s done ({states(progress)})"
    return [counted, *filter(None, (epochs(progress), best(progress)))]


def epochs(progress: Progress) -> str:
    """'35 of 50 epochs', those of all runs together; empty for a search, where it is the pruner's to say."""
    done, total = progress.epochs
    return f"{done:,} of {total:,} epochs" if total else ""


def states(progress: Progress) -> str:
    """'8 complete, 4 pruned, 8 running'."""
    standing = progress.standing
    parts = [f"{standing.complete} complete"]
    parts += [f"{standing.pruned} pruned"] if standing.unit == "trial" else []
    parts += [f"{progress.count} running"]
    parts += [f"{progress.other} running in other processes"] if progress.other else []
    parts += [f"{standing.interrupted} interrupted"] if standing.interrupted else []
    parts += [f"{standing.failed} failed"] if standing.failed else []
    return ", ".join(parts)


def best(progress: Progress) -> str:
    """'best 71.31 % (trial 12); best of those running 72.02 % (trial 40, 5 of 8 epochs)'.

    Empty for runs, of which none is chosen.
    """
    standing = progress.standing
    if standing.unit != "trial":
        return ""
    complete = "none complete yet"
    if standing.best is not None:
        complete = f"best {figure(standing.best.value, standing.metric)} (trial {standing.best.number})"
    return "; ".join(filter(None, (complete, leading(progress))))


def leading(progress: Progress) -> str:
    """'best of those running 72.02 % (trial 40, 5 of 8 epochs)'; empty if none of them has ended an epoch."""
    leader = progress.leader
    if leader is None:
        return ""
    value = figure(leader.values[-1], progress.standing.metric)
    return f"best of those running {value} ({leader.name}, {len(leader.values)} of {leader.epochs} epochs)"


def rates(progress: Progress) -> str:
    """'120 trials/h, 24,000 images/s', and how far long epochs are; before the first, what is waited for."""
    if not progress.images_per_second:
        if progress.starting:
            return f"starting {progress.starting} worker{'' if progress.starting == 1 else 's'}"
        if progress.part:
            return f"first epoch, {100 * progress.part:.0f} % done"
        return "compiling, then the first epoch" if progress.running else ""
    ended = f"{progress.per_hour:,.0f} {progress.standing.unit}s/h, " if progress.per_hour else ""
    part = f", present epochs {100 * progress.part:.0f} % done" if progress.part else ""
    return f"{ended}{progress.images_per_second:,.0f} images/s{part}"


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
