"""Throughput of a stack as a share of the machine's limit.

    python benchmarks/engine.py                         # the table: throughput, limit, compile time, memory
    python benchmarks/engine.py --quick                 # the same in about a minute, as a check
    python benchmarks/engine.py --json --plot speed.html > speed.json
    python benchmarks/engine.py --breakdown             # where an epoch's time goes
    python benchmarks/engine.py --against-keras         # the ratio to keras.Model.fit
    python benchmarks/engine.py --structures            # the cost of structural choices in a study

Throughput is measured over whole epochs, including evaluation and the host's work, and summed over the workers: one per
GPU, else one per core with one thread, as in `lenet-search run`. Cells take turns in every repeat, and medians are
reported; compiling and a first epoch are excluded. `limits.py` defines the limit. KERAS_BACKEND selects the backend.
The images are random unless --data names a folder with cifar10.npz.
"""

import argparse
import json
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))  # this checkout's package, also for the workers

from measure.cells import AUGMENT, OPTIMIZERS, PRECISIONS, STRUCTURES, STUDY  # noqa: E402

WIDTH = 132  # width of tables written to a file, in characters


def arguments(given: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--breakdown", action="store_true", help="show where an epoch's time goes, instead of the table")
    what.add_argument("--against-keras", action="store_true", help="compare with Keras's fit instead")
    what.add_argument("--structures", action="store_true", help="compare studies with and without structural choices")
    parser.add_argument("--sizes", type=int, nargs="+", metavar="N", help="slots (default: 1 to 16, on a GPU to 256)")
    names = (*AUGMENT, STUDY)
    parser.add_argument("--augment", nargs="+", choices=names, help=f"default: all; {STUDY} is the study's whole space")
    parser.add_argument("--optimizers", nargs="+", choices=OPTIMIZERS, help="default: all")
    parser.add_argument("--precision", nargs="+", choices=PRECISIONS, help="default: all")
    parser.add_argument("--workers", type=int, help="processes (default: one per GPU, else one per core)")
    parser.add_argument("--threads", type=int, help="threads per worker on a CPU (default: 1)")
    parser.add_argument("--batch", type=int, default=128, help="images per step (default: 128)")
    parser.add_argument("--images", type=int, default=0, help="training images (default: 9000, on a GPU 45000)")
    parser.add_argument("--data", type=Path, help="folder with cifar10.npz, instead of random images")
    parser.add_argument("--seconds", type=float, default=3.0, help="approximate time per measurement (default: 3)")
    parser.add_argument("--epochs", type=int, help="epochs per measurement, or per --structures trial, instead")
    parser.add_argument("--trials", type=int, default=24, help="trials per --structures study (default: 24)")
    names = tuple(STRUCTURES)[1:]
    parser.add_argument("--choices", nargs="+", choices=names, help="choices for --structures (default: all)")
    parser.add_argument("--repeat", type=int, default=5, help="measurements per cell (default: 5)")
    parser.add_argument("--budget", type=float, help="seconds in all; cells that do not fit are left out")
    parser.add_argument("--quick", action="store_true", help="measure a few small cells, in about a minute")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout, everything else on stderr")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="write a plot of the table, as an HTML file")
    options = parser.parse_args(given)
    for name in ("workers", "threads", "batch", "trials", "repeat", "epochs", *(["sizes"] if options.sizes else [])):
        value = getattr(options, name)
        if value is not None and min(value if isinstance(value, list) else [value]) < 1:
            parser.error(f"--{name}: expected at least 1; received {value}")
    if options.plot and (options.breakdown or options.against_keras or options.structures):
        parser.error("--plot cannot be combined with --breakdown, --against-keras or --structures")
    if options.quick:
        options.sizes = options.sizes or [1, 4]
        options.augment = options.augment or ["none", "all"]
        options.optimizers = options.optimizers or ["mixed"]
        options.images = options.images or 2304
        options.repeat, options.seconds, options.trials = 2, min(options.seconds, 0.5), min(options.trials, 8)
    return options


def main() -> None:
    """Run the selected measurement."""
    options = arguments()
    # Imported here because every worker imports this file again
    from measure import comparisons, shown
    from measure.crew import WorkerFailed
    from measure.structures import structures
    from measure.table import table
    from rich.console import Console

    out = Console(stderr=options.json)
    if not out.is_terminal:
        out = Console(stderr=options.json, width=WIDTH)
    asked = (
        (options.structures, structures),
        (options.breakdown, comparisons.breakdown),
        (options.against_keras, comparisons.against_keras),
    )
    try:
        result = next((measure for wanted, measure in asked if wanted), table)(options, out)
    except WorkerFailed as error:
        raise SystemExit(f"{error}\n{error.details}") from None
    if options.plot:
        shown.picture(result, options.plot)
        out.print(f"Plot written to {options.plot}", style="dim")
    if options.json:
        print(json.dumps(result))


if __name__ == "__main__":
    main()
