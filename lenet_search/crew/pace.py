"""How fast a command goes, and how long it still takes."""

import time
from collections.abc import Callable


class Pace:
    """Counts what a command does. `clock` gives seconds; the rates that are shown start with the first worker."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._started = clock()
        self._working: float | None = None
        self._progress: float | None = None  # runs done when work began
        self.images = 0
        self.runs = 0  # that are over

    def begin(self) -> None:
        """A worker is up."""
        if self._working is None:
            self._working = self._clock()

    def add_images(self, images: int) -> None:
        """Images were trained on."""
        self.images += images

    @property
    def seconds(self) -> float:
        """Since the command began."""
        return self._clock() - self._started

    @property
    def images_per_second(self) -> float:
        """Since the first worker was up. A shorter window would jump: a stack reports a whole epoch at once."""
        span = self._work_seconds()
        return self.images / span if span > 0 else 0.0

    @property
    def runs_per_hour(self) -> float:
        """Since the first worker was up."""
        span = self._work_seconds()
        return 3600.0 * self.runs / span if span > 0 else 0.0

    def seconds_left(self, progress: float, total: int) -> float | None:
        """Until `total` runs are done, when `progress` are: running ones count by the share of their epochs.

        None until enough has happened to tell.
        """
        span = self._work_seconds()
        if self._progress is None:
            self._progress = progress
        done = progress - self._progress
        return span * (total - progress) / done if done >= 0.5 and span > 0 else None

    def _work_seconds(self) -> float:
        return 0.0 if self._working is None else self._clock() - self._working
