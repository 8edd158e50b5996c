"""What parent and worker say to each other over their pipe.

    parent                         worker
    Setup  ----------------------->
           <-----------------------  Ready            when its device is up
    Orders ----------------------->                   whenever the worker holds no run
           <-----------------------  EpochDone        after each epoch of a stack
    Orders ----------------------->                   at once: it waits for this one
           <-----------------------  Froze            where orders asked for it; and last of all, see below
           <-----------------------  Halved, Refused  where memory is short
           <-----------------------  Tested           where orders asked for a test
           <-----------------------  Measuring        a line now and then, where orders were to measure
           <-----------------------  Ready            again, after that
           <-----------------------  Trouble          instead of anything, before it leaves

A worker trains as long as it holds a run and waits for orders when it holds none: both sides know which.

Its standard input is a lifeline. When it closes, the parent is gone, and the worker leaves in the middle of whatever it
does. A byte on it means: freeze everything and leave. The answer, a `Froze`, comes within the moment and not at the
end of an epoch: a run that is in the middle of one is frozen as it was before it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from lenet_search.crew.places import Slots
from lenet_search.frozen import SlotState
from lenet_search.recipe import Value
from lenet_search.space import Space


@dataclass(frozen=True)
class Setup:
    """What a worker needs to know before it can start.

    space        that all recipes come from; structures follow from it. None: each recipe is a space of its own
    threads      of the processor
    slots        of a stack; None: as many as suit the device
    data_folder  folder searched for NAME.npz
    probe        whether to find out what "auto" means as `train.precision`
    """

    space: Space | None
    threads: int
    slots: Slots
    data_folder: Path | None
    probe: bool = False


@dataclass(frozen=True)
class Ready:
    """A worker is up: its device in words, the size of its stacks (0: yet to be measured), and what computes there."""

    device: str = ""
    on_gpu: bool = False
    slots: int = 0
    precision: str = ""  # what "auto" means there, where it was to find out
    versions: Mapping[str, str] = field(default_factory=dict)
    size: str = ""  # where the size of its stacks comes from, in words, if it was measured


@dataclass(frozen=True)
class Load:
    """A run to train.

    number  by which both sides call it
    values  the recipe's flat values, its precision settled
    seed    of the initial weights
    clock   where its stack's clock must stand; None: wherever it stands
    epochs  that were done already, with
    state   after them
    model   whether its model's file is wanted at the end, rather than its weights
    """

    number: int
    values: Mapping[str, Value]
    seed: int
    clock: int | None = None
    epochs: int = 0
    state: SlotState | None = None
    model: bool = False


@dataclass(frozen=True)
class Testing:
    """A model (its file's bytes) to measure on the test set of `data`, on at most `limit` images."""

    number: int
    model: bytes
    data: str
    limit: int | None = None


@dataclass(frozen=True)
class Orders:
    """Runs to give up and runs to take, models to test, and whether to freeze a copy of what runs.

    `measure` asks for the size of stacks instead, that many workers sharing the device; recipes whose precision is
    "auto" then mean `precision`.
    """

    drop: tuple[int, ...] = ()
    load: tuple[Load, ...] = ()
    test: tuple[Testing, ...] = ()
    freeze: bool = False
    measure: int = 0
    precision: str = "float32"


@dataclass(frozen=True)
class Measuring:
    """A line for the person who waits."""

    text: str


@dataclass(frozen=True)
class RunEpoch:
    """One run's epoch. Its last one brings `weights` or `model`; a run that diverged or is complete has left its slot.

    The engine's `EpochResult` in plain numbers: the parent must not need the engine to read it.
    """

    number: int
    clock: int  # the stack's before this epoch
    epoch: int  # of this run, from 1
    measured: Mapping[str, float]  # by `Curve.NAMES`
    images: int  # trained on in this epoch
    finite: bool
    weights: Mapping[str, np.ndarray] | None = None
    model: bytes | None = None


@dataclass(frozen=True)
class EpochDone:
    """A stack ran an epoch on the images that `images` describes; the worker could take `room` more runs.

    seconds   that the epoch took
    programs  how many the worker has compiled since it started
    """

    epochs: tuple[RunEpoch, ...]
    images: Mapping[str, Any]
    room: int
    seconds: float = 0.0
    programs: int = 0


@dataclass(frozen=True)
class Froze:
    """Copies of runs' states, by number, each with the epochs done. Packing and sending took `seconds`."""

    states: Mapping[int, tuple[int, SlotState]]
    seconds: float = 0.0
    last: bool = False  # the worker leaves


@dataclass(frozen=True)
class Halved:
    """A stack did not fit into the memory: from now on stacks of this kind have at most `slots`."""

    slots: int


@dataclass(frozen=True)
class Refused:
    """A run that does not fit into the memory even alone; it has left."""

    number: int
    reason: str


@dataclass(frozen=True)
class Tested:
    """A model was measured: how many of `n` test images are right."""

    number: int
    right: int
    n: int


@dataclass(frozen=True)
class Trouble:
    """Something that no new worker would do better at: images that cannot be had, a batch larger than the data."""

    kind: str  # a class of `lenet_search.errors`
    message: str


FromWorker = Ready | Measuring | EpochDone | Froze | Halved | Refused | Tested | Trouble
