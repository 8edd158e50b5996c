"""The messages between parent and worker.

    parent                         worker
    Setup  ----------------------->
           <-----------------------  Ready            when its device is up
    Orders ----------------------->                   whenever the worker holds no run
           <-----------------------  PartDone         now and then during a long epoch of a stack
           <-----------------------  EpochDone        after each epoch of a stack
    Orders ----------------------->                   at once: the worker waits for them
           <-----------------------  Froze            if the orders asked for it; also the last message, see below
           <-----------------------  Halved, Refused  when memory is short
           <-----------------------  Tested, Built    when a test is done, or a model is built
           <-----------------------  Measuring        while it measures, if ordered to
           <-----------------------  Ready            again, after measuring
           <-----------------------  Trouble          at any time, before it leaves

A worker trains while it holds a run, and waits for orders while it holds none. Both sides know which is the case.

Its standard input is a lifeline. When it closes, the parent is gone, and the worker leaves at once. A byte on it means:
freeze everything and leave. The worker answers with a `Froze` immediately, not at the end of an epoch: a run in the
middle of an epoch is frozen as it was before it.
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

    space        space of all recipes, which determines structures; None: each recipe is a space of its own
    threads      number of CPU threads
    slots        number of slots of a stack; None: to suit the device
    data_folder  folder searched for NAME.npz or NAME/
    probe        whether to determine what "auto" means as `train.precision`
    runs         about how many runs of a search the worker will train; None: this is no search
    """

    space: Space | None
    threads: int
    slots: Slots
    data_folder: Path | None
    probe: bool = False
    runs: int | None = None


@dataclass(frozen=True)
class Ready:
    """A worker is up: its device in words, the size of its stacks (0: not measured yet), and package versions."""

    device: str = ""
    on_gpu: bool = False
    slots: int = 0
    precision: str = ""  # what "auto" means on this device, if asked
    versions: Mapping[str, str] = field(default_factory=dict)
    size: str = ""  # the size of its stacks and its reason, in words; empty if there is nothing to say


@dataclass(frozen=True)
class Load:
    """A run to train.

    number  identifies the run
    values  the recipe's flat values, with its precision settled
    seed    seed of the initial weights
    clock   required clock of its stack; None: any
    epochs  number of epochs already done
    state   state after these epochs
    model   whether to send its model's file at the end, instead of its weights
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
    """A model (the bytes of `file`) to measure on the test set of `data`, brought to `size`, on `limit` images."""

    number: int
    model: bytes
    data: str
    limit: int | None = None
    size: int = 0  # as `data.size`
    file: str = "the model"  # for messages: a worker does not read it


@dataclass(frozen=True)
class Building:
    """A run whose model's file is wanted: its recipe's flat values, `data.Split.describe()`, and its weights."""

    values: Mapping[str, Value]
    images: Mapping[str, Any]
    weights: Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Orders:
    """Runs to give up, to train, models to test and to build, and whether to copy the states of running runs.

    `measure`, if not 0, asks to measure the size of stacks instead; it is the number of workers that share the device.
    The precision "auto" then means `precision`.
    """

    drop: tuple[int, ...] = ()
    load: tuple[Load, ...] = ()
    test: tuple[Testing, ...] = ()
    build: tuple[Building, ...] = ()
    freeze: bool = False
    measure: int = 0
    precision: str = "float32"


@dataclass(frozen=True)
class Measuring:
    """A line of progress for the user."""

    text: str


@dataclass(frozen=True)
class PartDone:
    """The runs of a stack, by number, have trained this share of their epoch."""

    numbers: tuple[int, ...]
    share: float


@dataclass(frozen=True)
class RunEpoch:
    """One epoch of a run; the last one brings `weights` or `model`. A diverged or complete run has left its slot.

    It has the content of the engine's `EpochResult` in plain numbers: the parent reads it without the engine.
    """

    number: int
    clock: int  # clock of the stack before this epoch
    epoch: int  # epoch of this run, from 1
    measured: Mapping[str, float]  # by `Curve.NAMES`
    images: int  # number of images trained on in this epoch
    finite: bool
    weights: Mapping[str, np.ndarray] | None = None
    model: bytes | None = None


@dataclass(frozen=True)
class EpochDone:
    """A stack has trained an epoch on the images described by `images`; the worker could take `room` more runs.

    seconds   duration of the epoch
    programs  number of programs the worker has compiled since it started
    """

    epochs: tuple[RunEpoch, ...]
    images: Mapping[str, Any]
    room: int
    seconds: float = 0.0
    programs: int = 0


@dataclass(frozen=True)
class Froze:
    """Copies of runs' states: (epochs done, state) by number. Copying and sending took `seconds`."""

    states: Mapping[int, tuple[int, SlotState]]
    seconds: float = 0.0
    last: bool = False  # whether the worker leaves


@dataclass(frozen=True)
class Halved:
    """A stack did not fit in memory: stacks of this structure now have at most `slots` slots."""

    slots: int


@dataclass(frozen=True)
class Refused:
    """A run does not fit in memory even alone; it has left its slot."""

    number: int
    reason: str


@dataclass(frozen=True)
class Tested:
    """The result of a test: how many of `n` images were right."""

    number: int
    right: int
    n: int


@dataclass(frozen=True)
class Built:
    """A model's file."""

    model: bytes


@dataclass(frozen=True)
class Trouble:
    """An error that a new worker would repeat, such as missing images or a batch larger than the data."""

    kind: str  # a class of `lenet_search.errors`
    message: str


FromWorker = Ready | Measuring | PartDone | EpochDone | Froze | Halved | Refused | Tested | Built | Trouble
