"""How fast a command is, and how long it will take."""

import math
import time
from collections.abc import Callable


class Pace:
    """Counts the work of a command. `clock` returns seconds.

    Epochs may take minutes. So rates count from the start of the first worker to the last epoch that was reported:
    otherwise they would sink, and the time left rise, until the next one.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._started = clock()
        self._working: float | None = None
        self._reported = 0.0  # seconds of work when an epoch was last reported
        self._reports = 0
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
        """Count the training images of a stack's epoch, which is reported now."""
        self.images += images
        self._reported = self._work_seconds()
        self._reports += 1

    @property
    def seconds(self) -> float:
        """Seconds since the command began."""
        return self._clock() - self._started

    @property
    def images_per_second(self) -> float:
        """Mean since the first worker was up. A shorter window would jump: stacks report whole epochs."""
        return self.images / self._reported if self._reported else 0.0

    @property
    def runs_per_hour(self) -> float:
        """Mean since the first worker was up."""
        return 3600.0 * self.runs / self._reported if self._reported else 0.0

    def seconds_left(self, progress: float, total: int, limit: float = math.inf) -> float | None:
        """Estimate the seconds until `total` runs are done; None until there is enough data.

        Args:
            progress: number of runs done, with running ones counted by the share of their epochs
            total: number of runs in all
            limit: seconds that the command may still take
        """
        if self._progress is None:
            self._progress = progress
        done = progress - self._progress
        if done < 0.5 or not self._reported:
            return None
        # Since then, at most what lies between two reports has been done of the rest.
        since = min(self._work_seconds() - self._reported, self._reported / self._reports)
        return min(limit, max(0.0, self._reported * (total - progress) / done - since))

    def _work_seconds(self) -> float:
        return 0.0 if self._working is None else self._clock() - self._working
