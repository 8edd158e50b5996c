"""Faults at random: a search is killed, stopped and starved, and afterwards its books must balance.

    python benchmarks/faults.py STORAGE [MINUTES]

STORAGE is `journal`, `sqlite`, `postgresql`, `mariadb` or `redis` (each a server of its own, from Debian's packages),
or `ray`: a journal, and workers on a Ray cluster of a head and two nodes, all on this machine. For MINUTES (20 unless
said), one or two processes search a study of tiny images, each with two workers. Every few seconds, one of these
happens, by the numbers of `--seed`:

    parent     SIGKILL, SIGTERM, SIGINT or SIGUSR1 to a searching process; it is started again
    pause      SIGSTOP to a searching process or a worker, and SIGCONT up to three seconds later
    worker     SIGKILL to a worker
    disk       the disk is full for up to three seconds (as root: a file system of its own, in memory)
    database   the server is killed (kill -9) or restarted
    node       of Ray: killed (kill -9), shut down or paused; another one joins within a few seconds
    actor      of Ray: killed or paused

Whenever the trials are done, the study gets more. At the end a last search, left alone, finishes what is open. Then

    stop       each parent has ended within a minute when it was told to
    left       no process of the search is left: no parent, worker or actor
    told       no searching process has ended with a traceback, or with an error that it calls a bug
    total      as many trials have ended as were asked for, and none runs or waits
    once       no two trials that ended have the same parameters (the sampler draws real numbers at random)
    whole      every trial that ended carries its run, with a value for each epoch, and reports that agree with it
    value      a trial's value is that of its run's last epoch
    again      values are reproduced by training again from what is stored, for `--again` of the trials

Exit code 1 if a book does not balance; what was wrong is printed, and the folder is kept.
"""

import argparse
import json
import logging
import random
import shutil
import signal
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parents[1]))  # this checkout's package

from faulting.books import check
from faulting.disk import Disk
from faulting.search import Search
from faulting.storages import STORAGES, NotInstalled
from faulting.torment import torment

from lenet_search.starting import start_backend


def main() -> None:
    """Run the search among faults, and check its books."""
    options = arguments()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # in the background, shells have it ignored
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    out = Console(soft_wrap=True)
    folder = Path(tempfile.mkdtemp(prefix="faults-"))
    with ExitStack() as farewell:
        disk = Disk(folder / "disk")
        farewell.callback(disk.close)
        try:
            storage = STORAGES[options.storage](disk)
        except NotInstalled as missing:
            farewell.close()
            shutil.rmtree(folder)
            if not options.if_installed:
                raise SystemExit(f"{options.storage}: {missing}") from None
            out.print(f"{options.storage} is left out: {missing}")
            return
        farewell.callback(storage.close)
        search = Search(disk.folder, storage)
        farewell.callback(search.close)
        happened = torment(search, disk, 60.0 * options.minutes, random.Random(options.seed), out)
        seconds = search.finish()
        start_backend()
        problems, facts = check(search, options.again)
    made = Table(title=f"{options.storage}, {options.minutes:g} minutes of faults, then {seconds:.0f} s in peace")
    made.add_column("what")
    made.add_column("count", justify="right")
    for name, count in (*happened.items(), *facts.items()):
        made.add_row(name, str(count))
    out.print(made)
    for problem in problems:
        out.print(problem, style="bold red", markup=False)
    if options.json:
        print(json.dumps({"storage": options.storage, "faults": happened, **facts, "problems": problems}))
    if problems:
        raise SystemExit(f"the books do not balance; see {folder}")
    shutil.rmtree(folder, ignore_errors=True)
    out.print("The books balance.")


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("storage", choices=STORAGES, metavar="STORAGE", help=", ".join(STORAGES))
    parser.add_argument("minutes", nargs="?", type=float, default=20.0, metavar="MINUTES")
    parser.add_argument("--seed", type=int, default=0, help="of the faults")
    parser.add_argument("--again", type=int, default=10, help="trials to train again")
    parser.add_argument("--if-installed", action="store_true", help="do nothing where the storage is not installed")
    parser.add_argument("--json", action="store_true", help="print the result as one object, too")
    return parser.parse_args()


if __name__ == "__main__":
    main()
