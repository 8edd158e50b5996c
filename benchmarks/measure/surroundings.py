"""A benchmark's notes about the machine and its settings, and its progress bar."""

import argparse
import datetime
import math
import os
import platform
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from lenet_search.crew.places import Place, places
from lenet_search.machine import usable_cores, visible_gpus
from measure.measuring import Settings


def chosen_places(options: argparse.Namespace) -> list[Place]:
    """Where the workers run: one per GPU, else one per core; on a CPU with one thread each, or --threads."""
    default = places(options.workers, visible_gpus(), usable_cores())
    return [place if place.gpu else Place(None, options.threads or 1) for place in default]


def settings(options: argparse.Namespace) -> Settings:
    """The settings of the workers."""
    return Settings(options.batch, options.images, options.data)


def machine(about: dict[str, Any], where: list[Place]) -> dict[str, Any]:
    """Facts about the machine: device, number of workers, versions, date, load."""
    name = about["device"] if about["gpu"] else processor()
    workers = f"{len(where)} worker{'s' if len(where) > 1 else ''}"
    threads = "" if about["gpu"] else f" of {where[0].threads} thread{'s' if where[0].threads > 1 else ''}"
    return {
        "where": f"{workers}{threads} on {name}, {about['backend']}",
        "processor": processor(), "device": about["device"], "workers": len(where), "threads": where[0].threads,
        "cores": usable_cores(), "backend": about["backend"], "versions": about["versions"],
        "date": datetime.date.today().isoformat(),
        "load_average": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else math.nan,
    }  # fmt: skip


def processor() -> str:
    """The processor's name, as reported by the system."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine() or os.name


def noted(options: argparse.Namespace, about: dict[str, Any]) -> dict[str, Any]:
    """The settings of the measurement."""
    return {
        "batch": options.batch, "images": about["images"], "data": str(options.data or "random"),
        "repeat": options.repeat, "seconds": options.seconds, "epochs": options.epochs, "budget": options.budget,
        "command": " ".join(sys.argv[1:]),
    }  # fmt: skip


def progress(out: Console) -> Progress:
    """A progress bar that disappears at the end."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=out, transient=True)
