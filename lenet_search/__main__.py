"""The process of `lenet-search` and `python -m lenet_search`: what must be in order before anything is imported."""

import os
import signal
import sys
from types import FrameType


def main() -> None:
    """Run the command line."""
    _leave_quietly()
    _open_standard_streams()
    from lenet_search.cli import app

    app(prog_name="lenet-search")


def _leave_quietly() -> None:
    """Ctrl-C during the imports ends the process without a traceback; the commands handle signals themselves."""

    def leave(number: int, frame: FrameType | None) -> None:
        os._exit(128 + number)

    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # else it is ignored, as under nohup
        signal.signal(signal.SIGINT, leave)


def _open_standard_streams() -> None:
    """Open those that the caller has closed, or the next file opened would take their place and get their output."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # takes the lowest number that is free
    for name, descriptor, mode in (("stdin", 0, "r"), ("stdout", 1, "w"), ("stderr", 2, "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(descriptor, mode, closefd=False))


if __name__ == "__main__":
    if not sys.flags.safe_path:  # a file of the working folder must not take the place of a package
        sys.path.append(sys.path.pop(0))
    main()
