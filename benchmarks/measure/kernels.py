"""The longest kernels of an epoch, from the trace that JAX's profiler writes."""

import gzip
import json
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from measure.breakdown import own_times


class Kernel(NamedTuple):
    """One kernel of XLA's programs: summed time in seconds, and how often it ran."""

    name: str
    seconds: float
    runs: int


def profiled(epoch: Callable[[], Any], folder: Path) -> list[Kernel]:
    """Run an epoch under JAX's profiler, which writes into `folder`; its kernels, the longest first."""
    import jax

    with jax.profiler.trace(str(folder)):
        epoch()
    return kernels(max(folder.glob("plugins/profile/*/*.trace.json.gz"), key=lambda path: path.stat().st_mtime))


def kernels(trace: Path) -> list[Kernel]:
    """The kernels of a trace (Chrome's format, gzipped), the longest first.

    On a GPU they are what its streams ran. On a CPU they are operations of XLA's programs, without the time of others
    inside them, such as a loop's.
    """
    with gzip.open(trace, "rt", encoding="utf-8") as file:
        events = json.load(file)["traceEvents"]
    named = [event for event in events if event.get("ph") == "M"]
    gpus = {event["pid"] for event in named if event["name"] == "process_name" and "/device:" in event["args"]["name"]}
    streams = {
        (event["pid"], event["tid"])
        for event in named
        if event["name"] == "thread_name" and event["pid"] in gpus and event["args"]["name"].startswith("Stream")
    }
    ran = defaultdict(list)
    for event in events:
        thread = event.get("pid"), event.get("tid")
        if event.get("ph") != "X" or not (thread in streams if streams else "hlo_op" in event.get("args", {})):
            continue
        ran[thread].append((round(1e6 * event["ts"]), -round(1e6 * event.get("dur", 0)), event["name"]))
    spent: Counter[str] = Counter()
    runs: Counter[str] = Counter()
    for of_thread in ran.values():
        spent.update(own_times(sorted(of_thread)))
        runs.update(name for *_, name in of_thread)
    return [Kernel(name, 1e-12 * picoseconds, runs[name]) for name, picoseconds in spent.most_common()]
