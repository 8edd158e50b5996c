"""Faults at random, one after the other."""

import random
import signal
import time
from collections.abc import Mapping

from rich.console import Console

from faulting.disk import Disk
from faulting.processes import kill, pause
from faulting.search import Search
from faulting.storages import Fault

REQUESTS = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)


def torment(search: Search, disk: Disk, seconds: float, rng: random.Random, out: Console) -> dict[str, int]:
    """Search for `seconds` among faults; returns how often each happened."""
    faults = faults_of(search, disk)
    happened = dict.fromkeys(faults, 0)
    turn = min(60.0, seconds / 2)
    started, told = time.monotonic(), 0.0
    while (gone := time.monotonic() - started) < seconds:
        search.storage.mend()
        search.tend(wanted=1 + int(gone / turn) % 2)  # in every other turn, two of them
        time.sleep(rng.uniform(1.0, 9.0))  # a command takes three seconds until it trains
        name = rng.choice(sorted(faults))
        faults[name](rng)
        happened[name] += 1
        if gone - told > 60:
            told = gone
            out.print(
                f"{gone / 60:.0f} min: {sum(happened.values())} faults, {search.total} trials asked for", style="dim"
            )
    return happened


def faults_of(search: Search, disk: Disk) -> Mapping[str, Fault]:
    """Everything that can happen, by name."""
    faults: dict[str, Fault] = {
        "parent killed": lambda rng: strike(search, signal.SIGKILL),
        "parent told to stop": lambda rng: strike(search, rng.choice(REQUESTS)),
        "parent paused": lambda rng: pause([each.pid for each in search.parents], rng),
        "worker killed": lambda rng: kill(search.workers(), rng),
        "worker paused": lambda rng: pause(search.workers(), rng),
        **search.storage.faults,
    }
    if disk.own:
        faults["disk full"] = disk.fill
    return faults


def strike(search: Search, number: int) -> None:
    """Send a signal to the oldest of the parents, and wait for its end."""
    if search.parents:
        search.stop(search.parents[0], number)
