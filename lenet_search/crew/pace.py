"""How fast a command is, and how long it will take."""

import math
import time
from collections.abc import Callable


class Pace:
    """Counts the work of a command. `clock` returns seconds; rates count from the start of the first worker."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._started = clock()
        self._working: float | None = None
        self._progress: float | None = None  # number of runs done when work began
        self.images = 0
        self.epochs = 0  # those of all runs together
        self.vain = 0  # number of further epochs, of runs that were given up while they trained them
        self.runs = 0.0  # number of runs, or of what they are parts of, that are over

    def begin(self) -> None:
        """Start the clock of the rates, when the first worker is up."""
        if self._working is None:
            self._working = self._clock()

    def add_images(self, images: int) -> None:
        """Count training images."""
        self.images += images

    @property
    def seconds(self) -> float:
        """Seconds since the command began."""
        return self._clock() - self._started

    @property
    def images_per_second(self) -> float:
        """Mean since the first worker was up. A shorter window would jump: stacks report whole epochs."""
        span = self._work_seconds()
        return self.images / span if span > 0 else 0.0

    @property
    def runs_per_hour(self) -> float:
        """Mean since the first worker was up."""
        span = self._work_seconds()
        return 3600.0 * self.runs / span if span > 0 else 0.0

    def seconds_left(self, progress: float, total: int, limit: float = math.inf) -> float | None:
        """Estimate the seconds until `total` runs are done; None until there is enough data.

        Args:
            progress: number of runs done, with running ones counted by the share of their epochs
            total: number of runs in all
            limit: seconds that the command may still take
        """
        span = self._work_seconds()
        if self._progress is None:
            self._progress = progress
        done = progress - self._progress
        return min(limit, span * (total - progress) / done) if done >= 0.5 and span > 0 else None

    def _work_seconds(self) -> float:
        return 0.0 if self._working is None else self._clock() - self._working
