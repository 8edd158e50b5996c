"""What parent and worker say to each other over their pipe.

    parent                         worker
    Setup  ----------------------->
           <-----------------------  Ready            when its device is up
    Orders ----------------------->                   whenever the worker holds no trial
           <-----------------------  EpochDone        after each epoch of a stack
    Orders ----------------------->                   at once: it waits for this one
           <-----------------------  Measuring        a line now and then, where orders were to measure
           <-----------------------  Ready            again, after that
           <-----------------------  Trouble          instead of anything, before it leaves

A worker trains as long as it holds a trial and waits for orders when it holds none: both sides know which.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from lenet_search.crew.places import Slots
from lenet_search.recipe import Value
from lenet_search.space import Space


@dataclass(frozen=True)
class Setup:
    """What a worker needs to know before it can start. `slots` None: as many as suit the device."""

    space: Space
    threads: int
    slots: Slots
    data_folder: Path | None


@dataclass(frozen=True)
class Ready:
    """A worker is up: its device in words, the size of its stacks (0: yet to be measured), and what computes there."""

    device: str = ""
    on_gpu: bool = False
    slots: int = 0
    precision: str = "float32"  # what "auto" means there
    versions: Mapping[str, str] = field(default_factory=dict)
    size: str = ""  # where the size of its stacks comes from, in words, if it was measured


@dataclass(frozen=True)
class Job:
    """A trial to train: a recipe's flat values and the seed of its initial weights."""

    number: int
    values: Mapping[str, Value]
    seed: int


@dataclass(frozen=True)
class Orders:
    """Trials to give up, and trials to take; or to find the stack size, `measure` workers sharing the device."""

    prune: tuple[int, ...] = ()
    new: tuple[Job, ...] = ()
    measure: int = 0


@dataclass(frozen=True)
class Measuring:
    """A line for the person who waits."""

    text: str


@dataclass(frozen=True)
class TrialEpoch:
    """One trial's epoch. `weights` come with its last one; a trial that has diverged or is complete has left.

    The engine's `EpochResult` in plain numbers: the parent must not need the engine to read it.
    """

    number: int
    clock: int  # the stack's, when the trial was loaded
    epoch: int  # of this trial, from 1
    measured: Mapping[str, float]  # by the names of `storage.CURVES`
    images: int  # trained on in this epoch
    finite: bool
    weights: dict[str, np.ndarray] | None = None


@dataclass(frozen=True)
class EpochDone:
    """A stack ran an epoch on the images that `images` describes; the worker could take `room` more trials."""

    epochs: tuple[TrialEpoch, ...]
    images: Mapping[str, Any]
    room: int


@dataclass(frozen=True)
class Trouble:
    """Something that no new worker would do better at: images that cannot be had, a batch larger than the data."""

    kind: str  # a class of `lenet_search.errors`
    message: str
