"""Samplers and pruners of OptunaHub, such as `kind = "hub:samplers/auto_sampler"`.

OptunaHub downloads a package from its registry, once, and runs its code: other than everything else in a study file,
such a kind is a program. Only the registry of Optuna's own developers is used.
"""

import contextlib
import importlib.util
import os
import re
import sys
from functools import cache
from typing import Any

PREFIX = "hub:"
KIND = re.compile(rf"{PREFIX}((?:sampler|pruner)s(?:/\w+)+)(?::(\w+))?", re.ASCII)
FAULTS = (Exception, SystemExit, GeneratorExit)  # whatever a program may raise, but not a person who interrupts it
INSTALL = "pip install 'lenet-search[hub]'"


class NotFound(Exception):
    """There is no such sampler or pruner; says what was expected instead."""


def is_of_hub(kind: Any) -> bool:
    """Whether a kind names something of OptunaHub."""
    return isinstance(kind, str) and kind.startswith(PREFIX)


@cache
def class_of(kind: str) -> type:
    """The class that a kind names: "hub:PACKAGE", or, of several in a package, "hub:PACKAGE:CLASS".

    Raises:
        NotFound: the kind is malformed, OptunaHub is missing or cannot be reached, or the package has no such class.
    """
    found = KIND.fullmatch(kind)
    if found is None:
        raise NotFound(f'a package of OptunaHub, like "{PREFIX}samplers/auto_sampler"')
    if importlib.util.find_spec("optunahub") is None:
        raise NotFound(f"the package optunahub, which kinds that begin with {PREFIX} require ({INSTALL})")
    package, name = found.groups()
    here = _classes(package)
    if (len(here) != 1 and name is None) or (name is not None and name not in here):
        listed = ", ".join(f'"{PREFIX}{package}:{each}"' for each in here)
        raise NotFound(f"one of {listed}" if here else f"a package with a {package.split('s/')[0]}")
    return here[name or next(iter(here))]


def _classes(package: str) -> dict[str, type]:
    """The samplers or pruners of a package, by name."""
    import optuna

    os.environ.setdefault("GIT_TERMINAL_PROMPT", "0")  # git must not ask for a password
    try:
        import optunahub

        with contextlib.redirect_stdout(sys.stderr):  # stdout is for results
            module = optunahub.load_module(package)
            offered = getattr(module, "__all__", None)  # may list classes of Optuna, which do not count otherwise
            names = offered or [name for name in vars(module) if not name.startswith("_")]
            known = {str(name): getattr(module, name, None) for name in names}
    except FAULTS as error:  # of git, which may be missing, of the network, or of the package itself
        raise NotFound(f"a package that OptunaHub has, and that can be loaded ({reason(error)})") from error
    base = optuna.samplers.BaseSampler if package.startswith("samplers/") else optuna.pruners.BasePruner
    return {
        name: each
        for name, each in known.items()
        if isinstance(each, type) and issubclass(each, base) and (offered or not each.__module__.startswith("optuna."))
    }


def reason(error: BaseException) -> str:
    """An error on one line; of git's, which repeat its command first, what git said."""
    try:
        text = str(error).strip()
    except Exception:
        text = ""
    lines = (text or type(error).__name__).splitlines()
    said = next((line for line in lines if "fatal: " in line), lines[0])
    return said[said.find("fatal: ") + len("fatal: ") :].strip("' ") if "fatal: " in said else said
