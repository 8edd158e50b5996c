"""Reads damaged input of every kind: each case must end with success or with an error of ours, in bounded memory.

    python benchmarks/fuzz.py                              # 10^5 study files, 10^4 of each other kind, 10^3 models
    python benchmarks/fuzz.py npz journals --count 500     # some of two kinds
    python benchmarks/fuzz.py --seconds 60                 # as many of each kind as one minute allows
    python benchmarks/fuzz.py images --seed 1 --only 4711  # one case again

A case follows from its kind, the seed and its number. It may take twice the bytes of its input and 200 MB of memory
(`fuzzing/watch.py` says how that is measured, on Linux), and 20 s of processor time. An error has to name the file, its
folder or the override. The input of every case at fault is kept in --keep. The exit status is 1 if there is one.
"""

import argparse
import logging
import os
import shutil
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from pathlib import Path
from random import Random

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).parents[1]))  # this checkout's package

from fuzzing.kinds import KINDS
from fuzzing.watch import Outcome, prepare, watched

MOST_SHOWN = 20  # faults of a kind
MEMORY = Path("/dev/shm")  # a folder in memory, where there is one: a case is a few small files


def case(kind: str, seed: int, number: int, scratch: Path) -> Outcome:
    """Make and read one case in an empty folder."""
    folder = scratch / f"{kind}-{seed}-{number}"
    folder.mkdir()
    path = KINDS[kind].make(Random(f"{kind} {seed} {number}"), folder)
    size = sum(each.stat().st_size for each in folder.rglob("*") if each.is_file())
    return watched(lambda: KINDS[kind].read(path), size, (path.name, folder.name, "--set"))


def main() -> None:
    """Fuzz the kinds that were asked for, and report what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kinds", nargs="*", choices=[[], *KINDS], metavar="KIND", help=", ".join(KINDS))
    parser.add_argument("--count", type=int, metavar="N", help="cases of each kind")
    parser.add_argument("--small", action="store_true", help="as many as in the tests: seconds in all, and no models")
    parser.add_argument("--seed", type=int, default=0, help="of all cases (default: 0)")
    parser.add_argument("--seconds", type=float, metavar="T", help="for each kind, whatever the count")
    parser.add_argument("--only", type=int, metavar="NUMBER", help="a single case, with its traceback")
    parser.add_argument("--keep", type=Path, default=Path("fuzz-faults"), metavar="FOLDER", help="for cases at fault")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.disable()
    print(f"{'kind':10} {'cases':>7} {'read':>7} {'refused':>8} {'faults':>7} {'seconds':>8} {'highest MB':>11}")
    kinds = options.kinds or [kind for kind in KINDS if KINDS[kind].small or not options.small]
    faults = [fuzz(kind, options) for kind in kinds]
    sys.exit(1 if any(faults) else 0)


def fuzz(kind: str, options: argparse.Namespace) -> int:
    """Fuzz one kind; returns the number of faults."""
    count = options.count or (KINDS[kind].small if options.small else KINDS[kind].cases)
    numbers = range(count) if options.only is None else [options.only]
    counted: Counter[str] = Counter()
    highest, started = 0, time.monotonic()
    with tempfile.TemporaryDirectory(prefix="fuzz-", dir=MEMORY if MEMORY.is_dir() else None) as folder:
        os.environ["XDG_CACHE_HOME"] = folder
        case(kind, -1, 0, Path(folder))  # imports what the kind needs
        prepare()
        for number in numbers:
            if options.seconds and time.monotonic() - started > options.seconds:
                break
            found = case(kind, options.seed, number, Path(folder))
            counted["cases"] += 1
            counted["faults" if found.fault else "refused" if found.refused else "read"] += 1
            highest = max(highest, found.memory)
            place = Path(folder) / f"{kind}-{options.seed}-{number}"
            if found.fault and counted["faults"] <= MOST_SHOWN:
                shutil.copytree(place, options.keep / place.name, dirs_exist_ok=True)
                print(f"{kind} {number}: {found.fault[:300]}", flush=True)
            if options.only is not None and found.error is not None:
                traceback.print_exception(found.error)
            shutil.rmtree(place)
    cells = (counted["cases"], counted["read"], counted["refused"], counted["faults"])
    seconds = time.monotonic() - started
    print(
        f"{kind:10} {cells[0]:7} {cells[1]:7} {cells[2]:8} {cells[3]:7} {seconds:8.0f} {highest / 1e6:11.1f}",
        flush=True,
    )
    return counted["faults"]


if __name__ == "__main__":
    main()
