"""The simulations behind docs/statistics.md: each prints the table that stands there.

python benchmarks/simulations                 all of them
python benchmarks/simulations intervals       coverage of the intervals
python benchmarks/simulations importance      what the verdict on hyperparameters names
python benchmarks/simulations selection       bias of the best trial's value: raw, shrunk, confirmed
python benchmarks/simulations importance --searches 20
"""

import argparse
from collections.abc import Callable

import intervals
import selection
import verdicts

SIMULATIONS: dict[str, tuple[Callable[[int], str], int]] = {  # what makes a table, and from how many repetitions
    "intervals": (intervals.table, 10_000),
    "importance": (verdicts.table, 100),
    "selection": (selection.table, 1_000),
}


def main() -> None:
    """Run the simulations that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("which", nargs="*", choices=[[], *SIMULATIONS], metavar="NAME", help=", ".join(SIMULATIONS))
    parser.add_argument("--searches", type=int, metavar="N", help="repetitions of each row")
    options = parser.parse_args()
    for name in options.which or SIMULATIONS:
        made, usual = SIMULATIONS[name]
        print(f"{name}:\n\n{made(options.searches or usual)}\n", flush=True)


if __name__ == "__main__":
    main()
