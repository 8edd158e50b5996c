"""Workers on this machine: one process per GPU, or on the cores of the CPU."""

from collections.abc import Sequence
from pathlib import Path

from lenet_search.crew.places import Place, places
from lenet_search.crew.process import Process
from lenet_search.machine import usable_cores, visible_gpus


class Local:
    """Starts workers as processes of this machine.

    Args:
        workers: number of workers; None: one per GPU, or one per core
    """

    def __init__(self, workers: int | None) -> None:
        self._workers = workers
        self._places = places(workers, visible_gpus(), usable_cores())

    @property
    def most(self) -> int:
        """One worker per place."""
        return len(self._places)

    def places(self) -> Sequence[Place]:
        """The GPUs, or the cores."""
        return self._places

    def start(self, place: Place, log: Path) -> Process:
        """Start a process."""
        return Process(place, log)

    def do_without(self, place: Place) -> str:
        """Use the cores from now on: what keeps one GPU from working, such as a missing library, keeps all."""
        self._places = places(self._workers, [], usable_cores())
        return (
            "the GPU of this machine cannot be used; training on the CPU instead. To use it: pip install "
            "'lenet-search[gpu]' (for JAX 'jax[cuda12]')"
        )

    def close(self) -> None:
        """Nothing else was started."""
