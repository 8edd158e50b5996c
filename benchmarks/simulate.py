"""The simulations behind docs/statistics.md: each prints the table that stands there.

python benchmarks/simulate.py                 all of them
python benchmarks/simulate.py intervals       coverage of the intervals
python benchmarks/simulate.py importance      what the verdict on hyperparameters names
python benchmarks/simulate.py selection       bias of the best trial's value: raw, shrunk, confirmed
python benchmarks/simulate.py seeds           bias of the best value of searches with several seeds per trial
python benchmarks/simulate.py races           verdicts of `lenet-search confirm`
python benchmarks/simulate.py reference       whether its winner is better than the reference
python benchmarks/simulate.py leader          the mean of the leader of a race
python benchmarks/simulate.py importance --searches 20
"""

import argparse
from collections.abc import Callable

from simulations import intervals, races, selection, verdicts

SIMULATIONS: dict[str, tuple[Callable[[int], str], int]] = {  # what makes a table, and from how many repetitions
    "intervals": (intervals.table, 2_000),
    "importance": (verdicts.table, 100),
    "selection": (selection.table, 1_000),
    "seeds": (selection.seeds_table, 1_000),
    "races": (races.table, 2_000),
    "reference": (races.reference_table, 2_000),
    "leader": (races.leader_table, 2_000),
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
